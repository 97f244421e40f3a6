"""Pins the timers that end a state without a packet."""

from __future__ import annotations

import pytest
from outcomes import Kernel, states, told, use

from tcptrace.tcp.states import Role

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
