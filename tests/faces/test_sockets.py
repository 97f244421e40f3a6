"""`tcptrace sockets`, on shipped captures."""

from __future__ import annotations

import csv
import io

import pytest
from click.testing import CliRunner, Result

from tcptrace.errors import UsageError
from tcptrace.faces.cli import cli
from tcptrace.tables.schema import SOCKETS
from tests.kernel_lab.expect import capture_of
from tests.kernel_lab.record import CAPTURES


def run(*args: str, case: str = "fin_wait_2_stalled") -> Result:
    return CliRunner().invoke(cli, ["sockets", str(capture_of(CAPTURES / case)), *args])


def rows(*args: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run("-T", "csv", *args).stdout)))


def test_text_is_as_ss_prints() -> None:
    """State, local and peer; a listener's peer is anyone."""
    lines = [
        line.split() for line in run("--at", "+30s", case="fin_wait_2_stalled").stdout.splitlines()
    ]
    assert ["state", "local", "peer", "age", "basis", "conn"] == lines[0]
    assert ["FIN_WAIT_2", "192.0.2.1:40110", "192.0.2.2:8080"] == lines[1][:3]
    assert ["LISTEN", "192.0.2.2:8080", "*:*"] == lines[2][:3]
    assert ["CLOSE_WAIT", "192.0.2.2:8080", "192.0.2.1:40110"] == lines[3][:3]


def test_moment_in_each_form() -> None:
    """A time of the clock, one after the first packet, and the end where none is said."""
    assert rows("--at", "+30s") == rows("--at", "2026-11-25T04:13:03.463128439Z")
    assert {"TIME_WAIT", "CLOSE_WAIT", "LAST_ACK", "LISTEN"} == {row["state"] for row in rows()}
    assert "at 2026-11-25 04:13:51.128192 UTC" in run().stderr


def test_csv_has_every_column() -> None:
    """The schema's."""
    assert [column.name for column in SOCKETS.columns] == list(rows()[0])


def test_rows_are_picked() -> None:
    """By connection, with the listener that it used, and by an expression."""
    assert ["", "1", "1"] == sorted(row["conn"] for row in rows("--conn", "1"))
    stuck = rows("-Y", "state == close-wait and age > 10s", "-e", "conn")
    assert [{"conn": "0"}] == stuck


def test_before_and_after() -> None:
    """Nothing before the first packet; timers go on after the last."""
    assert [] == rows("--at", "2020-01-01")
    assert ["LISTEN", "CLOSE_WAIT"] == [row["state"] for row in rows("--at", "+10m")]


@pytest.mark.parametrize("when", ["noon", "+later", ""])
def test_what_is_no_time(when: str) -> None:
    """A sentence with an example."""
    assert isinstance(run("--at", when).exception, UsageError)
