"""`PacketList`: packets of any link types as the octets that the target `decode` takes.

Each packet is 8 octets (link type, captured octets, what more was on the wire, and ms since the
packet before, little endian, 16 bits each) and then its own. Any octets are such a list.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, Self

import numpy as np

from tcptrace.sources.packets import Packets

HEAD = struct.Struct("<HHHH")
MILLISECOND = 1_000_000
T0 = 1_700_000_000_000_000_000


class Packet(NamedTuple):
    """One packet: its link type, octets, what more was on the wire, ms since the one before."""

    link_type: int
    octets: bytes
    missing: int = 0
    later: int = 1


class PacketList(list[Packet]):
    """Packets, to and from octets."""

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """The packets that any octets stand for; the last one may be cut."""
        packets, at = cls(), 0
        while at + HEAD.size <= len(octets):
            link_type, captured, missing, later = HEAD.unpack_from(octets, at)
            at += HEAD.size
            packets.append(Packet(link_type, octets[at : at + captured], missing, later))
            at += captured
        return packets

    def octets(self) -> bytes:
        """The octets that stand for the packets."""
        heads = (HEAD.pack(p.link_type, len(p.octets), p.missing, p.later) for p in self)
        return b"".join(head + p.octets for head, p in zip(heads, self, strict=True))

    def batch(self) -> Packets:
        """The packets as the decoder takes them."""
        matrix = np.zeros((len(self), Packets.width()), np.int64)
        time, at = T0, 0
        for row, packet in enumerate(self):
            time += packet.later * MILLISECOND
            size = len(packet.octets)
            matrix[row] = (
                time, at, size, size + packet.missing, packet.link_type, 0, row + 1, 0,
            )  # fmt: skip
            at += size
        return Packets(matrix, b"".join(packet.octets for packet in self))
