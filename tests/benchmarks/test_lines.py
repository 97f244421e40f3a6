"""Keeps `lines` true."""

from __future__ import annotations

from pathlib import Path

import pytest

import tcptrace
from tcptrace.compiled import interpreted_kernels
from tests.benchmarks import lines
from tests.benchmarks.lines import counted
from tests.benchmarks.loads import make
from tests.benchmarks.wish import Mix, Wish

FLOORS = {"sources", "decode", "tracker", "tables", "anomalies"}
CAPTURE = str(Path(tcptrace.__file__).parents[1] / "captures/abort/capture.pcapng")

ROOM = 60  # lines: which of two threads finds its room too small is chance


def test_lines_are_told_by_floor_and_are_the_same_again() -> None:
    """All floors that a reading passes through, whichever thread runs them."""
    first, second = counted(CAPTURE), counted(CAPTURE)
    assert FLOORS < set(first)
    assert all(abs(first[floor] - second[floor]) <= ROOM for floor in FLOORS)


def test_a_loop_over_packets_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line more for each packet is that many more."""
    load = tmp_path / "load.pcap"
    make(Wish(Mix.ELEPHANTS, 1_000, 96), load)
    before = counted(str(load))
    code = "def loop(n):\n    for _ in range(n):\n        pass\n"
    space: dict[str, object] = {}
    exec(compile(code, f"{lines.OURS}tables/loop.py", "exec"), space)
    everything = lines.everything

    def worse(path: str) -> None:
        everything(path)
        space["loop"](1_000)  # type: ignore[operator]

    monkeypatch.setattr(lines, "everything", worse)
    after = counted(str(load))
    assert 1_000 < after["tables"] - before["tables"] < 3_000
    assert abs(before["tracker"] - after["tracker"]) <= ROOM


@pytest.mark.skipif(bool(interpreted_kernels()), reason="an interpreted kernel has lines")
def test_packets_cost_no_lines(tmp_path: Path) -> None:
    """Ten times the packets of as many connections, and hardly a line more."""
    few, many = tmp_path / "few.pcap", tmp_path / "many.pcap"
    make(Wish(Mix.ELEPHANTS, 1_000, 96), few)
    make(Wish(Mix.ELEPHANTS, 10_000, 96), many)
    assert sum(counted(str(many)).values()) < 1.2 * sum(counted(str(few)).values())
