"""Which moves are new from one look to the next, rest on something else, or are taken back."""

from __future__ import annotations

from tcptrace.tables.changes import Change, changes
from tcptrace.tcp.states import Event, Role, State
from tcptrace.tracker.transitions import Basis, Transitions

Move = tuple[int, Role, State, Event, Basis]

SYN_SENT = (0, Role.ORIGINATOR, State.SYN_SENT, Event.SND_SYN, Basis.OBSERVED)
PRESUMED = (0, Role.ORIGINATOR, State.ESTABLISHED, Event.RCV_SYN_ACK, Basis.PRESUMED)
CONFIRMED = (*PRESUMED[:4], Basis.CONFIRMED)


def moves(*rows: Move, time: int = 0) -> Transitions:
    made = Transitions.zeros(len(rows))
    for row, (conn, role, state, event, basis) in enumerate(rows):
        made.conn[row], made.role[row], made.state[row] = conn, role, state
        made.event[row], made.basis[row], made.time[row] = event, basis, time
    return made


def found(before: Transitions, after: Transitions) -> tuple[list[int], list[bool]]:
    change, gone = changes(before, after)
    return change.tolist(), gone.tolist()


def test_the_first_look() -> None:
    """Everything is new."""
    assert ([Change.NEW] * 2, []) == found(moves(), moves(SYN_SENT, PRESUMED))


def test_nothing_new() -> None:
    """A move that is dated better is the same move."""
    before, after = moves(SYN_SENT, PRESUMED, time=1), moves(SYN_SENT, PRESUMED, time=2)
    assert ([Change.NONE] * 2, [False] * 2) == found(before, after)


def test_a_presumption_is_proved() -> None:
    """The move was told; what it rests on is news."""
    expected = [Change.NONE, Change.REVISED], [False] * 2
    assert expected == found(moves(SYN_SENT, PRESUMED), moves(SYN_SENT, CONFIRMED))


def test_a_presumption_is_disproved() -> None:
    """The move that was told never was."""
    expected = [Change.NONE], [False, True]
    assert expected == found(moves(SYN_SENT, PRESUMED), moves(SYN_SENT))


def test_the_same_move_twice() -> None:
    """An endpoint may enter a state again: the second entry is another move."""
    again = moves(SYN_SENT, PRESUMED, SYN_SENT)
    assert [Change.NONE, Change.NONE, Change.NEW] == found(moves(SYN_SENT, PRESUMED), again)[0]


def test_endpoints_and_connections_are_told_apart() -> None:
    """The same move of the peer, or of another connection, is new."""
    others = ((1, *SYN_SENT[1:]), (0, Role.RESPONDER, *SYN_SENT[2:]))
    assert [Change.NEW] * 2 == found(moves(SYN_SENT), moves(*others))[0]
