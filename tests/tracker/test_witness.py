"""Pins `Witness`: which segments it trusts, and the bounds of what a side sent or took in."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from exchange import OPEN, exchange

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tracker.sides import STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis

Kernel = Callable[[str], ModuleType]
MILLISECOND = 1_000_000
FORGED = 1


def rows_of(text: str) -> Evidence:
    """Evidence dated as if the tap stood 5 ms from both ends."""
    segments = exchange(text)
    rows = Evidence.zeros(len(segments))
    for name in Evidence.COPIED:
        getattr(rows, name)[:] = getattr(segments, name)
    rows.sender[:] = segments.src_port != 40000
    rows.sent[:] = rows.time - 5 * MILLISECOND
    rows.arrives[:] = rows.time + 5 * MILLISECOND
    return rows


def witness(kernel: Kernel, rows: Evidence, sides: Sides) -> Any:
    made = kernel("tcptrace.tracker.witness").Witness(rows.cells, sides.cells)
    made.look(0, len(rows))
    return made


def test_next_row_by_side_and_flags(kernel: Kernel) -> None:
    """From a row on: these bits set, those clear, of one side or of either."""
    asked = witness(kernel, rows_of(OPEN + "1 S PA 1+4 a1\n2 C R 1"), Sides.zeros(2))
    assert 0 == asked.next_row(0, 0, flags.SYN, 0)
    assert 1 == asked.next_row(0, -1, flags.SYN | flags.ACK, 0)
    assert 2 == asked.next_row(0, -1, flags.ACK, flags.SYN)
    assert 3 == asked.next_row(2, 1, flags.ACK, 0)
    assert -1 == asked.next_row(3, 0, 0, flags.RST)


def test_next_row_passes_what_is_no_evidence(kernel: Kernel) -> None:
    """Copies, forged segments, damaged headers and ICMP errors are never given."""
    rows = rows_of("0 C A 1 a1\n0 C A 1 a1\n0 C A 1 a1\n0 C A 1 a1\n0 C A 1 a1")
    rows.copy[0], rows.doubt[1] = 1, FORGED
    rows.kind[2], rows.kind[3] = Kind.DAMAGED, Kind.ICMP_ERROR
    assert 4 == witness(kernel, rows, Sides.zeros(2)).next_row(0, 0, 0, 0)


def test_look_bounds_what_is_seen(kernel: Kernel) -> None:
    """The rows of the next connection are out of reach."""
    asked = witness(kernel, rows_of(OPEN), Sides.zeros(2))
    asked.look(0, 1)
    assert -1 == asked.next_row(0, 1, 0, 0)


def test_last_sent_leaves_resets_out(kernel: Kernel) -> None:
    """When the last such segment left; -1 without one."""
    rows = rows_of("0 C S 0\n1 C S 0\n2 C SR 0")
    asked = witness(kernel, rows, Sides.zeros(2))
    assert rows.sent[1] == asked.last_sent(0, flags.SYN, 0)
    assert -1 == asked.last_sent(1, flags.SYN, 0)


def test_what_a_side_sent_is_bounded_by_the_tap(kernel: Kernel) -> None:
    """It left before it passed; how long before is the less certain the farther the side is."""
    rows, sides = rows_of(OPEN), Sides.zeros(2)
    asked = witness(kernel, rows, sides)
    early = []
    for turnaround in (MILLISECOND, 10 * MILLISECOND, 40 * MILLISECOND, -1):
        sides.turnaround[:], sides.clock[:] = turnaround, 1
        asked.sends(0, 0, 0)
        early.append((rows.sent[0] - sides.opened_earliest[0]) // MILLISECOND)
        assert (rows.sent[0], rows.time[0]) == (sides.opened_time[0], sides.opened_latest[0])
        assert (1, 0) == (sides.opened_packet[0], sides.opened_row[0])
    assert [1, 7, 21, 51] == early


def test_what_has_no_clock_may_have_been_late_on_the_way(kernel: Kernel) -> None:
    """To a tap far from its sender, and behind one far from its receiver; beside it nothing is."""
    rows, sides = rows_of(OPEN), Sides.zeros(2)
    asked = witness(kernel, rows, sides)
    margins = []
    for turnaround in (MILLISECOND, 10 * MILLISECOND):
        sides.turnaround[:] = turnaround
        asked.takes(STEP, 0, 1, -1)
        late = int(sides.crossed_latest[0] - rows.arrives[1]) // MILLISECOND
        margins.append((int(asked.margin(0)) // MILLISECOND, late))
    assert [(1, 10), (51, 60)] == margins


def test_what_a_side_took_in_lies_between_passing_and_proof(kernel: Kernel) -> None:
    """Not before it passed, not after the segment that proves it; unproved it is open upwards."""
    rows, sides = rows_of(OPEN), Sides.zeros(2)
    sides.turnaround[:] = 10 * MILLISECOND
    asked = witness(kernel, rows, sides)
    asked.takes(STEP, 0, 1, 2)
    assert (rows.time[1], rows.time[2]) == (sides.crossed_earliest[0], sides.crossed_latest[0])
    assert rows.time[1] <= sides.crossed_time[0] <= rows.time[2]
    assert (2, 3) == (sides.crossed_packet[0], sides.crossed_confirmed[0])
    asked.takes(STEP, 0, 1, -1)
    assert sides.crossed_latest[0] > rows.arrives[1]
    assert 0 == sides.crossed_confirmed[0]


def test_say_keeps_the_moment(kernel: Kernel) -> None:
    """Basis, event and reason are written beside it."""
    sides = Sides.zeros(2)
    asked = witness(kernel, rows_of(OPEN), sides)
    asked.moment(0, 7, 5, 9)
    asked.say(0, Basis.INFERRED, 3, 4)
    assert [7, 5, 9] == [sides.opened_time[0], sides.opened_earliest[0], sides.opened_latest[0]]
    assert [3, 3, 4] == [sides.opened_basis[0], sides.opened_event[0], sides.opened_reason[0]]
