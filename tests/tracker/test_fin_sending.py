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


def test_close_is_no_older_than_idleness() -> None:
    """All was acknowledged and the window open: a close() would have sent the FIN."""
    text = """
    1.00 C PA 1+9 a1
    1.02 S A 1 a10
    5.02 C FPA 10+9 a1
    5.04 S A 1 a20
    """
    assert 4900 < earliest_fin_wait_1(text) <= 5020
