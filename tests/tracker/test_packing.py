"""Pins `Packing`: rows come out as they went in, whatever they hold, and take little room."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keeping import Kernel

from tcptrace.tcp import flags
from tcptrace.tracker.slots import Brief, Keeping, Odd

BRIEF, ODD = len(Brief.CELLS), len(Odd.CELLS)
NUMBERS = st.one_of(st.integers(-(1 << 31), (1 << 31) - 1), st.integers(-3, 3))
BITS = st.integers(0, Brief.field(*Brief.BITS)).map(lambda bits: bits & ~Brief.field("odd"))
ROW = st.tuples(
    st.lists(NUMBERS, min_size=BRIEF - 1, max_size=BRIEF - 1),
    BITS,
    st.none() | st.lists(NUMBERS, min_size=ODD, max_size=ODD),
)
PATH = st.integers(-(1 << 63), (1 << 63) - 1)


def _laid(rows: list[tuple[list[int], int, list[int] | None]], odds: Any) -> Any:
    """Briefs, the odd rows of those that have one among `odds`."""
    briefs = np.zeros((len(rows), BRIEF), np.int32)
    for brief, (cells, bits, odd) in zip(briefs, rows, strict=True):
        brief[:-1], brief[Brief.index("bits")] = cells, bits
        if odd is not None:
            place = odds.take()
            brief[Brief.index("bits")] |= Brief.field("odd")
            brief[Brief.index("sizes")] = place
            odds.cells[place * ODD : place * ODD + ODD] = memoryview(np.array(odd, np.int32))
    return briefs


def _without_places(briefs: Any, odds: Any) -> list[list[int]]:
    """Each row's cells, an odd one's instead of its place."""
    found = []
    for brief in briefs.tolist():
        if brief[Brief.index("bits")] & Brief.field("odd"):
            place = brief[Brief.index("sizes")]
            brief[Brief.index("sizes")] = 0
            brief += list(odds.cells[place * ODD : place * ODD + ODD])
        found.append(brief)
    return found


def _octets(pages: Any, first: int, end: int) -> int:
    """How many were written from `first` on until the place `end`."""
    count, at = 0, first
    while at != end:
        at = at if at % Keeping.PAGE else pages.after(at)
        at, count = at + 1, count + 1
    return count


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(ROW, max_size=12), PATH, st.integers(0, 9))
def test_any_rows_come_out_as_they_went_in(
    kernel: Kernel, rows: list[tuple[list[int], int, list[int] | None]], path: int, interface: int
) -> None:
    """Whatever stands in briefs and odd rows of two senders, time included."""
    pages = kernel("tcptrace.tracker.pages").Pages()
    odds, others = (kernel("tcptrace.tracker.odds").Odds() for _ in range(2))
    packing = kernel("tcptrace.tracker.packing").Packing(pages)
    briefs, out = _laid(rows, odds), np.full((len(rows), BRIEF), 7, np.int32)
    first = pages.begin()
    packing.begin(first, path, interface)
    for at in range(len(rows)):
        packing.pack(briefs.reshape(-1).data, at * BRIEF, odds)
    packing.begin(first, path, interface)
    for at in range(len(rows)):
        packing.unpack(out.reshape(-1).data, at * BRIEF, others)
    assert _without_places(briefs, odds) == _without_places(out, others)


def test_packed_a_row_takes_a_third(kernel: Kernel) -> None:
    """Of the 40 octets of a brief, where data and its acknowledgements take turns."""
    pages, odds = kernel("tcptrace.tracker.pages").Pages(), kernel("tcptrace.tracker.odds").Odds()
    packing = kernel("tcptrace.tracker.packing").Packing(pages)
    briefs = _laid([_turn(number) for number in range(40)], odds)
    first = pages.begin()
    packing.begin(first, 0, 0)
    for at in range(len(briefs)):
        packing.pack(briefs.reshape(-1).data, at * BRIEF, odds)
    assert 3 * _octets(pages, first, packing.at) < briefs.nbytes


def _turn(number: int) -> tuple[list[int], int, None]:
    """Of two senders in turn: the first sends ten octets, the other acknowledges them."""
    sender, sent = number % 2, number // 2 * 10
    numbers = [sent, 0] if sender == 0 else [0, sent + 10]
    stamps = [5 * number, 5 * (number - 1)]
    sizes, labels = 10 * (1 - sender) | 500 << 16, 100 + number // 2 | 777 * number << 16
    cells = [40_000_000 * number, 0, 9 * number, *numbers, *stamps, sizes, labels]
    return cells, flags.ACK | sender << Brief.shift("sender"), None
