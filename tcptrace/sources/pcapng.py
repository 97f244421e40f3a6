"""pcapng (draft-ietf-opsawg-pcapng): sections, interfaces, their clocks and counters.

Packet blocks are walked by `blocks.BlockWalk`; here are the blocks that describe them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from tcptrace.errors import CaptureError
from tcptrace.sources import blocks
from tcptrace.sources.facts import FileFacts, InterfaceFacts
from tcptrace.sources.packets import Packets
from tcptrace.sources.reading import longest_packet, read_records, stop_at_damage
from tcptrace.sources.window import Window

MAGIC = b"\x0a\x0d\x0d\x0a"

_BYTE_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_LONGEST_DESCRIPTION = 1 << 20
_LONGEST_TEXT = 256
_MOST_INTERFACES = 1 << 16
_FURTHEST_OFFSET = 1 << 61

# Options of an interface description (section 4.2) and of interface statistics (section 4.6)
# that are kept as facts → their field.
_TEXTS = {2: "name", 3: "description", 11: "filter", 12: "system"}
_COUNTERS = {4: "received", 5: "dropped", 7: "dropped_by_system"}
_RESOLUTION, _FCS_LENGTH, _OFFSET = 9, 13, 14
_FILTER = 11
_MICROSECONDS = b"\x06"


def read_pcapng(window: Window, facts: FileFacts, file: int) -> Iterator[Packets]:
    """Batches of the packets of a pcapng file whose first octet is the window's.

    CaptureError if the first section header is not whole or not of version 1.
    """
    facts.format = "pcapng"
    if not window.need(28):
        raise CaptureError(facts.path, "expected a section header of 28 bytes", len(window))
    walk = blocks.BlockWalk(file)
    sections = _Sections(window, walk, facts)
    yield from read_records(window, walk, facts, sections.take_block)


class _Sections:
    """The section being read and its interfaces; numbers of interfaces run over all sections."""

    def __init__(self, window: Window, walk: blocks.BlockWalk, facts: FileFacts) -> None:
        self._window = window
        self._walk = walk
        self._facts = facts
        self._order = "<"
        self._first = 0
        self._count = 0
        self._table = np.zeros((8, len(blocks.INTERFACE_COLUMNS)), np.int64)
        self._takers = {
            blocks.SECTION_HEADER: (28, self._begin_section),
            blocks.INTERFACE_DESCRIPTION: (20, self._add_interface),
            blocks.INTERFACE_STATISTICS: (24, self._count_interface),
        }

    def take_block(self) -> bool:
        """Take the block at the window's start; False if it is not whole, or damaged."""
        if not self._window.need(12):
            return False
        octets = self._window.peek(12)
        if octets[:4] == MAGIC:
            if octets[8:] not in _BYTE_ORDERS:
                return self._refuse("a byte-order magic")
            self._order = _BYTE_ORDERS[octets[8:]]
            self._walk.big_endian = self._order == ">"
        kind, length = struct.unpack_from(self._order + "II", octets)
        shortest, take = self._takers[kind]
        if not shortest <= length <= _LONGEST_DESCRIPTION:
            return self._refuse(f"a block length of {shortest} to {_LONGEST_DESCRIPTION}")
        whole = (length + 3) & ~3
        if not self._window.need(whole):
            return False
        block = self._window.peek(whole)
        if struct.unpack_from(self._order + "I", block, whole - 4)[0] != length:
            return self._refuse(f"block length {length} again at the block's end")
        if not take(block[8:-4]):
            return False
        return self._window.skip(whole)

    def _refuse(self, expected: str) -> bool:
        stop_at_damage(self._window, expected, self._facts)
        return False

    def _begin_section(self, body: bytes) -> bool:
        major, minor = struct.unpack_from(self._order + "HH", body, 4)
        if major != 1:
            return self._refuse(f"pcapng version 1, not {major}.{minor},")
        self._first = len(self._facts.interfaces)
        self._describe(0)
        return True

    def _add_interface(self, body: bytes) -> bool:
        index = len(self._facts.interfaces)
        if index == _MOST_INTERFACES:
            return self._refuse(f"at most {_MOST_INTERFACES} interfaces")
        link_type, _, snap = struct.unpack_from(self._order + "HHI", body)
        options = self._options(body[8:])
        base, exponent, unit = _clock(options.get(_RESOLUTION, _MICROSECONDS))
        offset = self._offset(options.get(_OFFSET, b""))
        limit = longest_packet(link_type, snap)
        if self._count == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        self._table[self._count] = (
            link_type, index, base, exponent, unit, offset, snap, limit,
        )  # fmt: skip
        self._describe(self._count + 1)
        self._facts.interfaces.append(_described(link_type, snap, options))
        return True

    def _describe(self, count: int) -> None:
        """Let the walk know the first `count` interfaces of the table."""
        self._count = count
        self._walk.describe(self._table[:count].reshape(-1).data)

    def _count_interface(self, body: bytes) -> bool:
        (interface,) = struct.unpack_from(self._order + "I", body)
        if interface >= self._count:
            return self._refuse("statistics of an interface that was described")
        facts = self._facts.interfaces[self._first + interface]
        for code, value in self._options(body[12:]).items():
            if code in _COUNTERS and len(value) == 8:
                setattr(facts, _COUNTERS[code], struct.unpack(self._order + "Q", value)[0])
        return True

    def _offset(self, value: bytes) -> int:
        if len(value) != 8:
            return 0
        seconds: int = struct.unpack(self._order + "q", value)[0]
        return max(-_FURTHEST_OFFSET, min(_FURTHEST_OFFSET, seconds))

    def _options(self, body: bytes) -> dict[int, bytes]:
        """Code → value of the options in `body` as far as they are well formed; the last counts."""
        options: dict[int, bytes] = {}
        at = 0
        while at + 4 <= len(body):
            code, length = struct.unpack_from(self._order + "HH", body, at)
            if code == 0 or at + 4 + length > len(body):
                break
            options[code] = body[at + 4 : at + 4 + length]
            at += 4 + ((length + 3) & ~3)
        return options


def _clock(resolution: bytes) -> tuple[int, int, int]:
    """Base, exponent and unit, as `blocks.BlockWalk` wants them, of an if_tsresol."""
    octet = (resolution or _MICROSECONDS)[0]
    exponent = octet & 0x7F
    if octet & 0x80:
        return 2, exponent, 0
    unit = 10 ** abs(9 - exponent)
    return 10, exponent, unit if unit < 1 << 63 else 0


def _described(link_type: int, snap: int, options: dict[int, bytes]) -> InterfaceFacts:
    facts = InterfaceFacts(link_type, snap)
    for code, name in _TEXTS.items():
        value = options.get(code)
        if value is not None:
            # A filter begins with an octet that tells its kind: 0 is text (section 4.2).
            if code == _FILTER:
                value = value[1:] if value[:1] == b"\0" else b""
            text = value[:_LONGEST_TEXT].decode("utf-8", "replace").rstrip("\0")
            setattr(facts, name, text or None)
    if options.get(_FCS_LENGTH):
        facts.fcs_bits = options[_FCS_LENGTH][0]
    return facts
