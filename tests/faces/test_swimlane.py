"""`tcptrace swimlane`, on shipped captures."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest
from click.testing import CliRunner, Result

from tcptrace.errors import UsageError
from tcptrace.faces.cli import cli
from tests.kernel_lab.expect import capture_of
from tests.kernel_lab.record import CAPTURES

CAPTURE = str(capture_of(CAPTURES / "time_wait_reuse"))


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["swimlane", CAPTURE, *args])


def words(svg: bytes | str) -> str:
    """All text of a drawing."""
    return " ".join(text.strip() for text in xml.fromstring(svg).itertext() if text.strip())


def test_svg_on_stdout() -> None:
    """Where nothing else is said; its title names the file."""
    text = words(run("-q").stdout)
    assert "capture.pcapng · 2 connections" in text
    assert "TIME_WAIT" in text


def test_file_by_suffix(tmp_path: Path) -> None:
    """Nothing on stdout."""
    path = tmp_path / "lanes.png"
    assert "" == run("-o", str(path)).stdout
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("narrowed", [("--conn", "1"), ("-Y", "incarnation == 1")])
def test_connections_are_picked(narrowed: tuple[str, ...]) -> None:
    """By number or by an expression over the table of connections."""
    assert "1 connection " in words(run(*narrowed).stdout) + " "


def test_most() -> None:
    """The title says which were left out."""
    assert "1 of 2 connections: the earliest" in words(run("--most", "1").stdout)


def test_nothing_to_draw_writes_no_file(tmp_path: Path) -> None:
    """An empty file would look like an answer."""
    path = tmp_path / "none.svg"
    failure = run("--port", "1", "-o", str(path)).exception
    assert isinstance(failure, UsageError) and "nothing to draw" in str(failure)
    assert not path.exists()


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "pip install 'tcptrace[plot]'" in str(run().exception)
