"""Changes that keep lengths right: of pcapng by block and option, of a packet list by packet.

Each takes octets, what libFuzzer itself would do to some octets (`Mutate`), and a source of chance;
what it gives is no longer than `most`.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from tests.fuzz.packet_list import Packet, PacketList

Mutate = Callable[[bytes, int], bytes]

SECTION, INTERFACE, SIMPLE, NAMES, STATISTICS, ENHANCED = 0x0A0D0D0A, 1, 3, 4, 5, 6
OLD_PACKET, CUSTOM = 2, 0xBAD
KINDS = (SECTION, INTERFACE, OLD_PACKET, SIMPLE, NAMES, STATISTICS, ENHANCED, CUSTOM)
MAGIC = {"<": b"\x4d\x3c\x2b\x1a", ">": b"\x1a\x2b\x3c\x4d"}
FIXED = {SECTION: 16, INTERFACE: 8, OLD_PACKET: 20, STATISTICS: 12, ENHANCED: 20}
LINK_TYPES = (0, 1, 9, 101, 105, 113, 127, 276, 147, 192, 0xFFFF)
ODD = (0, 1, 3, 4, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


class Blocks(list[tuple[int, bytes]]):
    """The blocks of a pcapng file as (type, body), in one byte order."""

    def __init__(self, blocks: list[tuple[int, bytes]], order: str) -> None:
        super().__init__(blocks)
        self.order = order

    @classmethod
    def parse(cls, octets: bytes) -> Blocks | None:
        """The whole blocks that a file begins with; None if it is no pcapng file."""
        order = next((o for o, magic in MAGIC.items() if octets[8:12] == magic), None)
        if order is None or octets[:4] != b"\x0a\x0d\x0d\x0a":
            return None
        blocks, at = cls([], order), 0
        while at + 12 <= len(octets):
            kind, length = struct.unpack_from(order + "II", octets, at)
            if length < 12 or at + length > len(octets):
                break
            blocks.append((kind, octets[at + 8 : at + length - 4]))
            at += (length + 3) & ~3
        return blocks

    def octets(self) -> bytes:
        """The file, with lengths that are true."""
        return b"".join(self._block(kind, body) for kind, body in self)

    def _block(self, kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        length = struct.pack(self.order + "I", 12 + len(body))
        return struct.pack(self.order + "I", kind) + length + body + length


def mutated_capture(octets: bytes, most: int, mutate: Mutate, chance: random.Random) -> bytes:
    """Another capture file; half of the pcapng ones keep their frame of blocks."""
    blocks = Blocks.parse(octets)
    if not blocks or chance.random() < 0.4:
        return mutate(octets, most)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        chance.choice(BLOCK_CHANGES)(blocks, mutate, chance)
    return blocks.octets()[:most]


def mutated_packets(octets: bytes, most: int, mutate: Mutate, chance: random.Random) -> bytes:
    """Another packet list; most keep their frame of packets."""
    packets = PacketList.parse(octets)
    if not packets or chance.random() < 0.1:
        return mutate(octets, most)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        chance.choice(PACKET_CHANGES)(packets, mutate, chance)
    return packets.octets()[:most]


def _change_body(blocks: Blocks, mutate: Mutate, chance: random.Random) -> None:
    at = chance.randrange(len(blocks))
    kind, body = blocks[at]
    blocks[at] = kind, mutate(body, len(body) + 64)


def _change_number(blocks: Blocks, mutate: Mutate, chance: random.Random) -> None:
    """An odd number in one of the 16-bit or 32-bit fields of a block."""
    at = chance.randrange(len(blocks))
    kind, body = blocks[at]
    size, form = chance.choice(((2, "H"), (4, "I")))
    place = chance.randrange(0, max(1, min(len(body), 64)), size)
    number = struct.pack(blocks.order + form, chance.choice(ODD) & ((1 << 8 * size) - 1))
    blocks[at] = kind, body[:place] + number + body[place + size :]


def _change_options(blocks: Blocks, mutate: Mutate, chance: random.Random) -> None:
    """An option more at the end of a block's fixed fields, its length true or a lie."""
    at = chance.randrange(len(blocks))
    kind, body = blocks[at]
    fixed = FIXED.get(kind, 0)
    if kind == ENHANCED and len(body) >= fixed:
        (captured,) = struct.unpack_from(blocks.order + "I", body, 12)
        fixed += (captured + 3) & ~3
    value = chance.randbytes(chance.choice((0, 1, 2, 4, 8, 8, 9, 40)))
    length = len(value) if chance.random() < 0.8 else chance.choice(ODD) & 0xFFFF
    option = struct.pack(blocks.order + "HH", chance.randrange(16), length)
    option += value + bytes(-len(value) % 4)
    blocks[at] = kind, body[:fixed] + option + body[fixed:]


def _change_kind(blocks: Blocks, mutate: Mutate, chance: random.Random) -> None:
    at = chance.randrange(len(blocks))
    blocks[at] = chance.choice(KINDS), blocks[at][1]


def _shuffle(blocks: Blocks, mutate: Mutate, chance: random.Random) -> None:
    chance.shuffle(blocks)


def _repeat(blocks: Blocks, mutate: Mutate, chance: random.Random) -> None:
    """A stretch of blocks once more, elsewhere: sections and interfaces anew."""
    start = chance.randrange(len(blocks))
    stretch = blocks[start : start + chance.randrange(1, 8)]
    at = chance.randrange(len(blocks) + 1)
    blocks[at:at] = stretch


def _drop(blocks: Blocks, mutate: Mutate, chance: random.Random) -> None:
    if len(blocks) > 1:
        del blocks[chance.randrange(len(blocks))]


def _swap_order(blocks: Blocks, mutate: Mutate, chance: random.Random) -> None:
    """The frame in the other byte order, what the bodies say as it was."""
    blocks.order = "<" if blocks.order == ">" else ">"
    blocks[:] = [
        (kind, MAGIC[blocks.order] + body[4:] if kind == SECTION else body) for kind, body in blocks
    ]


def _describe(blocks: Blocks, mutate: Mutate, chance: random.Random) -> None:
    """An interface of any link type, snap length and clock."""
    link_type, snap = chance.choice(LINK_TYPES), chance.choice(ODD)
    body = struct.pack(blocks.order + "HHI", link_type, 0, snap)
    body += struct.pack(blocks.order + "HHBxxx", 9, 1, chance.randrange(256))
    body += struct.pack(blocks.order + "HHq", 14, 8, chance.choice(ODD) - (1 << 31))
    blocks.insert(chance.randrange(len(blocks) + 1), (INTERFACE, body))


BLOCK_CHANGES: tuple[Callable[[Blocks, Mutate, random.Random], None], ...] = (
    _change_body,
    _change_body,
    _change_number,
    _change_number,
    _change_options,
    _change_kind,
    _shuffle,
    _repeat,
    _drop,
    _swap_order,
    _describe,
)


def _change_packet(packets: PacketList, mutate: Mutate, chance: random.Random) -> None:
    at = chance.randrange(len(packets))
    packet = packets[at]
    octets = mutate(packet.octets, min(len(packet.octets) + 32, 0xFFFF))
    packets[at] = packet._replace(octets=octets)


def _change_octet(packets: PacketList, mutate: Mutate, chance: random.Random) -> None:
    """One octet of a packet, in its first hundred more often than not."""
    at = chance.randrange(len(packets))
    octets = bytearray(packets[at].octets)
    if octets:
        place = min(int(chance.expovariate(1 / 50)), len(octets) - 1)
        octets[place] = chance.choice((0, 1, 4, 5, 6, 0x45, 0x60, 0xFF, chance.randrange(256)))
        packets[at] = packets[at]._replace(octets=bytes(octets))


def _cut_packet(packets: PacketList, mutate: Mutate, chance: random.Random) -> None:
    at = chance.randrange(len(packets))
    kept = chance.randrange(len(packets[at].octets) + 1)
    cut = len(packets[at].octets) - kept
    missing = chance.choice((0, cut, chance.randrange(0x10000)))
    packets[at] = packets[at]._replace(octets=packets[at].octets[:kept], missing=missing)


def _nest(packets: PacketList, mutate: Mutate, chance: random.Random) -> None:
    """The head of one packet before another."""
    outer, inner = chance.choice(packets), chance.choice(packets)
    head = outer.octets[: chance.randrange(len(outer.octets) + 1)]
    octets = (head + inner.octets[chance.choice((0, 0, 14)) :])[:0xFFFF]
    packets[chance.randrange(len(packets))] = outer._replace(octets=octets)


def _fragment(packets: PacketList, mutate: Mutate, chance: random.Random) -> None:
    """Two IPv4 fragments of one datagram out of a packet, perhaps with an overlap."""
    at = chance.randrange(len(packets))
    packet = packets[at]
    start = packet.octets.find(b"\x45")
    if start < 0 or len(packet.octets) < start + 36:
        return
    header, payload = packet.octets[start : start + 20], packet.octets[start + 20 :]
    middle = chance.randrange(8, len(payload), 8)
    again = chance.choice((0, 0, 8))
    pieces = ((0, payload[:middle], 0x2000), (middle - again, payload[middle - again :], 0))
    packets[at : at + 1] = [
        packet._replace(octets=packet.octets[:start] + _cut_header(header, *piece))
        for piece in chance.sample(pieces, 2)
    ]


def _cut_header(header: bytes, offset: int, payload: bytes, more: int) -> bytes:
    total, field = (20 + len(payload)) & 0xFFFF, more | offset // 8
    return (
        header[:2]
        + struct.pack(">H", total)
        + header[4:6]
        + struct.pack(">H", field)
        + (header[8:] + payload)
    )


def _change_link_type(packets: PacketList, mutate: Mutate, chance: random.Random) -> None:
    at = chance.randrange(len(packets))
    link_type = chance.choice((*LINK_TYPES, chance.randrange(300)))
    packets[at] = packets[at]._replace(link_type=link_type)


def _repeat_packet(packets: PacketList, mutate: Mutate, chance: random.Random) -> None:
    packet = chance.choice(packets)
    later = chance.choice((0, 1, 1000, 0xFFFF))
    packets.insert(chance.randrange(len(packets) + 1), packet._replace(later=later))


def _drop_packet(packets: PacketList, mutate: Mutate, chance: random.Random) -> None:
    if len(packets) > 1:
        del packets[chance.randrange(len(packets))]


PACKET_CHANGES: tuple[Callable[[PacketList, Mutate, random.Random], None], ...] = (
    _change_packet,
    _change_packet,
    _change_packet,
    _change_octet,
    _change_octet,
    _change_octet,
    _cut_packet,
    _nest,
    _fragment,
    _change_link_type,
    _repeat_packet,
    _drop_packet,
)

__all__ = ["Blocks", "Packet", "mutated_capture", "mutated_packets"]
