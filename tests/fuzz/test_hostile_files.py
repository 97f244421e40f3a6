"""Captures made to harm: times that cannot be, tunnels without end, fragments that contradict.

Each gives tables, and says by name what was odd.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from struct import pack

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import GRE, Dot1Q, Ether
from scapy.packet import Packet, Raw

import tcptrace
from tcptrace.decode.link_types import LINK_TYPES
from tcptrace.trace import Trace
from tests.decode.crafted import ether, ipv4
from tests.sources.crafted import SECOND, T0, Told, enhanced, interface, option, pcap, section

RAW = LINK_TYPES["RAW"]
ENDS = ("10.0.0.1", "10.0.0.2")
LAST_OF_PCAP = (1 << 32) - 1  # seconds: 2106


def packet(sender: int, flags: str, seq: int, ack: int = 0, payload: bytes = b"") -> bytes:
    """One segment between two ends."""
    ports = (40000, 80) if sender == 0 else (80, 40000)
    header = TCP(sport=ports[0], dport=ports[1], seq=seq, ack=ack, flags=flags)
    return bytes(IP(src=ENDS[sender], dst=ENDS[1 - sender]) / header / Raw(payload))


CONVERSATION = [
    packet(0, "S", 100),
    packet(1, "SA", 500, 101),
    packet(0, "A", 101, 501),
    packet(0, "PA", 101, 501, b"question"),
    packet(1, "PA", 501, 109, b"answer"),
    packet(0, "FA", 109, 507),
    packet(1, "FA", 507, 110),
    packet(0, "A", 110, 508),
]


def read(octets: bytes) -> Trace:
    """The trace, every table made."""
    trace = tcptrace.read(io.BytesIO(octets), progress=False)
    assert len(trace.timeline) >= 2 * len(trace.connections)
    assert trace.anomalies is not None
    return trace


TIMES: dict[str, Callable[[int], int]] = {
    "backwards": lambda at: T0 - at * SECOND,
    "all one": lambda at: T0,
    "at the end of pcap's": lambda at: (LAST_OF_PCAP - 7 + at) * SECOND,
    "across the beginning of its": lambda at: (at if at > 3 else LAST_OF_PCAP - at) * SECOND,
    "to and fro by minutes": lambda at: (at % 2) * 200 * SECOND,
}


@pytest.mark.parametrize("times", TIMES)
def test_times_that_cannot_be(times: str) -> None:
    """The order of the capture holds: the connection is told as a whole."""
    told = [Told(TIMES[times](at), octets) for at, octets in enumerate(CONVERSATION)]
    (row,) = read(pcap(told, network=RAW)).connections.to_dict("records")
    assert (5, 3) == (row["orig_pkts"], row["resp_pkts"])
    assert row["ts_end"] >= row["ts_start"]


def test_times_to_and_fro_by_a_century() -> None:
    """A SYN is not waited for so long: its answer begins anew. No packet is lost over it."""
    told = [Told((at % 2) * 3_000_000_000 * SECOND, each) for at, each in enumerate(CONVERSATION)]
    table = read(pcap(told, network=RAW)).connections
    assert len(CONVERSATION) == int(table["orig_pkts"].sum() + table["resp_pkts"].sum())
    assert 2 == len(table)


@pytest.mark.parametrize("ticks", [0, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_clocks_that_cannot_be(ticks: int) -> None:
    """pcapng's clock in units of a second, offset by millennia: clamped, counted, and tables."""
    options = option(9, b"\0") + option(14, pack("<q", 1 << 60))
    octets = section() + interface(RAW, options=options)
    for at, each in enumerate(CONVERSATION):
        octets += enhanced(Told(T0, each), ticks=max(0, ticks - at))
    trace = read(octets)
    assert 1 == len(trace.connections)
    assert len(CONVERSATION) == trace.capture.files[0].clamped_times


def nested(layer: Packet, inner: bytes, times: int) -> bytes:
    """So many of one header around something."""
    return bytes(layer)[: len(layer)] * times + inner


V6_IN_V6 = pack(">IHBB16s16s", 6 << 28, 0, 41, 64, b"", b"")
NESTS: dict[str, bytes] = {
    "IPv4 in IPv4": nested(IP(src=ENDS[0], dst=ENDS[1], proto=4, len=0), bytes(ipv4()), 3000),
    "IPv6 in IPv6": V6_IN_V6 * 1500,
    "GRE": nested(IP(proto=47, len=0) / GRE(proto=0x0800), bytes(ipv4()), 2000),
    "extension headers": pack(">IHBB16s16s", 6 << 28, 0, 0, 64, b"", b"") + bytes(8) * 8000,
}


@pytest.mark.parametrize("what", NESTS)
def test_tunnels_without_end(what: str) -> None:
    """Given up at a depth that no real packet has; the connection beside it is whole."""
    told = [Told(T0 + at, NESTS[what]) for at in range(50)]
    told += [Told(T0 + SECOND, octets) for octets in CONVERSATION]
    trace = read(pcap(told, network=RAW))
    assert {"nested-too-deep": 50} == trace.capture.skipped
    assert 1 == len(trace.connections)


def test_vlans_without_end() -> None:
    """The same under Ethernet."""
    octets = bytes(ether(type=0x8100)) + bytes(Dot1Q(vlan=1, type=0x8100)) * 4000 + bytes(ipv4())
    trace = read(pcap([Told(T0, octets), Told(T0, bytes(Ether() / ipv4()))]))
    assert {"nested-too-deep": 1} == trace.capture.skipped


def test_compressed_within_compressed() -> None:
    """RFC 2394 in itself, a thousand times over: no more than a few are inflated."""
    payload = bytes(ipv4())[20:]
    for _ in range(1000):
        packer = zlib.compressobj(9, wbits=-15)
        octets = packer.compress(payload) + packer.flush()
        payload = bytes([108, 0, 0, 2]) + octets
    whole = bytes(IP(src=ENDS[0], dst=ENDS[1], proto=108) / Raw(payload))
    trace = read(pcap([Told(T0, whole)], network=RAW))
    assert {"nested-too-deep": 1} == trace.capture.skipped
    assert trace.capture.counters["ipcomp-decompressed"] < 50


def test_fragments_that_contradict_each_other() -> None:
    """Two headers for one datagram: that which came first counts, and the overlap is told."""
    first, second = packet(0, "S", 100)[20:], packet(0, "R", 666)[20:]
    pieces = [(8, first[8:16], 1), (0, first[:8], 1), (0, second[:16], 1), (16, first[16:], 0)]
    told = []
    for at, (offset, octets, more) in enumerate(pieces):
        header = IP(src=ENDS[0], dst=ENDS[1], id=9, frag=offset // 8, proto=6)
        header.flags = "MF" if more else 0
        told.append(Told(T0 + at, bytes(header / Raw(octets))))
    trace = read(pcap(told, network=RAW))
    (row,) = trace.connections.to_dict("records")
    assert "S" == row["history"]
    assert 1 == trace.capture.counters["ip-fragment-overlaps"]
