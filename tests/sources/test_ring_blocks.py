"""The walk over a block of the capture ring, on blocks laid out by hand."""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from tcptrace.sources.packets import Packets

Kernel = Callable[[str], ModuleType]

ETHER, LOOPBACK, TUNNEL = 1, 772, 65534
HOST, OUTGOING = 0, 4
VLAN_VALID, TPID_VALID = 1 << 4, 1 << 6
FRAME = bytes(range(60))
DATA_AT = 96


def slot(
    octets: bytes = FRAME,
    status: int = 0,
    tag: tuple[int, int] = (0, 0),
    hardware: int = ETHER,
    kind: int = HOST,
    length: int | None = None,
    data_at: int = DATA_AT,
) -> bytes:
    """One packet as the kernel writes it, struct tpacket3_hdr and sockaddr_ll before it."""
    size = -(-(data_at + len(octets)) // 16) * 16
    header = struct.pack("=IIIIII", size, 7, 9, len(octets), length or len(octets), status)
    header += struct.pack("=HHIIHH8x", data_at, data_at + 14, 0, *tag, 0)
    address = struct.pack("=HHiHBB8x", 17, 8, 3, hardware, kind, 6)
    return (header + address).ljust(data_at, b"\0") + octets.ljust(size - data_at, b"\0")


def walked(kernel: Kernel, data: bytes, count: int, begin: int = 0) -> Packets:
    """The packets that the kernel finds."""
    block = bytearray(data)
    packets = Packets(np.zeros((count, Packets.width()), np.int64), block)
    walk = kernel("tcptrace.sources.ring_blocks").walk
    return packets.take(slice(walk(packets.data, begin, count, packets.cells, 0)))


def test_packets_one_after_the_other(kernel: Kernel) -> None:
    """Times, lengths, hardware type and interface of each, and its octets where they lie."""
    found = walked(kernel, b"head" * 12 + slot() + slot(b"x" * 300, length=1500), 2, begin=48)
    assert [7_000_000_009] * 2 == found.time.tolist()
    assert ([60, 300], [60, 1500]) == (found.captured.tolist(), found.length.tolist())
    assert ([ETHER] * 2, [3] * 2) == (found.link_type.tolist(), found.interface.tolist())
    assert (FRAME, b"x" * 300) == (found.packet_bytes(0), found.packet_bytes(1))


@pytest.mark.parametrize(
    ("status", "kind"), [(VLAN_VALID, 0x8100), (VLAN_VALID | TPID_VALID, 0x88A8)]
)
def test_a_tag_is_put_back(kernel: Kernel, status: int, kind: int) -> None:
    """The tag that the kernel took out stands behind the addresses again."""
    found = walked(kernel, slot(status=status, tag=(0x2005, 0x88A8)), 1)
    expected = FRAME[:12] + struct.pack("!HH", kind, 0x2005) + FRAME[12:]
    assert (expected, 64) == (found.packet_bytes(0), int(found.length[0]))


def test_no_tag_in_what_has_no_ethernet_header(kernel: Kernel) -> None:
    """A tunnel's packet begins with the IP header: it is left as it is."""
    found = walked(kernel, slot(status=VLAN_VALID, tag=(5, 0), hardware=TUNNEL), 1)
    assert FRAME == found.packet_bytes(0)


def test_what_a_loopback_sends_is_left_out(kernel: Kernel) -> None:
    """Else each of its packets would be there twice; another interface's are kept."""
    sent = slot(b"s" * 60, hardware=LOOPBACK, kind=OUTGOING)
    received = slot(b"r" * 60, hardware=LOOPBACK)
    outgoing = slot(b"o" * 60, kind=OUTGOING)
    found = walked(kernel, sent + received + outgoing, 3)
    assert [b"r" * 60, b"o" * 60] == [found.packet_bytes(row) for row in range(len(found))]


@pytest.mark.parametrize(
    "data",
    [
        slot()[:40],
        slot()[:100],
        slot(data_at=DATA_AT).replace(struct.pack("=H", DATA_AT), struct.pack("=H", 20)),
        b"",
    ],
    ids=["header cut", "packet cut", "packet inside the header", "nothing"],
)
def test_a_packet_beyond_the_block_ends_the_walk(kernel: Kernel, data: bytes) -> None:
    """Nothing is read where there is nothing, whatever a header promises."""
    assert 0 == len(walked(kernel, data, 4))


def test_a_last_packet_without_a_next_one(kernel: Kernel) -> None:
    """A step of 0 ends the walk, though more packets were promised."""
    last = b"\0" * 4 + slot()[4:]
    assert 1 == len(walked(kernel, last + slot(), 2))
