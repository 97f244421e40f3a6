"""`python -m tests.benchmarks.lines FILE`: lines of ours that the interpreter runs, floor by floor.

A capture is read and its connections, timeline and anomalies are made. A kernel has no lines where
it is compiled; a loop over packets or connections that has crept into Python has many. Prints JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter, defaultdict
from pathlib import Path
from types import FrameType
from typing import Any

import tcptrace

OURS = str(Path(tcptrace.__file__).parent) + "/"
TABLES = ("connections", "timeline", "anomalies")


def counted(path: str) -> Counter[str]:
    """The lines by floor, `tracker`, `tables`, ...: of a second reading, for the first imports."""
    everything(path)
    threads: defaultdict[int, Counter[str]] = defaultdict(Counter)  # so that none is lost
    floors: dict[str, str] = {}

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        file = frame.f_code.co_filename
        if not file.startswith(OURS):
            return None
        floor = floors.setdefault(file, file.removeprefix(OURS).partition("/")[0].split(".")[0])

        def line(frame: FrameType, event: str, argument: Any) -> Any:
            if event == "line":
                threads[threading.get_ident()][floor] += 1
            return line

        return line

    threading.settrace(enter)
    sys.settrace(enter)
    try:
        everything(path)
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
    return sum(threads.values(), Counter())


def everything(path: str) -> None:
    """All that is counted."""
    trace = tcptrace.read(path, progress=False)
    for name in TABLES:
        getattr(trace, name)


if __name__ == "__main__":
    print(json.dumps(counted(sys.argv[1])))
