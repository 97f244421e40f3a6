"""Plain packets: what the short way makes of any octets is what the long way makes of them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt
from scapy.layers.l2 import Dot1Q
from scapy.packet import Packet, Raw

from tcptrace.decode import decoder as module
from tcptrace.decode.decoder import Decoder
from tcptrace.sources.packets import Packets
from tests.decode.crafted import ETHERNET, RAW, captured, ether, ipv4, ipv6, tcp

V4 = {"src": "10.0.0.1", "dst": "10.0.0.2"}
V6 = {"src": "fe80::ffff:1", "dst": "8000::2"}
NETWORK = 14  # where the IP header is
SYN = TCP(flags="S", options=[("MSS", 1460), ("SAckOK", b""), ("Timestamp", (7, 0)), ("WScale", 7)])
SACK = TCP(flags="A", options=[("NOP", None), ("NOP", None), ("SAck", (5, 9, 20, 30))])
BARE = TCP(flags="F", ack=9, reserved=5, urgptr=3)
LIKE_TCP = UDP(dport=53) / Raw(b"\x50" * 40)  # what follows could be a TCP header


def plain_packets() -> list[bytes]:
    """What is read the short way, of both versions of IP."""
    segments = [tcp(), SYN, SACK, BARE, BARE / Raw(b"odd"), SYN / Raw(b"early")]
    stacks = [ether() / IP(**V4) / segment for segment in segments]
    stacks += [ether() / IPv6(**V6) / segment for segment in segments]
    return [bytes(stack) for stack in [*stacks, ether() / ipv4() / Raw(bytes(9))]]


def other_packets() -> list[bytes]:
    """What is not."""
    large = Raw(bytes(9300))
    stacks: list[Packet] = [
        ether() / Dot1Q(vlan=3) / ipv4(),
        ether() / IP(**V4, options=b"\1\1\1\1") / tcp(),
        ether() / IP(**V4, options=bytes(4)) / TCP(ack=0x50 << 24),  # would pass without
        ether() / IP(**V4, chksum=1) / tcp(),
        ether() / IP(**V4, len=0) / tcp(),
        ether() / IP(**V4) / BARE / large,
        ether() / IPv6(**V6) / BARE / large,
        ether() / IPv6(**V6, plen=0) / tcp(),
        ether() / IPv6(**V6) / IPv6ExtHdrDestOpt() / tcp(),
        ether() / IP(**V4) / LIKE_TCP,
        ether() / IPv6(**V6) / LIKE_TCP,
        ether() / IP(**V4) / TCP(dataofs=4),
        ether() / IP(**V4) / TCP(dataofs=15),
        *(ether() / piece for piece in fragment(IP(**V4) / BARE / Raw(bytes(40)), 24)),
    ]
    return [bytes(stack) for stack in stacks] + [bytes(ipv4()), bytes(ether() / ipv4())[:60]]


def read_plain(kernel: Callable[[str], ModuleType], octets: list[bytes]) -> list[int]:
    """Which of some packets the kernel leaves to others."""
    packets = captured(octets, ETHERNET)
    rows, tallies = np.zeros(len(octets) * 48, np.int64), np.zeros(15, np.int64)
    judge = kernel("tcptrace.decode.checksums").Judge(packets.data, tallies.data)
    options = kernel("tcptrace.decode.tcp_options").Options(packets.data, rows.data, tallies.data)
    left = np.zeros(len(octets), np.int64)
    read = kernel("tcptrace.decode.plain").read
    return left[: read(packets.cells, judge, options, left.data)].tolist()


def test_plain_packets_are_read(kernel: Callable[[str], ModuleType]) -> None:
    """Were all left to others, no row would differ: only this tells."""
    assert [] == read_plain(kernel, plain_packets())


def test_others_are_left(kernel: Callable[[str], ModuleType]) -> None:
    """All of them, in their order, with plain ones between."""
    between = [octets for other in other_packets() for octets in (other, plain_packets()[0])]
    assert list(range(0, len(between), 2)) == read_plain(kernel, between)


def left_to_others(cells: memoryview, judge: object, options: object, left: memoryview) -> int:
    """In place of the kernel's: no packet is plain."""
    count = len(cells) // Packets.width()
    for row in range(count):
        left[row] = row
    return count


def all_told(decoding: Decoder, packets: Packets) -> tuple[object, ...]:
    """Everything that a decoder says of two batches."""
    matrices = [decoding.feed(packets).matrix.tolist() for _ in range(2)]
    return matrices, decoding.skipped, decoding.counters, decoding.unfinished().keys()


def assert_the_same_either_way(decoder: Callable[[], Decoder], packets: Packets) -> None:
    """Rows, reasons and counters do not tell which way packets were read."""
    short = all_told(decoder(), packets)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.plain, "read", left_to_others)
        assert all_told(decoder(), packets) == short


def with_checksum(octets: bytearray) -> bytes:
    """The packet with a right checksum in its IPv4 header of 20 octets, if it may have one."""
    header = octets[NETWORK : NETWORK + 20]
    if len(header) == 20 and header[0] == 0x45:
        header[10:12] = bytes(2)
        total = sum(int.from_bytes(header[at : at + 2]) for at in range(0, 20, 2))
        folded = (total & 0xFFFF) + (total >> 16)
        octets[NETWORK + 10 : NETWORK + 12] = (0xFFFF - folded % 0xFFFF).to_bytes(2)
    return bytes(octets)


SOME = st.sampled_from([0, 1, 2, 4, 5, 6, 8, 10, 0x40, 0x45, 0x50, 0x80, 0xFF])
CHANGES = st.lists(st.tuples(st.integers(12, 90), st.integers(0, 255) | SOME), max_size=3)
ANY = st.tuples(
    st.sampled_from(plain_packets() * 2 + other_packets()),
    CHANGES,
    st.booleans(),
    st.integers(0, 120) | st.just(1 << 20),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(ANY, max_size=6),
    st.sampled_from([None, 80, 70_000]),
    st.sampled_from([ETHERNET, ETHERNET, RAW]),
)
def test_any_octets_either_way(
    decoder: Callable[[], Decoder],
    drawn: list[tuple[bytes, list[tuple[int, int]], bool, int]],
    length: int | None,
    link_type: int,
) -> None:
    """Packets changed, cut, and mixed with others: the same rows, reasons and counters."""
    octets = []
    for whole, changes, right, kept in drawn:
        changed = bytearray(whole)
        for place, value in changes:
            changed[place % len(changed)] = value
        octets.append((with_checksum(changed) if right else bytes(changed))[:kept])
    assert_the_same_either_way(decoder, captured(octets, link_type, length=length))


@pytest.mark.parametrize("claimed", [0, -7, 1 << 40])
@pytest.mark.parametrize("column", ["captured", "length"])
def test_octets_that_are_not_there(
    decoder: Callable[[], Decoder], column: str, claimed: int
) -> None:
    """What a row claims beyond the buffer, or below nothing, is as on the long way."""
    packets = captured([*plain_packets(), plain_packets()[0][:-2]], ETHERNET)
    packets.matrix[:, Packets.index(column)] = claimed
    assert_the_same_either_way(decoder, packets)


@pytest.mark.parametrize("kept", range(54, 90))
def test_options_that_lie(decoder: Callable[[], Decoder], kept: int) -> None:
    """Wherever the packet was cut: whether that is counted hangs on what was kept behind them."""
    octets = bytearray(bytes(ether() / IP(**V4) / SYN / Raw(b"early")))
    octets[NETWORK + 20 + 20 + 1] = 99  # the length of the first
    packets = captured([bytes(octets[:kept])], ETHERNET, length=len(octets))
    assert_the_same_either_way(decoder, packets)


@pytest.mark.parametrize("gone", [{0}, {5}, {0, 1, 5}, {2, 4}, {1, 2, 3, 4, 5}, set(range(6))])
def test_rows_close_up(decoder: Callable[[], Decoder], gone: set[int]) -> None:
    """Packets without a row leave no hole, wherever they are."""
    seen = [bytes(ether() / ipv4()), bytes(ether() / IP(**V4) / UDP(dport=53))]
    decoding = decoder()
    segments = decoding.feed(captured([seen[row in gone] for row in range(6)], ETHERNET))
    assert [row + 1 for row in range(6) if row not in gone] == segments.packet.tolist()
    assert {1000} >= set(segments.seq.tolist())
    assert {"udp": len(gone)} == decoding.skipped


def test_ipv6_addresses(decoder: Callable[[], Decoder]) -> None:
    """Their upper bit is a column's sign."""
    segments = decoder().feed(
        captured([bytes(ether() / IPv6(**V6) / BARE), bytes(ether() / ipv6())])
    )
    assert [-(1 << 63), 0x20010DB800000000] == segments.dst_hi.tolist()
