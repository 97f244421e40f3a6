"""Pins the hash of four-tuples: direction, collisions, removal, and growth."""

from __future__ import annotations

import numpy as np
from outcomes import Kernel

from tcptrace.decode.segments import Segments
from tcptrace.tracker.slots import Slots


def numbered(count: int) -> tuple[Segments, Slots]:
    """Segments of `count` four-tuples, and a slot filled for each."""
    segments, slots = Segments.zeros(count), Slots.zeros(count)
    segments.src_lo[:], segments.dst_lo[:] = np.arange(count) + 10, 7
    segments.src_port[:], segments.dst_port[:] = 40000, 443
    slots.lo_0[:], slots.lo_1[:] = segments.src_lo, segments.dst_lo
    slots.port_0[:], slots.port_1[:] = segments.src_port, segments.dst_port
    return segments, slots


def filled(kernel: Kernel, segments: Segments, slots: Slots) -> object:
    tuples = kernel("tcptrace.tracker.four_tuples").FourTuples(12345)
    tuples.look(segments.cells, slots.cells)
    for slot in range(len(slots)):
        slots.hash[slot] = tuples.tag(slot * Segments.width())
        tuples.insert(slot, slot + 1)
    return tuples


def test_every_tuple_is_found_after_growth(kernel: Kernel) -> None:
    """Ten thousand four-tuples pass the first size of the table and are all found again."""
    segments, slots = numbered(10_000)
    tuples = filled(kernel, segments, slots)
    found = [tuples.find(row * Segments.width()) for row in range(10_000)]  # type: ignore[attr-defined]
    assert [2 * slot for slot in range(10_000)] == found


def test_other_direction_is_the_same_connection(kernel: Kernel) -> None:
    """A segment the other way belongs to the same slot and was sent by side 1."""
    segments, slots = numbered(3)
    tuples = filled(kernel, segments, slots)
    for one, two in (("src_lo", "dst_lo"), ("src_port", "dst_port")):
        kept = getattr(segments, one).copy()
        getattr(segments, one)[:] = getattr(segments, two)
        getattr(segments, two)[:] = kept
    assert [1, 3, 5] == [tuples.find(row * Segments.width()) for row in range(3)]  # type: ignore[attr-defined]


def test_removed_tuple_is_not_found_and_others_are(kernel: Kernel) -> None:
    """Taking one out leaves those that were put behind it."""
    segments, slots = numbered(100)
    tuples = filled(kernel, segments, slots)
    tuples.replace(50, -1)  # type: ignore[attr-defined]
    found = [tuples.find(row * Segments.width()) for row in range(100)]  # type: ignore[attr-defined]
    assert [-1 if slot == 50 else 2 * slot for slot in range(100)] == found
