"""`python -m tests.benchmarks.counts`: what reading costs, counted and held against a record.

No wall time: instructions inside our compiled kernels, by stage (callgrind), and lines that the
interpreter runs, by floor, on four small loads. More than the record by over its tolerance is a
regression, and the exit status 1. --update writes the record anew.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product
from pathlib import Path

from tcptrace.compiled import KERNELS, interpreted_kernels

from .callgrind import instructions
from .wish import Mix

ROOT = Path(__file__).resolve().parents[2]
RECORD = Path(__file__).with_name("counts.json")
LOADS = tuple(f"{mix}-20k" for mix in Mix)
# The first that a kernel's name begins with is its stage.
STAGES = {
    "tcptrace.sources.": "read",
    "tcptrace.decode.": "decode",
    "tcptrace.tracker.connections": "assign",
    "tcptrace.tracker.four_tuples": "assign",
    "tcptrace.tracker.queues": "assign",
    "tcptrace.tracker.recent": "assign",
    "tcptrace.tracker.trains": "assign",
    **{
        f"tcptrace.tracker.{kernel}": "evidence"
        for kernel in ("evidence", "pool", "odds", "packing", "pages", "resting")
    },
    "tcptrace.tracker.tallying": "tally",
    "tcptrace.tracker.zeek": "zeek",
    "tcptrace.tracker.completeness": "zeek",
    "tcptrace.tracker.": "judge",
}
INSTRUCTIONS, LINES = "instructions", "lines"
# With the same compiler and Python counts are the same to 0.1 %: only the seed of the table of
# connections differs. clang 14 makes 10 % less to 20 % more of a stage than GCC 12, both with -O2.
TOLERANCE, TOLERANCE_ELSEWHERE = 0.05, 0.25
# Any count may grow by as much: it is start-up, or a handful of lines.
SMALL = {INSTRUCTIONS: 200_000, LINES: 500}
Counts = dict[str, dict[str, dict[str, int]]]  # load, what is counted, where: how many
COMPILER = re.compile(rb"clang version [\d.]+|GCC: \([^)]*\) [\d.]+")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.counts", description=__doc__)
    parser.add_argument("--update", action="store_true", help=f"write {RECORD.name} anew")
    asked = parser.parse_args(arguments)
    if interpreted_kernels():
        raise SystemExit(f"not compiled: {', '.join(interpreted_kernels())}")
    counts, makers = measured(), made_by()
    if asked.update:
        RECORD.write_text(json.dumps({"made_by": makers, "counts": counts}, indent=1) + "\n")
        return 0
    record = json.loads(RECORD.read_text())
    found = compared(record["counts"], counts, tolerances(record["made_by"], makers))
    print("\n".join(each.told() for each in found))
    if any(each.fell for each in found):
        print("what fell stays guarded only after: python -m tests.benchmarks.counts --update")
    return int(any(each.rose for each in found))


@dataclass(frozen=True)
class Count:
    """A count beside the one of the record."""

    load: str
    what: str
    where: str
    before: int
    now: int
    tolerance: float = TOLERANCE

    @property
    def rose(self) -> bool:
        """A regression."""
        return self.now - self.before > self._allowed

    @property
    def fell(self) -> bool:
        """Better than the record by so much that a regression could hide."""
        return self.before - self.now > self._allowed

    def told(self) -> str:
        """A line for people."""
        mark = "ROSE" if self.rose else "fell" if self.fell else ""
        share = f"{self.now / self.before - 1:+.1%}" if self.before else "new"
        names = f"{self.load:14} {self.what:12} {self.where:10}"
        return f"{names} {self.before:14,} {self.now:14,} {share:>8} {mark}".rstrip()

    @property
    def _allowed(self) -> float:
        return max(SMALL[self.what], self.before * self.tolerance)


def compared(record: Counts, counts: Counts, allowed: Mapping[str, float]) -> list[Count]:
    """Every count of either, in the order of the loads; `allowed` says what is counted."""
    found = []
    for load, what in product(LOADS, allowed):
        before, now = (each.get(load, {}).get(what, {}) for each in (record, counts))
        for where in dict.fromkeys([*before, *now]):
            pair = before.get(where, 0), now.get(where, 0)
            found.append(Count(load, what, where, *pair, allowed[what]))
    return found


def made_by() -> dict[str, str]:
    """What the counts depend on: the compiler of the kernels, the Python that runs the lines."""
    spec = find_spec(KERNELS[0])
    assert spec is not None and spec.origin is not None
    found = COMPILER.findall(Path(spec.origin).read_bytes())
    compiler = max(found, default=b"unknown")  # clang leaves its own name beside GCC's
    version = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    return {INSTRUCTIONS: compiler.decode(), LINES: version}


def tolerances(record: Mapping[str, str], here: Mapping[str, str]) -> dict[str, float]:
    """By what is counted: close where it is made by the same, wide elsewhere."""
    return {
        what: TOLERANCE if maker == here[what] else TOLERANCE_ELSEWHERE
        for what, maker in record.items()
    }


def measured() -> Counts:
    """The counts of this tree: two loads at a time, for they share nothing."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        counted = pool.map(lambda load: _counted(load, Path(folder)), LOADS)
        return dict(zip(LOADS, counted, strict=True))


def by_stage(objects: Mapping[str, int]) -> dict[str, int]:
    """The counts of our shared objects, told apart by their paths, as counts of stages."""
    counts = dict.fromkeys(STAGES.values(), 0)
    for path, count in objects.items():
        for kernel in KERNELS:
            if f"/{kernel.replace('.', '/')}." in path:
                counts[stage(kernel)] += count
    return counts


def stage(kernel: str) -> str:
    """Where in the reading a kernel works."""
    return next(name for beginning, name in STAGES.items() if kernel.startswith(beginning))


def _counted(load: str, folder: Path) -> dict[str, dict[str, int]]:
    capture, told = folder / f"{load}.pcap", folder / f"{load}.callgrind"
    _python("loads", load, str(capture))
    engine = [sys.executable, "-m", "tests.benchmarks.engine", str(capture)]
    objects = instructions(engine, told, _environment())
    lines = json.loads(_python("lines", str(capture)))
    return {INSTRUCTIONS: by_stage(objects), LINES: dict(sorted(lines.items()))}


def _python(module: str, *words: str) -> str:
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *words]
    told = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=True)
    return told.stdout


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}


if __name__ == "__main__":
    sys.exit(main())
