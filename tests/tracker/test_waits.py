"""Pins how long an endpoint is said to wait before it repeats itself."""

from __future__ import annotations

from dated import MILLISECOND, Kernel, timed
from exchange import SECOND, START

FOREVER = START + 1000 * SECOND
CLIENT = 0


def measured(kernel: Kernel, text: str, until: int = FOREVER) -> tuple[float, float]:
    """(smoothed round trip, wait of a probe) of the client, ms."""
    rows, sides = timed(kernel, text)
    witness = kernel("tcptrace.tracker.witness").Witness(rows.cells, sides.cells)
    found = kernel("tcptrace.tracker.waits").Waits(witness)
    found.measure(0, len(rows), CLIENT, until)
    return found.srtt / MILLISECOND, found.of_probe() / MILLISECOND


def test_first_round_trip_is_the_handshake(kernel: Kernel) -> None:
    """RFC 6298 section 2.2; a probe leaves after two of them and a delayed ACK, the least RTO."""
    assert (20, 224) == measured(kernel, "0.00 C S 0\n0.02 S SA 0 a1")


def test_later_round_trips_weigh_an_eighth(kernel: Kernel) -> None:
    """RFC 6298 section 2.3; the wheel rounds what is longer than its first level."""
    text = "0.00 C S 0\n0.02 S SA 0 a1\n0.02 C A 1 a1\n0.02 C PA 1+5 a1\n0.12 S A 1 a6"
    assert (30, 230 + 4) == measured(kernel, text)


def test_repeated_syn_is_measured_by_its_echo(kernel: Kernel) -> None:
    """Linux takes TSecr where Karn's algorithm has nothing: the first SYN's a second ago."""
    text = "0.00 C S 0 ts=100,0\n1.00 C S 0 ts=1100,0\n1.02 S SA 0 a1 ts=7000,100"
    assert (1020, 2240 + 16) == measured(kernel, text)


def test_lost_ack_is_no_measure(kernel: Kernel) -> None:
    """The SYN is repeated after the first SYN,ACK: that never came."""
    text = (
        "0.00 C S 0 ts=100,0\n0.02 S SA 0 a1 ts=7000,100\n"
        "1.00 C S 0 ts=1100,0\n1.02 S SA 0 a1 ts=8000,100"
    )
    assert 1020 == measured(kernel, text)[0]


def test_nothing_is_known_before_the_first_ack(kernel: Kernel) -> None:
    """What was not acknowledged yet measures nothing."""
    assert 0 == measured(kernel, "0.00 C S 0\n0.02 S SA 0 a1", START - SECOND)[1]
