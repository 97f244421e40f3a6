"""Segments in the notation of conversations, measured and dated: for tests of both kernels."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

import numpy as np
from exchange import Between, exchange

from tcptrace.decode.segments import Segments
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Evidence

Kernel = Callable[[str], ModuleType]
MILLISECOND = 1_000_000


class Timed(NamedTuple):
    """The rows and sides of one connection, the client side 0."""

    rows: Evidence
    sides: Sides


def evidence(segments: Segments) -> Evidence:
    rows = Evidence.zeros(len(segments))
    for name in Evidence.COPIED:
        getattr(rows, name)[:] = getattr(segments, name)
    rows.sender[:] = segments.src_port != 40000
    return rows


def timed(kernel: Kernel, text: str, between: Between | None = None) -> Timed:
    timing = kernel("tcptrace.tracker.timing")
    rows, sides = evidence(exchange(text, between)), Sides.zeros(2)
    offsets = np.array([0, len(rows)], np.int64).data
    timing.measure(rows.cells, offsets, sides.cells, 1)
    kernel("tcptrace.tracker.dating").date(rows.cells, offsets, sides.cells, 1)
    return Timed(rows, sides)


def milliseconds(times: np.ndarray, first: int) -> list[int]:
    return ((times - first) // MILLISECOND).tolist()
