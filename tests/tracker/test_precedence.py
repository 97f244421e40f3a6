"""Pins which of two events an endpoint had first."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tcptrace.tcp.states import Event
from tcptrace.tracker.sides import NEVER, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis

Kernel = Callable[[str], ModuleType]
OWN, PEER = 0, Sides.width()


@pytest.fixture
def rows() -> Evidence:
    return Evidence.zeros(4)


@pytest.fixture
def sides() -> Sides:
    """Nothing came to pass on either side."""
    made = Sides.zeros(2)
    for milestone in ("established", "fin_out", "fin_acked", "fin_taken"):
        getattr(made, f"{milestone}_time")[:] = NEVER
        getattr(made, f"{milestone}_row")[:] = -1
    return made


def asked(kernel: Kernel, rows: Evidence, sides: Sides) -> Any:
    witness = kernel("tcptrace.tracker.witness").Witness(rows.cells, sides.cells)
    return kernel("tcptrace.tracker.precedence").Precedence(witness)


def test_fin_that_acknowledges_the_peers_left_after_it_came(
    kernel: Kernel, rows: Evidence, sides: Sides
) -> None:
    """Whatever the moments say."""
    sides.fin_taken_time[0], sides.fin_out_time[0], sides.fin_out_row[0] = 9, 5, 1
    sides.fin[1], rows.acked[1] = 10, 11
    assert asked(kernel, rows, sides).took_before_fin(OWN, PEER)
    rows.acked[1] = 10
    assert not asked(kernel, rows, sides).took_before_fin(OWN, PEER)


def test_moments_decide_on_a_fin_that_was_not_captured(
    kernel: Kernel, rows: Evidence, sides: Sides
) -> None:
    """And who sent none took the peer's before."""
    assert asked(kernel, rows, sides).took_before_fin(OWN, PEER)
    sides.fin_out_time[0] = 5
    assert not asked(kernel, rows, sides).took_before_fin(OWN, PEER)
    sides.fin_taken_time[0] = 5
    assert asked(kernel, rows, sides).took_before_fin(OWN, PEER)


def test_earlier_copy_may_have_come_before_a_presumed_ack(
    kernel: Kernel, rows: Evidence, sides: Sides
) -> None:
    """Unless the peer had our FIN when it first sent its own."""
    sides.fin[0], sides.fin_acked_basis[0] = 10, Basis.PRESUMED
    sides.fin_out_row[1], sides.fin_taken_row[0], rows.acked[1] = 1, 3, 10
    assert asked(kernel, rows, sides).may_have_come_before(OWN, PEER)
    rows.acked[1] = 11
    assert not asked(kernel, rows, sides).may_have_come_before(OWN, PEER)
    rows.acked[1], sides.fin_acked_basis[0] = 10, Basis.CONFIRMED
    assert not asked(kernel, rows, sides).may_have_come_before(OWN, PEER)


def test_fin_of_a_passive_opener_may_leave_before_it_is_established(
    kernel: Kernel, rows: Evidence, sides: Sides
) -> None:
    """By the rows that cause both; neither an active opener's nor one known since mid-stream."""
    sides.opened_event[0], sides.fin_out_time[0], sides.fin_out_row[0] = Event.RCV_SYN, 5, 1
    assert asked(kernel, rows, sides).fin_before_established(OWN)
    sides.established_time[0], sides.established_row[0] = 4, 2
    assert asked(kernel, rows, sides).fin_before_established(OWN)
    sides.established_row[0] = 0
    assert not asked(kernel, rows, sides).fin_before_established(OWN)
    sides.established_row[0], sides.active[0] = 2, 1
    assert not asked(kernel, rows, sides).fin_before_established(OWN)
    sides.active[0], sides.opened_event[0] = 0, Event.MID_STREAM
    assert not asked(kernel, rows, sides).fin_before_established(OWN)
