"""Pins how the parts of a close are put together."""

from __future__ import annotations

import pytest
from outcomes import Kernel, states, use

from tcptrace.tcp.states import Role

ORIGINATOR, RESPONDER = Role.ORIGINATOR, Role.RESPONDER


@pytest.fixture(autouse=True)
def _closing(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "closing", "Closing")


def test_close_by_originator_walks_both_sides() -> None:
    """The orderly close of RFC 9293 figure 12, with its handshake."""
    assert "SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED" == states(
        "close_by_originator", ORIGINATOR
    )
    assert "LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED" == states(
        "close_by_originator", RESPONDER
    )


def test_crossing_fins_are_closing_on_both_sides() -> None:
    """Simultaneous close, RFC 9293 figure 13: nobody is ever LAST_ACK."""
    assert "SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT CLOSED" == states(
        "simultaneous_close", ORIGINATOR
    )
    assert "LISTEN SYN_RCVD ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT CLOSED" == states(
        "simultaneous_close", RESPONDER
    )
