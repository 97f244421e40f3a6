"""`Record`: what was measured, when and where, as it is kept in a JSON file."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .programs import PROGRAMS, found
from .runs import Run, own_peak

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Machine:
    """Where it was measured; memory in octets."""

    cpu: str
    cores: int
    memory: int
    system: str

    @classmethod
    def this(cls) -> Machine:
        """The one at hand."""
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        cores = len(os.sched_getaffinity(0))
        system = f"{platform.system()} {platform.release()}"
        return cls(_cpu(Path("/proc/cpuinfo").read_text()), cores, pages, system)


@dataclass(frozen=True)
class Load:
    """A capture that was read, and the runs of each program on it, by the program's name.

    size : octets; packets and connections as ours counts them
    """

    name: str
    size: int
    packets: int
    connections: int
    runs: dict[str, list[Run]]


@dataclass(frozen=True)
class Record:
    """A run of the command.

    versions : by the program's name; absent are those that are not installed
    commit : of the tree that was measured
    floor : octets; no peak below it can be told (`runs`)
    repetitions, patience, limit : how often each was run, s beyond which it was not run again,
    s after which it was killed
    """

    date: str
    machine: Machine
    commit: str
    versions: dict[str, str]
    absent: list[str]
    floor: int
    repetitions: int
    patience: float
    limit: float
    loads: list[Load] = field(default_factory=list)

    def with_load(self, load: Load) -> Record:
        """The same with one load more."""
        return replace(self, loads=[*self.loads, load], floor=own_peak())

    def write(self, path: Path) -> None:
        """As JSON, whole or not at all."""
        fresh = path.with_suffix(".fresh")
        fresh.write_text(json.dumps(asdict(self), indent=1) + "\n")
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> Record:
        """What `write` wrote."""
        told: dict[str, Any] = json.loads(path.read_text())
        told["machine"] = Machine(**told["machine"])
        told["loads"] = [Load(**(load | {"runs": _runs(load)})) for load in told["loads"]]
        return cls(**told)


def begun(repetitions: int, patience: float, limit: float) -> Record:
    """A record without a load, of this machine, today."""
    here = {program.name: found(program) for program in PROGRAMS}
    return Record(
        datetime.now(UTC).date().isoformat(),
        Machine.this(),
        _commit(),
        {name: known.version for name, known in here.items() if known},
        [name for name, known in here.items() if not known],
        own_peak(),
        repetitions,
        patience,
        limit,
    )


def _runs(load: dict[str, Any]) -> dict[str, list[Run]]:
    return {name: [Run(**run) for run in runs] for name, runs in load["runs"].items()}


def _commit() -> str:
    words = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


def _cpu(told: str) -> str:
    """The model's name from the text of /proc/cpuinfo; other architectures have none there."""
    for line in told.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
