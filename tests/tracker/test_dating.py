"""Pins `date`: when each segment left its sender, and when it arrives."""

from __future__ import annotations

import numpy as np
from dated import MILLISECOND, Kernel, milliseconds, timed
from exchange import OPEN


def test_segments_leave_half_a_turnaround_before_the_tap(kernel: Kernel) -> None:
    """And arrive half the other end's turnaround after it."""
    rows = timed(kernel, OPEN).rows
    assert [-10, 10, 30] == milliseconds(rows.sent, rows.time[0])
    assert [10, 30, 50] == milliseconds(rows.arrives, rows.time[0])


def test_timestamps_date_a_held_segment(kernel: Kernel) -> None:
    """Its TSval tells that it left 100 ms before it should have, by the sender's own clock."""
    text = """
    0.00 C S 0 ts=1000,0
    0.02 S SA 0 a1 ts=9000,1000
    0.04 C A 1 a1 ts=1040,9000
    0.30 C PA 1+9 a1 ts=1200,9000
    """
    rows, sides = timed(kernel, text)
    assert [1, 1] == sides.clock.tolist()
    assert 199 - 10 + 2 == milliseconds(rows.sent, rows.time[0])[3]
    assert 0 < sides.jitter[0] <= 100 * MILLISECOND


def test_clock_of_four_milliseconds_a_tick_dates_nothing(kernel: Kernel) -> None:
    """Linux before 4.13 with HZ=250: TSval runs slower than time, which is no delay."""
    text = """
    0.00 C S 0 ts=1000,0
    0.02 S SA 0 a1 ts=9000,1000
    0.04 C A 1 a1 ts=1010,9000
    1.00 C PA 1+9 a1 ts=1250,9000
    1.02 S A 1 a10 ts=10000,1250
    2.00 C PA 10+9 a1 ts=1500,10000
    """
    rows, sides = timed(kernel, text)
    assert [0, 1] == sides.clock.tolist()
    assert 2000 - 10 == milliseconds(rows.sent, rows.time[0])[5]


def test_clock_that_steps_back_keeps_the_order(kernel: Kernel) -> None:
    """Nothing is said to arrive before what was captured earlier; the times stay as captured."""
    rows = timed(kernel, "5 C S 0\n1 S SA 0 a1\n1.1 C A 1 a1\n6 C PA 1+4 a1").rows
    assert (rows.arrives >= np.maximum.accumulate(rows.time)).all()
    assert [5000, 1000, 1100, 6000] == milliseconds(rows.time, rows.time[0] - 5000 * MILLISECOND)


def test_segment_a_nanosecond_ahead_of_its_clock(kernel: Kernel) -> None:
    """A lag of -1 ns is a lag like any other: both segments are dated."""
    rows = timed(kernel, "0 C S 0 ts=1000,0\n0.000999999 C S 0 ts=1001,0").rows
    assert -1 == rows.time[1] - rows.time[0] - MILLISECOND
    assert (rows.sent > 0).all()
