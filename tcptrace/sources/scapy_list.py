"""Packets that scapy holds: a PacketList, or any list of its packets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from tcptrace.sources.facts import FileFacts, InterfaceFacts
from tcptrace.sources.packets import Packets
from tcptrace.sources.reading import BATCH
from tcptrace.sources.snoop import UNKNOWN_LINK_TYPE
from tcptrace.sources.walking import LATEST_TIME


def is_scapy_packets(source: Any) -> bool:
    """Whether `source` is a scapy PacketList or a non-empty list of scapy packets."""
    if type(source).__module__ == "scapy.plist":
        return True
    return isinstance(source, Sequence) and bool(source) and _is_packet(source[0])


def packets_of(packets: Any, facts: FileFacts, file: int = 0) -> Iterator[Packets]:
    """Batches of at most `BATCH` packets from an iterable of scapy packets."""
    facts.format = "scapy"
    numbered = enumerate(packets, start=1)
    while chosen := list(islice(numbered, BATCH)):
        batch = _batch(chosen, file)
        facts.count(batch)
        for link_type in sorted(facts.link_types - {i.link_type for i in facts.interfaces}):
            facts.interfaces.append(InterfaceFacts(link_type))
        yield batch


def _batch(chosen: list[tuple[int, Any]], file: int) -> Packets:
    rows, pieces, offset = [], [], 0
    for number, packet in chosen:
        octets = bytes(packet)
        length = getattr(packet, "wirelen", None) or len(octets)
        rows.append(
            (_time(packet), offset, len(octets), length, _link_type(packet), 0, number, file)
        )
        pieces.append(octets)
        offset += len(octets)
    return Packets(np.array(rows, np.int64), b"".join(pieces))


def _time(packet: Any) -> int:
    """ns since the epoch of scapy's `time`, a decimal number of seconds."""
    return max(-LATEST_TIME, min(LATEST_TIME, int(packet.time * 1_000_000_000)))


def _link_type(packet: Any) -> int:
    """LINKTYPE of a scapy packet's first layer."""
    from scapy.config import conf

    number = conf.l2types.layer2num.get(type(packet))
    return UNKNOWN_LINK_TYPE if number is None else int(number)


def _is_packet(item: Any) -> bool:
    return any(cls.__module__ == "scapy.packet" for cls in type(item).__mro__)
