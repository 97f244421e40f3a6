"""Packets that scapy holds."""

from __future__ import annotations

from decimal import Decimal

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.plist import PacketList

from tcptrace.sources.capture import open_capture
from tcptrace.sources.scapy_list import is_scapy_packets
from tcptrace.sources.snoop import UNKNOWN_LINK_TYPE
from tests.sources.crafted import T0, read

SEGMENT = IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=1000, dport=443)


def packets() -> list:
    """Ethernet, IPv4 alone, and a packet whose first layer has no link type."""
    made = [Ether(dst="00:00:00:00:00:01") / SEGMENT, SEGMENT.copy(), Raw(b"raw")]
    for at, packet in enumerate(made):
        packet.time = Decimal(T0 + at * 1001) / 1_000_000_000
    made[0].wirelen = 1500
    return made


def test_packet_list_and_list_of_packets() -> None:
    """Octets, time to the ns, length on the wire, link type of the first layer."""
    for source in (PacketList(packets()), packets()):
        batch, capture = read(source)
        assert [bytes(each) for each in packets()] == [batch.packet_bytes(row) for row in range(3)]
        assert [T0, T0 + 1001, T0 + 2002] == batch.time.tolist()
        assert [1500, 40, 3] == batch.length.tolist()
        assert [1, 228, UNKNOWN_LINK_TYPE] == batch.link_type.tolist()
        assert [1, 2, 3] == batch.number.tolist()
        assert ("scapy", 3) == (capture.files[0].format, capture.files[0].packets)


def test_empty_packet_list_is_a_capture() -> None:
    """Of no packets."""
    assert [] == list(open_capture(PacketList([])))


def test_what_is_no_list_of_packets() -> None:
    """Paths, and lists of them."""
    for source in ("file", ["file"], [], b"x", 3):
        assert not is_scapy_packets(source)
