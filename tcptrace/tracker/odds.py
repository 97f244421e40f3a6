# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Odds` ⚙: what only some rows of evidence say, beside the briefs of `pool`.

SACK blocks, an ICMP error, a path or interface that is not the one of the connection's first
segment, and numbers that are too large for a brief.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.decode.segments import Segments
from tcptrace.tracker.slots import Evidence, Odd

S_PACKET = cython.declare(cython.Py_ssize_t, Segments.index("packet"))
S_PATH = cython.declare(cython.Py_ssize_t, Segments.index("path"))
S_PAYLOAD = cython.declare(cython.Py_ssize_t, Segments.index("payload"))
S_SACK = cython.declare(cython.Py_ssize_t, Segments.index("sack_1_left"))
S_INTERFACE = cython.declare(cython.Py_ssize_t, Segments.index("interface"))
S_WINDOW = cython.declare(cython.Py_ssize_t, Segments.index("window"))
S_SACK_BLOCKS = cython.declare(cython.Py_ssize_t, Segments.index("sack_blocks"))
S_ICMP = cython.declare(cython.Py_ssize_t, Segments.index("icmp"))
PACKET = cython.declare(cython.Py_ssize_t, Evidence.index("packet"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Evidence.index("payload"))
SACK = cython.declare(cython.Py_ssize_t, Evidence.index("sack_1_left"))
WINDOW = cython.declare(cython.Py_ssize_t, Evidence.index("window"))
SACK_BLOCKS = cython.declare(cython.Py_ssize_t, Evidence.index("sack_blocks"))
ICMP = cython.declare(cython.Py_ssize_t, Evidence.index("icmp"))
SACK_EDGES = cython.declare(cython.Py_ssize_t, 4)

ODD = cython.declare(cython.Py_ssize_t, len(Odd.CELLS))
O_PACKET = cython.declare(cython.Py_ssize_t, Odd.index("packet_high"))
O_PATH_LOW = cython.declare(cython.Py_ssize_t, Odd.index("path_low"))
O_PATH_HIGH = cython.declare(cython.Py_ssize_t, Odd.index("path_high"))
O_PAYLOAD = cython.declare(cython.Py_ssize_t, Odd.index("payload"))
O_WINDOW = cython.declare(cython.Py_ssize_t, Odd.index("window"))
O_INTERFACE = cython.declare(cython.Py_ssize_t, Odd.index("interface"))
O_SACK_BLOCKS = cython.declare(cython.Py_ssize_t, Odd.index("sack_blocks"))
O_SACK = cython.declare(cython.Py_ssize_t, Odd.index("sack_1_left"))
O_ICMP = cython.declare(cython.Py_ssize_t, Odd.index("icmp"))

MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)
HALF = cython.declare(cython.longlong, 0x80000000)
UPPER = cython.declare(cython.longlong, 1 << 32)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _low(value: cython.longlong) -> cython.int:
    """The lower 32 bits, as a cell holds them."""
    return ((value + HALF) & MASK32) - HALF


@cython.final
@cython.cclass
class Odds:
    """Odd rows by their place; those that are free lead to each other by their first cell."""

    matrix: object
    cells: cython.int[::1]
    free: cython.longlong

    def __init__(self) -> None:
        self.matrix = np.zeros((0, ODD), np.int32)
        self.free = -1

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def take(self) -> cython.int:
        """A place that was free, to be written over."""
        if self.free < 0:
            with cython.gil:
                self._grow()
        place: cython.int = self.free
        self.free = self.cells[place * ODD]
        return place

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def write(self, cells: cython.longlong[::1], at: cython.Py_ssize_t) -> cython.int:
        """Keep the rest of a row that `Segments` have from cell `at` on; the place where it is."""
        place: cython.int = self.take()
        o: cython.Py_ssize_t = place * ODD
        edge: cython.Py_ssize_t
        path: cython.longlong = cells[at + S_PATH]
        self.cells[o + O_PACKET] = cells[at + S_PACKET] >> 32
        self.cells[o + O_PATH_LOW] = _low(path)
        self.cells[o + O_PATH_HIGH] = path >> 32
        self.cells[o + O_PAYLOAD] = _low(cells[at + S_PAYLOAD])
        self.cells[o + O_WINDOW] = cells[at + S_WINDOW]
        self.cells[o + O_INTERFACE] = cells[at + S_INTERFACE]
        self.cells[o + O_SACK_BLOCKS] = cells[at + S_SACK_BLOCKS]
        for edge in range(SACK_EDGES):
            self.cells[o + O_SACK + edge] = _low(cells[at + S_SACK + edge])
        self.cells[o + O_ICMP] = cells[at + S_ICMP]
        return place

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def read(
        self, place: cython.Py_ssize_t, out: cython.longlong[::1], at: cython.Py_ssize_t
    ) -> cython.int:
        """Lay out what an odd row says in a row of `Evidence`, over what the brief said."""
        o: cython.Py_ssize_t = place * ODD
        edge: cython.Py_ssize_t
        out[at + PACKET] += self.cells[o + O_PACKET] * UPPER
        out[at + PAYLOAD] = self.payload(place)
        out[at + WINDOW] = self.cells[o + O_WINDOW]
        out[at + SACK_BLOCKS] = self.cells[o + O_SACK_BLOCKS]
        for edge in range(SACK_EDGES):
            out[at + SACK + edge] = self.cells[o + O_SACK + edge] & MASK32
        out[at + ICMP] = self.cells[o + O_ICMP]
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def let_go(self, place: cython.Py_ssize_t) -> cython.int:
        """The place is free again."""
        self.cells[place * ODD] = self.free
        self.free = place
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def path(self, place: cython.Py_ssize_t) -> cython.longlong:
        """The row's path."""
        high: cython.longlong = self.cells[place * ODD + O_PATH_HIGH]
        return high * UPPER + (self.cells[place * ODD + O_PATH_LOW] & MASK32)

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def payload(self, place: cython.Py_ssize_t) -> cython.longlong:
        """The row's payload."""
        return self.cells[place * ODD + O_PAYLOAD] & MASK32

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def interface(self, place: cython.Py_ssize_t) -> cython.longlong:
        """The row's interface."""
        return self.cells[place * ODD + O_INTERFACE]

    def _grow(self) -> None:
        size: cython.Py_ssize_t = len(self.matrix)
        larger: cython.Py_ssize_t = size + max(256, size // 8)
        self.cells = None  # in place: nothing else ever holds a view
        self.matrix.resize((larger, ODD), refcheck=False)
        self.matrix[size:, 0] = np.arange(size + 1, larger + 1)
        self.matrix[larger - 1, 0] = -1
        self.cells = memoryview(self.matrix.reshape(-1))
        self.free = size
