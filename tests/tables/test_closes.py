"""Pins who is said to have closed first, and by what."""

from __future__ import annotations

import pytest

from tcptrace.tables.closes import Closes, end_reasons
from tcptrace.tables.schema import CLOSE_KINDS, CLOSERS
from tcptrace.tcp.states import Event, Role, State
from tcptrace.tracker.transitions import Basis, EndReason
from tests.tables.written import ORIG, RESP, Written, at

S, E = State, Event
Move = tuple[Role, State, Event, float]


def verdict(moves: list[Move], **cells: float) -> tuple[str, str]:
    """Closer and kind of one connection with these moves, in a capture of 100 s."""
    written = Written()
    conn = written.connection()
    for role, state, event, time in moves:
        basis = Basis.TIMER if event.name.startswith("TIMEOUT") else Basis.OBSERVED
        written.move(conn, role, state, event, time, **({"basis": basis} | cells))
    closes = Closes.of(written.reconstruction(), at(100))
    return CLOSERS[closes.closer[0]], CLOSE_KINDS[closes.kind[0]]


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        (
            [(ORIG, S.FIN_WAIT_1, E.SND_FIN, 1), (RESP, S.LAST_ACK, E.SND_FIN, 2)],
            ("originator", "fin"),
        ),
        (
            [(ORIG, S.LAST_ACK, E.SND_FIN, 2), (RESP, S.FIN_WAIT_1, E.SND_FIN, 1)],
            ("responder", "fin"),
        ),
        ([(ORIG, S.FIN_WAIT_1, E.SND_FIN, 1), (RESP, S.FIN_WAIT_1, E.SND_FIN, 2)], ("both", "fin")),
        ([(ORIG, S.LAST_ACK, E.SND_FIN, 1)], ("responder", "fin")),
        ([(ORIG, S.CLOSED, E.SND_RST, 1), (RESP, S.CLOSED, E.RCV_RST, 2)], ("originator", "rst")),
        ([(ORIG, S.CLOSED, E.RCV_RST, 1)], ("responder", "rst")),
        (
            [(ORIG, S.FIN_WAIT_1, E.SND_FIN, 1), (RESP, S.CLOSED, E.SND_RST, 2)],
            ("originator", "fin"),
        ),
        (
            [(RESP, S.CLOSED, E.SND_RST, 1), (ORIG, S.FIN_WAIT_1, E.SND_FIN, 2)],
            ("responder", "rst"),
        ),
        ([(ORIG, S.CLOSED, E.TIMEOUT_RETRANSMISSION, 70)], ("originator", "timeout")),
        ([(ORIG, S.CLOSED, E.TIMEOUT_RETRANSMISSION, 130)], ("none", "none")),
        ([(ORIG, S.SYN_SENT, E.SND_SYN, 1)], ("none", "none")),
        ([(ORIG, S.CLOSED, E.TIMEOUT_2MSL, 60)], ("none", "none")),
    ],
)
def test_first_end_decides(moves: list[Move], expected: tuple[str, str]) -> None:
    """FIN_WAIT_1 is the closer's; a timer that the capture did not live to see closes nothing."""
    assert expected == verdict(moves)


def test_close_that_was_taken_back_is_none() -> None:
    """A RST that was not taken in ends nothing."""
    assert ("none", "none") == verdict([(ORIG, S.CLOSED, E.RCV_RST, 1)], basis=Basis.RETRACTED)


def test_no_connections() -> None:
    """A capture without TCP has no closes."""
    closes = Closes.of(Written().reconstruction(), at(1))
    assert (0, 0) == (len(closes.closer), len(closes.kind))


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([(ORIG, S.TIME_WAIT, E.RCV_FIN, 2), (RESP, S.CLOSED, E.RCV_ACK_OF_FIN, 2)], "CLOSED"),
        ([(ORIG, S.TIME_WAIT, E.RCV_FIN, 2), (RESP, S.LAST_ACK, E.SND_FIN, 2)], "CAPTURE_END"),
        ([(ORIG, S.CLOSED, E.RCV_RST, 2), (RESP, S.CLOSED, E.SND_RST, 2)], "RESET"),
        ([(ORIG, S.CLOSED, E.RCV_RST, 2)], "RESET"),
        ([(ORIG, S.CLOSED, E.SND_RST, 2), (RESP, S.SYN_RCVD, E.RCV_SYN, 1)], "CAPTURE_END"),
        ([(ORIG, S.CLOSED, E.TIMEOUT_RETRANSMISSION, 90)], "TIMER"),
        ([(ORIG, S.CLOSED, E.REPLACED, 9), (RESP, S.CLOSED, E.REPLACED, 9)], "PORT_REUSED"),
        ([], "CAPTURE_END"),
    ],
)  # fmt: skip
def test_connection_is_over_when_both_endpoints_have_ended(
    moves: list[Move], expected: str
) -> None:
    """What their last moves say, and otherwise why it was let go of."""
    written = Written()
    conn = written.connection(end_reason=EndReason.CAPTURE_END)
    for role, state, event, time in moves:
        written.move(conn, role, state, event, time)
    assert EndReason[expected] == end_reasons(written.reconstruction(), at(100))[0]


def test_timer_that_has_not_run_out_ends_nothing() -> None:
    """Predicted for after the capture's end; a RST under way then is no prediction."""
    written = Written()
    conn = written.connection(end_reason=EndReason.CAPTURE_END)
    written.move(conn, ORIG, S.CLOSED, E.TIMEOUT_RETRANSMISSION, 130, basis=Basis.TIMER)
    written.move(conn, RESP, S.CLOSED, E.RCV_RST, 100.1, basis=Basis.PRESUMED)
    found = written.reconstruction()
    assert [E.RCV_RST] == found.standing(at(100)).event.tolist()
    assert EndReason.TIMER not in end_reasons(found, at(100))
