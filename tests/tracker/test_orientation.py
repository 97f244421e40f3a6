"""Pins who is called the originator, on what evidence, and where the tap is said to stand."""

from __future__ import annotations

import pytest

from tcptrace.tracker.orientation import ADJACENT, orientations, vantages
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Slots
from tcptrace.tracker.transitions import Connections, Orientation, Vantage

MILLISECOND = 1_000_000


def oriented(ports: tuple[int, int], *, iss: tuple[int, int], active: tuple[int, int]) -> tuple:
    """(is side 1 the originator, on what evidence) of one connection."""
    slots, sides = Slots.zeros(1), Sides.zeros(2)
    slots.port_0[:], slots.port_1[:] = ports
    sides.iss[:], sides.active[:] = iss, active
    swapped, evidence = orientations(slots, sides)
    return bool(swapped[0]), Orientation(evidence[0])


def test_sender_of_the_syn_is_the_originator() -> None:
    """Whichever side was seen first, and whatever the ports say."""
    assert (False, Orientation.SYN) == oriented((80, 40000), iss=(1, 2), active=(1, 0))
    assert (True, Orientation.SYN) == oriented((40000, 80), iss=(1, 2), active=(0, 1))


def test_of_two_syns_the_first_counts() -> None:
    """In a simultaneous open there is no client: the label goes to side 0."""
    assert (False, Orientation.SYN) == oriented((40000, 80), iss=(1, 2), active=(1, 1))


def test_receiver_of_the_syn_ack_is_the_originator() -> None:
    """Where the SYN was not captured."""
    assert (True, Orientation.SYNACK) == oriented((40000, 80), iss=(7, -1), active=(0, 0))
    assert (False, Orientation.SYNACK) == oriented((80, 40000), iss=(-1, 7), active=(0, 0))


@pytest.mark.parametrize(
    ("ports", "swapped"),
    [((40000, 80), False), ((80, 40000), True), ((1000, 5000), True), ((40000, 5000), False)],
)
def test_port_of_a_service_is_the_responders(ports: tuple[int, int], swapped: bool) -> None:
    """Mid-stream: known services, then ports below 1024, then below the ephemeral range."""
    assert (swapped, Orientation.PORT) == oriented(ports, iss=(-1, -1), active=(0, 0))


def test_first_sender_where_nothing_tells() -> None:
    """Two ports of the same kind: a guess, and it is called one."""
    told = oriented((40000, 50000), iss=(-1, -1), active=(0, 0))
    assert (False, Orientation.FIRST_PACKET) == told


@pytest.mark.parametrize(
    ("near", "vantage"),
    [
        ((ADJACENT // 10, 20 * MILLISECOND), Vantage.ORIGINATOR),
        ((20 * MILLISECOND, ADJACENT // 10), Vantage.RESPONDER),
        ((10 * MILLISECOND, 10 * MILLISECOND), Vantage.MIDDLE),
        ((ADJACENT // 10, ADJACENT // 10), Vantage.MIDDLE),
        ((-1, 20 * MILLISECOND), Vantage.UNKNOWN),
        ((0, -1), Vantage.UNKNOWN),
    ],
)
def test_tap_stands_beside_the_end_that_answers_at_once(
    near: tuple[int, int], vantage: Vantage
) -> None:
    """Both distances must be measured; two near ends, as on loopback, name neither."""
    connections = Connections.zeros(1)
    connections.rtt_orig[:], connections.rtt_resp[:] = near
    assert [vantage] == vantages(connections).tolist()
