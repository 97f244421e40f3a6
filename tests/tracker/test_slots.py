"""Pins the tracker's inner shapes: what evidence copies, and how a matrix grows."""

from __future__ import annotations

import numpy as np

from tcptrace.decode.segments import Segments
from tcptrace.tracker.slots import Evidence, Slots, grown


def test_copied_columns_stand_first_and_exist_in_segments() -> None:
    """The kernel copies by place: the first columns of Evidence are columns of Segments."""
    assert list(Evidence.COLUMNS)[: len(Evidence.COPIED)] == list(Evidence.COPIED)
    assert set(Segments.COLUMNS) >= set(Evidence.COPIED)


def test_sides_of_a_slot_stand_side_by_side() -> None:
    """Kernels add the side to the place of side 0."""
    for first in ("iss", "nxt", "syn_acked"):
        assert Slots.index(f"{first}_0") + 1 == Slots.index(f"{first}_1")
    for part in ("0", "1"):
        assert Slots.index(f"hi_{part}") + 1 == Slots.index(f"lo_{part}")


def test_grown_keeps_rows_and_adds_zeros() -> None:
    """The old rows, then zero rows, in a matrix of its own."""
    old = np.arange(6).reshape(2, 3).astype(np.int64)
    larger = grown(old, 5)
    assert old.tolist() + [[0, 0, 0]] * 3 == larger.tolist()
    larger[0, 0] = 9
    assert 0 == old[0, 0]
