# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Packing`: the evidence of a connection that is quiet, in a tenth of the room.

A row is a mask of the columns that differ from a row before it, then those differences as varints
(7 bits an octet, the lowest first; signed ones folded: 0, -1, 1, -2 as 0, 1, 2, 3). Time and
number are held against the row before, all else against the sender's last row, `seq` against its
end and `ack` against the end of the peer's last row.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.tcp import flags
from tcptrace.tracker.slots import Evidence

# What is known when a segment passes: the columns copied, and `copy`.
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
KEPT = cython.declare(cython.Py_ssize_t, len(Evidence.COPIED) + 1)
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
SEQ = cython.declare(cython.Py_ssize_t, Evidence.index("seq"))
ACK = cython.declare(cython.Py_ssize_t, Evidence.index("ack"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Evidence.index("payload"))
CONSECUTIVE = cython.declare(cython.Py_ssize_t, 1 + Evidence.index("packet"))  # time and number
ROW_MOST = cython.declare(cython.Py_ssize_t, 10 * (len(Evidence.COPIED) + 2))
SYN_FIN = cython.declare(cython.longlong, flags.SYN | flags.FIN)
MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)
MASK64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
HALF = cython.declare(cython.ulonglong, 1 << 63)


@cython.cfunc
@cython.exceptval(check=False)
def _folded(left: cython.longlong, right: cython.longlong) -> cython.ulonglong:
    """left - right modulo 2 ** 64, small where the two are near to each other."""
    far: cython.ulonglong = (left & MASK64) - (right & MASK64) & MASK64
    return (far << 1 & MASK64) ^ (MASK64 if far & HALF else 0)


@cython.cfunc
@cython.exceptval(check=False)
def _unfolded(folded: cython.ulonglong, right: cython.longlong) -> cython.longlong:
    """The number whose difference to `right` was folded."""
    far: cython.ulonglong = (folded >> 1) ^ (MASK64 if folded & 1 else 0)
    number: cython.ulonglong = (right & MASK64) + far & MASK64
    return -1 - cython.cast(cython.longlong, number ^ MASK64) if number & HALF else number


@cython.final
@cython.cclass
class Packing:
    """Packs rows of the log's pool and unpacks them; what it works in is kept from call to call."""

    octets: cython.uchar[::1]
    packed: cython.const[cython.uchar][::1]
    at: cython.Py_ssize_t
    last: cython.Py_ssize_t
    own: cython.Py_ssize_t
    peer: cython.Py_ssize_t
    before_0: cython.Py_ssize_t
    before_1: cython.Py_ssize_t

    def __init__(self) -> None:
        self.octets = memoryview(np.zeros(64 * ROW_MOST, np.uint8))
        self.at = self.last = self.own = self.peer = self.before_0 = self.before_1 = 0

    def pack(self, rows: cython.longlong[::1], count: cython.Py_ssize_t) -> bytes:
        """The first `count` rows of `Evidence`, as far as it is known when a segment passes."""
        if len(self.octets) < count * ROW_MOST:
            self.octets = memoryview(np.zeros(2 * count * ROW_MOST, np.uint8))
        self._begin()
        row: cython.Py_ssize_t
        for row in range(count):
            self._pack_row(rows, row * WIDTH)
        return bytes(self.octets[: self.at])

    def unpack(
        self,
        packed: bytes,
        count: cython.Py_ssize_t,
        out: cython.longlong[::1],
        at: cython.Py_ssize_t,
    ) -> None:
        """`count` rows of `Evidence` from cell `at` on; what is worked out later becomes 0."""
        self.packed = packed
        self._begin()
        row: cython.Py_ssize_t
        for row in range(count):
            self._unpack_row(out, at + row * WIDTH)

    @cython.cfunc
    @cython.exceptval(-1)
    def _begin(self) -> cython.int:
        self.at = 0
        self.last = self.before_0 = self.before_1 = -1
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def _turn(self, side: cython.longlong) -> cython.int:
        """Hold the next row, the side's, against what came before it."""
        self.own = self.before_1 if side else self.before_0
        self.peer = self.before_0 if side else self.before_1
        if self.own < 0:
            self.own = self.last
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def _pass(self, k: cython.Py_ssize_t, side: cython.longlong) -> cython.int:
        """The row is one that later ones are held against."""
        self.last = k
        if side:
            self.before_1 = k
        else:
            self.before_0 = k
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _held(self, rows: cython.longlong[::1], cell: cython.Py_ssize_t) -> cython.longlong:
        """What a cell is held against: 0 in the first row."""
        if self.last < 0:
            return 0
        if cell < CONSECUTIVE:
            return rows[self.last + cell]
        if cell == SEQ:
            return self._end(rows, self.own)
        if cell == ACK and self.peer >= 0:
            return self._end(rows, self.peer)
        return rows[self.own + cell]

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _end(self, rows: cython.longlong[::1], row: cython.Py_ssize_t) -> cython.longlong:
        """The number after a row's last octet."""
        number: cython.longlong = (rows[row + SEQ] & MASK32) + (rows[row + PAYLOAD] & MASK32)
        return number + ((rows[row + FLAGS] & SYN_FIN) != 0) & MASK32

    @cython.cfunc
    @cython.exceptval(-1)
    def _pack_row(self, rows: cython.longlong[::1], k: cython.Py_ssize_t) -> cython.int:
        side: cython.longlong = rows[k + SENDER]
        self._turn(side)
        mask: cython.ulonglong = side
        cell: cython.Py_ssize_t
        for cell in range(KEPT):
            if cell != SENDER and rows[k + cell] != self._held(rows, cell):
                mask |= 2 << cell
        self._put(mask)
        for cell in range(KEPT):
            if mask & 2 << cell:
                self._put(_folded(rows[k + cell], self._held(rows, cell)))
        return self._pass(k, side)

    @cython.cfunc
    @cython.exceptval(-1)
    def _unpack_row(self, rows: cython.longlong[::1], k: cython.Py_ssize_t) -> cython.int:
        mask: cython.ulonglong = self._take()
        side: cython.longlong = mask & 1
        self._turn(side)
        cell: cython.Py_ssize_t
        for cell in range(KEPT):
            rows[k + cell] = self._held(rows, cell)
            if mask & 2 << cell:
                rows[k + cell] = _unfolded(self._take(), rows[k + cell])
        rows[k + SENDER] = side
        for cell in range(KEPT, WIDTH):
            rows[k + cell] = 0
        return self._pass(k, side)

    @cython.cfunc
    @cython.exceptval(-1)
    def _put(self, number: cython.ulonglong) -> cython.int:
        """Write a varint."""
        while number >= 0x80:
            self.octets[self.at] = number & 0x7F | 0x80
            number >>= 7
            self.at += 1
        self.octets[self.at] = number
        self.at += 1
        return 0

    @cython.cfunc
    @cython.exceptval(0, check=True)
    def _take(self) -> cython.ulonglong:
        """Read a varint."""
        number: cython.ulonglong = 0
        shift: cython.int = 0
        octet: cython.ulonglong = 0x80
        while octet & 0x80:
            octet = self.packed[self.at]
            number |= (octet & 0x7F) << shift
            shift += 7
            self.at += 1
        return number
