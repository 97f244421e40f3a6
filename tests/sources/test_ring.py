"""The capture ring on a loopback interface of our own."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from veth import two_hosts

from tcptrace.sources.ring import BLOCK, MOST_BLOCKS_AT_ONCE, Ring

pytestmark = pytest.mark.live


@pytest.fixture
def ring() -> Iterator[Ring]:
    with two_hosts() as hosts, hosts.inside(0):
        listening = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        listening.bind(("lo", 3))
        ring = Ring(listening, 3 * BLOCK)
        yield ring
        ring.close()
        listening.close()


def send(count: int, size: int = 1000) -> None:
    """Datagrams to ourselves."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        for number in range(count):
            made.sendto(number.to_bytes(4) + bytes(size - 4), ("127.0.0.1", 9))


def test_size_is_whole_blocks(ring: Ring) -> None:
    """What is said to be there is there."""
    assert (3 * BLOCK, 3) == (ring.size, ring.blocks)


def test_packets_come_in_order_and_the_blocks_go_round(ring: Ring) -> None:
    """More packets than the ring holds, taken as they come: none is lost, none comes twice."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 9))
        found = []
        for start in range(0, 2000, 100):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
                for number in range(start, start + 100):
                    made.sendto(number.to_bytes(4) + bytes(996), ("127.0.0.1", 9))
            deadline = time.monotonic() + 5
            while len(found) < start + 100 and time.monotonic() < deadline:
                ring.wait(100)
                packets = ring.take()
                found += [packets.packet_bytes(row)[42:46] for row in range(len(packets))]
    assert list(range(2000)) == [int.from_bytes(octets) for octets in found]
    assert 0 == ring.count_drops()


def test_what_finds_no_room_is_counted(ring: Ring) -> None:
    """Nobody takes anything: the ring fills, and the rest is told, once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 9))
        send(2000)
    drops = ring.count_drops()
    assert 0 < drops == ring.count_drops()


def test_no_packet_within_the_time(ring: Ring) -> None:
    """Waiting ends, and taking gives nothing."""
    ring.wait(1)
    assert 0 == len(ring.take())
    assert MOST_BLOCKS_AT_ONCE > 1
