"""Pins when a FIN left."""

from __future__ import annotations

import pytest
from exchange import OPEN, START, exchange
from outcomes import Kernel, reconstructed, told, told_of, use

from tcptrace.tcp.states import Role, State

ORIGINATOR, RESPONDER = Role.ORIGINATOR, Role.RESPONDER


@pytest.fixture(autouse=True)
def _fin_sending(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "fin_sending", "FinSending")


def test_fin_wait_1_is_observed_at_the_fin() -> None:
    """The first FIN shows its sender's move."""
    assert "FIN_WAIT_1 SND_FIN OBSERVED 4 0" == told("close_by_originator", ORIGINATOR)[2]


def test_last_ack_is_observed_at_the_fin() -> None:
    """A FIN that acknowledges the peer's FIN leaves CLOSE_WAIT."""
    assert "LAST_ACK SND_FIN OBSERVED 6 0" == told("close_by_originator", RESPONDER)[4]


def test_fin_that_was_overtaken_is_no_repeat() -> None:
    """The ACK numbered behind it passed it on the way: its clock tells that it left later."""
    text = """
    0.00 C S 0 ts=100,0
    0.02 S SA 0 a1 ts=9000,100
    0.04 C A 1 a1 ts=140,9000
    1.000 S FA 1 a1 ts=9980,140
    1.022 C A 2 a2 ts=1122,9980
    1.023 C FA 1 a2 ts=1120,9980
    1.040 S A 2 a2 ts=10020,1120
    """
    assert "LAST_ACK SND_FIN OBSERVED 6 0" in told_of(reconstructed(exchange(text)), ORIGINATOR)


def earliest_fin_wait_1(text: str) -> int:
    """The lower bound of the originator's FIN_WAIT_1, in ms."""
    moves = reconstructed(exchange(OPEN + text)).transitions
    rows = moves.take((moves.role == ORIGINATOR) & (moves.state == State.FIN_WAIT_1))
    return round((int(rows.earliest[0]) - START) / 1e6)


def test_close_may_be_as_old_as_a_shut_window() -> None:
    """Data and FIN waited for the window to open (Linux tcp_close_state enters it at once)."""
    text = """
    1.00 C PA 1+9 a1
    1.02 S A 1 a10 w=0
    5.00 S A 1 a10
    5.02 C FPA 10+9 a1
    5.04 S A 1 a20
    """
    assert 900 < earliest_fin_wait_1(text) <= 1000


def fin_wait_1(text: str) -> int:
    """When the originator's FIN_WAIT_1 is said to have begun, in ms."""
    moves = reconstructed(exchange(OPEN + text)).transitions
    rows = moves.take((moves.role == ORIGINATOR) & (moves.state == State.FIN_WAIT_1))
    return round((int(rows.time[0]) - START) / 1e6)


DRAINS = """
    1.00 C PA 1+9 a1
    1.02 S A 1 a10 w=0
    5.00 S A 1 a10
    5.02 C A 10+1000 a1
    5.04 S A 1 a1010
    5.06 C A 1010+1000 a1
    5.08 S A 1 a2010
    5.10 C FPA 2010+9 a1
    5.12 S A 1 a2020
    """


def test_close_was_behind_what_a_shut_window_held_up() -> None:
    """The queue left without a pause once the window opened, the FIN at its end: as one write."""
    assert 5010 == fin_wait_1(DRAINS)


def test_close_may_have_come_while_more_than_a_buffer_drained() -> None:
    """What did not fit into the send buffer was written later (tcp_wmem)."""
    assert 5090 == fin_wait_1(DRAINS.replace("1010+1000", "1010+20000").replace("2010", "21010"))


def test_bare_fin_was_behind_nothing() -> None:
    """A FIN that carries no data may have been alone."""
    assert 5090 == fin_wait_1(DRAINS.replace("FPA 2010+9", "FA 2010").replace("a2020", "a2011"))


def test_close_is_no_older_than_idleness() -> None:
    """All was acknowledged and the window open: a close() would have sent the FIN."""
    text = """
    1.00 C PA 1+9 a1
    1.02 S A 1 a10
    5.02 C FPA 10+9 a1
    5.04 S A 1 a20
    """
    assert 4900 < earliest_fin_wait_1(text) <= 5020


def bounded(text: str, role: Role) -> tuple[int, int, int]:
    """(start, earliest, latest) of an endpoint's FIN_WAIT_1, ms."""
    moves = reconstructed(exchange(text)).transitions
    rows = moves.take((moves.role == role) & (moves.state == State.FIN_WAIT_1))
    times = (int(rows.time[0]), int(rows.earliest[0]), int(rows.latest[0]))
    return tuple((time - START) // 1_000_000 for time in times)


def test_copy_that_the_path_held_up_dates_the_fin() -> None:
    """Its repeat came first; the clock of the one that came late says that it left before."""
    text = """
    0.00 C S 0 ts=100,0
    0.02 S SA 0 a1 ts=9000,100
    0.04 C A 1 a1 ts=140,9000
    1.24 C FA 1 a1 ts=1340,9000
    1.26 S A 1 a2 ts=10240,1340
    1.60 C FA 1 a1 ts=1100,9000
    """
    start, earliest, latest = bounded(text, ORIGINATOR)
    assert 980 <= start <= 1000
    assert earliest <= 1000 <= latest


def test_lost_fin_that_crossed_left_before_what_is_numbered_behind_it() -> None:
    """Until then it may have left at any time; the best estimate is earlier."""
    text = """
    0.00 C S 0
    0.02 S SA 0 a1
    0.02 C A 1 a1
    0.10 C PA 1+5 a1
    0.12 S A 1 a6
    0.30 C FA 6 a1
    0.32 S A 2 a7
    0.55 S FA 1 a7
    0.55 C A 7 a2
    """
    assert 300 <= bounded(text, RESPONDER)[2]
