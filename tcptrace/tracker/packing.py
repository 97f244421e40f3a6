# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Packing` ⚙: the evidence of a connection that is quiet, in a third of the room.

A row is a mask of the numbers that are not as foretold, time and number since the row before, the
checksum, and of those in the mask how far they are from it; then the rest of an odd row likewise.
All are varints (7 bits an octet, the lowest first; signed ones folded: 0, -1, 1, -2 as 0, 1, 2, 3)
but for the checksum, which nothing foretells. Foretold is what the sender's last row says, `seq`
by its end, `ack` by the end of the peer's last row and `tsecr` by what that one stamped.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.tcp import flags
from tcptrace.tracker.odds import Odds
from tcptrace.tracker.pages import Pages
from tcptrace.tracker.slots import Brief, Keeping, Odd

B_TIME = cython.declare(cython.Py_ssize_t, Brief.index("time_low"))
B_PACKET = cython.declare(cython.Py_ssize_t, Brief.index("packet"))
B_SEQ = cython.declare(cython.Py_ssize_t, Brief.index("seq"))
B_ACK = cython.declare(cython.Py_ssize_t, Brief.index("ack"))
B_TSVAL = cython.declare(cython.Py_ssize_t, Brief.index("tsval"))
B_TSECR = cython.declare(cython.Py_ssize_t, Brief.index("tsecr"))
B_SIZES = cython.declare(cython.Py_ssize_t, Brief.index("sizes"))
B_LABELS = cython.declare(cython.Py_ssize_t, Brief.index("labels"))
B_BITS = cython.declare(cython.Py_ssize_t, Brief.index("bits"))
SENDER_SHIFT = cython.declare(cython.int, Brief.shift("sender"))
ODD_SHIFT = cython.declare(cython.int, Brief.shift("odd"))

ODD = cython.declare(cython.Py_ssize_t, len(Odd.CELLS))
O_PATH_LOW = cython.declare(cython.Py_ssize_t, Odd.index("path_low"))
O_PATH_HIGH = cython.declare(cython.Py_ssize_t, Odd.index("path_high"))
O_PAYLOAD = cython.declare(cython.Py_ssize_t, Odd.index("payload"))
O_WINDOW = cython.declare(cython.Py_ssize_t, Odd.index("window"))
O_INTERFACE = cython.declare(cython.Py_ssize_t, Odd.index("interface"))
O_SACK_BLOCKS = cython.declare(cython.Py_ssize_t, Odd.index("sack_blocks"))
O_SACK = cython.declare(cython.Py_ssize_t, Odd.index("sack_1_left"))
SACK_EDGES = cython.declare(cython.Py_ssize_t, 4)

# What is foretold of a row, in the order of its bits in the mask; the lowest is the sender.
FORETOLD = cython.declare(cython.Py_ssize_t, 8)
cython.declare(PAYLOAD=cython.Py_ssize_t, BITS=cython.Py_ssize_t, WINDOW=cython.Py_ssize_t)
cython.declare(IP_ID=cython.Py_ssize_t, TSVAL=cython.Py_ssize_t, TSECR=cython.Py_ssize_t)
cython.declare(SEQ=cython.Py_ssize_t, ACK=cython.Py_ssize_t)
PAYLOAD, BITS, WINDOW, IP_ID, TSVAL, TSECR, SEQ, ACK = range(8)

IN_PAGE = cython.declare(cython.Py_ssize_t, Keeping.PAGE - 1)
SYN_FIN = cython.declare(cython.longlong, flags.SYN | flags.FIN)
UPPER = cython.declare(cython.longlong, 1 << 32)
MASK16 = cython.declare(cython.longlong, 0xFFFF)
MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)
MASK64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
HALF = cython.declare(cython.longlong, 0x80000000)
HALF64 = cython.declare(cython.ulonglong, 1 << 63)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _low(value: cython.longlong) -> cython.int:
    """The lower 32 bits, as a cell holds them."""
    return ((value + HALF) & MASK32) - HALF


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _folded(left: cython.longlong, right: cython.longlong) -> cython.ulonglong:
    """left - right of cells, modulo 2 ** 32, small where the two are near to each other."""
    far: cython.longlong = ((left - right + HALF) & MASK32) - HALF
    return 2 * far if far >= 0 else -2 * far - 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _unfolded(folded: cython.ulonglong) -> cython.longlong:
    """The difference that was folded."""
    half: cython.longlong = folded >> 1
    return -half - 1 if folded & 1 else half


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _folded_time(left: cython.longlong, right: cython.longlong) -> cython.ulonglong:
    """The same of times, modulo 2 ** 64."""
    far: cython.ulonglong = (left & MASK64) - (right & MASK64) & MASK64
    return (far << 1 & MASK64) ^ (MASK64 if far & HALF64 else 0)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _unfolded_time(folded: cython.ulonglong, right: cython.longlong) -> cython.longlong:
    """The time whose difference to `right` was folded."""
    far: cython.ulonglong = (folded >> 1) ^ (MASK64 if folded & 1 else 0)
    time: cython.ulonglong = (right & MASK64) + far & MASK64
    return -1 - cython.cast(cython.longlong, time ^ MASK64) if time & HALF64 else time


@cython.final
@cython.cclass
class Packing:
    """Packs the rows of one connection after the other, or unpacks them.

    at : place of the next octet
    foretold, row : of a row, in the order of the mask
    last : the last row of each side, likewise; zero before there is one
    brief, odds : room for a row that is unpacked to be laid out, and nowhere kept
    """

    pages: Pages
    at: cython.Py_ssize_t
    path: cython.longlong
    interface: cython.longlong
    time: cython.longlong
    packet: cython.longlong
    foretold: cython.longlong[::1]
    row: cython.longlong[::1]
    last: cython.longlong[::1]
    brief: cython.int[::1]
    odds: Odds

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.foretold = memoryview(np.zeros(FORETOLD, np.int64))
        self.row = memoryview(np.zeros(FORETOLD, np.int64))
        self.last = memoryview(np.zeros(2 * FORETOLD, np.int64))
        self.brief = memoryview(np.zeros(len(Brief.CELLS), np.int32))
        self.odds = Odds()

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def begin(
        self, at: cython.Py_ssize_t, path: cython.longlong, interface: cython.longlong
    ) -> cython.int:
        """Turn to a connection: its octets' place, path and interface of most of its rows."""
        cell: cython.Py_ssize_t
        self.at, self.path, self.interface = at, path, interface
        self.time = self.packet = 0
        for cell in range(2 * FORETOLD):
            self.last[cell] = 0
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def pack(self, rows: cython.int[::1], at: cython.Py_ssize_t, odds: Odds) -> cython.int:
        """Write down the row whose brief is `rows[at:]`; its odd row, if any, is among `odds`."""
        bits: cython.longlong = rows[at + B_BITS]
        side: cython.Py_ssize_t = bits >> SENDER_SHIFT & 1
        mask: cython.ulonglong = side
        cell: cython.Py_ssize_t
        self._foretell(side)
        self._look(rows, at, odds)
        for cell in range(FORETOLD):
            if self.row[cell] != self.foretold[cell]:
                mask |= 2 << cell
        self._put(mask)
        self._put_moment(rows, at)
        for cell in range(FORETOLD):
            if mask & 2 << cell:
                self._put(_folded(self.row[cell], self.foretold[cell]))
        self._pass(side)
        if bits >> ODD_SHIFT & 1:
            self._pack_odd(odds.cells, rows[at + B_SIZES] * ODD)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def unpack(self, rows: cython.int[::1], at: cython.Py_ssize_t, odds: Odds) -> cython.int:
        """Lay the next row into `rows[at:]`, and among `odds` what does not fit there."""
        mask: cython.ulonglong = self._take()
        side: cython.Py_ssize_t = mask & 1
        cell: cython.Py_ssize_t
        self._foretell(side)
        self._take_moment(rows, at)
        for cell in range(FORETOLD):
            self.row[cell] = self.foretold[cell]
            if mask & 2 << cell:
                self.row[cell] = (self.foretold[cell] + _unfolded(self._take())) & MASK32
        self._pass(side)
        self._lay(rows, at)
        if self.row[BITS] >> ODD_SHIFT & 1:
            rows[at + B_SIZES] = odds.take()
            self._unpack_odd(odds.cells, rows[at + B_SIZES] * ODD)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _foretell(self, side: cython.Py_ssize_t) -> cython.int:
        """What the next row of a side says if nothing happens."""
        own: cython.Py_ssize_t = side * FORETOLD
        peer: cython.Py_ssize_t = FORETOLD - own
        self.foretold[PAYLOAD] = self.last[own + PAYLOAD]
        self.foretold[BITS] = self.last[own + BITS] | side << SENDER_SHIFT
        self.foretold[WINDOW] = self.last[own + WINDOW]
        self.foretold[IP_ID] = self.last[own + IP_ID] + (self.last[own + IP_ID] != 0) & MASK16
        self.foretold[TSVAL] = self.last[own + TSVAL]
        self.foretold[TSECR] = self.last[peer + TSVAL]
        self.foretold[SEQ] = self._end(own)
        self.foretold[ACK] = self._end(peer)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _end(self, last: cython.Py_ssize_t) -> cython.longlong:
        """The number after the last octet of a side's last row."""
        end: cython.longlong = self.last[last + SEQ] + self.last[last + PAYLOAD]
        return end + ((self.last[last + BITS] & SYN_FIN) != 0) & MASK32

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _pass(self, side: cython.Py_ssize_t) -> cython.int:
        """The row is the side's last one from now on."""
        cell: cython.Py_ssize_t
        for cell in range(FORETOLD):
            self.last[side * FORETOLD + cell] = self.row[cell]
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _look(self, rows: cython.int[::1], at: cython.Py_ssize_t, odds: Odds) -> cython.int:
        """Have the numbers of a row side by side."""
        sizes: cython.longlong = rows[at + B_SIZES]
        self.row[BITS] = rows[at + B_BITS]
        self.row[IP_ID] = rows[at + B_LABELS] & MASK16
        self.row[TSVAL] = rows[at + B_TSVAL] & MASK32
        self.row[TSECR] = rows[at + B_TSECR] & MASK32
        self.row[SEQ] = rows[at + B_SEQ] & MASK32
        self.row[ACK] = rows[at + B_ACK] & MASK32
        self.row[PAYLOAD] = sizes & MASK16
        self.row[WINDOW] = sizes >> 16 & MASK16
        if self.row[BITS] >> ODD_SHIFT & 1:
            self.row[PAYLOAD] = odds.cells[sizes * ODD + O_PAYLOAD] & MASK32
            self.row[WINDOW] = odds.cells[sizes * ODD + O_WINDOW] & MASK32
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _lay(self, rows: cython.int[::1], at: cython.Py_ssize_t) -> cython.int:
        """Lay the numbers of a row where a brief has them, the checksum being there."""
        rows[at + B_BITS] = self.row[BITS]
        rows[at + B_LABELS] |= self.row[IP_ID]
        rows[at + B_TSVAL] = _low(self.row[TSVAL])
        rows[at + B_TSECR] = _low(self.row[TSECR])
        rows[at + B_SEQ] = _low(self.row[SEQ])
        rows[at + B_ACK] = _low(self.row[ACK])
        rows[at + B_SIZES] = _low(self.row[PAYLOAD] | self.row[WINDOW] << 16)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _put_moment(self, rows: cython.int[::1], at: cython.Py_ssize_t) -> cython.int:
        """Write down time and number since the row before, and the checksum."""
        upper: cython.longlong = rows[at + B_TIME + 1]
        time: cython.longlong = upper * UPPER + (rows[at + B_TIME] & MASK32)
        packet: cython.longlong = rows[at + B_PACKET] & MASK32
        field: cython.longlong = rows[at + B_LABELS] >> 16
        self._put(_folded_time(time, self.time))
        self._put(packet - self.packet & MASK32)
        self._put_octet(field & 0xFF)
        self._put_octet(field >> 8 & 0xFF)
        self.time, self.packet = time, packet
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _take_moment(self, rows: cython.int[::1], at: cython.Py_ssize_t) -> cython.int:
        """Lay time, number and checksum into a brief."""
        self.time = _unfolded_time(self._take(), self.time)
        self.packet = self.packet + self._take() & MASK32
        field: cython.longlong = self._take_octet()
        field |= self._take_octet() << 8
        rows[at + B_TIME] = _low(self.time)
        rows[at + B_TIME + 1] = self.time >> 32
        rows[at + B_PACKET] = _low(self.packet)
        rows[at + B_LABELS] = _low(field << 16)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _pack_odd(self, odd: cython.int[::1], at: cython.Py_ssize_t) -> cython.int:
        mask: cython.ulonglong = 0
        cell: cython.Py_ssize_t
        for cell in range(ODD):
            if odd[at + cell] != self._foretold_odd(odd, at, cell):
                mask |= 1 << cell
        self._put(mask)
        for cell in range(ODD):
            if mask & 1 << cell:
                self._put(_folded(odd[at + cell], self._foretold_odd(odd, at, cell)))
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _unpack_odd(self, odd: cython.int[::1], at: cython.Py_ssize_t) -> cython.int:
        mask: cython.ulonglong = self._take()
        cell: cython.Py_ssize_t
        for cell in range(ODD):
            odd[at + cell] = self._foretold_odd(odd, at, cell)
            if mask & 1 << cell:
                odd[at + cell] = _low(odd[at + cell] + _unfolded(self._take()))
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _foretold_odd(
        self, odd: cython.int[::1], at: cython.Py_ssize_t, cell: cython.Py_ssize_t
    ) -> cython.int:
        """A cell of an odd row if it is as in most; the cells before it are known."""
        if cell == O_PAYLOAD:
            return _low(self.row[PAYLOAD])
        if cell == O_WINDOW:
            return _low(self.row[WINDOW])
        if cell == O_PATH_LOW:
            return _low(self.path)
        if cell == O_PATH_HIGH:
            return self.path >> 32
        if cell == O_INTERFACE:
            return self.interface
        if O_SACK <= cell < O_SACK + 2 * min(odd[at + O_SACK_BLOCKS], SACK_EDGES // 2):
            return _low(self.row[ACK])
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _put(self, number: cython.ulonglong) -> cython.int:
        """Write a varint."""
        while number >= 0x80:
            self._put_octet(number & 0x7F | 0x80)
            number >>= 7
        return self._put_octet(number)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _put_octet(self, octet: cython.longlong) -> cython.int:
        if self.at & IN_PAGE == 0:
            self.at = self.pages.go_on(self.at)
        self.pages.octets[self.at] = octet
        self.at += 1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _take(self) -> cython.ulonglong:
        """Read a varint."""
        octet: cython.ulonglong = self._take_octet()
        number: cython.ulonglong = octet & 0x7F
        shift: cython.int = 0
        while octet & 0x80:
            shift += 7
            octet = self._take_octet()
            number |= (octet & 0x7F) << shift
        return number

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _take_octet(self) -> cython.longlong:
        if self.at & IN_PAGE == 0:
            self.at = self.pages.after(self.at)
        self.at += 1
        return self.pages.octets[self.at - 1]
