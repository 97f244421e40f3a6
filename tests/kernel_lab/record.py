"""`python -m tests.kernel_lab.record [CASE ...]`: record all cases, or some, into captures/.

Needs root, TUN devices and tracefs; reading what it writes needs nothing. Several cases are
recorded at a time, each in a process of its own, since most of them only wait.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from . import closings, openings, resets, vantages
from .case import Case
from .facts import facts
from .lab import FIRST_CLIENT_PORT
from .play import play
from .readme import readme

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
CASES = {
    case.name: case for case in (*openings.CASES, *closings.CASES, *resets.CASES, *vantages.CASES)
}
AT_A_TIME = 6


def record(case: Case, folder: Path, port: int) -> str:
    """Play a case and write its folder; a line on how it went. ValueError if it went otherwise."""
    played = play(case, port)
    case.check(played.lives)
    counts = {tap: {"packets": len(made.records)} for tap, made in played.captures.items()}
    told = facts(case, played) | {"capture": case.file, "tap": case.tap} | counts[case.tap]
    if case.further:
        files = case.files
        told["further_taps"] = {tap: {"capture": files[tap], **counts[tap]} for tap in case.further}
    (folder / "expected").mkdir(parents=True, exist_ok=True)
    for old in [path for path in folder.iterdir() if path.is_file()]:
        old.unlink()
    for tap, file in case.files.items():
        played.captures[tap].comment = case.title
        played.captures[tap].write(folder / file)
    (folder / "expected" / "states.json").write_text(json.dumps(told, indent=1) + "\n")
    (folder / "README.md").write_text(readme(case, told))
    capture = played.captures[case.tap]
    return f"{case.name}: {len(capture.records)} packets"


def record_named(name: str, into: Path) -> str:
    """Record a case into its folder, from the ports that are its own."""
    first = FIRST_CLIENT_PORT + CASES[name].ports * list(CASES).index(name)
    return record(CASES[name], into / name, first)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.kernel_lab.record", description=__doc__)
    parser.add_argument("cases", metavar="CASE", nargs="*", help=", ".join(CASES))
    parser.add_argument("--into", type=Path, default=CAPTURES, help="instead of captures/")
    asked = parser.parse_args(arguments)
    names = asked.cases or list(CASES)
    unknown = [name for name in names if name not in CASES]
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)}")
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(AT_A_TIME, mp_context=fresh) as processes:
        played = {name: processes.submit(record_named, name, asked.into) for name in names}
    errors = {name: error for name, future in played.items() if (error := future.exception())}
    for name, future in played.items():
        print(f"{name}: {errors[name]}" if name in errors else future.result(), file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
