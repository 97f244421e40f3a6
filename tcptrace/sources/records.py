# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Walks the records of pcap and snoop over a stretch of bytes into `Packets` rows. ⚙

A walk stops where the bytes end, the rows are full, or something is damaged; with more bytes
it goes on from `position`. Layouts: libpcap's sf-pcap.c, RFC 1761.
"""

from __future__ import annotations

import cython

from tcptrace.sources import walking
from tcptrace.sources.packets import Packets

if not cython.compiled:
    from tcptrace.octet_order import big_32, little_32

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

# Order of a pcap record's two lengths: as now, as before version 2.3, or told by their sizes.
CAPTURED_FIRST, LENGTH_FIRST, SMALLER_IS_CAPTURED = range(3)
_LENGTH_FIRST = cython.declare(cython.int, LENGTH_FIRST)
_SMALLER = cython.declare(cython.int, SMALLER_IS_CAPTURED)

SNOOP_HEADER = 24
_SNOOP_HEADER = cython.declare(cython.Py_ssize_t, SNOOP_HEADER)
_SECOND = cython.declare(cython.longlong, 1_000_000_000)


@cython.cclass
class RecordWalk:
    """How records of one file are laid out, and where the walk over them stands.

    `unit` is ns in a unit of the fraction of a second, `header` the octets of a record header,
    `padding` those before each packet, `limit` the greatest captured length believed.
    """

    snoop = cython.declare(cython.bint, visibility="public")
    big_endian = cython.declare(cython.bint, visibility="public")
    header = cython.declare(cython.Py_ssize_t, visibility="public")
    unit = cython.declare(cython.longlong, visibility="public")
    lengths = cython.declare(cython.int, visibility="public")
    padding = cython.declare(cython.Py_ssize_t, visibility="public")
    link_type = cython.declare(cython.longlong, visibility="public")
    limit = cython.declare(cython.longlong, visibility="public")
    file = cython.declare(cython.longlong, visibility="public")
    number = cython.declare(cython.longlong, visibility="public")
    position = cython.declare(cython.Py_ssize_t, visibility="public")
    length = cython.declare(cython.longlong, visibility="public")
    status = cython.declare(cython.int, visibility="public")
    invalid_times = cython.declare(cython.longlong, visibility="public")
    clamped_times = cython.declare(cython.longlong, visibility="public")
    untimed = cython.declare(cython.longlong, visibility="public")
    wrong = cython.declare(object, visibility="public")

    def __init__(
        self, file: cython.longlong, link_type: cython.longlong, limit: cython.longlong
    ) -> None:
        self.snoop = False
        self.big_endian = False
        self.header = 16
        self.unit = 1000
        self.lengths = CAPTURED_FIRST
        self.padding = 0
        self.link_type = link_type
        self.limit = limit
        self.file = file
        self.number = 0
        self.position = 0
        self.length = 0
        self.status = _MORE
        self.invalid_times = 0
        self.clamped_times = 0
        self.untimed = 0
        self.wrong = ""

    def walk(
        self,
        data: cython.const[cython.uchar][::1],
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        cells: cython.longlong[::1],
    ) -> cython.Py_ssize_t:
        """Rows written to `cells` from the records in `data[start:end]`; sets `status`."""
        if start < 0 or end > data.shape[0]:
            raise IndexError(f"octets {start} to {end} of {data.shape[0]}")
        self.status = _MORE
        self.position = start
        if self.snoop:
            return self._snoop_records(data, end, cells)
        return self._pcap_records(data, end, cells)

    @cython.cfunc
    @cython.exceptval(-1)
    def _pcap_records(
        self,
        data: cython.const[cython.uchar][::1],
        end: cython.Py_ssize_t,
        cells: cython.longlong[::1],
    ) -> cython.Py_ssize_t:
        """As many records as there are; what it walks by is kept beside the loop."""
        at: cython.Py_ssize_t = self.position
        header: cython.Py_ssize_t = self.header
        cell: cython.Py_ssize_t = 0
        full: cython.Py_ssize_t = cells.shape[0] // WIDTH * WIDTH
        captured: cython.longlong
        length: cython.longlong
        while end - at >= header:
            if cell == full:
                self.status = _FULL
                break
            captured = _u32(data, at + 8, self.big_endian)
            length = _u32(data, at + 12, self.big_endian)
            if self.lengths == _LENGTH_FIRST or (self.lengths == _SMALLER and captured > length):
                captured, length = length, captured
            if captured > self.limit or captured < self.padding:
                self._damaged_length(captured)
                break
            if end - at - header < captured:
                break
            cells[cell + TIME] = self._time(
                _u32(data, at, self.big_endian), _u32(data, at + 4, self.big_endian)
            )
            self._put(cells, cell, at + header, captured, length)
            at += header + captured
            cell += WIDTH
        self.position = at
        return cell // WIDTH

    @cython.cfunc
    @cython.exceptval(-1)
    def _snoop_records(
        self,
        data: cython.const[cython.uchar][::1],
        end: cython.Py_ssize_t,
        cells: cython.longlong[::1],
    ) -> cython.Py_ssize_t:
        """As many records as there are."""
        row: cython.Py_ssize_t = 0
        rows: cython.Py_ssize_t = cells.shape[0] // WIDTH
        used: cython.longlong
        while end - self.position >= self.header:
            if row == rows:
                self.status = _FULL
                break
            used = self._snoop_record(data, self.position, end, cells, row * WIDTH)
            if used == 0:
                break
            self.position += used
            row += 1
        return row

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-1)
    def _snoop_record(
        self,
        data: cython.const[cython.uchar][::1],
        at: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        cells: cython.longlong[::1],
        cell: cython.Py_ssize_t,
    ) -> cython.longlong:
        """Octets of the record at `at` (RFC 1761 section 4); 0 if it is not whole or damaged."""
        captured: cython.longlong = _u32(data, at + 4, True)
        whole: cython.longlong = _u32(data, at + 8, True)
        if captured > self.limit:
            return self._damaged(f"a captured length up to {self.limit}", captured)
        if whole < captured + _SNOOP_HEADER or whole > 2 * self.limit:
            return self._damaged(f"a record length for {captured} octets", whole)
        if end - at < whole:
            return 0
        self._put(cells, cell, at + _SNOOP_HEADER, captured, _u32(data, at, True))
        cells[cell + TIME] = self._time(_u32(data, at + 16, True), _u32(data, at + 20, True))
        return whole

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-1)
    def _put(
        self,
        cells: cython.longlong[::1],
        cell: cython.Py_ssize_t,
        at: cython.Py_ssize_t,
        captured: cython.longlong,
        length: cython.longlong,
    ) -> cython.int:
        """Everything of a packet's row but its time."""
        self.number += 1
        cells[cell + OFFSET] = at + self.padding
        cells[cell + CAPTURED] = captured - self.padding
        cells[cell + LENGTH] = length - self.padding if length > self.padding else 0
        cells[cell + LINK_TYPE] = self.link_type
        cells[cell + INTERFACE] = 0
        cells[cell + NUMBER] = self.number
        cells[cell + FILE] = self.file
        return 0

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def _time(self, seconds: cython.longlong, fraction: cython.longlong) -> cython.longlong:
        """ns since the epoch; a fraction of a second or more is added as it is, and counted."""
        fraction *= self.unit
        if fraction >= _SECOND:
            self.invalid_times += 1
        return seconds * _SECOND + fraction

    @cython.cfunc
    @cython.exceptval(-1)
    def _damaged_length(self, captured: cython.longlong) -> cython.longlong:
        """Stop as DAMAGED by a captured length in pcap; 0."""
        if captured > self.limit:
            return self._damaged(f"a captured length up to {self.limit}", captured)
        return self._damaged(f"a captured length of {self.padding} or more", captured)

    @cython.cfunc
    @cython.exceptval(-1)
    def _damaged(self, expected: str, found: cython.longlong) -> cython.longlong:
        """Stop as DAMAGED; 0."""
        self.status = _DAMAGED
        self.wrong = f"{expected}, not {found}"
        return 0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.boundscheck(False)
def _u32(
    data: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, big_endian: cython.bint
) -> cython.longlong:
    """Four octets of a record's header, all of which were found to be there."""
    if cython.compiled:
        if big_endian:
            return big_32(cython.address(data[at]))
        return little_32(cython.address(data[at]))
    octets = data[at : at + 4]
    return big_32(octets) if big_endian else little_32(octets)
