"""Fragments, compressed datagrams and unusual link types, from packets to rows."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import GRE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Checksum, Mark
from tcptrace.sources.packets import Packets
from tests.decode.crafted import RAW, V4_ENDS, V6_ENDS, captured, cell, ends, ether, ipv4, ipv6

LONG = bytes(range(200)) * 5
OUTER = IP(src="192.0.2.1", dst="192.0.2.2")


def long_v4() -> Packet:
    """The segment with a payload to be cut into fragments."""
    packet = ipv4()
    packet.flags = 0
    packet["TCP"].remove_payload()
    return packet / Raw(LONG)


def long_v6() -> list[Packet]:
    """The same over IPv6, in fragments."""
    packet = ipv6()
    packet["TCP"].remove_payload()
    header = IPv6(src=packet.src, dst=packet.dst, hlim=61) / IPv6ExtHdrFragment(id=9)
    return list(fragment6(header / packet["TCP"] / Raw(LONG), 400))


def test_ipv4_fragments_are_one_segment(decoder: Callable[[], Decoder]) -> None:
    """The row is that of the packet which completes the datagram."""
    pieces = fragment(long_v4(), 400)
    decoding = decoder()
    segments = decoding.feed(captured(pieces, RAW))
    assert V4_ENDS == ends(segments)
    assert (len(LONG), len(LONG)) == (cell(segments, "payload"), cell(segments, "kept"))
    assert (Checksum.GOOD, len(pieces)) == (cell(segments, "checksum"), cell(segments, "packet"))
    assert {"ip-fragment": len(pieces) - 1} == decoding.skipped
    counters = decoding.counters
    assert (len(pieces), 1) == (counters["ip-fragments"], counters["ip-datagrams-reassembled"])


def test_ipv6_fragments_are_one_segment(decoder: Callable[[], Decoder]) -> None:
    """The same with fragment headers, across batches and out of order."""
    pieces = long_v6()
    decoding = decoder()
    rows = [decoding.feed(captured([piece], RAW)) for piece in reversed(pieces)]
    assert [0] * (len(pieces) - 1) + [1] == [len(segments) for segments in rows]
    assert V6_ENDS == ends(rows[-1])
    assert (len(LONG), Checksum.GOOD) == (cell(rows[-1], "payload"), cell(rows[-1], "checksum"))


def test_incomplete_datagram_is_counted(decoder: Callable[[], Decoder]) -> None:
    """Each of its fragments under one reason, until the datagram is whole."""
    pieces = fragment(long_v4(), 400)
    decoding = decoder()
    assert 0 == len(decoding.feed(captured(pieces[:-1], RAW)))
    assert {"ip-fragment-incomplete": len(pieces) - 1} == decoding.skipped
    assert 0 == len(decoding.finish())
    decoding.feed(captured(pieces[-1:], RAW))
    assert {"ip-fragment": len(pieces) - 1} == decoding.skipped


def test_rows_stay_in_capture_order(decoder: Callable[[], Decoder]) -> None:
    """Packets before and after the completing fragment keep their places."""
    first, second, third = fragment(long_v4(), 400)
    packets = captured([first, ipv4(), second, ipv4(), third, ipv4()], RAW)
    assert [2, 4, 5, 6] == decoder().feed(packets).packet.tolist()


def test_fragments_of_a_tunnel(decoder: Callable[[], Decoder]) -> None:
    """A tunnel's datagram is put together, then walked to the segment within."""
    pieces = fragment(OUTER / UDP(dport=4789) / VXLAN(vni=7) / ether() / long_v4(), 400)
    decoding = decoder()
    segments = decoding.feed(captured(pieces, RAW))
    assert (V4_ENDS, len(LONG)) == (ends(segments), cell(segments, "payload"))
    assert cell(segments, "path") > 0


def test_fragments_in_fragments(decoder: Callable[[], Decoder]) -> None:
    """Inner fragments, themselves carried in fragments, count once each."""
    outer: list[Packet] = []
    for number, inner in enumerate(fragment(long_v4(), 600)):
        outer += fragment(IP(src="192.0.2.1", dst="192.0.2.2", id=50 + number) / inner, 200)
    decoding = decoder()
    segments = decoding.feed(captured(outer, RAW))
    assert [len(LONG)] == segments.payload.tolist()
    assert len(outer) == 1 + sum(decoding.skipped.values())


def test_fragments_of_two_levels_do_not_mix(decoder: Callable[[], Decoder]) -> None:
    """A fragment within fragments comes after those of later packets, so each level has its own.

    The plain fragment comes a minute later: by then the inner one, met before it, is forgotten.
    """
    inner, _ = fragment(long_v4(), 600)
    packets = captured([*fragment(OUTER / inner, 400), inner], RAW, step=62 * 10**9 // 2)
    together = decoder()
    together.feed(packets)
    apart = decoder()
    for row in range(len(packets)):
        apart.feed(Packets(packets.matrix[row : row + 1], packets.data))
    assert apart.counters == together.counters
    assert 0 == together.counters["ip-fragment-overlaps"]


def test_fragment_in_a_tunnel_differs_by_path(decoder: Callable[[], Decoder]) -> None:
    """The same identification under two GRE keys is two datagrams."""
    first, second, third = fragment(long_v4(), 400)
    packets = [
        OUTER / GRE(key_present=1, key=key) / piece
        for key, piece in ((1, first), (1, second), (2, third))
    ]
    assert 0 == len(decoder().feed(captured(packets, RAW)))


def test_other_datagram_in_fragments(decoder: Callable[[], Decoder]) -> None:
    """What it turns out to be is the reason of the packet that completes it."""
    decoding = decoder()
    decoding.feed(captured(fragment(OUTER / UDP(dport=53) / Raw(LONG), 600), RAW))
    decoding.feed(captured(fragment(IP(proto=132, id=9) / Raw(LONG), 600), RAW))
    assert {"ip-fragment": 2, "udp": 1, "other-transport": 1} == decoding.skipped


def test_compressed_datagram(decoder: Callable[[], Decoder]) -> None:
    """RFC 2394: inflated where it is whole; what does not inflate is counted."""
    stream = zlib.compressobj(wbits=-15)
    octets = stream.compress(bytes(ipv4())[20:]) + stream.flush()
    header = IP(src="10.0.0.1", dst="10.0.0.2", ttl=61, proto=108)
    packet = header / Raw(b"\x06\0\0\x02" + octets)
    decoding = decoder()
    segments = decoding.feed(
        captured([packet, header / Raw(b"\x06\0\0\x02" + bytes(20)), bytes(packet)[:-3]], RAW)
    )
    assert ([5], Checksum.GOOD) == (segments.payload.tolist(), cell(segments, "checksum"))
    assert {"compressed": 2} == decoding.skipped
    assert 1 == decoding.counters["ipcomp-decompressed"]


def test_compressed_bomb(decoder: Callable[[], Decoder]) -> None:
    """What inflates beyond an IP datagram is given up."""
    stream = zlib.compressobj(9, wbits=-15)
    octets = stream.compress(bytes(10_000_000)) + stream.flush()
    decoding = decoder()
    decoding.feed(captured([IP(proto=108) / Raw(b"\x06\0\0\x02" + octets)], RAW))
    assert {"compressed": 1} == decoding.skipped


def test_fragment_with_a_wrong_checksum(decoder: Callable[[], Decoder]) -> None:
    """The datagram's row bears the mark, whichever fragment was damaged."""
    pieces = fragment(long_v4(), 400)
    pieces[-1].chksum = 0x1234
    segments = decoder().feed(captured(pieces, RAW))
    assert Mark.IP_CHECKSUM == cell(segments, "marks")


def test_inflated_packets_are_not_all_held_at_once(decoder: Callable[[], Decoder]) -> None:
    """RFC 2394: a hundred octets may inflate to 64 KiB; of a batch of such, few are in memory."""
    packer = zlib.compressobj(9, wbits=-15)
    inflating = packer.compress(bytes(65_000)) + packer.flush()
    packet = IP(src="10.0.0.1", dst="10.0.0.2", proto=108) / Raw(bytes([6, 0, 0, 2]) + inflating)
    packets = captured([bytes(packet)] * 600, RAW)
    decoding = decoder()
    decoding.feed(captured([ipv4()], RAW))  # what is loaded once is not counted
    tracemalloc.start()
    decoding.feed(packets)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 600 == decoding.counters["ipcomp-decompressed"]
    assert peak < 8 << 20, "39 MB if all were held"


BEHIND_FRAGMENTS = {
    "a fragment's header": (44, b"\x06\0\0\x01" + bytes(4) + bytes(8)),
    "the length of a jumbogram": (0, b"\x06\0\xc2\x04\0\x01\0\0" + bytes(8)),
    "a route's last address": (43, b"\x06\x02\x02\x01" + bytes(4) + bytes(16)),
    "a home address": (60, b"\x06\x02\xc9\x10" + bytes(20)),
}


@pytest.mark.parametrize("what", BEHIND_FRAGMENTS)
def test_extension_headers_behind_fragments(decoder: Callable[[], Decoder], what: str) -> None:
    """The octets of joined fragments lie apart from the IP header before them, long gone by then.

    It must not be looked for there: neither the version, nor the length, nor the addresses' sums.
    """
    protocol, payload = BEHIND_FRAGMENTS[what]
    octets = [bytes(ipv4()) * 20]
    for at in range(0, len(payload), 8):
        header = IP(src="10.0.0.1", dst="10.0.0.2", proto=protocol, id=5, frag=at // 8)
        header.flags = "MF" if at + 8 < len(payload) else 0
        octets.append(bytes(header / Raw(payload[at : at + 8])))
    decoding = decoder()
    segments = decoding.feed(captured(octets, RAW))
    assert len(octets) == len(segments) + sum(decoding.skipped.values())
    assert 1 == decoding.counters["ip-datagrams-reassembled"]
