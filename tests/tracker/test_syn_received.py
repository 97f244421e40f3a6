"""Pins which ACK ends SYN_RCVD."""

from __future__ import annotations

import pytest
from exchange import exchange
from outcomes import Kernel, earliest_of, reconstructed, states, told, use

from tcptrace.tcp.states import Role, State

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


@pytest.mark.parametrize(("answered", "since"), [("0.02", 40), ("0.001", 1039)])
def test_ack_before_a_repeated_syn_ack_may_have_ended_syn_rcvd(answered: str, since: int) -> None:
    """The two may have crossed, unless the tap is beside the one who repeats (by half a ms)."""
    text = f"""
    0.00 C S 0
    {answered} S SA 0 a1
    0.04 C A 1 a1
    1.04 S SA 0 a1
    1.06 C A 1 a1
    1.20 S PA 1+5 a1
    """
    found = reconstructed(exchange(text))
    assert since == earliest_of(found, Role.RESPONDER, State.ESTABLISHED)
