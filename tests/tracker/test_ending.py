"""Pins how RSTs end an endpoint."""

from __future__ import annotations

import pytest
from exchange import CLOSE, OPEN, exchange, lives
from outcomes import Kernel, found, reconstructed, states, taken_back, told, told_of, use

from tcptrace.tcp.states import Role
from tcptrace.tcp.timers import profile
from tcptrace.tracker.tracker import Tracker

ORIGINATOR, RESPONDER = Role.ORIGINATOR, Role.RESPONDER


@pytest.fixture(autouse=True)
def _ending(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "ending", "Ending")


def test_abort_ends_both() -> None:
    """A RST of a living socket: its sender is seen to close, its receiver presumed."""
    assert "SYN_SENT ESTABLISHED CLOSED" == states("close_with_unread_data", ORIGINATOR)
    assert "LISTEN SYN_RCVD ESTABLISHED CLOSED" == states("close_with_unread_data", RESPONDER)
    assert "SND_RST OBSERVED" in told("close_with_unread_data", ORIGINATOR)[2]
    assert "RCV_RST PRESUMED" in told("close_with_unread_data", RESPONDER)[3]


SAID = "; presumed, then taken back because of packet"


def told_back(text: str) -> list[str]:
    """The moves taken back between two ends."""
    return taken_back(reconstructed(exchange(text)))


def test_rst_out_of_window_is_taken_back() -> None:
    """The challenge ACK (RFC 5961 section 3.2) is the packet that disproves it."""
    text = (
        OPEN
        + """
    1.00 S PA 1+5 a1
    1.02 C A 1 a6
    2.00 S R 3
    2.02 C A 1 a6
    3.00 C PA 1+5 a6
    """
    )
    line = "originator not ESTABLISHED → CLOSED by rcv RST, packet 6"
    assert f"{line}{SAID} 7 (its numbers were not the ones expected)." in told_back(text)


def test_lost_rst_is_taken_back() -> None:
    """Its receiver sends on as if nothing had happened."""
    text = (
        OPEN
        + """
    1.00 C RA 1 a1
    2.00 S PA 1+5 a1
    """
    )
    line = "responder not ESTABLISHED → CLOSED by rcv RST, packet 4"
    because = f"{SAID} 5 (the endpoint went on sending as if it had never arrived)."
    assert [line + because] == told_back(text)


def test_rst_on_a_dark_path_is_taken_back() -> None:
    """Its sender had asked and asked before: no packet tells, yet nothing seems to arrive."""
    text = (
        OPEN
        + """
    1.00 C PA 1+5 a1
    1.30 C PA 1+5 a1
    1.90 C PA 1+5 a1
    3.10 C RA 6 a1
    """
    )
    line = "responder not ESTABLISHED → CLOSED by rcv RST, packet 7; taken back"
    assert [f"{line} (its sender had long asked in vain, nothing seemed to get through)."] == (
        told_back(text)
    )


def test_rst_sent_in_anothers_name_is_taken_back() -> None:
    """Its claimed sender goes on, and so does its receiver."""
    text = (
        OPEN
        + """
    1.00 S RA 1 a1
    2.00 S PA 1+5 a1
    2.02 C A 1 a6
    """
    )
    assert [
        f"responder not ESTABLISHED → CLOSED by snd RST, packet 4{SAID} 5 "
        "(the endpoint went on: another had sent it in its name).",
        f"originator not ESTABLISHED → CLOSED by rcv RST, packet 4{SAID} 6 "
        "(the endpoint went on sending as if it had never arrived).",
    ] == told_back(text)


def test_abort_without_timestamps_is_taken_back() -> None:
    """A living socket puts them on its RST as on all its segments (RFC 7323 section 3.2)."""
    text = """
    0.00 C S 0 ts=100,0
    0.02 S SA 0 a1 ts=9000,100
    0.04 C A 1 a1 ts=140,9000
    1.00 S RA 1 a1
    """
    because = "(it lacks the timestamps that all segments of the endpoint carry)."
    assert f"responder not ESTABLISHED → CLOSED by snd RST, packet 4; taken back {because}" in (
        told_back(text)
    )


def test_icmp_error_after_which_the_syn_comes_again_is_taken_back() -> None:
    """The error did not end SYN_SENT."""
    text = """
    0.00 C S 0
    0.02 C S 0 icmp
    1.00 C S 0
    """
    line = "originator not SYN_SENT → CLOSED by rcv ICMP error, packet 2"
    because = f"{SAID} 3 (the endpoint went on sending as if it had never arrived)."
    assert [line + because] == told_back(text)


def test_rst_takes_back_what_its_sender_was_presumed_to_be() -> None:
    """The client had given up in SYN_SENT: the SYN,ACK found no socket."""
    line = "originator not SYN_SENT → ESTABLISHED by rcv SYN,ACK, packet 2"
    because = f"{SAID} 3 (a RST from no socket answered the peer)."
    assert [line + because] == taken_back(found("closed_in_syn_sent"))


def test_rst_of_an_endpoint_that_a_rst_had_ended_tells_nothing() -> None:
    """It answers what had passed the RST on the way: the FIN before both was taken in."""
    text = (
        OPEN
        + """
    1.000 C FA 1 a1
    1.002 C R 1
    1.003 C A 1 a1
    1.030 S R 1
    """
    )
    lived = lives(reconstructed(exchange(text)))[1]
    assert "LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT CLOSED" == lived


def test_rst_that_came_with_a_fin_finds_what_the_fin_provoked() -> None:
    """FIN and RST were sent at once; the FIN was answered by a FIN before the RST came."""
    text = (
        OPEN
        + """
    0.050 C PA 1+5 a1
    0.060 S FA 1 a1
    0.061 S R 1
    0.0825 C FA 6 a2
    """
    )
    told = lives(reconstructed(exchange(text)))[0]
    assert "SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED" == told


@pytest.mark.parametrize(("ignored", "last"), [(0, "RCV_RST"), (1, "TIMEOUT_2MSL")])
def test_rst_ends_time_wait_unless_rfc_1337_is_heeded(ignored: int, last: str) -> None:
    """Linux tcp_timewait_state_process: with tcp_rfc1337 a RST changes nothing there."""
    tracker = Tracker(profile=profile("linux", tcp_rfc1337=ignored))
    tracker.feed(exchange(OPEN + CLOSE + "1.30 S R 2"))
    assert last in told_of(tracker.finish(), ORIGINATOR)[-1]
