"""Pins how each endpoint came to be open."""

from __future__ import annotations

import pytest
from outcomes import Kernel, states, told, use

from tcptrace.tcp.states import Role

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
