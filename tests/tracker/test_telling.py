"""Pins the order in which the machine is given an endpoint's events."""

from __future__ import annotations

import pytest
from outcomes import Kernel, states, use

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
