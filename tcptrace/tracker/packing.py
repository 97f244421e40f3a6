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

if not cython.compiled:
    from tcptrace.tcp.sequence import diff
    from tcptrace.tracker.memory import brief_of, low_32, row_of

    B_TIME = Brief.index("time_low")
    B_PACKET = Brief.index("packet")
    B_SEQ = Brief.index("seq")
    B_ACK = Brief.index("ack")
    B_TSVAL = Brief.index("tsval")
    B_TSECR = Brief.index("tsecr")
    B_SIZES = Brief.index("sizes")
    B_LABELS = Brief.index("labels")
    B_BITS = Brief.index("bits")
    BRIEF = len(Brief.CELLS)
    SENDER_SHIFT = Brief.shift("sender")
    ODD_SHIFT = Brief.shift("odd")

    ODD = len(Odd.CELLS)
    O_PATH_LOW = Odd.index("path_low")
    O_PATH_HIGH = Odd.index("path_high")
    O_PAYLOAD = Odd.index("payload")
    O_WINDOW = Odd.index("window")
    O_INTERFACE = Odd.index("interface")
    O_SACK_BLOCKS = Odd.index("sack_blocks")
    O_SACK = Odd.index("sack_1_left")
    SACK_EDGES = 4

    # What is foretold of a row, in the order of its bits in the mask; the lowest is the sender.
    PAYLOAD = 0
    BITS = 1
    WINDOW = 2
    IP_ID = 3
    TSVAL = 4
    TSECR = 5
    SEQ = 6
    ACK = 7
    FORETOLD = 8
    FORE = FORETOLD  # where the cells of what was foretold begin,
    LAST = 2 * FORETOLD  # and those of the sides' last rows
    CELLS = 4 * FORETOLD

    IN_PAGE = Keeping.PAGE - 1
    SYN_FIN = flags.SYN | flags.FIN
    MASK16 = 0xFFFF
    UPPER = 1 << 32
    MASK32 = 0xFFFFFFFF

MASK64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
HALF64 = cython.declare(cython.ulonglong, 1 << 63)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _folded(left: cython.longlong, right: cython.longlong) -> cython.ulonglong:
    """left - right of cells, modulo 2 ** 32, small where the two are near to each other."""
    far: cython.longlong = diff(left, right)
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


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _end(c: cython.p_longlong, last: cython.Py_ssize_t) -> cython.longlong:
    """The number after the last octet of a side's last row."""
    end: cython.longlong = c[last + SEQ] + c[last + PAYLOAD]
    return (end + ((c[last + BITS] & SYN_FIN) != 0)) & MASK32


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _foretell(c: cython.p_longlong, side: cython.Py_ssize_t) -> cython.void:
    """What the next row of a side says if nothing happens."""
    own: cython.Py_ssize_t = LAST + side * FORETOLD
    peer: cython.Py_ssize_t = 2 * LAST + FORETOLD - own
    ip_id: cython.longlong = c[own + IP_ID]
    c[FORE + PAYLOAD] = c[own + PAYLOAD]
    c[FORE + BITS] = c[own + BITS] | side << SENDER_SHIFT
    c[FORE + WINDOW] = c[own + WINDOW]
    c[FORE + IP_ID] = (ip_id + (ip_id != 0)) & MASK16
    c[FORE + TSVAL] = c[own + TSVAL]
    c[FORE + TSECR] = c[peer + TSVAL]
    c[FORE + SEQ] = _end(c, own)
    c[FORE + ACK] = _end(c, peer)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _lay(c: cython.p_longlong, b: cython.p_int) -> cython.void:
    """Lay the numbers of a row where a brief has them, the checksum being there."""
    b[B_BITS] = c[BITS]
    b[B_LABELS] |= c[IP_ID]
    b[B_TSVAL] = low_32(c[TSVAL])
    b[B_TSECR] = low_32(c[TSECR])
    b[B_SEQ] = low_32(c[SEQ])
    b[B_ACK] = low_32(c[ACK])
    b[B_SIZES] = low_32(c[PAYLOAD] | c[WINDOW] << 16)


@cython.final
@cython.cclass
class Packing:
    """Packs the rows of one connection after the other, or unpacks them.

    at : place of the next octet
    cells : in the order of the mask a row, what was foretold of it, and the last row of each
        side; zero before there is one
    brief, odds : room for a row that is unpacked to be laid out, and nowhere kept
    """

    pages: Pages
    at: cython.Py_ssize_t
    path: cython.longlong
    interface: cython.longlong
    time: cython.longlong
    packet: cython.longlong
    cells: cython.longlong[::1]
    brief: cython.int[::1]
    odds: Odds

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.cells = memoryview(np.zeros(CELLS, np.int64))
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
        for cell in range(LAST, CELLS):
            self.cells[cell] = 0
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def pack(self, rows: cython.int[::1], at: cython.Py_ssize_t, odds: Odds) -> cython.int:
        """Write down the row whose brief is `rows[at:]`; its odd row, if any, is among `odds`."""
        b: cython.p_int = brief_of(rows, at, BRIEF)
        c: cython.p_longlong = row_of(self.cells, 0, CELLS)
        side: cython.Py_ssize_t = b[B_BITS] >> SENDER_SHIFT & 1
        mask: cython.ulonglong = side
        cell: cython.Py_ssize_t
        _foretell(c, side)
        self._look(c, b, odds)
        for cell in range(FORETOLD):
            mask |= cython.cast(cython.ulonglong, c[cell] != c[FORE + cell]) << (cell + 1)
            c[LAST + side * FORETOLD + cell] = c[cell]
        self._put(mask)
        self._put_moment(b)
        for cell in range(FORETOLD):
            if mask >> (cell + 1) & 1:
                self._put(_folded(c[cell], c[FORE + cell]))
        if c[BITS] >> ODD_SHIFT & 1:
            self._pack_odd(odds.cells, b[B_SIZES] * ODD)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def unpack(self, rows: cython.int[::1], at: cython.Py_ssize_t, odds: Odds) -> cython.int:
        """Lay the next row into `rows[at:]`, and among `odds` what does not fit there."""
        b: cython.p_int = brief_of(rows, at, BRIEF)
        c: cython.p_longlong = row_of(self.cells, 0, CELLS)
        mask: cython.ulonglong = self._take()
        side: cython.Py_ssize_t = mask & 1
        cell: cython.Py_ssize_t
        _foretell(c, side)
        self._take_moment(b)
        for cell in range(FORETOLD):
            c[cell] = c[FORE + cell]
            if mask >> (cell + 1) & 1:
                c[cell] = (c[cell] + _unfolded(self._take())) & MASK32
            c[LAST + side * FORETOLD + cell] = c[cell]
        _lay(c, b)
        if c[BITS] >> ODD_SHIFT & 1:
            b[B_SIZES] = odds.take()
            self._unpack_odd(odds.cells, b[B_SIZES] * ODD)
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def _look(self, c: cython.p_longlong, b: cython.p_int, odds: Odds) -> cython.int:
        """Have the numbers of a row side by side."""
        sizes: cython.longlong = b[B_SIZES]
        c[BITS] = b[B_BITS]
        c[IP_ID] = b[B_LABELS] & MASK16
        c[TSVAL] = b[B_TSVAL] & MASK32
        c[TSECR] = b[B_TSECR] & MASK32
        c[SEQ] = b[B_SEQ] & MASK32
        c[ACK] = b[B_ACK] & MASK32
        c[PAYLOAD] = sizes & MASK16
        c[WINDOW] = sizes >> 16 & MASK16
        if c[BITS] >> ODD_SHIFT & 1:
            c[PAYLOAD] = odds.cells[sizes * ODD + O_PAYLOAD] & MASK32
            c[WINDOW] = odds.cells[sizes * ODD + O_WINDOW] & MASK32
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def _put_moment(self, b: cython.p_int) -> cython.int:
        """Write down time and number since the row before, and the checksum."""
        upper: cython.longlong = b[B_TIME + 1]
        time: cython.longlong = upper * UPPER + (b[B_TIME] & MASK32)
        packet: cython.longlong = b[B_PACKET] & MASK32
        field: cython.longlong = b[B_LABELS] >> 16
        self._put(_folded_time(time, self.time))
        self._put(packet - self.packet & MASK32)
        self._put_octet(field & 0xFF)
        self._put_octet(field >> 8 & 0xFF)
        self.time, self.packet = time, packet
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def _take_moment(self, b: cython.p_int) -> cython.int:
        """Lay time, number and checksum into a brief."""
        self.time = _unfolded_time(self._take(), self.time)
        self.packet = self.packet + self._take() & MASK32
        field: cython.longlong = self._take_octet()
        field |= self._take_octet() << 8
        b[B_TIME] = low_32(self.time)
        b[B_TIME + 1] = self.time >> 32
        b[B_PACKET] = low_32(self.packet)
        b[B_LABELS] = low_32(field << 16)
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
                odd[at + cell] = low_32(odd[at + cell] + _unfolded(self._take()))
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _foretold_odd(
        self, odd: cython.int[::1], at: cython.Py_ssize_t, cell: cython.Py_ssize_t
    ) -> cython.int:
        """A cell of an odd row if it is as in most; the cells before it are known."""
        if cell == O_PAYLOAD:
            return low_32(self.cells[PAYLOAD])
        if cell == O_WINDOW:
            return low_32(self.cells[WINDOW])
        if cell == O_PATH_LOW:
            return low_32(self.path)
        if cell == O_PATH_HIGH:
            return self.path >> 32
        if cell == O_INTERFACE:
            return self.interface
        if O_SACK <= cell < O_SACK + 2 * min(odd[at + O_SACK_BLOCKS], SACK_EDGES // 2):
            return low_32(self.cells[ACK])
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
    @cython.inline
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
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def _take_octet(self) -> cython.longlong:
        if self.at & IN_PAGE == 0:
            self.at = self.pages.after(self.at)
        self.at += 1
        return self.pages.octets[self.at - 1]
