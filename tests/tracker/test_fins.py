"""Pins where FINs stand in the evidence, captured or not."""

from __future__ import annotations

import pytest
from outcomes import Kernel, states, told, use

from tcptrace.tcp.states import Role

ORIGINATOR, RESPONDER = Role.ORIGINATOR, Role.RESPONDER


@pytest.fixture(autouse=True)
def _fins(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "fins", "Fins")


def test_fin_on_a_retransmission_is_found() -> None:
    """A FIN that first appears on repeated octets counts."""
    assert "SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSED" == states(
        "fin_on_retransmission", ORIGINATOR
    )


def test_unseen_fin_of_an_unseen_side_is_inferred() -> None:
    """One direction only: the last octet acknowledged behind the own FIN is the peer's FIN."""
    assert "LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED" == states(
        "one_direction", RESPONDER
    )
    assert "INFERRED" in told("one_direction", RESPONDER)[4]
