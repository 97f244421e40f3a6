"""Verdicts on the TCP checksum: good, bad, left to the interface, unknown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet, Raw

from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Checksum
from tcptrace.sources.packets import Packets
from tests.decode.crafted import RAW, captured, cell, ipv4, ipv6

BOTH = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def with_field(packet: Packet, field: int) -> bytes:
    """The packet with this in the TCP checksum's field."""
    packet[TCP].chksum = field
    return bytes(packet)


def folded(*words: int) -> int:
    total = sum(words)
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@BOTH
@given(st.binary(max_size=70), st.integers(0, 15), st.integers(0, 70))
def test_any_segment_at_any_offset(
    decoder: Callable[[], Decoder], payload: bytes, offset: int, damaged: int
) -> None:
    """scapy's checksum is GOOD wherever in the buffer the segment lies; a flipped octet is not."""
    octets = bytes(IP(src="10.1.2.3", dst="10.4.5.6") / TCP(seq=99) / Raw(payload))
    spoilt = bytearray(octets)
    spoilt[20 + damaged % (len(octets) - 20)] ^= 0x55
    for one, good in ((octets, True), (bytes(spoilt), False)):
        packets = captured([one], RAW)
        packets.matrix[:, Packets.index("offset")] += offset
        verdict = cell(decoder().feed(Packets(packets.matrix, bytes(offset) + one)), "checksum")
        assert good == (verdict == Checksum.GOOD)


@pytest.mark.parametrize("packet", [ipv4, ipv6])
def test_wrong_checksum(decoder: Callable[[], Decoder], packet: Callable[[], Packet]) -> None:
    """A wrong one is BAD where all octets are there, and counted."""
    decoding = decoder()
    octets = with_field(packet(), 0x1234)
    assert Checksum.BAD == cell(decoding.feed(captured([octets], RAW)), "checksum")
    assert 1 == decoding.counters["bad-tcp-checksums"]


def test_what_is_left_to_the_interface(decoder: Callable[[], Decoder]) -> None:
    """Linux leaves the pseudo-header's sum, with the length or, segmenting, without; or zero."""
    length = 20 + 12 + 5
    addresses = (0x0A00, 0x0001, 0x0A00, 0x0002, 6)
    fields = [folded(*addresses, length), folded(*addresses), 0]
    decoding = decoder()
    segments = decoding.feed(captured([with_field(ipv4(), field) for field in fields], RAW))
    assert [Checksum.OFFLOADED] * 3 == segments.checksum.tolist()
    assert 3 == decoding.counters["offloaded-tcp-checksums"]


def test_what_is_left_to_the_interface_over_ipv6(decoder: Callable[[], Decoder]) -> None:
    """The pseudo-header of RFC 8200 section 8.1."""
    words = [int.from_bytes(bytes(IPv6(bytes(ipv6())))[at : at + 2]) for at in range(8, 40, 2)]
    octets = with_field(ipv6(), folded(*words, 6, 37))
    assert Checksum.OFFLOADED == cell(decoder().feed(captured([octets], RAW)), "checksum")


def test_cut_segment_has_no_verdict(decoder: Callable[[], Decoder]) -> None:
    """One octet missing, and the sum cannot be known; offload still shows."""
    whole = bytes(ipv4())
    offloaded = with_field(ipv4(), 0)
    packets = captured([whole[:-1], offloaded[:-1]], RAW, length=len(whole))
    verdicts = decoder().feed(packets).checksum.tolist()
    assert [Checksum.UNKNOWN, Checksum.OFFLOADED] == verdicts


def test_long_segments(decoder: Callable[[], Decoder]) -> None:
    """Sums of many words do not overflow."""
    payload = bytes(np.full(60_000, 0xFF, np.uint8))
    octets = bytes(IP(src="10.1.2.3", dst="10.4.5.6") / TCP(seq=99) / Raw(payload))
    assert Checksum.GOOD == cell(decoder().feed(captured([octets], RAW)), "checksum")
