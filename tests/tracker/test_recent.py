"""Pins `Recent`: what it remembers, and that what it expects changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from exchange import START, Between, exchange
from outcomes import Kernel

from tcptrace.decode.segments import Segments
from tcptrace.tracker.connections import ConnectionTable
from tcptrace.tracker.four_tuples import FourTuples
from tcptrace.tracker.marks import mark
from tcptrace.tracker.slots import Slots

FAR = 1 << 20
SEED = 12345


def made(kernel: Kernel, segments: Segments, slots: Slots) -> tuple[Any, Any]:
    """A memory, and the hashes of four-tuples that it asks."""
    tuples: Any = FourTuples(SEED)
    recent = kernel("tcptrace.tracker.recent").Recent(tuples, SEED)
    tuples.look(segments.cells, slots.cells)
    recent.look(segments.cells, slots.cells)
    return recent, tuples


def numbered(count: int) -> Segments:
    segments = Segments.zeros(count)
    segments.src_lo[:], segments.dst_lo[:] = np.arange(count) + 10, 7
    segments.src_port[:], segments.dst_port[:] = 40000, 443
    return segments


def test_mark_is_where_it_was_met(kernel: Kernel) -> None:
    """Beside its slot, in the place that its uppermost bits say; room for more forgets all."""
    recent, _ = made(kernel, numbered(1), Slots.zeros(1))
    assert 2 << 12 == len(recent.met)
    its = mark(1, 2, 3, recent.key)
    recent.meet(its, 77)
    place = 2 * (its >> 52)
    assert [its, 77] == [recent.met[place], recent.met[place + 1]]
    recent.remember(10_000)
    assert [2 << 14, 0] == [len(recent.met), max(recent.met)]
    recent.remember(1 << 40)
    assert 2 << 16 == len(recent.met)


@pytest.mark.parametrize("slots_used", [0, FAR])
def test_tag_is_the_hash_whether_expected_or_not(kernel: Kernel, slots_used: int) -> None:
    """Near or far, remembered or not, known to the hash table or not."""
    segments, slots = numbered(100), Slots.zeros(100)
    recent, tuples = made(kernel, segments, slots)
    expected = [tuples.tag(row * Segments.width()) for row in range(100)]
    for row in range(0, 100, 2):
        slots.hash[row] = expected[row]
        tuples.insert(row, row + 1)
    for row in range(0, 100, 3):
        its = mark(0, int(segments.src_lo[row]) + 7, 40443, recent.key)
        recent.meet(its, row)
    slots.queue[::2], slots.previous[:], slots.following[:] = 5, -1, 3
    recent.begin(100, slots_used)
    found = []
    for row in range(100):
        if slots_used:
            recent.expect(row, 100)
        found.append(recent.tag_of(row))
    assert expected == found


def test_rows_ahead_are_expected_where_many_are_hashed(kernel: Kernel) -> None:
    """One of eight in the batch before, and of more slots than the nearer caches hold."""
    recent, _ = made(kernel, numbered(100), Slots.zeros(1))
    recent.begin(100, FAR)
    far = []
    for hashed in (12, 13, 0):
        for row in range(hashed):
            recent.tag_of(row)
        recent.begin(100, FAR)
        far.append(recent.far)
    assert [False, True, False] == [bool(each) for each in far]
    recent.tag_of(0)
    recent.begin(1, 4096)
    assert not recent.far


def test_many_slots_change_nothing_that_is_seen(kernel: Kernel) -> None:
    """A table that has outgrown the caches gives the same slots as one that expects nothing."""
    table: Any = ConnectionTable(100_000, 300, SEED)
    rows = numbered(6000)
    rows.time[:], rows.flags[:] = START, 2
    table.assign(rows.cells, len(rows))
    assert list(range(6000)) == rows.slot.tolist()
    again = Segments.concat([rows.take(np.arange(5999, -1, -1)), exchange("0 C S 0", Between())])
    again.opens[:] = 7
    table.assign(again.cells, len(again))
    assert [*range(5999, -1, -1), 6000] == again.slot.tolist()
    assert [0] * 6000 + [1] == again.opens.tolist()
