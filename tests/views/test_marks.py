"""How far down each moment of a ladder stands."""

from __future__ import annotations

from itertools import pairwise

from tcptrace.views.marks import (
    ARRIVES,
    DELAY,
    DEPARTS,
    ENDS,
    FOLD,
    LINE,
    MOVES,
    Mark,
    marks_of,
    settle,
    unit_of,
)
from tcptrace.views.rungs import Move, Rung

MS = 1_000_000
DELAYS = (5 * MS, 5 * MS)


def sent(time: int, sender: int = 0, moves: tuple[Move, ...] = ()) -> Rung:
    """A segment that the tap saw at `time`."""
    return Rung(time, 1, sender, "ACK seq=1", moves=list(moves))


def settled(rungs: list[Rung], end: int = 0) -> list[Mark]:
    """The marks of some rungs, each with its y."""
    marks = marks_of(rungs, DELAYS, end)
    settle(marks, 0.0, unit_of(marks, DELAYS))
    return marks


def test_a_one_way_delay_has_one_height() -> None:
    """An arrow leaves before the tap sees it and arrives after."""
    departs, arrives = settled([sent(100 * MS)])
    assert (DEPARTS, 95 * MS, 0) == (departs.kind, departs.time, departs.side)
    assert (ARRIVES, 105 * MS, 1) == (arrives.kind, arrives.time, arrives.side)
    assert DELAY == arrives.y - departs.y


def test_down_is_later() -> None:
    """Whatever room words need."""
    marks = settled([sent(n * MS, n % 2) for n in range(0, 40, 3)])
    assert all(one.time <= other.time and one.y <= other.y for one, other in pairwise(marks))


def test_words_of_one_side_have_a_line_each() -> None:
    """Ten segments within a microsecond."""
    departs = [mark for mark in settled([sent(n) for n in range(10)]) if mark.kind == DEPARTS]
    assert all(other.y - one.y >= LINE for one, other in pairwise(departs))


def test_a_long_silence_is_folded() -> None:
    """A second and a day take the same room."""
    for gap in (1_000 * MS, 86_400_000 * MS):
        marks = settled([sent(0), sent(gap)])
        (folded,) = [mark for mark in marks if mark.idle]
        assert gap - 10 * MS == folded.idle
        assert FOLD == folded.y - marks[1].y


def test_nothing_is_folded_while_a_segment_is_on_its_way() -> None:
    """Its arrow would be broken."""
    slow = marks_of([sent(0)], (0, 2_000 * MS), 0)
    settle(slow, 0.0, MS)
    assert [0, 0] == [mark.idle for mark in slow]


def test_a_move_takes_the_place_of_its_arrow() -> None:
    """Where its time is that of the arrival, give or take."""
    move = Move(1, "CLOSE_WAIT", "confirmed", "rcv FIN", 105 * MS + 17)
    _, arrives = settled([sent(100 * MS, moves=(move,))])
    assert [move] == arrives.moves and move.time == arrives.time


def test_a_move_long_before_its_segment_stands_alone() -> None:
    """close() came first, the FIN had to wait behind data."""
    move = Move(0, "FIN_WAIT_1", "observed", "snd FIN", 10 * MS)
    marks = settled([sent(100 * MS, moves=(move,))])
    assert [MOVES, DEPARTS, ARRIVES] == [mark.kind for mark in marks]


def test_an_icmp_error_comes_back_to_the_sender() -> None:
    """It has no departure at the other side."""
    error = Rung(100 * MS, 2, 0, "ICMP error 3/1", is_error=True)
    (arrives,) = settled([error])
    assert (ARRIVES, 0, True) == (arrives.kind, arrives.side, arrives.has_words)


def test_the_end_of_the_capture_lies_below_what_was_on_its_way() -> None:
    """And above what only a timer does later."""
    timer = Rung(9_000 * MS, moves=[Move(0, "CLOSED", "timer", "Timeout=2MSL", 9_000 * MS)])
    marks = settled([sent(100 * MS), timer], end=101 * MS)
    assert [DEPARTS, ARRIVES, ENDS, MOVES] == [mark.kind for mark in marks]
    assert [ENDS] == [mark.kind for mark in settled([], end=5)]


def test_the_unit_where_no_delay_is_known() -> None:
    """A gap that is common; and one there always is."""
    marks = [Mark(time, 0, DEPARTS) for time in (0, 2 * MS, 4 * MS, 9_000 * MS)]
    assert 2 * MS == unit_of(marks, (-1, -1))
    assert unit_of([], (-1, -1)) > 0


def test_what_was_before_the_capture_reaches_to_the_top() -> None:
    """LISTEN, and what a connection older than the capture was in, begin above all else."""
    listen = Rung(0, moves=[Move(1, "LISTEN", "assumed", "passive OPEN", 0)])
    marks = settled([listen, sent(0)])
    assert [MOVES, DEPARTS, ARRIVES] == [mark.kind for mark in marks]
    assert marks[0].y <= marks[1].y and marks[0].time == marks[1].time == -5 * MS
