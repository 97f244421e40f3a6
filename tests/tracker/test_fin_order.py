"""Pins in which order a FIN and an ACK were taken in, and what of it is certain."""

from __future__ import annotations

import pytest
from exchange import OPEN, exchange, lives
from outcomes import Kernel, reconstructed, told_of, use

from tcptrace.tcp.states import Role

ORIGINATOR, RESPONDER = Role.ORIGINATOR, Role.RESPONDER


@pytest.fixture(autouse=True)
def _fin_order(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "fin_order", "FinOrder")


CROSSING = """
0.00 C S 0 id=10
0.02 S SA 0 a1 id=0
0.04 C A 1 a1 id=11
0.05 S A 1 a1 id=50
1.000 C FA 1 a1 id=12
1.001 S FA 1 a1 id=51
1.002 S A 2 a2 id=52
1.030 C A 2 a2 id={}
"""


def test_ack_from_a_minisocket_tells_that_the_ack_came_first() -> None:
    """FIN_WAIT_2 keeps no full socket, whose segments would be numbered (Linux)."""
    found = reconstructed(exchange(CROSSING.format(0)))
    assert lives(found)[0].startswith("SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT")


def test_ack_from_a_full_socket_leaves_the_order_of_the_capture() -> None:
    """The FIN passed the tap before the ACK."""
    found = reconstructed(exchange(CROSSING.format(13)))
    assert lives(found)[0].startswith("SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT")


def test_ack_of_a_repeated_fin_tells_nothing() -> None:
    """It comes from TIME_WAIT, whatever was before."""
    again = CROSSING.format(0).replace("1.030", "1.020 S FA 1 a2 id=53\n1.030")
    found = reconstructed(exchange(again))
    assert "CLOSING" in lives(found)[0]


def test_fin_in_loss_recovery_may_find_close_called() -> None:
    """Octets are repeated and unacknowledged: behind them may wait a FIN, so it is presumed."""
    text = (
        OPEN
        + """
    1.00 C PA 1+9 a1
    1.30 C PA 1+9 a1
    1.90 C PA 1+9 a1
    2.00 S FA 1 a1
    2.02 C A 10 a2
    """
    )
    assert (
        "CLOSE_WAIT RCV_FIN PRESUMED 7 8" == told_of(reconstructed(exchange(text)), ORIGINATOR)[2]
    )


def test_fin_after_all_is_acknowledged_is_confirmed() -> None:
    """Nothing held a FIN of its own back."""
    text = (
        OPEN
        + """
    1.00 C PA 1+9 a1
    1.30 C PA 1+9 a1
    1.32 S A 1 a10
    2.00 S FA 1 a10
    2.02 C A 10 a2
    """
    )
    found = reconstructed(exchange(text))
    assert "CLOSE_WAIT RCV_FIN CONFIRMED 7 8" == told_of(found, ORIGINATOR)[2]


def test_fin_before_octets_that_were_never_seen_is_presumed() -> None:
    """The ACK stands behind octets that the tap did not see and the peer did not acknowledge."""
    text = (
        OPEN
        + """
    2.00 S FA 1 a1
    2.02 C A 15 a2
    """
    )
    assert (
        "CLOSE_WAIT RCV_FIN PRESUMED 4 5" == told_of(reconstructed(exchange(text)), ORIGINATOR)[2]
    )


@pytest.mark.parametrize(("answer", "basis"), [("1.060", "PRESUMED"), ("1.010", "CONFIRMED")])
def test_closing_is_proved_by_an_answer_before_the_ack(answer: str, basis: str) -> None:
    """If the ACK of its own FIN had passed the tap by then, it may have come first."""
    text = f"""
    1.000 C FA 1 a1
    1.001 S FA 1 a1
    {answer} C A 2 a2
    1.050 S A 2 a2
    """
    lines = sorted(text.split("\n"), key=lambda line: line.split()[:1])
    rows = told_of(reconstructed(exchange(OPEN + "\n".join(lines))), ORIGINATOR)
    assert rows[3].startswith(f"CLOSING RCV_FIN {basis}")


def test_fin_behind_a_hole_came_in_an_order_that_none_can_tell() -> None:
    """The octets before it came later, sooner answered than any, and so did the ACK of its own."""
    text = """
    1.00 S PA 1+9 a1
    1.10 S FA 10 a1
    1.12 C A 1 a1
    1.20 C FA 1 a1
    1.22 S A 11 a2
    1.40 S PA 1+9 a2
    1.41 C A 2 a11
    """
    rows = told_of(reconstructed(exchange(OPEN + text)), ORIGINATOR)
    assert "CLOSING RCV_FIN PRESUMED 5 10" == rows[3]


def test_closing_is_proved_by_a_fin_repeated_after_the_peers_had_come() -> None:
    """The ACK had passed the tap, but TIME_WAIT repeats nothing."""
    text = """
    1.000 C FA 1 a1
    1.001 S FA 1 a1
    1.010 S A 2 a2
    1.030 C A 2 a2
    1.300 C FA 1 a2
    1.320 S A 2 a2
    """
    rows = told_of(reconstructed(exchange(OPEN + text)), ORIGINATOR)
    assert rows[3].startswith("CLOSING RCV_FIN CONFIRMED")


@pytest.mark.parametrize(("number", "basis"), [(12, "CONFIRMED"), (14, "PRESUMED")])
def test_fin_that_may_repeat_a_lost_one_leaves_close_wait_presumed(number: int, basis: str) -> None:
    """Two numbers were lost: its first FIN, and the ACK of the peer's that had crossed it."""
    text = """
    0.00 C S 0 id=10
    0.02 S SA 0 a1 id=0
    0.04 C A 1 a1 id=11
    1.00 S FA 1 a1 id=50
    1.30 C FA 1 a2 id={}
    1.32 S A 2 a2 id=51
    """
    rows = told_of(reconstructed(exchange(text.format(number))), ORIGINATOR)
    assert f"CLOSE_WAIT RCV_FIN {basis} 4 5" == rows[2]


@pytest.mark.parametrize(("at", "basis"), [("1.02", "CONFIRMED"), ("1.30", "PRESUMED")])
def test_late_fin_without_numbers_leaves_close_wait_presumed(at: str, basis: str) -> None:
    """Nothing tells whether it is the first; one that answers at once hardly repeats another."""
    text = f"""
    1.00 S FA 1 a1
    {at} C FA 1 a2
    1.40 S A 2 a2
    """
    rows = told_of(reconstructed(exchange(OPEN + text)), ORIGINATOR)
    assert f"CLOSE_WAIT RCV_FIN {basis} 4 5" == rows[2]


def test_lost_fin_known_by_the_number_behind_it_proves_no_closing() -> None:
    """It may as well have left after the ACK of the peer's, which was lost, too."""
    text = """
    1.00 C FA 1 a1
    1.30 C FA 1 a1
    1.32 S A 2 a2
    1.60 S FA 1 a2
    1.62 C A 2 a2
    """
    rows = told_of(reconstructed(exchange(OPEN + text)), RESPONDER)
    assert "CLOSING RCV_FIN PRESUMED" == " ".join(rows[4].split()[:3])


def test_fin_whose_first_copy_came_before_the_ack_leaves_fin_wait_2_presumed() -> None:
    """The copy that carried no ACK of the endpoint's own FIN may have been the one taken in."""
    text = """
    0.00 C S 0 ts=0,0
    0.02 S SA 0 a1 ts=20,0
    0.04 C A 1 a1 ts=40,20
    1.000 C FA 1 a1 ts=1000,20
    1.010 S FA 1 a1 ts=1000,40
    1.015 S A 2 a2 ts=1012,1000
    1.300 S FA 1 a2 ts=1300,1000
    1.320 C A 2 a2 ts=1320,1300
    """
    rows = told_of(reconstructed(exchange(text)), ORIGINATOR)
    assert "FIN_WAIT_2 RCV_ACK_OF_FIN PRESUMED 6 8" == rows[3]
