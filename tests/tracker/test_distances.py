"""Pins `Distances`: what is learned of a host serves every connection with the same peer."""

from __future__ import annotations

import pytest
from exchange import OPEN, Between, exchange

from tcptrace.tracker.distances import Distances
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Slots
from tcptrace.tracker.tracker import Tracker


def test_distance_of_a_host_is_its_least() -> None:
    """One fast answer to a peer dates every connection between the two hosts."""
    slow = OPEN.replace("0.02", "0.30").replace("0.04", "0.40")
    other = Between(client=("::ffff:192.0.2.1", 40001))
    tracker = Tracker()
    for batch in (exchange(slow), exchange(OPEN, other)):
        tracker.feed(batch)
    found = tracker.finish()
    assert [20_000_000] * 2 == found.connections.rtt_resp.tolist()


def turned(slots: Slots, *turnarounds: int) -> Sides:
    sides = Sides.zeros(2 * len(slots))
    sides.turnaround[:] = turnarounds
    return sides


def test_least_of_earlier_calls_is_remembered() -> None:
    """A host that answered fast once is as near in every later group; the unknown stay unknown."""
    distances, slots = Distances(), Slots.zeros(1)
    slots.lo_0[0], slots.lo_1[0] = 1, 2
    distances.settle(slots, turned(slots, 70, -1))
    swapped = Slots.zeros(1)
    swapped.lo_0[0], swapped.lo_1[0] = 2, 1
    later = turned(swapped, -1, 90)
    distances.settle(swapped, later)
    assert [-1, 70] == later.turnaround.tolist()


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more pairs of hosts than are kept, the first to be met are forgotten."""
    monkeypatch.setattr("tcptrace.tracker.distances.MOST", 2)
    distances = Distances()
    for host in (1, 2, 3):
        slots = Slots.zeros(1)
        slots.lo_0[0] = host
        slots.lo_1[0] = 9
        distances.settle(slots, turned(slots, 10 * host, -1))
    found = []
    for host in (1, 2, 3):
        slots = Slots.zeros(1)
        slots.lo_0[0] = host
        slots.lo_1[0] = 9
        sides = turned(slots, -1, -1)
        distances.settle(slots, sides)
        found.append(int(sides.turnaround[0]))
    assert [-1, 20, 30] == found
