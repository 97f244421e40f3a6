"""`Kept`: what the tracker keeps and counts of one connection."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from exchange import SECOND, exchange

from tcptrace.decode.segments import Segments
from tcptrace.tracker.connections import ConnectionTable
from tcptrace.tracker.slots import Evidence, Tallies

Kernel = Callable[[str], ModuleType]
LINGER = 300 * SECOND


class Kept:
    """A table, a log and a tally that are fed the same segments."""

    def __init__(self, kernel: Kernel) -> None:
        self.table: Any = ConnectionTable(1000, LINGER, 0)
        self.log = kernel("tcptrace.tracker.resting").RestingLog()
        self.tallying = kernel("tcptrace.tracker.tallying").Tallying()

    def add(self, segments: Segments) -> None:
        self.table.assign(segments.cells, len(segments))
        capacity = len(self.table.matrix())
        self.log.add(segments.cells, len(segments), capacity)
        self.tallying.add(segments.cells, len(segments), capacity)

    def rows(self) -> Evidence:
        slots = np.array([self.slot()])
        rows = Evidence.zeros(int(self.log.offsets(slots)[-1]))
        self.log.collect(slots.data, rows.cells)
        return rows

    def tallies(self) -> Tallies:
        return Tallies(self.tallying.of([self.slot()]))

    def slot(self) -> int:
        """The only connection's."""
        self.table.end_all()
        left = self.table.left().tolist()
        self.slots = left or self.slots
        assert 1 == len(self.slots)
        return int(self.slots[0])


def kept(kernel: Kernel, text: str) -> Kept:
    made = Kept(kernel)
    made.add(exchange(text))
    return made


def stream(count: int) -> str:
    """Data and its acknowledgements, so many of each."""
    pair = "{0}.1 C PA {1}+10 a1\n{0}.2 S A 1 a{2}\n"
    return "".join(pair.format(1 + n, 1 + 10 * n, 11 + 10 * n) for n in range(count))
