"""Pins which segments a long timer may have sent."""

from __future__ import annotations

import numpy as np
import pytest
from dated import Kernel
from exchange import SECOND

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tracker.slots import Evidence


def rows_of(*seconds: float) -> Evidence:
    """Segments that repeat others, at these moments."""
    rows = Evidence.zeros(len(seconds))
    rows.time[:] = [int(moment * SECOND) for moment in seconds]
    rows.kind[:], rows.repeat[:] = Kind.SEGMENT, 1
    return rows


def found(kernel: Kernel, rows: Evidence, offsets: list[int], room: int = 8) -> list[int]:
    places = np.full(room, -1, np.int64)
    asked = np.array(offsets, np.int64)
    many = kernel("tcptrace.tracker.repeats").repeats(
        rows.cells, asked.data, len(offsets) - 1, SECOND, places.data
    )
    assert many == np.count_nonzero(places >= 0) or many > room
    return places[places >= 0].tolist()


def test_repeats_come_late_in_their_own_connection(kernel: Kernel) -> None:
    """More than so long after its first segment, whenever others began."""
    assert [2, 5] == found(kernel, rows_of(0, 1, 1.1, 5, 5.5, 7), [0, 3, 6])


def test_probes_repeat_too(kernel: Kernel) -> None:
    """A probe asks again for what was not acknowledged."""
    rows = rows_of(0, 2, 3)
    rows.repeat[:], rows.probe[2] = 0, 1
    assert [2] == found(kernel, rows, [0, 3])


@pytest.mark.parametrize(
    ("column", "value"),
    [("copy", 1), ("doubt", 1), ("kind", Kind.DAMAGED), ("flags", flags.RST), ("repeat", 0)],
)
def test_what_no_timer_sent_is_passed(kernel: Kernel, column: str, value: int) -> None:
    """Copies, doubtful segments, damaged ones, RSTs and new octets."""
    rows = rows_of(0, 2, 3)
    getattr(rows, column)[1] = value
    assert [2] == found(kernel, rows, [0, 3])


def test_last_ones_stay_where_there_is_no_room(kernel: Kernel) -> None:
    """They go round and round."""
    assert [4, 5, 3] == found(kernel, rows_of(0, 2, 3, 4, 5, 6), [0, 6], room=3)
