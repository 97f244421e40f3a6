# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Walks the blocks of a pcapng section over a stretch of bytes into `Packets` rows. ⚙

Packet blocks of all three kinds become rows; a section header, an interface description and
interface statistics stop the walk, for its caller to take them; other kinds are passed over.
Layouts and numbers: draft-ietf-opsawg-pcapng sections 4 and 11.1.
"""

from __future__ import annotations

import cython

from tcptrace.sources import walking
from tcptrace.sources.packets import Packets

WIDTH = cython.declare(cython.Py_ssize_t, Packets.width())
TIME = cython.declare(cython.Py_ssize_t, Packets.index("time"))
OFFSET = cython.declare(cython.Py_ssize_t, Packets.index("offset"))
CAPTURED = cython.declare(cython.Py_ssize_t, Packets.index("captured"))
LENGTH = cython.declare(cython.Py_ssize_t, Packets.index("length"))
LINK_TYPE = cython.declare(cython.Py_ssize_t, Packets.index("link_type"))
INTERFACE = cython.declare(cython.Py_ssize_t, Packets.index("interface"))
NUMBER = cython.declare(cython.Py_ssize_t, Packets.index("number"))
FILE = cython.declare(cython.Py_ssize_t, Packets.index("file"))

_MORE = cython.declare(cython.int, walking.MORE)
_FULL = cython.declare(cython.int, walking.FULL)
_DAMAGED = cython.declare(cython.int, walking.DAMAGED)
_BLOCK = cython.declare(cython.int, walking.BLOCK)
_SKIP = cython.declare(cython.int, walking.SKIP)

SECTION_HEADER, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS = 0x0A0D0D0A, 1, 5
OBSOLETE_PACKET, SIMPLE_PACKET, ENHANCED_PACKET = 2, 3, 6
JOURNAL_ENTRY, SYSDIG_EVENT, SYSDIG_EVENT_2, SYSDIG_EVENT_2_LARGE = 9, 0x204, 0x216, 0x221
CUSTOM, CUSTOM_NOT_COPIED = 0xBAD, 0x40000BAD
_SHB = cython.declare(cython.longlong, SECTION_HEADER)
_IDB = cython.declare(cython.longlong, INTERFACE_DESCRIPTION)
_ISB = cython.declare(cython.longlong, INTERFACE_STATISTICS)
_OPB = cython.declare(cython.longlong, OBSOLETE_PACKET)
_SPB = cython.declare(cython.longlong, SIMPLE_PACKET)
_EPB = cython.declare(cython.longlong, ENHANCED_PACKET)
_JOURNAL = cython.declare(cython.longlong, JOURNAL_ENTRY)
_SYSDIG = cython.declare(cython.longlong, SYSDIG_EVENT)
_SYSDIG_2 = cython.declare(cython.longlong, SYSDIG_EVENT_2)
_SYSDIG_2_LARGE = cython.declare(cython.longlong, SYSDIG_EVENT_2_LARGE)
_CUSTOM = cython.declare(cython.longlong, CUSTOM)
_CUSTOM_NOT_COPIED = cython.declare(cython.longlong, CUSTOM_NOT_COPIED)

# The table of interfaces, row by row; a clock ticks base^exponent times a second, and `unit` is
# 10^|9 - exponent| for base 10, 0 where that is beyond 63 bits; `offset` is in seconds.
INTERFACE_COLUMNS = ("link_type", "index", "base", "exponent", "unit", "offset", "snap", "limit")
_COLUMNS = cython.declare(cython.Py_ssize_t, len(INTERFACE_COLUMNS))
_INDEX = cython.declare(cython.Py_ssize_t, INTERFACE_COLUMNS.index("index"))
_BASE = cython.declare(cython.Py_ssize_t, INTERFACE_COLUMNS.index("base"))
_EXPONENT = cython.declare(cython.Py_ssize_t, INTERFACE_COLUMNS.index("exponent"))
_UNIT = cython.declare(cython.Py_ssize_t, INTERFACE_COLUMNS.index("unit"))
_CLOCK_OFFSET = cython.declare(cython.Py_ssize_t, INTERFACE_COLUMNS.index("offset"))
_SNAP = cython.declare(cython.Py_ssize_t, INTERFACE_COLUMNS.index("snap"))
_LIMIT = cython.declare(cython.Py_ssize_t, INTERFACE_COLUMNS.index("limit"))

# More octets of options than this in a packet block are taken for damage.
OPTIONS_LIMIT = 1 << 20
_OPTIONS_LIMIT = cython.declare(cython.longlong, OPTIONS_LIMIT)
_LATEST = cython.declare(cython.longlong, walking.LATEST_TIME)
_LAST_SECOND = cython.declare(cython.longlong, walking.LATEST_TIME // 1_000_000_000 - 1)
_NANOSECONDS = cython.declare(cython.longlong, 1_000_000_000)
_LOW = cython.declare(cython.ulonglong, 0xFFFFFFFF)
_EMPTY = cython.declare(object, memoryview(bytearray(8)).cast("q")[:0])


@cython.cclass
class BlockWalk:
    """Where the walk over the blocks of one file stands, and the interfaces of its section.

    A simple packet block has no time: its packet gets `time`, that of the packet before it.
    """

    big_endian = cython.declare(cython.bint, visibility="public")
    file = cython.declare(cython.longlong, visibility="public")
    number = cython.declare(cython.longlong, visibility="public")
    position = cython.declare(cython.Py_ssize_t, visibility="public")
    length = cython.declare(cython.longlong, visibility="public")
    status = cython.declare(cython.int, visibility="public")
    invalid_times = cython.declare(cython.longlong, visibility="public")
    clamped_times = cython.declare(cython.longlong, visibility="public")
    untimed = cython.declare(cython.longlong, visibility="public")
    time = cython.declare(cython.longlong, visibility="public")
    wrong = cython.declare(object, visibility="public")
    _interfaces: cython.longlong[::1]
    _data: cython.const[cython.uchar][::1]
    _cells: cython.longlong[::1]

    def __init__(self, file: cython.longlong) -> None:
        self.big_endian = False
        self.file = file
        self.number = 0
        self.position = 0
        self.length = 0
        self.status = _MORE
        self.invalid_times = 0
        self.clamped_times = 0
        self.untimed = 0
        self.time = 0
        self.wrong = ""
        self._interfaces = _EMPTY

    def describe(self, interfaces: cython.longlong[::1]) -> None:
        """Use this table of the section's interfaces, columns as `INTERFACE_COLUMNS`."""
        self._interfaces = interfaces

    def walk(
        self,
        data: cython.const[cython.uchar][::1],
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        cells: cython.longlong[::1],
    ) -> cython.Py_ssize_t:
        """Rows written to `cells` from the blocks in `data[start:end]`; sets `status`."""
        row: cython.Py_ssize_t = 0
        rows: cython.Py_ssize_t = cells.shape[0] // WIDTH
        kind: cython.longlong
        whole: cython.longlong
        self._data = data
        self._cells = cells
        self.status = _MORE
        self.position = start
        while end - self.position >= 12:
            kind = self._u32(self.position)
            if kind in (_SHB, _IDB, _ISB):
                self.status = _BLOCK
                break
            self.length = self._u32(self.position + 4)
            if self.length < 12:
                self._damaged("a block length of 12 or more", self.length)
                break
            # Some writers give a length without the padding; Wireshark rounds it up too.
            whole = (self.length + 3) & ~3
            if kind in (_EPB, _OPB, _SPB):
                if row == rows:
                    self.status = _FULL
                    break
                if not self._packet(self.position, end, kind, row * WIDTH):
                    break
                row += 1
            else:
                self._number_other(kind)
                if end - self.position < whole:
                    self.status = _SKIP
                    self.length = whole
                    break
            self.position += whole
        return row

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def _number_other(self, kind: cython.longlong) -> cython.void:
        """Count a block that is no packet but that Wireshark gives a frame number."""
        if kind in (_JOURNAL, _CUSTOM, _CUSTOM_NOT_COPIED, _SYSDIG, _SYSDIG_2, _SYSDIG_2_LARGE):
            self.number += 1

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-1)
    def _packet(
        self,
        at: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        kind: cython.longlong,
        cell: cython.Py_ssize_t,
    ) -> cython.int:
        """1 if the packet of the block at `at` was written; 0 if it is not whole or damaged."""
        head: cython.Py_ssize_t = 12 if kind == _SPB else 28
        interface: cython.Py_ssize_t = 0
        captured: cython.longlong
        length: cython.longlong
        if end - at < head:
            return 0
        if kind == _EPB:
            interface = self._u32(at + 8)
        elif kind == _OPB:
            interface = self._u16(at + 8)
        interface *= _COLUMNS
        if interface >= self._interfaces.shape[0]:
            return self._damaged("an interface that was described", interface // _COLUMNS)
        length = self._u32(at + head - 4)
        if kind == _SPB:
            captured = _simple_captured(length, self.length - 16, self._interfaces[_SNAP])
        else:
            captured = self._u32(at + 20)
        if not self._is_sound(
            at, end, head + captured, head + self._interfaces[interface + _LIMIT]
        ):
            return 0
        if kind == _SPB:
            self.untimed += 1
        else:
            self.time = self._time(
                cython.cast(cython.ulonglong, self._u32(at + 12)) << 32
                | cython.cast(cython.ulonglong, self._u32(at + 16)),
                interface,
            )
        self.number += 1
        self._cells[cell + TIME] = self.time
        self._cells[cell + OFFSET] = at + head
        self._cells[cell + CAPTURED] = captured
        self._cells[cell + LENGTH] = length
        self._cells[cell + LINK_TYPE] = self._interfaces[interface]
        self._cells[cell + INTERFACE] = self._interfaces[interface + _INDEX]
        self._cells[cell + NUMBER] = self.number
        self._cells[cell + FILE] = self.file
        return 1

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-1)
    def _is_sound(
        self,
        at: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        used: cython.longlong,
        limit: cython.longlong,
    ) -> cython.int:
        """Whether the packet block at `at` is whole, and its lengths agree with one another.

        `used` octets of it are its header and its packet; more of them than `limit` is damage.
        """
        whole: cython.longlong = (self.length + 3) & ~3
        if used > limit:
            return self._damaged(f"at most {limit} octets of packet and header", used)
        if used + 4 > whole:
            return self._damaged(f"a block length of {used + 4} or more", self.length)
        if whole > used + _OPTIONS_LIMIT:
            return self._damaged(f"a block length for {used} octets", self.length)
        if end - at < whole:
            return 0
        if self._u32(at + whole - 4) != self.length:
            return self._damaged(
                f"block length {self.length} again at the block's end",
                self._u32(at + whole - 4),
            )
        return 1

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-1)
    def _time(self, ticks: cython.ulonglong, interface: cython.Py_ssize_t) -> cython.longlong:
        """ns since the epoch of a count of an interface's ticks (if_tsresol, if_tsoffset)."""
        exponent: cython.longlong = self._interfaces[interface + _EXPONENT]
        unit: cython.ulonglong = self._interfaces[interface + _UNIT]
        seconds: cython.ulonglong
        fraction: cython.ulonglong
        if self._interfaces[interface + _BASE] == 2:
            seconds = ticks >> exponent if exponent < 64 else 0
            fraction = _binary_fraction(ticks, exponent)
        elif exponent == 6:  # constants, for the common case, need no division
            seconds = ticks // 1_000_000
            fraction = (ticks - seconds * 1_000_000) * 1000
        elif exponent <= 9:
            seconds = ticks // (1_000_000_000 // unit)
            fraction = (ticks - seconds * (1_000_000_000 // unit)) * unit
        else:
            ticks = ticks // unit if unit else 0
            seconds = ticks // 1_000_000_000
            fraction = ticks - seconds * 1_000_000_000
        if seconds > cython.cast(cython.ulonglong, _LATEST):
            seconds = _LATEST
        return self._clamped(
            cython.cast(cython.longlong, seconds) + self._interfaces[interface + _CLOCK_OFFSET],
            fraction,
        )

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def _clamped(self, seconds: cython.longlong, fraction: cython.longlong) -> cython.longlong:
        if -_LAST_SECOND <= seconds <= _LAST_SECOND:
            return seconds * _NANOSECONDS + fraction
        self.clamped_times += 1
        return _LATEST if seconds > 0 else -_LATEST

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-1)
    def _u16(self, at: cython.Py_ssize_t) -> cython.longlong:
        if self.big_endian:
            return self._data[at] << 8 | self._data[at + 1]
        return self._data[at + 1] << 8 | self._data[at]

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-1)
    def _u32(self, at: cython.Py_ssize_t) -> cython.longlong:
        value: cython.uint
        if self.big_endian:
            value = cython.cast(cython.uint, self._data[at]) << 24 | self._data[at + 1] << 16
            return value | self._data[at + 2] << 8 | self._data[at + 3]
        value = cython.cast(cython.uint, self._data[at + 3]) << 24 | self._data[at + 2] << 16
        return value | self._data[at + 1] << 8 | self._data[at]

    @cython.cfunc
    @cython.exceptval(-1)
    def _damaged(self, expected: str, found: cython.longlong) -> cython.int:
        """Stop as DAMAGED; 0."""
        self.status = _DAMAGED
        self.wrong = f"{expected}, not {found}"
        return 0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _simple_captured(
    length: cython.longlong, room: cython.longlong, snap: cython.longlong
) -> cython.longlong:
    """Captured octets of a simple packet block, which does not say them (draft section 4.4)."""
    if snap and length > snap:
        length = snap
    room = max(room, 0)  # a block too short for its own header, which is found out next
    return length if length <= room else room


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _binary_fraction(ticks: cython.ulonglong, exponent: cython.longlong) -> cython.ulonglong:
    """ns in the fraction of a second of ticks of 2^-exponent seconds, by halves of 64 bits."""
    high: cython.ulonglong
    if exponent < 64:
        ticks = ticks & ((cython.cast(cython.ulonglong, 1) << exponent) - 1)
    if exponent <= 32:
        return (ticks * 1_000_000_000) >> exponent
    if exponent >= 96:
        return 0
    high = (ticks >> 32) * 1_000_000_000
    return (high + (((ticks & _LOW) * 1_000_000_000) >> 32)) >> (exponent - 32)
