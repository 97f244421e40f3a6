"""Link types that scapy decodes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scapy.packet import Packet

from tcptrace.decode.decoder import Decoder
from tcptrace.decode.unusual import ip_octets
from tests.decode.crafted import V4_ENDS, V6_ENDS, assert_the_segment, captured, ether, ipv4, ipv6

SCAPYS_ETHERNET = 23  # a number that scapy knows as Ethernet, and the kernels do not
USER0 = 147


@pytest.mark.parametrize(("inner", "expected"), [(ipv4(), V4_ENDS), (ipv6(), V6_ENDS)])
def test_scapy_finds_the_segment(
    decoder: Callable[[], Decoder], inner: Packet, expected: tuple[int, ...]
) -> None:
    """The first IP header it finds is walked by the kernels; the packet is counted."""
    decoding = decoder()
    assert_the_segment(decoding.feed(captured([ether() / inner], SCAPYS_ETHERNET)), expected)
    assert 1 == decoding.counters["packets-decoded-by-scapy"]


@pytest.mark.parametrize("link_type", [USER0, 100_000, -1, SCAPYS_ETHERNET])
def test_link_type_nobody_knows(decoder: Callable[[], Decoder], link_type: int) -> None:
    """Or octets that scapy finds no IP in: counted."""
    decoding = decoder()
    assert 0 == len(decoding.feed(captured([bytes(60)], link_type)))
    assert {"link-type-unknown": 1} == decoding.skipped


def test_empty_packet() -> None:
    """No octets, no header."""
    assert ip_octets(SCAPYS_ETHERNET, b"") is None
