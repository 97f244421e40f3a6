"""Pins what a RST in reply tells of its sender."""

from __future__ import annotations

import pytest
from exchange import SECOND, START, exchange, lives
from outcomes import Kernel, reconstructed, states, told, use

from tcptrace.tcp.states import Role, State
from tcptrace.tracker.transitions import Basis

ORIGINATOR, RESPONDER = Role.ORIGINATOR, Role.RESPONDER


@pytest.fixture(autouse=True)
def _stray_resets(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "stray_resets", "StrayResets")


def test_data_for_an_orphan_ends_fin_wait_2() -> None:
    """Data reaches a socket whose owner has closed it."""
    assert "SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSED" == states(
        "data_for_orphan", ORIGINATOR
    )


def test_rst_for_the_syn_ack_tells_of_a_close_in_syn_sent() -> None:
    """The client had given up before the SYN,ACK came: it was never ESTABLISHED."""
    assert "SYN_SENT CLOSED" == states("closed_in_syn_sent", ORIGINATOR)
    assert "LISTEN SYN_RCVD CLOSED" == states("closed_in_syn_sent", RESPONDER)


def test_late_fin_finds_fin_wait_2_expired() -> None:
    """A RST that answers a FIN after the timer confirms the timer."""
    assert "TIMEOUT_FIN_WAIT_2 INFERRED" in told("orphan_fin_wait_2_expires", ORIGINATOR)[4]


FAR_OPEN = """
0.00 C S 0
0.02 S SA 0 a1
0.04 C A 1 a1
0.05 C PA 1+5 a1
0.07 S A 1 a6
"""
"""A handshake and a request that show either end to be 20 ms from the tap and back."""


def moments(text: str, role: Role) -> dict[str, float]:
    """When each state of an endpoint began, seconds after the first segment."""
    moves = reconstructed(exchange(text)).transitions
    rows = moves.take((moves.conn == 0) & (moves.role == role) & (moves.basis != Basis.RETRACTED))
    return {
        State(state).name: (time - START) / SECOND
        for state, time in zip(rows.state.tolist(), rows.time.tolist(), strict=True)
    }


def test_fin_lost_to_the_tap_is_told_by_the_rst_that_answers_data() -> None:
    """An orphan is reset by data; the tap saw neither its FIN nor an abort."""
    text = FAR_OPEN + "0.08 S PA 1+5 a6\n0.10 C R 6"
    assert "SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSED" == lives(reconstructed(exchange(text)))[0]


def test_rst_after_acknowledged_data_answers_none() -> None:
    """What it has acknowledged it need not refuse: no FIN was lost."""
    text = FAR_OPEN + "0.08 S PA 1+5 a6\n0.10 C A 6 a6\n0.12 C R 6"
    assert "SYN_SENT ESTABLISHED CLOSED" == lives(reconstructed(exchange(text)))[0]


def test_lost_abort_was_sent_long_before_the_rst_that_tells() -> None:
    """A FIN would have been repeated for six seconds; nothing was."""
    text = FAR_OPEN + "6.00 S FA 1 a6\n6.02 C R 6"
    assert 0.2 > moments(text, ORIGINATOR)["CLOSED"]


def test_rst_for_a_repeated_syn_ack_tells_of_a_close_before_the_syn_was_due_again() -> None:
    """The first SYN,ACK was lost; the SYN would have been repeated after a second."""
    text = "0.00 C S 0\n0.02 S SA 0 a1\n1.03 S SA 0 a1\n1.05 C R 1"
    assert 0.2 > moments(text, ORIGINATOR)["CLOSED"]


def test_rst_that_answers_a_fin_tells_that_it_found_no_socket() -> None:
    """The client's RST overtook its FIN behind the tap."""
    text = FAR_OPEN + "0.10 C FA 6 a1\n0.11 S PA 1+5 a6\n0.12 C R 6\n0.15 S R 1"
    assert "LISTEN SYN_RCVD ESTABLISHED CLOSED" == lives(reconstructed(exchange(text)))[1]


def test_rst_for_data_tells_that_a_later_ack_of_the_fin_came_too_late() -> None:
    """It answers the segment that was sent first, so the orphan died in FIN_WAIT_1."""
    text = FAR_OPEN + "0.10 C FA 6 a1\n0.11 S PA 1+5 a6\n0.111 S A 6 a7\n0.132 C R 6"
    assert "SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSED" == lives(reconstructed(exchange(text)))[0]
