"""Pins when a FIN left that was lost before the tap."""

from __future__ import annotations

import pytest
from exchange import START, exchange
from outcomes import Kernel, reconstructed, use

from tcptrace.tcp.states import Role, State
from tcptrace.tracker.transitions import Basis


@pytest.fixture(autouse=True)
def _lost_fins(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "lost_fins", "LostFins")


OPEN = """
0.00 C S 0 id=10
0.02 S SA 0 a1 id=0
0.04 C A 1 a1 id=11
0.05 S A 1 a1 id=50
"""


def fin_wait_1(text: str, role: Role = Role.ORIGINATOR) -> tuple[int, Basis]:
    """When an endpoint entered FIN_WAIT_1, in ms, and the basis."""
    moves = reconstructed(exchange(OPEN + text)).transitions
    rows = moves.take((moves.role == role) & (moves.state == State.FIN_WAIT_1))
    return round((int(rows.time[0]) - START) / 1e6), Basis(rows.basis[0])


def test_gap_in_the_identification_is_a_fin_that_was_lost() -> None:
    """The captured one is its tail-loss probe, which waits 206 ms and more than a round trip."""
    when, basis = fin_wait_1("1.00 C FA 1 a1 id=13\n1.02 S A 1 a2 id=51")
    assert 700 < when < 800
    assert Basis.PRESUMED == basis


def test_next_number_is_no_gap() -> None:
    """The captured FIN is the first."""
    when, basis = fin_wait_1("1.00 C FA 1 a1 id=12\n1.02 S A 1 a2 id=51")
    assert 980 < when <= 1000
    assert Basis.OBSERVED == basis


@pytest.mark.parametrize("order", [(12, 13, 14), (14, 12, 13), (13, 14, 12), (14, 13, 12)])
def test_numbers_in_any_order_are_no_gap(order: tuple[int, int, int]) -> None:
    """The path turned the segments before the FIN."""
    lines = [f"0.90{place} C A 1 a1 id={number}" for place, number in enumerate(order)]
    when, basis = fin_wait_1("\n".join([*lines, "1.00 C FA 1 a1 id=15", "1.02 S A 1 a2 id=51"]))
    assert 980 < when <= 1000
    assert Basis.OBSERVED == basis


def test_number_that_comes_behind_the_fin_is_no_gap() -> None:
    """The FIN overtook it."""
    text = "1.000 C FA 1 a1 id=13\n1.001 C A 1 a1 id=12\n1.02 S A 1 a2 id=51"
    assert Basis.OBSERVED == fin_wait_1(text)[1]


def test_lost_fin_left_where_its_probe_tells() -> None:
    """Segments numbered behind it came before the copy that was captured."""
    when, basis = fin_wait_1("""
    0.50 S PA 1+5 a1 id=51
    0.52 C A 2 a6 id=13
    0.70 C FA 1 a6 id=14
    0.72 S A 6 a2 id=52
    """)
    assert 400 < when < 470
    assert Basis.INFERRED == basis


def test_lost_fin_left_with_a_lost_ack() -> None:
    """A D-SACK tells that the data had come long before: the FIN left with their ACK."""
    when, basis = fin_wait_1("""
    0.50 S PA 1+5 a1 id=51
    0.90 S PA 1+5 a1 id=52
    0.92 C A 2 a6 id=14 sack=1:6
    1.80 C FA 1 a6 id=15
    1.82 S A 6 a2 id=53
    """)
    assert 490 < when < 540
    assert Basis.INFERRED == basis


def test_two_gaps_are_a_probe_and_a_timeout() -> None:
    """After the probe a retransmission timeout passes before the next copy (RFC 6298 section 5)."""
    when, basis = fin_wait_1("1.00 C FA 1 a1 id=14\n1.02 S A 1 a2 id=51")
    assert 480 < when < 600
    assert Basis.PRESUMED == basis


def entered(state: State, text: str, role: Role) -> tuple[int, Basis]:
    """The same of any state, of segments without identification."""
    bare = "\n".join(line.split(" id=")[0] for line in (OPEN + text).splitlines())
    moves = reconstructed(exchange(bare)).transitions
    rows = moves.take((moves.role == role) & (moves.state == state))
    return round((int(rows.time[0]) - START) / 1e6), Basis(rows.basis[0])


SERVER_CLOSES = "0.40 S FA 1 a1\n"


def test_fin_that_brings_an_overdue_ack_is_a_probe() -> None:
    """The peer's FIN was to be acknowledged within a delayed ACK's time: the first FIN did."""
    text = SERVER_CLOSES + "0.66 C FA 1 a2\n0.68 S A 2 a2"
    when, basis = entered(State.LAST_ACK, text, Role.ORIGINATOR)
    assert 400 <= when < 450
    assert Basis.PRESUMED == basis


def test_fin_after_a_timely_ack_is_the_first() -> None:
    """Nothing was owed any more: a program closes second when it gets round to it."""
    text = SERVER_CLOSES + "0.42 C A 1 a2\n0.66 C FA 1 a2\n0.68 S A 2 a2"
    when, basis = entered(State.LAST_ACK, text, Role.ORIGINATOR)
    assert 640 <= when <= 660
    assert Basis.OBSERVED == basis


ASKS = "0.40 C PA 1+5 a1\n0.42 S PA 1+5 a6\n0.44 C A 6 a6\n"


def test_first_fin_a_probes_time_after_silence_is_one_where_segments_are_lost() -> None:
    """A segment of the connection was repeated, so the path loses some."""
    text = ASKS + "0.67 C FA 6 a6\n0.69 S A 6 a7\n0.93 C FA 6 a6"
    when, basis = entered(State.FIN_WAIT_1, text, Role.ORIGINATOR)
    assert 420 <= when <= 460
    assert Basis.PRESUMED == basis


def test_first_fin_a_probes_time_after_silence_is_the_first_where_none_is_lost() -> None:
    """Nothing says that the path loses anything."""
    text = ASKS + "0.67 C FA 6 a6\n0.69 S A 6 a7"
    when, basis = entered(State.FIN_WAIT_1, text, Role.ORIGINATOR)
    assert 650 <= when <= 670
    assert Basis.OBSERVED == basis
