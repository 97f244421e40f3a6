"""Pins `harvest`: which rows it gives for which slots, and in what order."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
from zeek_ends import SECOND, Seen
from zeek_segments import made

from tcptrace.decode.segments import Segments
from tcptrace.tracker.zeek import ZeekModel

Kernel = Callable[[str], ModuleType]


def model_of(*conversations: list[Seen]) -> ZeekModel:
    """One slot a conversation."""
    segments = Segments.concat([made(seen, slot) for slot, seen in enumerate(conversations)])
    model = ZeekModel()
    model.feed(segments.cells, len(segments))
    return model


SCAN = [Seen(11 * SECOND, 0, "S", 5), Seen(11 * SECOND, 1, "RA", 0, 6)]
RETRIED = [Seen(second * SECOND, 0, "S", 5) for second in (0, 9, 10)]


def test_rows_come_in_the_order_asked_for(kernel: Kernel) -> None:
    """A slot that was never fed, near or far, has no row."""
    harvest = kernel("tcptrace.tracker.zeek_harvest").harvest
    rows, histories = harvest(model_of(RETRIED, [], SCAN), memoryview(np.array([2, 1, 0, 99])))
    assert [2, 0, 0] == rows.slot.tolist()
    assert [0, 0, 1] == rows.part.tolist()
    assert [1, 0, 1] == rows.main.tolist()
    assert ["Sr", "S", "S"] == histories


def test_nothing_asked_nothing_given(kernel: Kernel) -> None:
    """An empty list of slots gives an empty batch."""
    harvest = kernel("tcptrace.tracker.zeek_harvest").harvest
    rows, histories = harvest(model_of(SCAN), memoryview(np.zeros(0, np.int64)))
    assert (0, []) == (len(rows), histories)


def test_asking_changes_nothing(kernel: Kernel) -> None:
    """A live view asks again and again."""
    harvest = kernel("tcptrace.tracker.zeek_harvest").harvest
    model, slots = model_of(SCAN), memoryview(np.zeros(1, np.int64))
    first, second = harvest(model, slots), harvest(model, slots)
    assert first[0].matrix.tolist() == second[0].matrix.tolist()
    assert first[1] == second[1]


def test_completeness_is_the_whole_slots(kernel: Kernel) -> None:
    """Wireshark does not cut a stream where Zeek's timers do."""
    harvest = kernel("tcptrace.tracker.zeek_harvest").harvest
    answered = [Seen(0, 0, "S", 5), Seen(9 * SECOND, 1, "SA", 8, 6)]
    rows, _ = harvest(model_of(answered), memoryview(np.zeros(1, np.int64)))
    assert [3] == rows.completeness[rows.part == rows.part.max()].tolist()
