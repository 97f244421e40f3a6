"""Numbers out of a buffer that ends anywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcptrace.decode.decoder import Decoder
from tcptrace.sources.packets import Packets
from tests.decode.crafted import ETHERNET, captured, ether, ipv4, ipv6

WHOLE = [bytes(ether() / ipv4()), bytes(ether() / ipv6())]


@pytest.mark.parametrize("octets", WHOLE, ids=["ipv4", "ipv6"])
def test_buffer_that_ends_within_a_packet(decoder: Callable[[], Decoder], octets: bytes) -> None:
    """Of octets that are claimed but not there, none is read: as if no more were captured."""
    for kept in range(len(octets)):
        claimed = Packets(captured([octets]).matrix, octets[:kept])
        cut = captured([octets[:kept]], ETHERNET, length=len(octets))
        one, other = decoder(), decoder()
        assert one.feed(claimed).matrix.tolist() == other.feed(cut).matrix.tolist()
        assert one.skipped == other.skipped


@pytest.mark.parametrize("octets", WHOLE, ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("before", range(9))
def test_packet_anywhere_in_the_buffer(
    decoder: Callable[[], Decoder], octets: bytes, before: int
) -> None:
    """A number may begin at any octet."""
    packets = captured([octets])
    packets.matrix[:, Packets.index("offset")] = before
    moved = decoder().feed(Packets(packets.matrix, bytes(before) + octets))
    assert decoder().feed(captured([octets])).matrix.tolist() == moved.matrix.tolist()
