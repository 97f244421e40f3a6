"""Captures made byte by byte, and what reading them should give."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, NamedTuple

from tcptrace.sources.capture import Capture, open_capture
from tcptrace.sources.packets import Packets

ETHERNET = 1
SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND


class Told(NamedTuple):
    """A packet as a test tells it: time in ns, its octets, its length on the wire if longer."""

    time: int
    octets: bytes
    length: int = 0

    @property
    def wire(self) -> int:
        return self.length or len(self.octets)


SOME = [
    Told(T0, b"first packet", 60),
    Told(T0 + 1_000, b""),
    Told(T0 + 5 * SECOND + 2_000, bytes(range(200))),
    Told(T0 + 4 * SECOND, b"earlier than the one before"),
]


def pcap(
    packets: list[Told],
    *,
    order: str = "<",
    magic: int = 0xA1B2C3D4,
    version: tuple[int, int] = (2, 4),
    network: int = ETHERNET,
    snap: int = 262_144,
    unit: int = 1000,
    extra: bytes = b"",
    after: bytes = b"",
    before: bytes = b"",
    lengths_swapped: bool = False,
) -> bytes:
    """A pcap file; `extra` follows the file header, `after` each record's, `before` is padding."""
    file = struct.pack(order + "IHHiIII", magic, *version, 0, 0, snap, network) + extra
    for told in packets:
        seconds, fraction = divmod(told.time, SECOND)
        sizes = [len(told.octets) + len(before), told.wire + len(before)]
        if lengths_swapped:
            sizes.reverse()
        file += struct.pack(order + "4I", seconds, fraction // unit, *sizes)
        file += after + before + told.octets
    return file


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A pcapng block, padded, its length at both ends."""
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<", major: int = 1, length: int = -1) -> bytes:
    """A section header block."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, major, 0, length), order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """An option of a block, padded."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(
    link_type: int = ETHERNET, snap: int = 0, options: bytes = b"", order: str = "<"
) -> bytes:
    """An interface description block."""
    return block(1, struct.pack(order + "HHI", link_type, 0, snap) + options, order)


def enhanced(
    told: Told, *, index: int = 0, ticks: int | None = None, options: bytes = b"", order: str = "<"
) -> bytes:
    """An enhanced packet block; `ticks` are microseconds unless given."""
    ticks = told.time // 1000 if ticks is None else ticks
    head = struct.pack(
        order + "5I", index, ticks >> 32, ticks & 0xFFFFFFFF, len(told.octets), told.wire
    )
    return block(6, head + told.octets + bytes(-len(told.octets) % 4) + options, order)


def obsolete(told: Told, *, index: int = 0, drops: int = 0xFFFF, order: str = "<") -> bytes:
    """An obsolete packet block."""
    ticks = told.time // 1000
    fields = (index, drops, ticks >> 32, ticks & 0xFFFFFFFF, len(told.octets), told.wire)
    return block(2, struct.pack(order + "HHIIII", *fields) + told.octets, order)


def simple(told: Told, order: str = "<") -> bytes:
    """A simple packet block."""
    return block(3, struct.pack(order + "I", told.wire) + told.octets, order)


def pcapng(packets: list[Told], order: str = "<") -> bytes:
    """One section, one Ethernet interface, enhanced packet blocks."""
    blocks = [enhanced(told, order=order) for told in packets]
    return section(order) + interface(order=order) + b"".join(blocks)


def snoop(packets: list[Told], *, datalink: int = 4, version: int = 2, trailer: int = 0) -> bytes:
    """A snoop file; `trailer` octets of padding follow each packet."""
    file = b"snoop\0\0\0" + struct.pack(">II", version, datalink)
    for told in packets:
        seconds, fraction = divmod(told.time, SECOND)
        whole = 24 + len(told.octets) + trailer
        file += struct.pack(">6I", told.wire, len(told.octets), whole, 0, seconds, fraction // 1000)
        file += told.octets + bytes(trailer)
    return file


def written(folder: Path, octets: bytes, name: str = "file.pcap") -> str:
    """The path of a file with these octets."""
    path = folder / name
    path.write_bytes(octets)
    return str(path)


def read(source: Any) -> tuple[Packets, Capture]:
    """All packets of a source in one batch, and the capture with its facts."""
    capture = open_capture(source)
    return Packets.concat(list(capture)), capture


def as_told(packets: Packets) -> list[Told]:
    """The packets as a test tells them."""
    return [
        Told(int(packets.time[row]), packets.packet_bytes(row), int(packets.length[row]))
        for row in range(len(packets))
    ]


def expected(packets: list[Told]) -> list[Told]:
    """`packets` with their lengths spelt out, as `as_told` gives them."""
    return [Told(told.time, told.octets, told.wire) for told in packets]
