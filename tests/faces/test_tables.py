"""The commands that print one table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result

from tcptrace.errors import UsageError
from tcptrace.faces.request import Request
from tcptrace.faces.tables import TABLES
from tcptrace.tables import schema
from tests.faces.made import MadeTrace, table

Run = Callable[..., Result]


def test_there_is_a_command_for_each_table() -> None:
    """The schema's tables and the commands are the same."""
    assert list(schema.TABLES) == list(TABLES)


@pytest.mark.parametrize("name", list(TABLES))
def test_csv_has_every_column(run: Run, made: MadeTrace, name: str) -> None:
    """The header is the schema's, index first; a row a line."""
    rows = list(csv.reader(io.StringIO(run(name, "office.pcapng", "-T", "csv").stdout)))
    assert [column.name for column in schema.TABLES[name].columns] == rows[0]
    assert len(getattr(made, name)) + 1 == len(rows)


@pytest.mark.parametrize("name", list(TABLES))
def test_a_table_without_rows(run: Run, made: MadeTrace, name: str) -> None:
    """Every form has one."""
    setattr(made, name, table(name))
    assert 1 == len(run(name, "x", "-T", "csv").stdout.splitlines())
    assert [] == json.loads(run(name, "x", "-T", "json").stdout)
    assert "" == run(name, "x", "-T", "jsonl").stdout
    assert 1 == len(run(name, "x").stdout.splitlines())


def test_rows_by_expression_and_columns_by_name(run: Run) -> None:
    """The expression may use columns that are not printed."""
    args = ("-Y", "state == fin-wait-2 and duration >= 1m", "-e", "conn,role", "-e", "state")
    result = run("timeline", "office.pcapng", *args, "-T", "tsv")
    assert "conn\trole\tstate\n0\toriginator\tFIN_WAIT_2\n" == result.stdout


def test_rows_by_connection(run: Run) -> None:
    """--conn, --host and --port narrow every table."""
    for args in (("--conn", "1"), ("--port", "443"), ("--host", "2001:db8::5")):
        assert 0 == len(run("timeline", "x", *args, "-T", "jsonl").stdout.splitlines())
        rows = run("anomalies", "x", *args, "-T", "jsonl").stdout.splitlines()
        assert ["capture-loss"] == [json.loads(row)["code"] for row in rows]


def test_the_caption_is_no_data(run: Run) -> None:
    """How many, and of which day, goes to stderr; -q and other forms have none."""
    assert "3 connections; times are UTC, 2025-11-25\n" == run("connections", "x").stderr
    assert "9 intervals; times are UTC, 2025-11-25\n" == run("timeline", "x").stderr
    assert "" == run("connections", "x", "-q").stderr
    assert "" == run("connections", "x", "-T", "csv").stderr


def test_output_file(run: Run, tmp_path: Path) -> None:
    """`-o` writes there what stdout would have had, in the form its suffix says."""
    path = tmp_path / "out.csv"
    result = run("connections", "x", "-o", str(path))
    assert ("", 0) == (result.stdout, result.exit_code)
    assert run("connections", "x", "-T", "csv").stdout == path.read_text()


def test_anomalies_to_a_file_need_no_whole_trace(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Unless connections are picked: the same rows as on stdout either way."""
    path = tmp_path / "out.csv"
    for picked in ([], ["-Y", "severity >= warning"], ["--conn", "1"]):
        expected = run("anomalies", "x", "-T", "csv", *picked).stdout
        with monkeypatch.context() as patched:
            patched.delattr(Request, "stream" if "--conn" in picked else "trace")
            assert 0 == run("anomalies", "x", "-o", str(path), *picked).exit_code
        assert expected == path.read_text()


def test_parquet_to_a_file(run: Run, tmp_path: Path) -> None:
    """The columns asked for, with their dtypes."""
    pytest.importorskip("pyarrow")
    path = tmp_path / "out.parquet"
    assert 0 == run("connections", "x", "-o", str(path), "-e", "conn,ts_start").exit_code
    assert ["conn", "ts_start"] == list(pd.read_parquet(path).columns)


def test_a_bad_column_writes_no_file(run: Run, tmp_path: Path) -> None:
    """What was in the file before is still there."""
    path = tmp_path / "out.csv"
    path.write_text("before")
    result = run("connections", "x", "-o", str(path), "-e", "nope")
    assert isinstance(result.exception, UsageError) and "before" == path.read_text()
    result = run("connections", "x", "-o", str(path), "-Y", "nope == 1")
    assert isinstance(result.exception, UsageError) and "before" == path.read_text()


def test_anomalies_come_most_severe_first(run: Run) -> None:
    """As the report tells them."""
    rows = run("anomalies", "x", "-T", "jsonl").stdout.splitlines()
    assert ["warning", "notice", "info"] == [json.loads(row)["severity"] for row in rows]


def test_what_a_reader_should_know_of_the_capture(run: Run, made: MadeTrace) -> None:
    """A capture that is cut or lost packets says so on stderr, whatever the form; -q does not."""
    made.capture.files[0].truncated_at = 1024
    made.capture.loss.dropped = 12
    lines = run("timeline", "x", "-T", "csv").stderr.splitlines()
    assert ["tcptrace: cut short: office.pcapng at byte 1,024"] == lines[:1]
    assert ["tcptrace: 12 packets dropped while capturing"] == lines[1:]
    assert "skipped: 10 not TCP" in run("timeline", "x", "-v").stderr
    assert "" == run("timeline", "x", "-q").stderr
