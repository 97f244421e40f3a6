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

if not cython.compiled:
    from tcptrace.tracker.memory import brief_of, low_32, row_of

    SEGMENT_WIDTH = Segments.width()
    WIDTH = Evidence.width()
    S_PACKET = Segments.index("packet")
    S_PATH = Segments.index("path")
    S_PAYLOAD = Segments.index("payload")
    S_SACK = Segments.index("sack_1_left")
    S_INTERFACE = Segments.index("interface")
    S_WINDOW = Segments.index("window")
    S_SACK_BLOCKS = Segments.index("sack_blocks")
    S_ICMP = Segments.index("icmp")
    PACKET = Evidence.index("packet")
    PAYLOAD = Evidence.index("payload")
    SACK = Evidence.index("sack_1_left")
    WINDOW = Evidence.index("window")
    SACK_BLOCKS = Evidence.index("sack_blocks")
    ICMP = Evidence.index("icmp")
    SACK_EDGES = 4

    ODD = len(Odd.CELLS)
    O_PACKET = Odd.index("packet_high")
    O_PATH_LOW = Odd.index("path_low")
    O_PATH_HIGH = Odd.index("path_high")
    O_PAYLOAD = Odd.index("payload")
    O_WINDOW = Odd.index("window")
    O_INTERFACE = Odd.index("interface")
    O_SACK_BLOCKS = Odd.index("sack_blocks")
    O_SACK = Odd.index("sack_1_left")
    O_ICMP = Odd.index("icmp")
    MASK32 = 0xFFFFFFFF
    UPPER = 1 << 32


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
        s: cython.p_longlong = row_of(cells, at, SEGMENT_WIDTH)
        place: cython.int = self.take()
        o: cython.p_int = brief_of(self.cells, place * ODD, ODD)
        edge: cython.Py_ssize_t
        o[O_PACKET] = s[S_PACKET] >> 32
        o[O_PATH_LOW] = low_32(s[S_PATH])
        o[O_PATH_HIGH] = s[S_PATH] >> 32
        o[O_PAYLOAD] = low_32(s[S_PAYLOAD])
        o[O_WINDOW] = s[S_WINDOW]
        o[O_INTERFACE] = s[S_INTERFACE]
        o[O_SACK_BLOCKS] = s[S_SACK_BLOCKS]
        for edge in range(SACK_EDGES):
            o[O_SACK + edge] = low_32(s[S_SACK + edge])
        o[O_ICMP] = s[S_ICMP]
        return place

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def read(
        self, place: cython.Py_ssize_t, out: cython.longlong[::1], at: cython.Py_ssize_t
    ) -> cython.int:
        """Lay out what an odd row says in a row of `Evidence`, over what the brief said."""
        o: cython.p_int = brief_of(self.cells, place * ODD, ODD)
        e: cython.p_longlong = row_of(out, at, WIDTH)
        edge: cython.Py_ssize_t
        high: cython.longlong = o[O_PACKET]
        e[PACKET] += high * UPPER
        e[PAYLOAD] = self.payload(place)
        e[WINDOW] = o[O_WINDOW]
        e[SACK_BLOCKS] = o[O_SACK_BLOCKS]
        for edge in range(SACK_EDGES):
            e[SACK + edge] = o[O_SACK + edge] & MASK32
        e[ICMP] = o[O_ICMP]
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
