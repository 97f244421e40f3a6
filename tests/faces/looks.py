"""Updates of a live capture for the tests of the faces: captures that come with the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tcptrace
from tcptrace.look import Known, Look, Update
from tcptrace.sources.live_source import Counters
from tcptrace.tracker.transitions import Transitions

CAPTURES = Path(__file__).parents[2] / "captures"


def update_of(*cases: str, counters: Counters | None = None) -> Update:
    """The update at the end of some captures, read as one: everything in it is new."""
    paths = [path for case in cases for path in sorted((CAPTURES / case).glob("capture.*"))]
    trace = tcptrace.read(paths)
    names = np.arange(len(trace))
    look = Look(trace.found, names, trace.capture, trace.profile, trace.end, Known.nothing())
    look = look.with_findings()
    told = Counters(trace.capture.packets) if counters is None else counters
    return Update(look, Transitions.zeros(0), names, look.known.table, told)
