"""Pins the steps of Zeek's connection one by one; `test_zeek` pins them together."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from zeek_segments import BITS
from zeek_slot import Slot

from tcptrace.tracker.zeek_machine import Act
from tcptrace.tracker.zeek_rows import IDLES, NEVER, PATIENT_IDLE, EndpointState

Kernel = Callable[[str], ModuleType]
NAME = "tcptrace.tracker.zeek_connection"
ESTABLISHED, CLOSED = EndpointState.ESTABLISHED, EndpointState.CLOSED


def opened(
    kernel: Kernel, ports: tuple[int, int] = (40000, 8081), flags: str = "S"
) -> tuple[Any, Slot]:
    """A connection whose first packet was sender 0's."""
    connections = kernel(NAME).ZeekConnections()
    connections.begin(0, 0, 0, 0)
    connections.name_ends(0, sum(BITS[letter] for letter in flags), *ports)
    return connections, Slot.of(connections)


@pytest.mark.parametrize(
    ("flags", "src_port", "dst_port", "swapped"),
    [
        *(("S", 80, 40000, False), ("SA", 80, 40000, True), ("A", 80, 40000, True)),
        *(("A", 40000, 80, False), ("A", 80, 443, True), ("A", 443, 80, False)),
        *(("SA", 80, 443, False), ("A", 110, 40000, False)),
    ],
)
def test_roles_by_the_ports(
    kernel: Kernel, flags: str, src_port: int, dst_port: int, swapped: bool
) -> None:
    """A likely server's port speaks, unless a SYN does; 110 is not in Zeek's list."""
    connections, slot = opened(kernel, (src_port, dst_port), flags)
    assert swapped == slot.get("orig")
    assert ["^" * swapped] == connections.histories.of(np.zeros(1, np.int64))


def test_close_waits_for_data_before_the_fin(kernel: Kernel) -> None:
    """A hole before the FIN defers the close; no timer runs meanwhile."""
    connections, slot = opened(kernel)
    slot.set(state_0=CLOSED, state_1=ESTABLISHED, start_0=100, last_0=150, delivered_0=20)
    connections.close(0, 0)
    assert (1, 0, NEVER) == (slot.get("deferred"), slot.get("closed_0"), slot.get("delete_at"))
    slot.set(delivered_0=49, fins_0=1, closed_1=1)
    connections.check_end(0, 0)
    assert (0, 1) == (slot.get("deferred"), slot.get("closed_0"))
    assert slot.get("delete_at") < NEVER


def test_fin_then_rst_counts_as_an_orderly_end(kernel: Kernel) -> None:
    """The peer's FIN, its RST, then this endpoint's FIN: the peer is closed, not reset."""
    connections, slot = opened(kernel)
    slot.set(state_1=EndpointState.RESET)
    connections.act(0, 0, int(Act.REVIVES), 0)
    assert EndpointState.RESET == slot.get("state_1")
    slot.set(before_1=CLOSED)
    connections.act(0, 0, int(Act.REVIVES), 0)
    assert CLOSED == slot.get("state_1")


@pytest.mark.parametrize(("ports", "patient"), [((40000, 22), True), ((22, 40000), False)])
def test_interactive_services_may_be_silent_for_an_hour(
    kernel: Kernel, ports: tuple[int, int], patient: bool
) -> None:
    """It is the responder's port that counts."""
    connections, slot = opened(kernel, ports)
    connections.act(0, 1, int(Act.SETTLES | Act.ESTABLISHES), 0)
    assert patient == (PATIENT_IDLE == IDLES[slot.get("idle")])


def test_slot_that_is_forgotten_is_empty(kernel: Kernel) -> None:
    """What is beside the row is gone with it: holes, a long history, rows that were cut off."""
    connections, slot = opened(kernel)
    connections.cut(0)
    connections.begin(0, 0, 0, 0)
    connections.sides.store(0, 0, 11, 21)
    for _ in range(100):
        connections.histories.flip(0)
    beside = (connections.earlier, connections.sides.blocks, connections.histories.tails)
    assert [1, 1, 1] == [len(kept) for kept in beside]
    connections.forget(0)
    assert [0, 0, 0] == [len(kept) for kept in beside]
    assert not any(slot.octets)


def test_room_for_more_slots_leaves_the_rows_as_they_were(kernel: Kernel) -> None:
    """The parts look at where the rows are now."""
    connections, _ = opened(kernel)
    connections.make_room(5000)
    slot = Slot.of(connections)
    assert 1 == slot.get("fed")
    connections.histories.flip(0)
    connections.sides.store(0, 0, 11, 21)
    assert (1, 1) == (slot.get("letters"), slot.get("holes_0"))
