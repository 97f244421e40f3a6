"""Pins which RSTs are taken in."""

from __future__ import annotations

import pytest
from outcomes import Kernel, states, told, use

from tcptrace.tcp.states import Role

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
