"""`python -m tests.benchmarks LOADS...`: how fast ours and the peers that are installed read them.

A load is the name of one that is made (`web-1M`, `scan-1M-full`: see `wish`), or a capture file; by
default the four mixes with 1M and 5M packets, cut to 96 octets and whole. Wants an idle machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from .measuring import measured
from .record import ROOT, Record, begun
from .rendering import rendered
from .wish import Mix, Wish

RECORD = ROOT / "tests" / "benchmarks" / "measured.json"
SIZES = ("1M", "5M")
ALL = [f"{mix}-{size}{kept}" for mix in Mix for size in SIZES for kept in ("", "-full")]


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    asked = _parser().parse_args(arguments)
    record = begun(asked.repetitions, asked.patience, asked.limit)
    with tempfile.TemporaryDirectory(dir=asked.folder) as scratch:
        for name in asked.loads or ALL:
            record = _with(name, record, Path(scratch), asked.folder)
            if asked.readme:
                record.write(RECORD)
    print(rendered(record), end="")
    if asked.readme:
        subprocess.run([sys.executable, "-m", "tests.readme"], cwd=ROOT, check=True)
    return 0


def _with(name: str, record: Record, scratch: Path, folder: Path | None) -> Record:
    """The record with one load more; a capture made for it goes, unless there is a folder."""
    if Path(name).is_file():
        return record.with_load(measured(Path(name).stem, Path(name).resolve(), record, scratch))
    if Wish.named(name) is None:
        raise SystemExit(f"{name}: neither a file nor a load, such as {' or '.join(ALL[:2])}")
    path = (folder or scratch).resolve() / f"{name}.pcap"
    if not path.exists():
        make = [sys.executable, "-m", "tests.benchmarks.loads", name, str(path)]
        subprocess.run(make, cwd=ROOT, check=True)
    made = measured(name, path, record, scratch)
    if folder is None:
        path.unlink()
    return record.with_load(made)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("loads", nargs="*", metavar="LOAD", help="a load's name or a file")
    parser.add_argument("--repetitions", type=int, default=3, help="runs of each program")
    parser.add_argument("--patience", type=float, default=30, help="s: slower ones run once")
    parser.add_argument("--limit", type=float, default=300, help="s: slower ones are stopped")
    parser.add_argument("--folder", type=Path, help="keep the loads there; results lie there, too")
    parser.add_argument("--readme", action="store_true", help="keep the record for README's tables")
    return parser


if __name__ == "__main__":
    sys.exit(main())
