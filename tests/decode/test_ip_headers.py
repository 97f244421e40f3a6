"""IPv4 and IPv6 headers: lengths, extensions, checksums, IP in IP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (
    HAO,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    IPv6ExtHdrSegmentRouting,
    Jumbo,
    RouterAlert,
)
from scapy.layers.ipsec import AH, ESP
from scapy.packet import Packet, Raw

from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Checksum, Mark
from tests.decode.crafted import (
    PAYLOAD,
    RAW,
    V4_ENDS,
    V6_ENDS,
    assert_the_segment,
    captured,
    cell,
    ends,
    ipv4,
    ipv6,
    tcp,
)

OUTER4 = IP(src="192.0.2.1", dst="192.0.2.2")
OUTER6 = IPv6(src="2001:db8:f::1", dst="2001:db8:f::2")
SIGNED = AH(nh=6, payloadlen=4, icv=bytes(12))
V6 = IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=61)

STACKS: dict[str, tuple[Packet, tuple[int, ...]]] = {
    "ipv4": (ipv4(), V4_ENDS),
    "4 in 4": (OUTER4 / ipv4(), V4_ENDS),
    "6 in 4": (OUTER4 / ipv6(), V6_ENDS),
    "4 in 6": (OUTER6 / ipv4(), V4_ENDS),
    "6 in 6": (OUTER6 / ipv6(), V6_ENDS),
    "4 in 4 in 6": (OUTER6 / OUTER4 / ipv4(), V4_ENDS),
    "hop by hop": (V6 / IPv6ExtHdrHopByHop(options=[RouterAlert()]) / tcp(), V6_ENDS),
    "destination": (V6 / IPv6ExtHdrDestOpt() / tcp(), V6_ENDS),
    "routing, at its end": (
        V6 / IPv6ExtHdrRouting(addresses=["2001:db8::9"], segleft=0) / tcp(),
        V6_ENDS,
    ),
    "atomic fragment": (V6 / IPv6ExtHdrFragment(offset=0, m=0, id=5) / tcp(), V6_ENDS),
    "three extensions": (
        V6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment() / tcp(),
        V6_ENDS,
    ),
    "authentication": (
        IP(src="10.0.0.1", dst="10.0.0.2", ttl=61) / SIGNED / Raw(bytes(ipv4())[20:]),
        V4_ENDS,
    ),
    "authentication, ipv6": (V6 / SIGNED / Raw(bytes(ipv6())[40:]), V6_ENDS),
}


@pytest.mark.parametrize("name", STACKS)
def test_the_segment_behind_each_stack(decoder: Callable[[], Decoder], name: str) -> None:
    """Each stack leads to the same segment."""
    octets, expected = STACKS[name]
    assert_the_segment(decoder().feed(captured([octets], RAW)), expected)


def test_ipv4_options_are_stepped_over(decoder: Callable[[], Decoder]) -> None:
    """The header's length is its own field."""
    header = IP(src="10.0.0.1", dst="10.0.0.2", ttl=61, options=b"\x94\x04\0\0" * 10)
    assert_the_segment(decoder().feed(captured([header / tcp()], RAW)))


@pytest.mark.parametrize(
    "chain",
    [
        V6 / IPv6ExtHdrDestOpt(options=[HAO(hoa="2001:db8::77")]) / tcp(),
        V6 / IPv6ExtHdrRouting(addresses=["2001:db8::8", "2001:db8::9"], segleft=1) / tcp(),
        V6 / IPv6ExtHdrRouting(type=2, addresses=["2001:db8::8"], segleft=1) / tcp(),
        V6 / IPv6ExtHdrSegmentRouting(addresses=["2001:db8::8", "2001:db8::2"], segleft=1) / tcp(),
    ],
    ids=["home address", "source routing", "mobile routing", "segment routing"],
)
def test_checksum_covers_the_final_ends(decoder: Callable[[], Decoder], chain: Packet) -> None:
    """The pseudo-header has the home address and the last destination, the row what it met."""
    segments = decoder().feed(captured([chain], RAW))
    assert Checksum.GOOD == cell(segments, "checksum")
    assert V6_ENDS == ends(segments)


def test_columns_of_the_innermost_header(decoder: Callable[[], Decoder]) -> None:
    """TTL, identification and DF are those of the header next to TCP."""
    segments = decoder().feed(captured([OUTER4 / ipv4(), OUTER4 / ipv6()], RAW))
    assert [61, 61] == segments.ttl.tolist()
    assert [7, -1] == segments.ip_id.tolist()
    assert [1, 0] == segments.dont_fragment.tolist()


def test_length_comes_from_the_header_not_from_the_snap_length(
    decoder: Callable[[], Decoder],
) -> None:
    """A packet that was cut keeps its payload's length, and tells how much was kept."""
    whole = bytes(ipv4())
    segments = decoder().feed(captured([whole[:-3]], RAW, length=len(whole)))
    assert (5, 2) == (cell(segments, "payload"), cell(segments, "kept"))
    assert Checksum.UNKNOWN == cell(segments, "checksum")


def test_total_length_of_zero_is_the_records(decoder: Callable[[], Decoder]) -> None:
    """Segmentation offload leaves the field empty: the capture's record knows the length."""
    packet = ipv4()
    packet.len = 0
    octets = bytes(packet)
    whole = decoder().feed(captured([octets], RAW))
    assert (5, Mark.SUPER_SEGMENT) == (cell(whole, "payload"), cell(whole, "marks"))
    cut = decoder().feed(captured([octets], RAW, length=70_000))
    assert 70_000 - len(octets) + 5 == cell(cut, "payload")


def test_ipv6_length_of_zero_is_the_records(decoder: Callable[[], Decoder]) -> None:
    """The same for IPv6 without a jumbo option."""
    packet = ipv6()
    packet.plen = 0
    segments = decoder().feed(captured([packet], RAW, length=100_000))
    assert 100_000 - 40 - 32 == cell(segments, "payload")


def test_jumbogram(decoder: Callable[[], Decoder]) -> None:
    """RFC 2675: the option has the length, however much the record says."""
    options = IPv6ExtHdrHopByHop(options=[Jumbo(jumboplen=80_000)])
    packet = IPv6(src="2001:db8::1", dst="2001:db8::2", plen=0) / options / tcp()
    segments = decoder().feed(captured([packet], RAW, length=90_000))
    assert 80_000 - 8 - 32 == cell(segments, "payload")
    assert Mark.SUPER_SEGMENT == cell(segments, "marks")


def test_wrong_ipv4_checksum_is_marked(decoder: Callable[[], Decoder]) -> None:
    """Still a row, since a tap may be where the damage is; counted and marked."""
    packet = ipv4()
    packet.chksum = 0x1234
    decoding = decoder()
    segments = decoding.feed(captured([packet, OUTER4 / packet, ipv4()], RAW))
    assert [Mark.IP_CHECKSUM, Mark.IP_CHECKSUM, 0] == segments.marks.tolist()
    assert 2 == decoding.counters["bad-ip-checksums"]


@pytest.mark.parametrize(
    ("reason", "octets"),
    [
        ("truncated-ip", bytes(ipv4())[:19]),
        ("truncated-ip", bytes(ipv6())[:39]),
        ("truncated-ip", bytes(V6 / IPv6ExtHdrDestOpt())[:44]),
        ("damaged-ip", b"\x44" + bytes(ipv4())[1:]),
        ("damaged-ip", bytes(ipv4())[:2] + b"\0\x13" + bytes(ipv4())[4:]),
        ("encrypted", bytes(OUTER4 / ESP(spi=1) / Raw(bytes(40)))),
        ("other-transport", bytes(IP(proto=132) / Raw(bytes(40)))),
        ("other-transport", bytes(IPv6(nh=59) / Raw(bytes(40)))),
        ("udp", bytes(OUTER4 / UDP(sport=5000, dport=53) / Raw(bytes(40)))),
    ],
)
def test_datagrams_without_a_segment(
    decoder: Callable[[], Decoder], reason: str, octets: bytes
) -> None:
    """Cut, damaged, encrypted and other datagrams are counted under their names."""
    decoding = decoder()
    assert 0 == len(decoding.feed(captured([octets], RAW)))
    assert {reason: 1} == decoding.skipped


@pytest.mark.parametrize("header", [AH(nh=51, payloadlen=0), IPv6ExtHdrDestOpt(nh=60)])
def test_extensions_without_end_are_given_up(
    decoder: Callable[[], Decoder], header: Packet
) -> None:
    """A chain that never comes to TCP ends at the limit."""
    decoding = decoder()
    octets = bytes(V6)[:6] + bytes([header.nh]) + bytes(V6)[7:] + bytes(header)[:8] * 5000
    assert 0 == len(decoding.feed(captured([octets], RAW)))
    assert {"nested-too-deep": 1} == decoding.skipped


def test_payload_of_a_lying_inner_length(decoder: Callable[[], Decoder]) -> None:
    """An inner header that claims more than the packet has allocates and reads nothing more."""
    packet = ipv4()
    packet.len = 65_535
    segments = decoder().feed(captured([OUTER4 / packet], RAW))
    assert (65_535 - 52, len(PAYLOAD)) == (cell(segments, "payload"), cell(segments, "kept"))
    assert TCP in packet
