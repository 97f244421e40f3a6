"""Pins what a RST in reply tells of its sender."""

from __future__ import annotations

import pytest
from outcomes import Kernel, states, told, use

from tcptrace.tcp.states import Role

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
