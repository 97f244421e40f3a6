"""Packets for the decoder's tests: one TCP segment inside every stack of headers that carries it.

scapy builds the stacks, so that what the kernels read was not written by whoever wrote them.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from tcptrace.decode.link_types import LINK_TYPES
from tcptrace.decode.segments import Checksum, Kind, Segments
from tcptrace.sources.packets import Packets

ETHERNET = LINK_TYPES["ETHERNET"]
RAW = LINK_TYPES["RAW"]
T0 = 1_700_000_000_000_000_000
MAPPED = 0xFFFF << 32
PAYLOAD = b"hello"
V4_ENDS = (0, MAPPED | 0x0A000001, 0, MAPPED | 0x0A000002)
V6_ENDS = (0x20010DB800000000, 1, 0x20010DB800000000, 2)


def ether(**fields: str | int) -> Packet:
    """An Ethernet header with addresses of its own: scapy would go and ask the network."""
    return Ether(**{"dst": "02:00:00:00:00:02", "src": "02:00:00:00:00:01"} | fields)


def tcp() -> Packet:
    """A segment with every column set to something of its own."""
    options = [("NOP", None), ("NOP", None), ("Timestamp", (11, 22))]
    header = TCP(sport=40000, dport=80, seq=1000, ack=2000, flags="PA", window=512)
    header.options = options
    return header / Raw(PAYLOAD)


def ipv4() -> Packet:
    """The segment in IPv4."""
    return IP(src="10.0.0.1", dst="10.0.0.2", ttl=61, id=7, flags="DF") / tcp()


def ipv6() -> Packet:
    """The segment in IPv6."""
    return IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=61) / tcp()


def captured(
    octets: Iterable[bytes | Packet],
    link_type: int = ETHERNET,
    *,
    length: int | None = None,
    step: int = 1_000_000,
) -> Packets:
    """A batch of packets, `step` ns apart; `length` is what each had on the wire, if not all."""
    whole = [bytes(one) for one in octets]
    packets = Packets.zeros(len(whole))
    sizes = np.array([len(one) for one in whole], np.int64)
    columns = {
        "time": T0 + step * np.arange(len(whole)),
        "offset": np.cumsum(sizes) - sizes,
        "captured": sizes,
        "length": sizes if length is None else np.full(len(whole), length),
        "link_type": np.full(len(whole), link_type),
        "number": 1 + np.arange(len(whole)),
    }
    for name, values in columns.items():
        packets.matrix[:, Packets.index(name)] = values
    return Packets(packets.matrix, b"".join(whole))


def ends(segments: Segments, row: int = 0) -> tuple[int, ...]:
    """The two addresses of a row."""
    names = ("src_hi", "src_lo", "dst_hi", "dst_lo")
    return tuple(int(getattr(segments, name)[row]) for name in names)


def cell(segments: Segments, column: str, row: int = 0) -> int:
    """One cell of a row."""
    return int(getattr(segments, column)[row])


def assert_the_segment(segments: Segments, expected: tuple[int, ...] = V4_ENDS) -> None:
    """The batch is one row, and that row is `tcp()`'s segment, whole and undamaged."""
    assert 1 == len(segments)
    assert expected == ends(segments)
    told = {
        "kind": Kind.SEGMENT,
        "src_port": 40000,
        "dst_port": 80,
        "seq": 1000,
        "ack": 2000,
        "flags": 0x18,
        "window": 512,
        "payload": len(PAYLOAD),
        "kept": len(PAYLOAD),
        "checksum": Checksum.GOOD,
        "has_timestamp": 1,
        "tsval": 11,
        "tsecr": 22,
        "ttl": 61,
        "marks": 0,
        "packet": 1,
    }
    assert told == {name: cell(segments, name) for name in told}
