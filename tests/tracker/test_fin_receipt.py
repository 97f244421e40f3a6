"""Pins who took in a FIN, and its ACK."""

from __future__ import annotations

import pytest
from exchange import OPEN, exchange
from outcomes import Kernel, earliest_of, reconstructed, states, told, told_of, use

from tcptrace.tcp.states import Role, State

ORIGINATOR, RESPONDER = Role.ORIGINATOR, Role.RESPONDER


@pytest.fixture(autouse=True)
def _fin_receipt(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "fin_receipt", "FinReceipt")


def test_fin_before_a_hole_waits() -> None:
    """A FIN that overtakes data is taken in with the segment that fills the hole."""
    assert "LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT" == states("fin_before_hole", RESPONDER)
    assert "CONFIRMED 7 8" in told("fin_before_hole", RESPONDER)[3]


def test_lost_final_ack_is_refuted_by_the_repeated_fin() -> None:
    """LAST_ACK lasts until the ACK after which FINs stop."""
    line = told("final_ack_lost", RESPONDER)[5]
    assert line.startswith("CLOSED RCV_ACK_OF_FIN")
    assert "CLOSED RCV_ACK_OF_FIN PRESUMED 7 0" != line


def test_repeated_fins_without_an_answer_keep_last_ack() -> None:
    """With the final ACK missing, only the timer closes."""
    assert "CLOSED TIMEOUT_RETRANSMISSION TIMER 0 0" == told("missing_final_ack", RESPONDER)[5]


def test_octets_repeated_before_the_fin_break_its_silence() -> None:
    """They are repeated first: so long as they are, no ACK of the FIN has come."""
    found = reconstructed(
        exchange(
            OPEN
            + """
            1.00 S FA 1 a1
            1.02 C A 1 a2
            1.10 C PA 1+9 a2
            1.11 C FA 10 a2
            1.13 S A 2 a1 sack=10:11
            1.40 C PA 1+9 a2
            4.40 C PA 1+9 a2
            """
        )
    )
    assert "CLOSED TIMEOUT_RETRANSMISSION TIMER 0 0" == told_of(found, ORIGINATOR)[-1]
    assert "TIME_WAIT RCV_FIN PRESUMED 9 0" in told_of(found, RESPONDER)


def test_any_copy_of_a_fin_may_have_been_taken_in() -> None:
    """The ACK of the first may have been lost before the tap."""
    text = """
    1.00 C FA 1 a1
    1.30 C FA 1 a1
    1.32 S A 1 a2
    """
    found = reconstructed(exchange(OPEN + text))
    assert "CLOSE_WAIT RCV_FIN CONFIRMED 5 6" == told_of(found, RESPONDER)[3]
    assert 1000 == earliest_of(found, RESPONDER, State.CLOSE_WAIT)


def test_any_ack_of_a_fin_may_have_been_the_one() -> None:
    """A FIN repeated may have crossed it."""
    text = """
    1.00 C FA 1 a1
    1.02 S A 1 a2
    1.30 C FA 1 a1
    1.32 S A 1 a2
    1.40 S PA 1+9 a2
    1.42 C A 2 a10
    """
    found = reconstructed(exchange(OPEN + text))
    assert "FIN_WAIT_2 RCV_ACK_OF_FIN CONFIRMED 7 9" == told_of(found, ORIGINATOR)[3]
    assert 1020 == earliest_of(found, ORIGINATOR, State.FIN_WAIT_2)


def test_echo_of_a_tick_that_two_share_proves_neither() -> None:
    """The server sent octets and the ACK of the FIN within a millisecond; one of them came."""
    text = """
    0.00 C S 0 ts=100,0
    0.02 S SA 0 a1 ts=9000,100
    0.04 C A 1 a1 ts=140,9000
    1.0000 C FA 1 a1 ts=1100,9000
    1.0200 S PA 1+5 a1 ts=10000,140
    1.0205 S A 6 a2 ts=10000,1100
    1.0400 C A 2 a6 ts=1140,10000
    """
    found = told_of(reconstructed(exchange(text)), ORIGINATOR)
    assert "FIN_WAIT_2 RCV_ACK_OF_FIN PRESUMED 6 0" in found
    apart = text.replace("6 a2 ts=10000", "6 a2 ts=10001").replace("1140,10000", "1140,10001")
    found = told_of(reconstructed(exchange(apart)), ORIGINATOR)
    assert "FIN_WAIT_2 RCV_ACK_OF_FIN CONFIRMED 6 7" in found


def test_without_clocks_no_order_tells_which_ack_of_a_fin_it_was() -> None:
    """The client seems to lack the octets that the first rode on; it lacks those before them."""
    text = """
    1.000 C FA 1 a1
    1.020 S PA 10+9 a2
    1.045 C A 2 a1
    1.300 S PA 1+9 a2
    """
    found = reconstructed(exchange(OPEN + text))
    assert "FIN_WAIT_2 RCV_ACK_OF_FIN PRESUMED 7 0" in told_of(found, ORIGINATOR)
    assert 1020 == earliest_of(found, ORIGINATOR, State.FIN_WAIT_2)
