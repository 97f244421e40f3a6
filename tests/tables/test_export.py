"""Pins tables as files: nothing is rounded, what is missing is missing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from tcptrace.errors import UsageError
from tcptrace.tables.connections import connections
from tcptrace.tables.export import write_tables
from tcptrace.tables.schema import ANOMALIES
from tcptrace.tables.timeline import timeline
from tests.tables.written import Written, orderly_close


def tables() -> dict[str, pd.DataFrame]:
    """An orderly close, and no anomaly."""
    written = Written()
    orderly_close(written, rtt_orig=1_000_000_001)
    found = written.reconstruction()
    return {
        "connections": connections(found),
        "timeline": timeline(found),
        "anomalies": ANOMALIES.empty(),
    }


def test_csv_keeps_every_nanosecond(tmp_path: Path) -> None:
    """Times are ISO 8601, durations decimal seconds, missing ones empty."""
    paths = write_tables(tables(), tmp_path / "new" / "folder", "csv")
    assert ["connections.csv", "timeline.csv", "anomalies.csv"] == [path.name for path in paths]
    row = next(csv.DictReader(paths[0].open()))
    assert ("0", "2023-11-14T22:13:20.000000000Z") == (row["conn"], row["ts_start"])
    assert ("1.000000001", "") == (row["handshake_rtt_orig"], row["handshake_rtt_resp"])
    assert "true" == row["is_final"]
    assert 1 == len(paths[2].read_text().splitlines())


def test_json_is_an_array_of_objects(tmp_path: Path) -> None:
    """Numbers stay numbers, what is missing is null."""
    paths = write_tables(tables(), tmp_path, "json")
    rows = json.loads(paths[1].read_text())
    assert "SYN_SENT" == rows[0]["state"] and 1 == rows[0]["packet"]
    assert rows[0]["confirmed_by"] is None and rows[5]["end"] is None
    assert [] == json.loads(paths[2].read_text())


def test_parquet_keeps_the_dtypes(tmp_path: Path) -> None:
    """Read back, a table is what it was."""
    pytest.importorskip("pyarrow")
    path = write_tables(tables(), tmp_path, "parquet")[1]
    again = pd.read_parquet(path)
    assert tables()["timeline"]["start"].tolist() == again["start"].tolist()
    assert "ordered=True" in repr(again["state"].dtype)


def test_folder_that_cannot_be_made_is_the_callers_mistake(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError, match="taken"):
        write_tables(tables(), tmp_path / "taken", "csv")
