"""`measured`: every program on one load, in turns, each turn in another order."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from .programs import ENGINE, PROGRAMS, Found, found
from .record import ROOT, Load, Record
from .runs import DONE, Limits, Run, run

MEMORY_SHARE = 0.8  # of the machine's, so that a program that wants more ends, and not the machine


def measured(name: str, path: Path, record: Record, scratch: Path) -> Load:
    """The runs of the programs that are here on a capture file; results lie in `scratch` and go."""
    limits = Limits(record.limit, int(record.machine.memory * MEMORY_SHARE), _environment())
    here = [known for known in map(found, PROGRAMS) if known]
    runs: dict[str, list[Run]] = {known.program.name: [] for known in here}
    facts = warmed_up(path, limits, scratch)
    for turn in range(record.repetitions):
        for known in in_turn(here, turn):
            so_far = runs[known.program.name]
            if not is_enough(so_far, record.patience):
                so_far.append(_once(known, path, limits, scratch))
                _tell(name, known.program.name, so_far[-1])
    return Load(name, path.stat().st_size, facts["packets"], facts["connections"], runs)


def warmed_up(path: Path, limits: Limits, scratch: Path) -> dict[str, int]:
    """Read the capture once, so that it lies in the page cache; what the engine counts in it."""
    engine = next(program for program in PROGRAMS if program.name == ENGINE)
    known = found(engine)
    assert known is not None
    told = _once(known, path, limits, scratch)
    if told.outcome != DONE:
        raise SystemExit(f"{path}: the engine cannot read it: {told.outcome}")
    facts: dict[str, int] = json.loads(told.said)
    return facts


def in_turn(programs: list[Found], turn: int) -> list[Found]:
    """The programs, another one first in each turn, so that none always follows the same."""
    start = turn * 3 % len(programs)
    return programs[start:] + programs[:start]


def is_enough(runs: list[Run], patience: float) -> bool:
    """Whether a program need not run again: it fails, or takes too long to do so."""
    return any(run.outcome != DONE or run.seconds > patience for run in runs)


def _once(known: Found, path: Path, limits: Limits, scratch: Path) -> Run:
    with tempfile.TemporaryDirectory(dir=scratch) as made:
        folder = Path(made)
        listen = known.program.name == ENGINE
        command = known.program.on(path, folder / "out", known.path)
        told = run(command, folder, limits, listen)
        shutil.rmtree(folder, ignore_errors=True)  # some make a million files
        folder.mkdir()
    if listen and told.outcome == DONE:
        return replace(told, seconds=json.loads(told.said)["seconds"])
    return told


def _environment() -> dict[str, str]:
    """Ours must be this tree's, compiled, and without colours."""
    python_path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    ours = {"PYTHONPATH": python_path, "TCPTRACE_REQUIRE_COMPILED": "1", "NO_COLOR": "1"}
    return os.environ | ours


def _tell(load: str, program: str, told: Run) -> None:
    figures = f"{told.seconds:9.2f} s  {told.peak / 1e6:8,.0f} MB"
    print(f"{load:20} {program:22} {figures}  {told.outcome}", file=sys.stderr)
