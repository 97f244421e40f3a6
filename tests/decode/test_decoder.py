"""The whole floor: real captures against tshark, any octets, any cut, any batches."""

from __future__ import annotations

import ipaddress
import json
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt
from scapy.layers.l2 import Dot1Q
from scapy.layers.vxlan import VXLAN

from tcptrace.decode.decoder import Decoder
from tcptrace.decode.link_types import LINK_TYPES
from tcptrace.decode.segments import Kind, Segments
from tcptrace.errors import CaptureError
from tcptrace.sources.capture import open_capture
from tcptrace.sources.packets import Packets
from tests.decode.crafted import RAW, captured, ether, ipv4, ipv6, tcp

BOTH = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
HALF = (1 << 64) - 1

# Captures of which we see other segments than tshark does, each with its reason.
DIFFERENT = {
    "zeek_tunnels_gre-aruba-amsdu.pcap": "one packet with two segments, an A-MSDU's subframes; "
    "tshark counts packets",
}
# The same for octets of payload, where the counts of segments agree.
OTHER_PAYLOAD = {
    "zeek_Traces_pppoe-over-qinq.pcap": "a PPPoE length below that of the IP header within; we "
    "take the IP header's",
} | DIFFERENT

Sent = Counter[tuple[str, int, str, int]]


def decoded(decoding: Decoder, batches: Iterable[Packets]) -> tuple[Segments, int]:
    """All segments of some batches, and how many packets these held."""
    rows, packets = [], 0
    for batch in batches:
        packets += len(batch)
        rows.append(decoding.feed(batch))
    return Segments.concat([*rows, decoding.finish()]), packets


def accounted(decoding: Decoder, segments: Segments) -> int:
    """How many packets the rows and the reasons stand for."""
    beyond = decoding.counters["segments-beyond-one-a-packet"]
    return len(segments) - beyond + sum(decoding.skipped.values())


def sent(segments: Segments) -> tuple[Sent, Sent]:
    """Segments and octets of payload by sender and receiver."""
    count: Sent = Counter()
    payload: Sent = Counter()
    for row in np.flatnonzero(segments.kind != Kind.ICMP_ERROR):
        cells = segments.matrix[row]
        source, receiver = (
            address(
                int(cells[Segments.index(f"{end}_hi")]), int(cells[Segments.index(f"{end}_lo")])
            )
            for end in ("src", "dst")
        )
        ports = [int(cells[Segments.index(name)]) for name in ("src_port", "dst_port")]
        ends = (source, ports[0], receiver, ports[1])
        count[ends] += 1
        payload[ends] += int(cells[Segments.index("payload")])
    return count, +payload


def address(upper: int, lower: int) -> str:
    """An address as people write it."""
    whole = ipaddress.IPv6Address((upper & HALF) << 64 | lower & HALF)
    return str(whole.ipv4_mapped or whole)


def sent_by_tshark(answer: Path) -> tuple[Sent, Sent]:
    """The same from tshark's streams, incarnations of a four-tuple added up."""
    count: Sent = Counter()
    payload: Sent = Counter()
    for stream in json.loads(answer.read_text())["streams"]:
        here, there = (tuple(stream[end]) for end in "ab")
        for ends, way in ((here + there, "ab"), (there + here, "ba")):
            count[ends] += stream[f"packets_{way}"]
            payload[ends] += stream[f"payload_{way}"]
    return +count, +payload


def test_segments_of_captures_by_other_hands(decoder: Callable[[], Decoder], shared: Path) -> None:
    """Segments and payload of each direction equal tshark's, but for the captures listed."""
    counts, payloads, judged = set(), set(), 0
    for answer in sorted(shared.glob("corpus/expected/*.tshark.json")):
        capture = answer.name.removesuffix(".tshark.json")
        decoding = decoder()
        segments, packets = decoded(decoding, open_capture(str(shared / "corpus" / capture)))
        assert packets == accounted(decoding, segments), capture
        (count, payload), (their_count, their_payload) = sent(segments), sent_by_tshark(answer)
        counts |= {capture} if count != their_count else set()
        payloads |= {capture} if payload != their_payload else set()
        judged += 1
    assert judged > 90
    assert (set(DIFFERENT), set(OTHER_PAYLOAD)) == (counts, payloads)


def test_captures_without_segments(decoder: Callable[[], Decoder], shared: Path) -> None:
    """Those that tshark was not asked about hold none, or are refused; all is accounted for."""
    answered = {path.name for path in shared.glob("corpus/expected/*.tshark.json")}
    for path in sorted(shared.glob("corpus/*")):
        if not path.is_file() or path.suffix == ".csv" or f"{path.name}.tshark.json" in answered:
            continue
        decoding = decoder()
        try:
            segments, packets = decoded(decoding, open_capture(str(path)))
        except CaptureError:
            continue
        assert (0, packets) == (len(segments), accounted(decoding, segments)), path.name


def samples() -> list[tuple[int, bytes]]:
    """Packets of many kinds with their link types, to be cut and changed."""
    outer = IP(src="192.0.2.1", dst="192.0.2.2")
    stacks = [
        ether() / Dot1Q(vlan=3) / ipv4(),
        ether() / ipv6(),
        ether() / outer / UDP(dport=4789) / VXLAN() / ether() / ipv6(),
        ether() / outer / ipv4(),
    ]
    extended = IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrDestOpt() / tcp()
    return [(1, bytes(stack)) for stack in stacks] + [(RAW, bytes(extended))]


@pytest.mark.parametrize("sample", range(len(samples())))
def test_cut_at_every_octet(decoder: Callable[[], Decoder], sample: int) -> None:
    """However much was kept, the packet is one row or one reason; its length stays."""
    link_type, octets = samples()[sample]
    cuts = [octets[:kept] for kept in range(len(octets))]
    decoding = decoder()
    segments = decoding.feed(captured(cuts, link_type, length=len(octets)))
    assert len(cuts) == accounted(decoding, segments)
    whole = segments.take(segments.kind == Kind.SEGMENT)
    assert {5} == set(whole.payload.tolist())
    assert 17 == len(whole), "twelve octets of options and five of payload may be missing"
    assert sorted(segments.packet.tolist()) == segments.packet.tolist()


@BOTH
@given(
    st.lists(
        st.tuples(st.sampled_from([*LINK_TYPES.values(), 147]), st.binary(max_size=120)),
        max_size=20,
    )
)
def test_any_octets(decoder: Callable[[], Decoder], drawn: list[tuple[int, bytes]]) -> None:
    """No octets of any link type raise, and each packet is accounted for."""
    packets = captured([octets for _, octets in drawn])
    packets.matrix[:, Packets.index("link_type")] = [link_type for link_type, _ in drawn]
    decoding = decoder()
    assert len(drawn) == accounted(decoding, decoding.feed(packets))


@BOTH
@given(
    st.sampled_from(samples()),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_any_damage(
    decoder: Callable[[], Decoder],
    sample: tuple[int, bytes],
    changes: list[tuple[int, int]],
) -> None:
    """A few wrong octets in a packet that was right: one row or one reason."""
    link_type, octets = sample
    spoilt = bytearray(octets)
    for place, value in changes:
        spoilt[place % len(spoilt)] = value
    decoding = decoder()
    segments = decoding.feed(captured([bytes(spoilt)], link_type))
    assert 1 == accounted(decoding, segments)
    assert all(0 <= kept <= len(octets) for kept in segments.kept.tolist())


@BOTH
@given(st.binary(min_size=1, max_size=80), st.lists(st.integers(0, 12), max_size=4))
def test_any_batches(decoder: Callable[[], Decoder], tail: bytes, batches: list[int]) -> None:
    """However packets are cut into batches, the rows are the same."""
    pieces = fragment(IP(src="10.0.0.1", dst="10.0.0.2", proto=6) / ipv4()["TCP"] / tail, 16)
    octets = [bytes(piece) for piece in pieces] + [bytes(ipv4()), bytes(ipv6())]
    whole = captured(octets, RAW)
    together = decoder().feed(whole)
    cuts = sorted({0, *(min(cut, len(octets)) for cut in batches), len(octets)})
    batches_ = [Packets(whole.matrix[a:b], whole.data) for a, b in pairwise(cuts)]
    apart, _ = decoded(decoder(), batches_)
    assert together.matrix.tolist() == apart.matrix.tolist()


def test_counters_have_all_names() -> None:
    """A user finds each name, with 0 where nothing was met."""
    decoding = Decoder()
    assert {0} == set(decoding.counters.values())
    decoding.feed(captured([ipv4(), bytes(ipv4())[:30]], RAW, length=57))
    assert 1 == decoding.counters["packets-cut-by-snap-length"]
