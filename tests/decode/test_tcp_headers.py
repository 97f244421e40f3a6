"""TCP headers: every column against dpkt on real captures, options that lie, damage."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import dpkt
import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6

from tcptrace.decode.decoder import Decoder
from tcptrace.decode.protocols import TcpOption
from tcptrace.decode.segments import Kind, Mark, Segments
from tcptrace.sources.capture import open_capture
from tests.decode.crafted import RAW, assert_the_segment, captured, cell, ends, ipv4, tcp

CAPTURES = Path(__file__).resolve().parent.parent.parent / "captures"


def test_a_segment(decoder: Callable[[], Decoder]) -> None:
    """The columns of one segment, and those that it has no option for."""
    segments = decoder().feed(captured([ipv4()], RAW))
    assert_the_segment(segments)
    absent = {"mss": -1, "window_scale": -1, "sack_permitted": 0, "sack_blocks": 0, "fast_open": 0}
    assert absent == {name: cell(segments, name) for name in absent}


@pytest.mark.parametrize("kept", range(21))
def test_header_cut_by_the_snap_length(decoder: Callable[[], Decoder], kept: int) -> None:
    """With its ports the row is there, DAMAGED until all 20 octets are; fields as far as kept."""
    octets = bytes(IP(src="10.0.0.1", dst="10.0.0.2") / tcp())
    decoding = decoder()
    segments = decoding.feed(captured([octets[: 20 + kept]], RAW, length=len(octets)))
    if kept < 4:
        assert {"truncated-tcp": 1} == decoding.skipped
        return
    assert (Kind.DAMAGED if kept < 20 else Kind.SEGMENT) == cell(segments, "kind")
    assert (40000, 80) == (cell(segments, "src_port"), cell(segments, "dst_port"))
    assert (1000 if kept >= 8 else 0) == cell(segments, "seq")
    assert (0x18 if kept >= 14 else 0) == cell(segments, "flags")
    assert (5 if kept >= 20 else 0) == cell(segments, "payload")
    assert Mark.HEADER_CUT == cell(segments, "marks")


@pytest.mark.parametrize("words", [0, 4, 15])
def test_data_offset_that_lies(decoder: Callable[[], Decoder], words: int) -> None:
    """Below five words or beyond the segment: DAMAGED, with ports and flags, and no payload."""
    octets = bytearray(bytes(IP(src="10.0.0.1", dst="10.0.0.2") / tcp()))
    octets[32] = words << 4
    decoding = decoder()
    segments = decoding.feed(captured([bytes(octets)], RAW))
    assert (Kind.DAMAGED, 0x18, 0) == tuple(
        cell(segments, name) for name in ("kind", "flags", "payload")
    )
    assert 1 == decoding.counters["damaged-tcp-headers"]


def real_captures(shared: Path) -> Iterator[Path]:
    """Captures whose segments dpkt reads: the lab's middle taps, some of others."""
    yield from sorted(shared.glob("lab/data/*/middle.pcap"))[:45]
    for name in ("tcp_missing-syn.pcap", "tcp_retransmit-fast009.pcap", "ftp_ipv6.pcap"):
        yield shared / "corpus" / f"zeek_{name}"
    yield shared / "corpus" / "tcpdump_mptcp-v0.pcap"


def test_columns_against_dpkt(decoder: Callable[[], Decoder]) -> None:
    """dpkt, which shares no code with the kernels, reads the same from captures/."""
    assert compared_with_dpkt(decoder, sorted(CAPTURES.glob("*/*.pcap*"))) > 300


def test_columns_of_others_against_dpkt(decoder: Callable[[], Decoder], shared: Path) -> None:
    """The same of captures by other hands, and of larger ones."""
    assert compared_with_dpkt(decoder, real_captures(shared)) > 1000


def compared_with_dpkt(decoder: Callable[[], Decoder], paths: Iterable[Path]) -> int:
    """How many segments are, in every column, what dpkt makes of their octets."""
    compared = 0
    for path in paths:
        for packets in open_capture(str(path)):
            segments = decoder().feed(packets)
            number = {int(packet): row for row, packet in enumerate(segments.packet)}
            for row in range(len(packets)):
                told = from_dpkt(packets.packet_bytes(row), int(packets.link_type[row]))
                if told is not None:
                    found = number[int(packets.number[row])]
                    assert told == {name: cell(segments, name, found) for name in told}, path
                    compared += 1
    return compared


def from_dpkt(octets: bytes, link_type: int) -> dict[str, int] | None:
    """What dpkt reads, by Segments' columns; None for what is no whole segment."""
    try:
        network = dpkt.ethernet.Ethernet(octets).data if link_type == 1 else by_version(octets)
        segment = network.data
        if not isinstance(segment, dpkt.tcp.TCP):
            return None
    except dpkt.UnpackError:
        return None
    v4 = isinstance(network, dpkt.ip.IP)
    total = network.len - network.hl * 4 if v4 else network.plen
    told = {
        "src_port": segment.sport,
        "dst_port": segment.dport,
        "seq": segment.seq,
        "ack": segment.ack if segment.flags & dpkt.tcp.TH_ACK else 0,
        "flags": segment.flags,
        "window": segment.win,
        "checksum_field": segment.sum,
        "payload": total - segment.off * 4,
        "ttl": network.ttl if v4 else network.hlim,
        "ip_id": network.id if v4 else -1,
        "dont_fragment": network.df if v4 else 0,
        "kind": Kind.SEGMENT,
    }
    return told | addresses(network) | options_of(segment)


def by_version(octets: bytes) -> Any:
    return dpkt.ip.IP(octets) if octets[0] >> 4 == 4 else dpkt.ip6.IP6(octets)


def addresses(network: Any) -> dict[str, int]:
    """The ends as four signed halves of IPv6 addresses."""
    told = {}
    for name, octets in (("src", network.src), ("dst", network.dst)):
        address = ipaddress.ip_address(octets)
        whole = address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed
        told[f"{name}_hi"] = int.from_bytes(whole[:8], signed=True)
        told[f"{name}_lo"] = int.from_bytes(whole[8:], signed=True)
    return told


def options_of(segment: Any) -> dict[str, int]:
    """The options' columns, as dpkt's list of options has them."""
    told = {"mss": -1, "window_scale": -1, "tsval": 0, "tsecr": 0}
    told |= dict.fromkeys(("sack_permitted", "has_timestamp", "sack_blocks", "fast_open"), 0)
    told |= {f"sack_{n}_{edge}": 0 for n in (1, 2, 3, 4) for edge in ("left", "right")}
    for kind, data in dpkt.tcp.parse_opts(segment.opts):
        if kind == dpkt.tcp.TCP_OPT_MSS:
            told["mss"] = int.from_bytes(data)
        elif kind == dpkt.tcp.TCP_OPT_WSCALE:
            told["window_scale"] = data[0]
        elif kind == dpkt.tcp.TCP_OPT_SACKOK:
            told["sack_permitted"] = 1
        elif kind == dpkt.tcp.TCP_OPT_SACK:
            told |= sack_blocks_of(data)
        elif kind == dpkt.tcp.TCP_OPT_TIMESTAMP:
            told |= {"tsval": int.from_bytes(data[:4]), "tsecr": int.from_bytes(data[4:])}
            told["has_timestamp"] = 1
        elif kind == TcpOption.FAST_OPEN:
            told["fast_open"] = 1
    return told


def sack_blocks_of(data: bytes) -> dict[str, int]:
    edges = struct.unpack(f">{len(data) // 4}I", data)
    told = {"sack_blocks": len(edges) // 2}
    for place, edge in enumerate(edges):
        told[f"sack_{place // 2 + 1}_{('left', 'right')[place % 2]}"] = edge
    return told


def test_ends_of_ipv6_are_signed_halves(decoder: Callable[[], Decoder]) -> None:
    """All 64 bits of a half are kept, the highest as the sign of its column."""
    packet = IPv6(src="ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", dst="fe80::8000:0:0:1") / tcp()
    segments: Segments = decoder().feed(captured([packet], RAW))
    assert (-1, -1, -0x180000000000000, -0x7FFFFFFFFFFFFFFF) == ends(segments)
