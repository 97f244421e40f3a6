"""Tunnels right over IP, and ICMP errors about segments."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack

import pytest
from scapy.contrib.erspan import ERSPAN_I, ERSPAN_II, ERSPAN_III, ERSPAN_PlatformSpecific
from scapy.contrib.mpls import MPLS
from scapy.layers.dot11 import Dot11
from scapy.layers.inet import ICMP, IP, UDP, IPerror, TCPerror
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6PacketTooBig,
    ICMPv6TimeExceeded,
    IPv6,
)
from scapy.layers.l2 import GRE, GRE_PPTP, LLC, SNAP, Dot1Q
from scapy.layers.ppp import PPP
from scapy.packet import Packet, Raw

from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Checksum, Kind
from tests.decode.crafted import (
    MAPPED,
    RAW,
    V4_ENDS,
    V6_ENDS,
    assert_the_segment,
    captured,
    cell,
    ends,
    ether,
    ipv4,
    ipv6,
)

OUTER = IP(src="192.0.2.1", dst="192.0.2.2")
OUTER6 = IPv6(src="2001:db8:f::1", dst="2001:db8:f::2")
ROUTER = MAPPED | 0xC0000201
FRAME = bytes(Dot11(type=2) / LLC() / SNAP(code=0x0800) / ipv4())

STACKS: dict[str, tuple[Packet, tuple[int, ...]]] = {
    "gre": (OUTER / GRE() / ipv4(), V4_ENDS),
    "gre over ipv6": (OUTER6 / GRE() / ipv6(), V6_ENDS),
    "gre, checksum, key, sequence": (
        OUTER / GRE(chksum_present=1, key_present=1, seqnum_present=1) / ipv4(),
        V4_ENDS,
    ),
    "gre, ethernet": (OUTER / GRE(proto=0x6558) / ether() / Dot1Q(vlan=3) / ipv4(), V4_ENDS),
    "gre, mpls": (OUTER / GRE(proto=0x8847) / MPLS(label=3, s=1) / ipv6(), V6_ENDS),
    "gre, aruba": (OUTER / GRE(proto=0x8240) / Raw(FRAME[1::-1] + FRAME[2:]), V4_ENDS),
    "gre, wccp": (OUTER / GRE(proto=0x883E) / Raw(bytes(4)) / ipv4(), V4_ENDS),
    "gre, wccp version 1": (OUTER / GRE(proto=0x883E) / ipv4(), V4_ENDS),
    "pptp": (
        OUTER / GRE_PPTP(seqnum_present=1, acknum_present=1) / PPP(proto=0x0021) / ipv4(),
        V4_ENDS,
    ),
    "erspan I": (OUTER / GRE(proto=0x88BE) / ERSPAN_I() / ether() / ipv4(), V4_ENDS),
    "erspan II": (
        OUTER / GRE(proto=0x88BE, seqnum_present=1) / ERSPAN_II() / ether() / ipv4(),
        V4_ENDS,
    ),
    "erspan III": (
        OUTER / GRE(proto=0x22EB, seqnum_present=1) / ERSPAN_III(o=0) / ether() / ipv4(),
        V4_ENDS,
    ),
    "erspan III, subheader": (
        OUTER
        / GRE(proto=0x22EB, seqnum_present=1)
        / ERSPAN_III(o=1)
        / ERSPAN_PlatformSpecific()
        / ether()
        / ipv4(),
        V4_ENDS,
    ),
    "etherip": (IP(proto=97) / Raw(b"\x30\0") / ether() / ipv4(), V4_ENDS),
    "mpls": (IP(proto=137) / MPLS(label=3, s=1) / ipv4(), V4_ENDS),
}


@pytest.mark.parametrize("name", STACKS)
def test_the_segment_behind_each_tunnel(decoder: Callable[[], Decoder], name: str) -> None:
    """Each tunnel leads to the same segment."""
    octets, expected = STACKS[name]
    assert_the_segment(decoder().feed(captured([octets], RAW)), expected)


@pytest.mark.parametrize(
    ("reason", "octets"),
    [
        ("other-transport", OUTER / GRE(routing_present=1, proto=0x0800) / Raw(bytes(40))),
        ("other-transport", OUTER / Raw(b"\0\7\x08\0" + bytes(40))),
        ("other-transport", OUTER / GRE(proto=0) / Raw(bytes(40))),
        ("truncated-tunnel", OUTER / GRE(key_present=1, proto=0x0800)),
    ],
)
def test_tunnels_without_a_segment(
    decoder: Callable[[], Decoder], reason: str, octets: Packet
) -> None:
    """Source routes, versions, keep-alives and cut headers."""
    if reason == "other-transport" and GRE not in octets:
        octets.proto = 47
    whole = bytes(octets)[:-4] if reason == "truncated-tunnel" else bytes(octets)
    decoding = decoder()
    assert 0 == len(decoding.feed(captured([whole], RAW)))
    assert {reason: 1} == decoding.skipped


def test_path_has_the_key_and_the_session(decoder: Callable[[], Decoder]) -> None:
    """GRE's key and ERSPAN's session part same ends; a PPTP call's id does not."""
    packets = [
        OUTER / GRE() / ipv4(),
        OUTER / GRE(key_present=1, key=1) / ipv4(),
        OUTER / GRE(key_present=1, key=2) / ipv4(),
        OUTER / GRE(proto=0x88BE, seqnum_present=1) / ERSPAN_II(session_id=1) / ether() / ipv4(),
        OUTER / GRE_PPTP(seqnum_present=1, call_id=5) / PPP(proto=0x0021) / ipv4(),
    ]
    paths = decoder().feed(captured(packets, RAW)).path.tolist()
    assert (0, 0) == (paths[0], paths[4])
    assert 3 == len(set(paths[1:4]) - {0})


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ICMP(type=3, code=1), 3 * 256 + 1),
        (ICMP(type=4, code=0), 4 * 256),
        (ICMP(type=5, code=1), 5 * 256 + 1),
        (ICMP(type=11, code=0), 11 * 256),
        (ICMP(type=12, code=2), 12 * 256 + 2),
    ],
)
@pytest.mark.parametrize("kept", [8, 12, 20, 37])
def test_icmp_errors_about_a_segment(
    decoder: Callable[[], Decoder], error: Packet, code: int, kept: int
) -> None:
    """A row of what is quoted: ends, ports, sequence number, and who sent the error."""
    packet = OUTER / error / Raw(bytes(ipv4())[: 20 + kept])
    segments = decoder().feed(captured([packet], RAW))
    told = {
        "kind": Kind.ICMP_ERROR,
        "src_port": 40000,
        "dst_port": 80,
        "seq": 1000,
        "payload": 0,
        "checksum": Checksum.UNKNOWN,
        "icmp": code,
        "icmp_hi": 0,
        "icmp_lo": ROUTER,
        "marks": 0,
    }
    assert told == {name: cell(segments, name) for name in told}
    assert V4_ENDS == ends(segments)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ICMPv6DestUnreach(code=4), 65536 + 256 + 4),
        (ICMPv6PacketTooBig(), 65536 + 2 * 256),
        (ICMPv6TimeExceeded(code=0), 65536 + 3 * 256),
    ],
)
def test_icmpv6_errors_about_a_segment(
    decoder: Callable[[], Decoder], error: Packet, code: int
) -> None:
    """The same for ICMPv6, told apart by 65536."""
    packet = OUTER6 / error / Raw(bytes(ipv6()))
    segments = decoder().feed(captured([packet], RAW))
    assert (Kind.ICMP_ERROR, code, 1000) == tuple(
        cell(segments, name) for name in ("kind", "icmp", "seq")
    )
    assert (0x20010DB8000F0000, 1) == (cell(segments, "icmp_hi"), cell(segments, "icmp_lo"))
    assert V6_ENDS == ends(segments)


def test_quoted_header_that_a_router_changed(decoder: Callable[[], Decoder]) -> None:
    """A quoted header is neither judged by its checksum nor by its fragment bit."""
    quoted = IPerror(src="10.0.0.1", dst="10.0.0.2", flags="MF", chksum=1)
    packet = OUTER / ICMP(type=3, code=3) / quoted / TCPerror(sport=1, dport=2, seq=3)
    decoding = decoder()
    segments = decoding.feed(captured([packet], RAW))
    assert (Kind.ICMP_ERROR, 3, 0) == tuple(
        cell(segments, name) for name in ("kind", "seq", "marks")
    )
    assert 0 == decoding.counters["bad-ip-checksums"]


@pytest.mark.parametrize(
    "packet",
    [
        OUTER / ICMP(type=8) / Raw(bytes(40)),
        OUTER / ICMP(type=3) / IP() / UDP() / Raw(bytes(20)),
        OUTER / ICMP(type=3) / IP() / ipv4(),
        OUTER / ICMP(type=3) / IP() / GRE() / ipv4(),
        OUTER / ICMP(type=3) / IP() / ICMP(type=3) / ipv4(),
        OUTER / ICMP(type=3) / Raw(bytes(ipv4())[:23]),
        OUTER / ICMP(type=3) / Raw(bytes(ipv4())[:11]),
        OUTER / ICMP(type=3) / Raw(pack(">I", 0x10000000)),
        OUTER6 / ICMPv6EchoRequest() / Raw(bytes(40)),
    ],
)
def test_icmp_not_about_a_segment(decoder: Callable[[], Decoder], packet: Packet) -> None:
    """Echo, errors about UDP or about a tunnel, quotes without ports: counted as ICMP."""
    decoding = decoder()
    assert 0 == len(decoding.feed(captured([packet], RAW)))
    assert {"icmp": 1} == decoding.skipped
