"""`python -m tests.kernel_lab.record [CASE ...]`: record all cases, or some, into captures/.

Needs root, TUN devices and tracefs; reading what it writes needs nothing. Several cases are
recorded at a time, each in a process of its own, since most of them only wait.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from . import closings, openings, resets
from .capture_file import CaptureFile
from .case import Case
from .lab import CLIENT_PORTS, FIRST_CLIENT_PORT, Lab
from .readme import readme
from .witness import Life

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
CASES = {case.name: case for case in (*openings.CASES, *closings.CASES, *resets.CASES)}
AT_A_TIME = 6


def record(case: Case, folder: Path, port: int) -> str:
    """Play a case and write its folder; a line on how it went. ValueError if it went otherwise."""
    capture = CaptureFile(case.link_type, case.title)
    lab = Lab(capture, case.family, port)
    try:
        lab.wire.tap = case.tap
        case.script(lab)
        lives = lab.lives()
        case.check(lives)
        facts = _facts(case, lab, lives)
    finally:
        lab.tear_down()
    (folder / "expected").mkdir(parents=True, exist_ok=True)
    for old in folder.glob("capture.*"):
        old.unlink()
    capture.write(folder / case.file)
    (folder / "expected" / "states.json").write_text(json.dumps(facts, indent=1) + "\n")
    (folder / "README.md").write_text(readme(case, facts))
    return f"{case.name}: {len(capture.records)} packets"


def record_named(name: str, into: Path) -> str:
    """Record a case into its folder, from the ports that are its own."""
    first = FIRST_CLIENT_PORT + CLIENT_PORTS * list(CASES).index(name)
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


def _facts(case: Case, lab: Lab, lives: list[Life]) -> dict[str, object]:
    return {
        "case": case.name,
        "capture": case.file,
        "recorded": f"{datetime.now(UTC):%Y-%m-%d}",
        "kernel": platform.release().partition("-")[0],
        "sysctls": lab.sysctls,
        "one_way_delay_ms": lab.wire.delay // 1_000_000,
        "tap": case.tap,
        "lost": [str(rule) for rule in lab.wire.rules],
        "packets": len(lab.wire.capture.records),
        "until": lab.epoch + time.monotonic_ns(),
        "endpoints": [_endpoint(life, lab.epoch) for life in lives],
    }


def _endpoint(life: Life, epoch: int) -> dict[str, object]:
    """A socket's life; times are ns since the epoch, on the clock that stamped the packets."""
    return {
        "side": life.side,
        "ip": life.found.ip,
        "port": life.found.port,
        "peer_ip": life.found.peer_ip,
        "peer_port": life.found.peer_port,
        "states": [
            {
                "state": step.state.name,
                "earliest": epoch + step.earliest,
                "latest": epoch + step.latest,
                "transit": step.transit,
            }
            for step in life.steps
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
