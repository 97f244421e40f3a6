"""`python -m tests.kernel_lab.expect [CASE ...]`: write anew what is made from the recordings.

The tables in captures/CASE/expected, as `tcptrace TABLE -T csv` prints them, and the README.
Read the difference before you commit it: the kernel's own record beside them never changes.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Any

import tcptrace
from tcptrace.faces.formats import write_csv

from .readme import readme
from .record import CAPTURES, CASES

TABLES = ("connections", "timeline", "anomalies")


def capture_of(folder: Path) -> Path:
    """The capture of a case, by its record; where there are several taps, that of the first."""
    return folder / str(facts_of(folder)["capture"])


def facts_of(folder: Path) -> dict[str, Any]:
    """What the kernels recorded of a case: its states.json."""
    return dict(json.loads((folder / "expected" / "states.json").read_text()))


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
        (folder / "README.md").write_text(readme(CASES[name], facts_of(folder)))
    return 0


def _csv(frame: object) -> str:
    stream = io.StringIO()
    write_csv(frame, stream)  # type: ignore[arg-type]
    return stream.getvalue()


if __name__ == "__main__":
    sys.exit(main())
