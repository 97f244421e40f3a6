"""Pins which RSTs are taken in."""

from __future__ import annotations

import pytest
from exchange import CLOSE, OPEN, exchange, lives
from outcomes import Kernel, reconstructed, states, told, use

from tcptrace.tcp.states import Event, Role

ORIGINATOR, RESPONDER = Role.ORIGINATOR, Role.RESPONDER


@pytest.fixture(autouse=True)
def _reset_receipt(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "reset_receipt", "ResetReceipt")


def test_rst_in_window_but_not_exact_is_no_move() -> None:
    """Only the RST with the expected number ends the connection (RFC 5961 section 3.2)."""
    assert "LISTEN SYN_RCVD ESTABLISHED CLOSED" == states("rst_in_window", RESPONDER)
    assert "RCV_RST" in told("rst_in_window", RESPONDER)[3]


def test_rst_one_before_after_the_fin_is_taken() -> None:
    """In CLOSE_WAIT Linux takes the RST numbered as the FIN (tcp_reset_check)."""
    assert "LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT CLOSED" == states("rst_before_fin", RESPONDER)


def test_rst_one_before_is_not_taken_in_time_wait() -> None:
    """An ACK from before the FIN drew it: TIME_WAIT wants its own number alone (Linux)."""
    assert lives(reconstructed(exchange(OPEN + CLOSE + "1.06 S R 1")))[0].endswith(
        "TIME_WAIT CLOSED"
    )
    moves = reconstructed(exchange(OPEN + CLOSE + "1.06 S R 1")).transitions
    assert Event.TIMEOUT_2MSL == moves.event[(moves.role == ORIGINATOR)][-1]
