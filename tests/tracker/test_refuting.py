"""Pins which moves are told as taken back, because of which packet, and why."""

from __future__ import annotations

import pytest
from exchange import CLOSE, OPEN, exchange
from outcomes import Kernel, found, reconstructed, taken_back, use

REPEATED = "(what it acknowledges was sent again after it should have arrived)."
WENT_ON = "(the endpoint went on sending as if it had never arrived)."
ANSWERED_LATER = "(it was a later one that was answered)."
BECAUSE_OF = "; presumed, then taken back because of packet"


@pytest.fixture(autouse=True)
def _refuting(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "refuting", "Refuting")


def told(text: str) -> list[str]:
    """The moves taken back between two ends."""
    return taken_back(reconstructed(exchange(text)))


def test_undisturbed_connection_takes_nothing_back() -> None:
    """Most connections have no such line."""
    assert [] == told(OPEN + CLOSE)


def test_syn_that_was_repeated_before_it_was_answered() -> None:
    """The SYN,ACK echoes the timestamp of the second copy."""
    text = """
    0.00 C S 0 ts=100,0
    1.00 C S 0 ts=1100,0
    1.02 S SA 0 a1 ts=9000,1100
    1.04 C A 1 a1 ts=1140,9000
    """
    line = f"responder not LISTEN → SYN_RCVD by rcv SYN, packet 1{BECAUSE_OF} 3 {ANSWERED_LATER}"
    assert [line] == told(text)


def test_syn_ack_after_which_the_syn_came_again() -> None:
    """The originator lacks the first SYN,ACK, and takes the second in."""
    text = """
    0.00 C S 0
    0.02 S SA 0 a1
    1.00 C S 0
    1.02 S SA 0 a1
    1.04 C A 1 a1
    """
    line = "originator not SYN_SENT → ESTABLISHED by rcv SYN,ACK, packet 2"
    assert [f"{line}{BECAUSE_OF} 3 {REPEATED}"] == told(text)


def test_syn_acks_that_draw_no_answer() -> None:
    """What holds of the first copy holds of all: it is told once."""
    text = """
    0.00 C S 0
    0.02 S SA 0 a1
    1.02 S SA 0 a1
    3.02 S SA 0 a1
    """
    line = "originator not SYN_SENT → ESTABLISHED by rcv SYN,ACK, packet 2"
    because = f"{BECAUSE_OF} 3 (it was sent again and again and drew no answer)."
    assert [line + because] == told(text)


def test_lost_ack_of_the_handshake() -> None:
    """The repeated SYN,ACK takes back that SYN_RCVD had ended."""
    line = "responder not SYN_RCVD → ESTABLISHED by rcv ACK of SYN, packet 3"
    assert [f"{line}{BECAUSE_OF} 4 {REPEATED}"] == taken_back(found("handshake_ack_lost"))


def test_segments_in_a_presumed_state_make_no_move_of_their_own() -> None:
    """With a full accept queue each SYN,ACK takes back the first ACK since the one before it."""
    text = """
    0.00 C S 0
    0.02 S SA 0 a1
    0.04 C A 1 a1
    0.05 C PA 1+5 a1
    0.30 C PA 1+5 a1
    1.02 S SA 0 a1
    1.04 C A 6 a1
    3.02 S SA 0 a1
    3.04 C A 6 a1
    """
    line = "responder not SYN_RCVD → ESTABLISHED by rcv ACK of SYN, packet"
    assert [
        f"{line} 3{BECAUSE_OF} 6 {REPEATED}",
        f"{line} 7{BECAUSE_OF} 8 {REPEATED}",
        f"{line} 9; taken back (others like it had been ignored before).",
    ] == told(text)


def test_fin_that_the_peer_lacks() -> None:
    """It goes on without acknowledging the FIN, and acknowledges the second copy."""
    text = (
        OPEN
        + """
    1.00 C FA 1 a1
    1.20 S PA 1+9 a1
    1.22 C A 2 a10
    1.40 C FA 1 a10
    1.42 S A 10 a2
    """
    )
    line = "responder not ESTABLISHED → CLOSE_WAIT by rcv FIN, packet 4"
    assert [f"{line}{BECAUSE_OF} 5 {WENT_ON}"] == told(text)


def test_fin_whose_second_copy_is_the_one_answered() -> None:
    """The ACK echoes the second copy's timestamp."""
    text = """
    0.00 C S 0 ts=100,0
    0.02 S SA 0 a1 ts=9000,100
    0.04 C A 1 a1 ts=140,9000
    1.00 C FA 1 a1 ts=1100,9000
    1.30 C FA 1 a1 ts=1400,9000
    1.32 S A 1 a2 ts=10300,1400
    """
    line = "responder not ESTABLISHED → CLOSE_WAIT by rcv FIN, packet 4"
    assert [f"{line}{BECAUSE_OF} 6 {ANSWERED_LATER}"] == told(text)


def test_fin_behind_a_gap() -> None:
    """It had to wait for the octets before it."""
    line = "responder not ESTABLISHED → CLOSE_WAIT by rcv FIN, packet 5"
    because = f"{BECAUSE_OF} 6 (octets before it were still missing)."
    assert [line + because] == taken_back(found("fin_before_hole"))


def test_fins_that_draw_no_answer() -> None:
    """Not one of many copies seems to have got there."""
    text = (
        OPEN
        + """
    1.00 S PA 1+5 a1
    1.02 C A 1 a6
    2.00 C FA 1 a6
    2.20 C FA 1 a6
    2.60 C FA 1 a6
    3.40 C FA 1 a6
    """
    )
    line = "responder not ESTABLISHED → CLOSE_WAIT by rcv FIN, packet 6"
    because = f"{BECAUSE_OF} 7 (it was sent again and again and drew no answer)."
    assert [line + because] == told(text)


def test_lost_final_acks() -> None:
    """Each repeated FIN takes back that the ACK before it had closed."""
    line = "responder not LAST_ACK → CLOSED by rcv ACK of FIN, packet"
    assert [
        f"{line} 7{BECAUSE_OF} 8 {REPEATED}",
        f"{line} 9{BECAUSE_OF} 10 {REPEATED}",
    ] == taken_back(found("final_ack_lost"))


def test_lost_fin_that_carries_the_ack_of_a_fin() -> None:
    """One segment seemed to make two moves: the second starts where the first would have led."""
    text = (
        OPEN
        + """
    1.00 C FA 1 a1
    1.02 S FA 1 a2
    1.30 C FA 1 a1
    1.32 S FA 1 a2
    1.34 C A 2 a2
    """
    )
    told_of = told(text)
    line = f"rcv ACK of FIN, packet 5{BECAUSE_OF} 6 {REPEATED}"
    assert f"originator not FIN_WAIT_1 → FIN_WAIT_2 by {line}" == told_of[0]
    line = f"rcv FIN, packet 5{BECAUSE_OF} 6 {WENT_ON}"
    assert f"originator not FIN_WAIT_1 → TIME_WAIT by {line}" == told_of[1]
    assert 2 == len(told_of)


def test_ack_on_lost_octets() -> None:
    """The ACK of the FIN rode on data that its receiver never acknowledges."""
    text = (
        OPEN
        + """
    1.00 C FA 1 a1
    1.02 S PA 1+9 a2
    1.10 S PA 10+9 a2
    1.12 C A 2 a1
    1.30 S PA 1+9 a2
    1.32 C A 2 a19
    """
    )
    line = "originator not FIN_WAIT_1 → FIN_WAIT_2 by rcv ACK of FIN, packet 5"
    assert f"{line}{BECAUSE_OF} 7 {WENT_ON}" in told(text)
