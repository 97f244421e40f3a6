"""What a packet may begin with, by its link type."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack

import pytest
from scapy.contrib.mpls import MPLS  # noqa: F401  scapy binds ethertypes when it is imported
from scapy.layers.l2 import LLC, SNAP, CookedLinux, CookedLinuxV2, Dot3, Loopback
from scapy.packet import Packet

from tcptrace.decode.decoder import Decoder
from tcptrace.decode.link_types import LINK_TYPES
from tests.decode.crafted import V4_ENDS, V6_ENDS, assert_the_segment, captured, ether, ipv4, ipv6

MACS = bytes(range(12))
SNAP_V4 = bytes(LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(code=0x0800))

V4: dict[str, tuple[str, Packet | bytes]] = {
    "ethernet": ("ETHERNET", ether() / ipv4()),
    "802.3 with LLC": ("ETHERNET", Dot3() / LLC() / SNAP(code=0x0800) / ipv4()),
    "cooked": ("LINUX_SLL", CookedLinux() / ipv4()),
    "cooked, version 2": ("LINUX_SLL2", CookedLinuxV2(proto=0x0800) / ipv4()),
    "null, little endian": ("NULL", Loopback(type=2) / ipv4()),
    "null, big endian": ("NULL", pack(">I", 2) + bytes(ipv4())),
    "loop": ("LOOP", pack(">I", 2) + bytes(ipv4())),
    "raw": ("RAW", ipv4()),
    "raw by DLT": ("RAW_DLT", ipv4()),
    "raw by OpenBSD's DLT": ("RAW_OPENBSD", ipv4()),
    "ipv4": ("IPV4", ipv4()),
    "slip": ("SLIP", bytes(16) + bytes(ipv4())),
    "netanalyzer": ("NETANALYZER", bytes(4) + bytes(ether() / ipv4())),
    "nflog": ("NFLOG", pack("<BBHHHI", 2, 0, 0, 8, 1, 0) + pack("<HH", 74, 9) + bytes(ipv4())),
    "nflog, big endian": ("NFLOG", pack(">BBHHH", 2, 0, 0, 74, 9) + bytes(ipv4())),
    "ipoib": ("IPOIB", bytes(40) + pack(">HH", 0x0800, 0) + bytes(ipv4())),
    "fddi": ("FDDI", b"\x50" + MACS + SNAP_V4 + bytes(ipv4())),
    "token ring": ("IEEE802_5", b"\x10\x40" + MACS + SNAP_V4 + bytes(ipv4())),
    "token ring, source routed": (
        "IEEE802_5",
        b"\x10\x40" + MACS[:6] + b"\x86" + MACS[7:] + b"\x06\x10\1\2\3\4" + SNAP_V4 + bytes(ipv4()),
    ),
    "arcnet": ("ARCNET_BSD", bytes([1, 2, 212, 0, 0, 1]) + bytes(ipv4())),
    "arcnet, exception": (
        "ARCNET_BSD",
        bytes([1, 2, 212, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 1]) + bytes(ipv4()),
    ),
    "arcnet, RFC 1051": ("ARCNET_BSD", bytes([1, 2, 240]) + bytes(ipv4())),
    "arcnet, linux": ("ARCNET_LINUX", bytes([1, 2, 0, 0, 212, 0, 0, 1]) + bytes(ipv4())),
    "mpacket": ("ETHERNET_MPACKET", b"\x55" * 7 + b"\xd5" + bytes(ether() / ipv4())),
    "juniper": ("JUNIPER_ETHER", b"MGC\0" + bytes(ether() / ipv4())),
    "juniper, extended": ("JUNIPER_ETHER", b"MGC\x80\0\3abc" + bytes(ether() / ipv4())),
    "frame relay": ("FRELAY", b"\x18\x41\x03\xcc" + bytes(ipv4())),
    "frame relay, padded": ("FRELAY", b"\x18\x41\x03\x00\xcc" + bytes(ipv4())),
    "frame relay, cisco": ("FRELAY", b"\x18\x41\x08\x00" + bytes(ipv4())),
    "enc": ("ENC", pack("<III", 2, 0, 0) + bytes(ipv4())),
    "pflog": ("PFLOG", bytes([61, 2]) + bytes(62) + bytes(ipv4())),
}

V6: dict[str, tuple[str, Packet | bytes]] = {
    "ethernet": ("ETHERNET", ether() / ipv6()),
    "cooked": ("LINUX_SLL", CookedLinux() / ipv6()),
    "cooked, version 2": ("LINUX_SLL2", CookedLinuxV2(proto=0x86DD) / ipv6()),
    "raw": ("RAW", ipv6()),
    "ipv6": ("IPV6", ipv6()),
    "arcnet": ("ARCNET_BSD", bytes([1, 2, 196, 0, 0, 1]) + bytes(ipv6())),
    **{
        f"null, family {family} {order}": ("NULL", pack(order + "I", family) + bytes(ipv6()))
        for family in (10, 24, 28, 30)
        for order in "<>"
    },
}


@pytest.mark.parametrize("name", V4)
def test_ipv4_behind_each_link_header(decoder: Callable[[], Decoder], name: str) -> None:
    """Each link type leads to the same segment."""
    link_type, octets = V4[name]
    assert_the_segment(decoder().feed(captured([octets], LINK_TYPES[link_type])), V4_ENDS)


@pytest.mark.parametrize("name", V6)
def test_ipv6_behind_each_link_header(decoder: Callable[[], Decoder], name: str) -> None:
    """The same with IPv6, whose address families differ from system to system."""
    link_type, octets = V6[name]
    assert_the_segment(decoder().feed(captured([octets], LINK_TYPES[link_type])), V6_ENDS)


def test_ethernet_padding_is_no_payload(decoder: Callable[[], Decoder]) -> None:
    """The IP header's length counts, not what fills the frame up."""
    assert_the_segment(decoder().feed(captured([bytes(ether() / ipv4()) + bytes(40)])))


@pytest.mark.parametrize(
    ("link_type", "octets"),
    [
        ("ETHERNET", ether(type=0x0806)),
        ("FDDI", b"\x41" + MACS + SNAP_V4),
        ("NULL", pack("<I", 7) + bytes(ipv4())),
        ("RAW", b"\x90" + bytes(40)),
        ("ETHERNET_MPACKET", b"\x55" * 7 + b"\x61" + bytes(ether() / ipv4())),
        ("ARCNET_BSD", bytes([1, 2, 213, 0, 0, 1]) + bytes(28)),
    ],
)
def test_packets_without_ip(
    decoder: Callable[[], Decoder], link_type: str, octets: Packet | bytes
) -> None:
    """ARP, tokens, unknown families, parts of frames: counted, no rows."""
    decoding = decoder()
    assert 0 == len(decoding.feed(captured([octets], LINK_TYPES[link_type])))
    assert {"not-ip": 1} == decoding.skipped


def test_nflog_attribute_that_lies(decoder: Callable[[], Decoder]) -> None:
    """An attribute of length 0 would be walked for ever."""
    decoding = decoder()
    decoding.feed(captured([pack("<BBHHH", 2, 0, 0, 0, 1) + bytes(16)], LINK_TYPES["NFLOG"]))
    assert {"damaged-link": 1} == decoding.skipped
