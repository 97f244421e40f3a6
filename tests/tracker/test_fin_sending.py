"""Pins when a FIN left."""

from __future__ import annotations

import pytest
from outcomes import Kernel, told, use

from tcptrace.tcp.states import Role

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
