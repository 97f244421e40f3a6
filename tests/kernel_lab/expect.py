"""`python -m tests.kernel_lab.expect [CASE ...]`: write what tcptrace makes of the captures.

The tables that stand in captures/CASE/expected, as `tcptrace TABLE -T csv` prints them. Read the
difference before you commit it: the kernel's own record beside them never changes.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

import tcptrace
from tcptrace.faces.formats import write_csv

from .record import CAPTURES, CASES

TABLES = ("connections", "timeline", "anomalies")


def capture_of(folder: Path) -> Path:
    """The one capture in a case's folder."""
    (capture,) = folder.glob("capture.*")
    return capture


def tables_of(trace: tcptrace.Trace) -> dict[str, str]:
    """Each table as CSV, by the name of its file."""
    return {f"{name}.csv": _csv(getattr(trace, name)) for name in TABLES}


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.kernel_lab.expect", description=__doc__)
    parser.add_argument("cases", metavar="CASE", nargs="*", help=", ".join(CASES))
    for name in parser.parse_args(arguments).cases or CASES:
        folder = CAPTURES / name
        trace = tcptrace.read(capture_of(folder), progress=False)
        for file, text in tables_of(trace).items():
            (folder / "expected" / file).write_text(text)
    return 0


def _csv(frame: object) -> str:
    stream = io.StringIO()
    write_csv(frame, stream)  # type: ignore[arg-type]
    return stream.getvalue()


if __name__ == "__main__":
    sys.exit(main())
