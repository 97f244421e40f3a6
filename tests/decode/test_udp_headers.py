"""Tunnels over UDP, known by their ports."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack

import pytest
from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer
from scapy.contrib.mpls import MPLS
from scapy.layers.dot11 import Dot11
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import GRE, LLC, SNAP
from scapy.layers.l2tp import L2TP
from scapy.layers.ppp import PPP
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from tcptrace.decode.decoder import Decoder
from tests.decode.crafted import (
    RAW,
    V4_ENDS,
    V6_ENDS,
    assert_the_segment,
    captured,
    ether,
    ipv4,
    ipv6,
)

OUTER = IP(src="192.0.2.1", dst="192.0.2.2")
FRAME = bytes(Dot11(type=2) / LLC() / SNAP(code=0x0800) / ipv4())
CAPWAP = bytes([0, 2 << 3, 0b11, 0]) + bytes(4)  # 8 octets, binding 1, native frames


def over(port: int, *octets: bytes | Packet, source: int = 50000) -> bytes:
    """The octets in UDP to a port."""
    payload = b"".join(bytes(one) for one in octets)
    return bytes(OUTER / UDP(sport=source, dport=port) / Raw(payload))


STACKS: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "vxlan": (over(4789, VXLAN(vni=7) / ether() / ipv4()), V4_ENDS),
    "vxlan, linux": (over(8472, VXLAN(vni=7) / ether() / ipv6()), V6_ENDS),
    "vxlan-gpe": (over(4790, pack(">BBBBI", 0x0C, 0, 0, 1, 7 << 8), ipv4()), V4_ENDS),
    "vxlan-gpe, ipv6": (over(4790, pack(">BBBBI", 0x0C, 0, 0, 2, 7 << 8), ipv6()), V6_ENDS),
    "vxlan-gpe, ethernet": (over(4790, VXLAN(vni=7) / ether() / ipv4()), V4_ENDS),
    "geneve": (over(6081, GENEVE(vni=7) / ether() / ipv4()), V4_ENDS),
    "geneve, ip": (over(6081, GENEVE(vni=7, proto=0x86DD) / ipv6()), V6_ENDS),
    "geneve, options": (
        over(6081, pack(">BBHI", 2, 0, 0x0800, 7 << 8), bytes(8), ipv4()),
        V4_ENDS,
    ),
    "geneve from its port": (over(40000, GENEVE() / ether() / ipv4(), source=6081), V4_ENDS),
    "gtp": (over(2152, GTP_U_Header(teid=9, gtp_type=255) / ipv4()), V4_ENDS),
    "gtp, sequence": (over(2152, GTP_U_Header(teid=9, S=1, seq=5, gtp_type=255) / ipv6()), V6_ENDS),
    "gtp, extension": (
        over(
            2152,
            GTP_U_Header(teid=9, E=1, next_ex=0x85, gtp_type=255)
            / GTPPDUSessionContainer(type=0, QFI=1)
            / ipv4(),
        ),
        V4_ENDS,
    ),
    "l2tp": (over(1701, L2TP(version=2) / PPP(proto=0x0021) / ipv4()), V4_ENDS),
    "l2tp, length": (
        over(1701, pack(">HHHH", 0x4002, 8 + 59, 1, 2), b"\xff\x03\0\x21", ipv4()),
        V4_ENDS,
    ),
    "l2tp, sequence and offset": (
        over(1701, pack(">HHHHHH", 0x0A02, 1, 2, 3, 4, 2), bytes(2), b"\0\x57", ipv6()),
        V6_ENDS,
    ),
    "teredo": (over(3544, ipv6()), V6_ENDS),
    "teredo, origin": (over(3544, bytes(8), ipv6()), V6_ENDS),
    "teredo, authentication": (over(3544, b"\0\1\2\3" + bytes(5 + 9), ipv6()), V6_ENDS),
    "capwap": (over(5247, CAPWAP, FRAME), V4_ENDS),
    "capwap, swapped": (over(5247, CAPWAP, FRAME[1::-1] + FRAME[2:]), V4_ENDS),
    "capwap, ethernet": (over(5247, bytes([0, 16, 2, 0, 0, 0, 0, 0]), ether() / ipv4()), V4_ENDS),
    "mpls": (over(6635, MPLS(label=3, s=1) / ipv4()), V4_ENDS),
    "gre": (over(4754, GRE(proto=0x0800) / ipv4()), V4_ENDS),
    "lisp": (over(4341, bytes(8), ipv4()), V4_ENDS),
}

NO_TUNNEL = {
    "dns": over(53, bytes(40)),
    "vxlan without its flag": over(4789, bytes(60)),
    "gtp echo": over(2152, GTP_U_Header(gtp_type=1), bytes(40)),
    "gtp, another version": over(2152, bytes(60)),
    "gtp, extension of length 0": over(
        2152, pack(">BBHI", 0x34, 255, 60, 1), b"\0\0\0\x85", bytes(60)
    ),
    "l2tp control": over(1701, pack(">H", 0xC802), bytes(40)),
    "l2tp, version 3": over(1701, pack(">H", 0x0003), bytes(40)),
    "teredo, no ipv6": over(3544, b"\x40" + bytes(60)),
    "geneve, version 1": over(6081, b"\x40" + bytes(60)),
    "capwap, keep-alive": over(5247, bytes([0, 16, 2, 0x08]), bytes(60)),
    "udp cut": over(4789)[:25],
}


@pytest.mark.parametrize("name", STACKS)
def test_the_segment_behind_each_tunnel(decoder: Callable[[], Decoder], name: str) -> None:
    """Each tunnel leads to the same segment."""
    octets, expected = STACKS[name]
    assert_the_segment(decoder().feed(captured([octets], RAW)), expected)


@pytest.mark.parametrize("name", NO_TUNNEL)
def test_datagrams_on_a_port_that_are_no_tunnel(decoder: Callable[[], Decoder], name: str) -> None:
    """What does not look like the tunnel of its port is UDP like any other."""
    decoding = decoder()
    assert 0 == len(decoding.feed(captured([NO_TUNNEL[name]], RAW)))
    assert {"udp": 1} == decoding.skipped


@pytest.mark.parametrize(
    ("reason", "octets"),
    [
        ("encrypted", over(5247, b"\1" + bytes(40))),
        ("truncated-tunnel", over(4789, bytes(7))),
        ("truncated-tunnel", over(1701, pack(">HHHH", 0x0202, 1, 2, 3)[:6] + b"\0")),
    ],
)
def test_tunnels_without_a_segment(
    decoder: Callable[[], Decoder], reason: str, octets: bytes
) -> None:
    """DTLS, and tunnel headers that were cut."""
    decoding = decoder()
    assert 0 == len(decoding.feed(captured([octets], RAW)))
    assert {reason: 1} == decoding.skipped


def test_path_tells_networks_apart(decoder: Callable[[], Decoder]) -> None:
    """VNIs part same ends; the ids that each direction has of its own do not."""
    packets = [
        over(4789, VXLAN(vni=1) / ether() / ipv4()),
        over(4789, VXLAN(vni=2) / ether() / ipv4()),
        over(6081, GENEVE(vni=1) / ether() / ipv4()),
        over(2152, GTP_U_Header(teid=1, gtp_type=255) / ipv4()),
        over(2152, GTP_U_Header(teid=2, gtp_type=255) / ipv4()),
        over(1701, L2TP(version=2, tunnel_id=3) / PPP(proto=0x0021) / ipv4()),
    ]
    paths = decoder().feed(captured(packets, RAW)).path.tolist()
    assert 3 == len(set(paths[:3]) - {0})
    assert [0, 0, 0] == paths[3:]
