"""Pins the timers that end a state without a packet."""

from __future__ import annotations

import pytest
from exchange import CLIENT, CLOSE, OPEN, SECOND, Between, exchange, lives
from outcomes import Kernel, reconstructed, states, told, told_of, use

from tcptrace.tcp.states import Event, Role
from tcptrace.tcp.timers import profile
from tcptrace.tracker.tracker import Tracker

ORIGINATOR, RESPONDER = Role.ORIGINATOR, Role.RESPONDER


@pytest.fixture(autouse=True)
def _silence(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "silence", "Silence")


def test_time_wait_ends_by_its_timer() -> None:
    """TIME_WAIT is closed by 2MSL."""
    assert "CLOSED TIMEOUT_2MSL TIMER 0 0" == told("close_by_originator", ORIGINATOR)[5]


def test_held_fin_wait_2_has_no_timer() -> None:
    """A half-close that goes on reading is not cut by FIN_WAIT_2's timer."""
    assert "ESTABLISHED FIN_WAIT_1 FIN_WAIT_2" == states("mid_stream_fin_then_data", ORIGINATOR)


def test_orphaned_fin_wait_2_is_predicted() -> None:
    """What may be an orphan's FIN_WAIT_2 ends by the profile."""
    assert "CLOSED TIMEOUT_FIN_WAIT_2 TIMER 0 0" == told("coalesced_tail", ORIGINATOR)[4]


def test_orphaned_fin_wait_2_after_a_century_without_an_answer() -> None:
    """No timeout is longer than the longest, whatever a capture's clock says of round trips."""
    text = "1 C PA 1+10 a1\n3000000000 S A 1 a11\n3000000001 C FA 11 a1\n3000000002 S A 1 a12"
    found = reconstructed(exchange(OPEN + text))
    assert "CLOSED TIMEOUT_FIN_WAIT_2 TIMER 0 0" == told_of(found, ORIGINATOR)[-1]


def test_refuted_rst_does_not_keep_last_ack_from_giving_up() -> None:
    """A RST that never arrived is no sign of life: the FIN goes on being repeated."""
    text = OPEN + CLOSE.replace("1.04 C A 2 a2", "1.03 C A 2 a1")
    repeats = "1.24 S FA 1 a2\n1.25 C R 2\n1.68 S FA 1 a2\n2.56 S FA 1 a2\n4.32 S FA 1 a2"
    tracker = Tracker(profile=profile("linux", tcp_orphan_retries=2))
    tracker.feed(exchange(text + repeats))
    assert "LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED" == lives(tracker.finish())[1]


def test_octets_that_never_arrived_keep_nobody_from_giving_up() -> None:
    """Both ends repeat, neither acknowledges: the path is cut behind the tap, both ways."""
    text = OPEN + "1.00 C PA 1+9 a1\n1.10 S PA 1+5 a1\n"
    for at in (1.23, 1.46, 1.92, 2.84):
        text += f"{at} C PA 1+9 a1\n{at + 0.1} S PA 1+5 a1\n"
    tracker = Tracker(profile=profile("linux", tcp_retries2=3))
    tracker.feed(exchange(text))
    tracker.feed(exchange("60.00 C S 0", Between(client=(CLIENT[0], 40001))))
    made = tracker.finish()
    rows = [told_of(made, role)[-1] for role in (ORIGINATOR, RESPONDER)]
    assert ["CLOSED TIMEOUT_RETRANSMISSION TIMER 0 0"] * 2 == rows


def test_octets_that_were_acknowledged_are_a_sign_of_life() -> None:
    """The client took in what the server repeats, so the path is not cut: it will not give up."""
    text = OPEN + "1.00 C PA 1+9 a1\n1.10 S PA 1+5 a1\n1.12 C A 10 a6\n"
    text += "".join(f"{at} C PA 1+9 a6\n{at + 0.1} S PA 1+5 a1\n" for at in (1.23, 1.46, 1.92))
    tracker = Tracker(profile=profile("linux", tcp_retries2=3))
    tracker.feed(exchange(text))
    assert "ESTABLISHED RCV_SYN_ACK CONFIRMED 2 3" == told_of(tracker.finish(), ORIGINATOR)[-1]


def test_syn_that_is_not_repeated_was_given_up() -> None:
    """Two repeats are missing, so the program closed its socket before the first was due."""
    tracker = Tracker()
    tracker.feed(exchange("0.00 C S 0"))
    other = Between(client=(CLIENT[0], 40001))
    tracker.feed(exchange("9.00 C S 0", other))
    row = told_of(tracker.finish(), ORIGINATOR)[1]
    assert "CLOSED CLOSE INFERRED 0 0" == row


def test_syn_that_is_repeated_on_time_was_not_given_up() -> None:
    """While the schedule is kept the timer will end it."""
    tracker = Tracker()
    tracker.feed(exchange("0.00 C S 0\n1.00 C S 0\n2.00 C S 0"))
    other = Between(client=(CLIENT[0], 40001))
    tracker.feed(exchange("3.50 C S 0", other))
    row = told_of(tracker.finish(), ORIGINATOR)[1]
    assert "CLOSED TIMEOUT_RETRANSMISSION TIMER 0 0" == row


def test_fin_wait_2_lasts_longer_where_the_timeout_is_long() -> None:
    """Its floor is 3.5 retransmission timeouts (Linux tcp_fin_time): here of more than a second."""
    slow = "0.00 C S 0\n1.00 S SA 0 a1\n1.02 C A 1 a1\n1.50 C FA 1 a1\n1.52 S A 1 a2"
    tracker = Tracker(profile=profile("linux", tcp_fin_timeout=3))
    tracker.feed(exchange(slow))
    moves = tracker.finish().transitions.take(slice(None))
    rows = moves.take(moves.role == ORIGINATOR)
    assert Event.TIMEOUT_FIN_WAIT_2 == rows.event[-1]
    assert 8 * SECOND < rows.earliest[-1] - rows.time[-2]
