"""Pins the order in which the machine is given an endpoint's events."""

from __future__ import annotations

import pytest
from exchange import OPEN, exchange
from outcomes import Kernel, reconstructed, states, told_of, use

from tcptrace.tcp.states import Role

ORIGINATOR, RESPONDER = Role.ORIGINATOR, Role.RESPONDER


@pytest.fixture(autouse=True)
def _telling(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "telling", "Telling")


def test_close_by_originator_walks_both_sides() -> None:
    """The orderly close of RFC 9293 figure 12, with its handshake."""
    assert "SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED" == states(
        "close_by_originator", ORIGINATOR
    )
    assert "LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED" == states(
        "close_by_originator", RESPONDER
    )


def test_fin_with_ack_of_fin_walks_through_fin_wait_2() -> None:
    """One segment is two events: first what it acknowledges, then its FIN."""
    assert "SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED" == states(
        "close_in_three_segments", ORIGINATOR
    )


def test_lost_ack_in_simultaneous_close_stays_closing() -> None:
    """A repeated FIN that acknowledges the peer's is CLOSING, not LAST_ACK."""
    assert "SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT CLOSED" == states(
        "simultaneous_close_ack_lost", ORIGINATOR
    )


def test_fin_answered_when_repeated_is_no_proof_of_fin_wait_2() -> None:
    """Its first copy may have come, too, the answer lost: CLOSING, if the ACK of the FIN was lost.

    What was repeated is dropped as a whole, its ACK not looked at (RFC 9293 section 3.10.7.4).
    """
    crossing = "1 C FA 1 a1\n1.001 S PA 1+1 a1\n1.002 S FA 2 a1\n1.003 C A 2 a2\n1.2 C A 2 a2\n"
    answered = "1.25 S A 3 a2\n1.4 S FA 2 a2\n1.41 C A 2 a3"
    found = reconstructed(exchange(OPEN + crossing + answered))
    assert [
        "FIN_WAIT_2 RCV_ACK_OF_FIN PRESUMED 9 0",
        "TIME_WAIT RCV_FIN PRESUMED 10 0",
    ] == told_of(found, ORIGINATOR)[3:5]
