"""Keeps `measured` true: who runs when, how often, and that nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcptrace.compiled import interpreted_kernels
from tests.benchmarks import measuring
from tests.benchmarks.loads import make
from tests.benchmarks.measuring import in_turn, is_enough, measured
from tests.benchmarks.programs import ENGINE, PROGRAMS, Found, Program
from tests.benchmarks.record import begun
from tests.benchmarks.runs import DONE, TIMEOUT, Run
from tests.benchmarks.wish import Mix, Wish

HERE = [Found(program, "/bin/x", "1") for program in PROGRAMS]
FEW = tuple(program for program in PROGRAMS if program.name in (ENGINE, "cat"))
ABSENT = Program("absent", ("no-such-program", "LOAD"), ("-V",), "x")


def test_every_turn_begins_with_another_program_and_has_all() -> None:
    """What always ran after a hungry one would look slower than it is."""
    turns = [in_turn(HERE, turn) for turn in range(5)]
    assert 5 == len({turn[0].program.name for turn in turns})
    assert all(sorted(map(str, turn)) == sorted(map(str, HERE)) for turn in turns)


def test_slow_or_failed_program_is_not_run_again() -> None:
    """It would take an hour to say the same."""
    quick, slow, stopped = Run(1, 1, 1), Run(31, 31, 1), Run(1, 1, 1, TIMEOUT)
    enough = [is_enough(runs, 30) for runs in ([], [quick], [slow], [quick, stopped])]
    assert [False, False, True, True] == enough


@pytest.mark.skipif(bool(interpreted_kernels()), reason="only compiled kernels are measured")
def test_programs_that_are_here_run_as_often_as_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Facts are the engine's; what is absent has no runs; the scratch folder is empty again."""
    monkeypatch.setattr(measuring, "PROGRAMS", (*FEW, ABSENT))
    load, scratch = tmp_path / "load.pcap", tmp_path / "scratch"
    scratch.mkdir()
    make(Wish(Mix.ELEPHANTS, 2_000, 96), load)
    made = measured("load", load, begun(2, 30, 300), scratch)
    assert ("load", 2_000, 20) == (made.name, made.packets, made.connections)
    assert {ENGINE: [DONE] * 2, "cat": [DONE] * 2} == {
        name: [run.outcome for run in runs] for name, runs in made.runs.items()
    }
    assert [] == [*scratch.iterdir()]
    assert "cat" in capsys.readouterr().err
