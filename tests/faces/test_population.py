"""`tcptrace population`, on a shipped capture."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest
from click.testing import CliRunner, Result

from tcptrace.errors import UsageError
from tcptrace.faces.cli import cli
from tests.kernel_lab.expect import capture_of
from tests.kernel_lab.record import CAPTURES

CAPTURE = str(capture_of(CAPTURES / "fin_wait_2_stalled"))


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["population", CAPTURE, *args])


def rows(*args: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run("-T", "csv", *args).stdout)))


def test_text_has_a_column_a_state() -> None:
    """And a row for each host of a moment."""
    lines = run("--every", "20s").stdout.splitlines()
    states = ["LISTEN", "FIN_WAIT_2", "CLOSE_WAIT", "TIME_WAIT"]
    assert ["time", "host", *states] == lines[0].split()
    assert ["192.0.2.1", "0", "1", "0", "0"] == lines[1].split()[1:]


def test_csv_is_tidy() -> None:
    """A row for each time, host and state; the step is the one asked for."""
    told = rows("--every", "20s")
    assert ["time", "host", "state", "sockets"] == list(told[0])
    assert ["00", "20", "40"] == sorted({row["time"][17:19] for row in told})
    only = rows("--every", "20s", "-e", "state")
    assert [["state"]] == [list(row) for row in only[:1]]


def test_expression_is_over_these_columns() -> None:
    """In the table and in the picture."""
    assert {"CLOSE_WAIT"} == {row["state"] for row in rows("-Y", "state == close-wait")}
    svg = run("-Y", "state == close-wait", "-T", "svg").stdout
    words = {text.strip() for text in xml.fromstring(svg).itertext()}
    assert "CLOSE_WAIT" in words and "FIN_WAIT_2" not in words


def test_connections_are_picked() -> None:
    """Their sockets, and the listener that they used."""
    told = rows("--conn", "1", "--every", "100ms")
    assert {"LISTEN", "TIME_WAIT"} <= {row["state"] for row in told}
    assert "FIN_WAIT_2" in {row["state"] for row in rows("--conn", "0")}
    assert max(int(row["sockets"]) for row in told) == 1


def test_hosts_share_a_row() -> None:
    """Those beyond the busiest."""
    assert {"others"} == {row["host"] for row in rows("--hosts", "0")}


def test_picture_by_suffix(tmp_path: Path) -> None:
    """The file's name says what is meant."""
    path = tmp_path / "sockets.png"
    assert "" == run("-o", str(path)).stdout
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("args", [("--every", "never"), ("--every", "1ns")])
def test_step_that_makes_no_sense(args: tuple[str, ...]) -> None:
    """One line, and no file."""
    assert isinstance(run(*args).exception, UsageError)


def test_picture_of_nothing_writes_no_file(tmp_path: Path) -> None:
    """An empty file would look like an answer."""
    path = tmp_path / "none.svg"
    failure = run("-Y", "state == closing", "-o", str(path)).exception
    assert isinstance(failure, UsageError) and not path.exists()
