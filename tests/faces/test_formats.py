"""Tables in every form, on stdout and in files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tcptrace.errors import UsageError
from tcptrace.faces import formats
from tcptrace.faces.selection import flattened
from tcptrace.tables import encoded
from tests.faces.made import ANOMALIES, CONNECTIONS, TIMELINE, table

Writer = Callable[[pd.DataFrame, io.StringIO], None]


def written(write: object, frame: pd.DataFrame) -> str:
    stream = io.StringIO()
    write(frame, stream)  # type: ignore[operator]
    return stream.getvalue()


def test_csv_reads_back() -> None:
    """A header and a row a line; the csv module reads what was written."""
    text = written(formats.write_csv, flattened(table("anomalies", *ANOMALIES)))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert ["2", "0", ""] == [row["conn"] for row in rows]
    assert [77] == json.loads(rows[0]["packets"])
    assert "10.0.0.9 closed first" in rows[1]["headline"]


def test_tsv_has_tabs() -> None:
    """The same with tabs."""
    text = written(formats.write_tsv, flattened(table("connections", *CONNECTIONS)))
    assert ["conn", "orig_ip", "orig_port"] == text.splitlines()[0].split("\t")[:3]
    assert 4 == len(text.splitlines())


def test_json_is_one_array() -> None:
    """Objects with the columns' names, null for what is missing."""
    rows = json.loads(written(formats.write_json, flattened(table("timeline", *TIMELINE))))
    assert len(TIMELINE) == len(rows)
    assert None is rows[0]["confirmed_by"] and "0.001000000" == rows[0]["duration"]
    assert [] == json.loads(written(formats.write_json, table("timeline")))


def test_json_lines_are_flushed_one_by_one() -> None:
    """A reader at the other end of a pipe gets each row as it is made."""

    class Counting(io.StringIO):
        flushes = 0

        def flush(self) -> None:
            self.flushes += 1

    stream = Counting()
    formats.write_jsonl(table("timeline", *TIMELINE), stream)
    lines = stream.getvalue().splitlines()
    assert len(TIMELINE) == len(lines) == stream.flushes
    assert [0] * len(lines) == [json.loads(line)["conn"] for line in lines]


def test_json_lines_into_a_file_are_the_same(tmp_path: Path) -> None:
    """Many are written at a time there, and all are in the file when a piece is done."""
    frame = table("timeline", *TIMELINE)
    path = tmp_path / "timeline.jsonl"
    with formats.output(str(path)) as stream:
        formats.write_jsonl(frame, stream)
        assert written(formats.write_jsonl, frame) == path.read_text(encoding="utf-8")


def test_rows_beyond_one_chunk_are_all_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are turned into text in parts; the seams do not show."""
    whole = written(formats.write_csv, table("timeline", *TIMELINE))
    monkeypatch.setattr(encoded, "CHUNK", 2)
    assert whole == written(formats.write_csv, table("timeline", *TIMELINE))


def test_parquet_keeps_the_dtypes(tmp_path: Path) -> None:
    """Times stay nanoseconds in UTC, lists stay lists."""
    pytest.importorskip("pyarrow")
    frame = flattened(table("anomalies", *ANOMALIES))
    path = tmp_path / "anomalies.parquet"
    with formats.output(str(path)) as stream:
        formats.write_parquet(frame, stream)
    back = pd.read_parquet(path)
    assert "datetime64[ns, UTC]" == str(back["ts"].dtype)
    assert "timedelta64[ns]" == str(back["duration"].dtype)
    assert [9, 10] == list(back["packets"][1])


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyarrow is an extra."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'tcptrace\[parquet\]'"):
        formats.write_parquet(table("timeline"), io.StringIO())


def test_parquet_is_not_for_a_terminal() -> None:
    """Bytes on a terminal help nobody."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    with pytest.raises(UsageError, match="terminal"):
        formats.write_parquet(table("timeline"), Terminal())


@pytest.mark.parametrize(
    ("asked", "output", "expected"),
    [
        (None, None, "text"),
        (None, "x.csv", "csv"),
        (None, "x.NDJSON", "jsonl"),
        (None, "x.dat", "text"),
        ("tsv", "x.csv", "tsv"),
        (None, "-", "text"),
    ],
)
def test_the_file_name_may_say_the_format(
    asked: str | None, output: str | None, expected: str
) -> None:
    """`-T` decides, else the suffix of `-o`, else text."""
    assert expected == formats.format_of(asked, output)


def test_output_does_not_overwrite_an_input(tmp_path: Path) -> None:
    """`-o` may not be the capture itself, by whatever path."""
    capture = tmp_path / "office.pcap"
    capture.write_bytes(b"packets")
    (tmp_path / "link").symlink_to(capture)
    with (
        pytest.raises(UsageError, match="overwritten"),
        formats.output(str(tmp_path / "link"), (str(capture),)),
    ):
        pass
    assert b"packets" == capture.read_bytes()


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    """A directory, a folder that is not there: the caller's mistake, in a line."""
    for path in (tmp_path, tmp_path / "none" / "x.csv"):
        with pytest.raises(UsageError, match="-o "), formats.output(str(path)):
            pass
