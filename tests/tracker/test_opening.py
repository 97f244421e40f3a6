"""Pins how each endpoint came to be open."""

from __future__ import annotations

import pytest
from exchange import START, exchange
from outcomes import Kernel, earliest_of, reconstructed, states, told, told_of, use

from tcptrace.tcp.states import Role, State

ORIGINATOR, RESPONDER = Role.ORIGINATOR, Role.RESPONDER


@pytest.fixture(autouse=True)
def _opening(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "opening", "Opening")


def test_refused_syn_ends_syn_sent() -> None:
    """SYN_SENT and a RST that acknowledges the SYN (RFC 9293 section 3.10.7.3)."""
    assert "SYN_SENT CLOSED" == states("refused", ORIGINATOR)
    assert "CLOSED" == states("refused", RESPONDER)


def test_syns_cross() -> None:
    """Simultaneous open, RFC 9293 figure 7: both walk through SYN_RCVD."""
    assert "SYN_SENT SYN_RCVD ESTABLISHED" == states("simultaneous_open", ORIGINATOR)
    assert "SYN_SENT SYN_RCVD ESTABLISHED" == states("simultaneous_open", RESPONDER)


def test_mid_stream_start_is_assumed() -> None:
    """A capture that begins inside shows no handshake, so ESTABLISHED is assumed."""
    assert "ESTABLISHED MID_STREAM ASSUMED 0 0" == told("figure_12_normal_close", ORIGINATOR)[0]


def test_syn_ack_is_confirmed_by_the_ack() -> None:
    """The originator is ESTABLISHED by the SYN,ACK, which its own ACK proves."""
    assert "ESTABLISHED RCV_SYN_ACK CONFIRMED 2 3" == told("close_by_originator", ORIGINATOR)[1]


def test_any_copy_of_the_syn_may_have_been_taken_in() -> None:
    """A SYN,ACK says that one was; its repeat may have lost the SYN,ACK of the first."""
    text = """
    0.00 C S 0
    1.00 C S 0
    1.02 S SA 0 a1
    1.04 C A 1 a1
    """
    found = reconstructed(exchange(text))
    assert "SYN_RCVD RCV_SYN CONFIRMED 2 3" == told_of(found, Role.RESPONDER)[1]
    assert 0 == earliest_of(found, Role.RESPONDER, State.SYN_RCVD)


def test_echo_tells_which_copy_of_the_syn_was_taken_in() -> None:
    """The SYN,ACK echoes the TSval of the first that came (RFC 7323; Linux tcp_check_req)."""
    text = """
    0.00 C S 0 ts=100,0
    1.00 C S 0 ts=1100,0
    1.02 S SA 0 a1 ts=9000,1100
    1.04 C A 1 a1 ts=1140,9000
    """
    found = reconstructed(exchange(text))
    assert "SYN_RCVD RCV_SYN CONFIRMED 2 3" == told_of(found, Role.RESPONDER)[1]
    assert 1000 == earliest_of(found, Role.RESPONDER, State.SYN_RCVD)


def test_any_copy_of_the_syn_ack_may_have_been_taken_in() -> None:
    """Its first ACK may have been lost before the tap."""
    text = """
    0.00 C S 0
    0.02 S SA 0 a1
    1.02 S SA 0 a1
    1.04 C A 1 a1
    """
    found = reconstructed(exchange(text))
    assert 20 == earliest_of(found, Role.ORIGINATOR, State.ESTABLISHED)


def test_syn_overtaken_by_its_syn_ack_is_of_a_simultaneous_open() -> None:
    """Both were in SYN_SENT, though the tap saw the SYN,ACK first."""
    text = """
    0.00 C S 0
    0.01 S SA 0 a1
    0.02 S S 0
    0.03 C SA 0 a1
    0.05 S A 1 a1
    """
    found = reconstructed(exchange(text))
    assert ["SYN_SENT", "SYN_RCVD", "ESTABLISHED"] == [
        row.split()[0] for row in told_of(found, Role.ORIGINATOR)
    ]
    assert told_of(found, Role.RESPONDER)[0].startswith("SYN_SENT")


def test_any_copy_of_a_crossing_syn_may_have_come() -> None:
    """Nothing that the client sent tells which: SYN_RCVD may be as late as the last."""
    text = """
    0.00 C S 0
    0.01 S S 0
    1.01 S S 0
    """
    found = reconstructed(exchange(text))
    assert "SYN_RCVD RCV_SYN PRESUMED 2 0" in told_of(found, Role.ORIGINATOR)
    moves = found.transitions
    latest = moves.latest[(moves.role == Role.ORIGINATOR) & (moves.state == State.SYN_RCVD)]
    assert START + 1_010_000_000 <= int(latest[0])
