"""Pins which ACK ends SYN_RCVD."""

from __future__ import annotations

import pytest
from outcomes import Kernel, states, told, use

from tcptrace.tcp.states import Role

ORIGINATOR, RESPONDER = Role.ORIGINATOR, Role.RESPONDER


@pytest.fixture(autouse=True)
def _syn_received(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "syn_received", "SynReceived")


def test_repeated_syn_ack_refutes_the_first_ack() -> None:
    """SYN_RCVD lasts until an ACK that no later SYN,ACK refutes."""
    line = told("handshake_ack_lost", RESPONDER)[2]
    assert line.startswith("ESTABLISHED RCV_ACK_OF_SYN")
    assert "ESTABLISHED RCV_ACK_OF_SYN PRESUMED 3 0" != line


def test_overflow_keeps_syn_rcvd_until_data_is_acknowledged() -> None:
    """A full accept queue ignores ACKs; the server is established with its first ACK of data."""
    assert "LISTEN SYN_RCVD ESTABLISHED" == states("accept_queue_overflow", RESPONDER)
    assert "CONFIRMED" in told("accept_queue_overflow", RESPONDER)[2]


def test_fin_carries_the_ack_of_the_syn() -> None:
    """One FIN walks SYN_RCVD to CLOSE_WAIT where the handshake's ACK was lost."""
    assert "LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED" == states(
        "fin_behind_lost_handshake_ack", RESPONDER
    )
