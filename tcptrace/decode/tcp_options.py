# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Kernel: the options of TCP headers; RFC 9293 section 3.2, RFC 7323, RFC 2018, RFC 7413. ⚙"""

from __future__ import annotations

import cython

from tcptrace.decode.octets import Octets
from tcptrace.decode.protocols import FAST_OPEN_MAGIC, TcpOption
from tcptrace.decode.segments import Segments
from tcptrace.decode.skipped import Tally

MSS = cython.declare(cython.Py_ssize_t, Segments.index("mss"))
WINDOW_SCALE = cython.declare(cython.Py_ssize_t, Segments.index("window_scale"))
SACK_PERMITTED = cython.declare(cython.Py_ssize_t, Segments.index("sack_permitted"))
HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Segments.index("has_timestamp"))
TSVAL = cython.declare(cython.Py_ssize_t, Segments.index("tsval"))
TSECR = cython.declare(cython.Py_ssize_t, Segments.index("tsecr"))
SACK_BLOCKS = cython.declare(cython.Py_ssize_t, Segments.index("sack_blocks"))
SACK_1_LEFT = cython.declare(cython.Py_ssize_t, Segments.index("sack_1_left"))
FAST_OPEN = cython.declare(cython.Py_ssize_t, Segments.index("fast_open"))

O_END = cython.declare(cython.longlong, int(TcpOption.END))
O_NO_OPERATION = cython.declare(cython.longlong, int(TcpOption.NO_OPERATION))
O_MSS = cython.declare(cython.longlong, int(TcpOption.MSS))
O_WINDOW_SCALE = cython.declare(cython.longlong, int(TcpOption.WINDOW_SCALE))
O_SACK_PERMITTED = cython.declare(cython.longlong, int(TcpOption.SACK_PERMITTED))
O_SACK = cython.declare(cython.longlong, int(TcpOption.SACK))
O_TIMESTAMPS = cython.declare(cython.longlong, int(TcpOption.TIMESTAMPS))
O_FAST_OPEN = cython.declare(cython.longlong, int(TcpOption.FAST_OPEN))
O_EXPERIMENTAL = cython.declare(cython.longlong, int(TcpOption.EXPERIMENTAL))
T_OPTIONS_DAMAGED = cython.declare(cython.Py_ssize_t, int(Tally.OPTIONS_DAMAGED))
MAGIC = cython.declare(cython.longlong, FAST_OPEN_MAGIC)
MAX_SACK_BLOCKS = cython.declare(cython.longlong, 4)


@cython.final
@cython.cclass
class Options(Octets):
    """Where options are read from, and the cells of Segments that they are written to."""

    rows: cython.longlong[::1]
    tallies: cython.longlong[::1]

    def __init__(
        self,
        data: cython.const[cython.uchar][::1],
        rows: cython.longlong[::1],
        tallies: cython.longlong[::1],
    ) -> None:
        super().__init__(data)
        self.rows = rows
        self.tallies = tallies

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def read(
        self,
        row: cython.Py_ssize_t,
        at: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        kept_end: cython.Py_ssize_t,
    ) -> cython.longlong:
        """The options from `at` to `end`, no further than `kept_end`, to the row that begins at a
        cell, where nothing is said of options yet; stops at the first length that lies."""
        kind: cython.longlong
        length: cython.longlong
        while at < end:
            kind = self.data[at]
            if kind == O_END:
                return 0
            if kind == O_NO_OPERATION:
                at += 1
                continue
            length = self.data[at + 1] if at + 1 < end else 0
            if length < 2 or at + length > end:
                if end < kept_end:
                    self.tallies[T_OPTIONS_DAMAGED] += 1
                return 0
            self.option(row, kind, at, length)
            at += length
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(-1)
    def option(
        self,
        row: cython.Py_ssize_t,
        kind: cython.longlong,
        at: cython.Py_ssize_t,
        length: cython.longlong,
    ) -> cython.longlong:
        """One option of `length` octets; of a wrong length for its kind it says nothing."""
        if kind == O_TIMESTAMPS and length == 10:
            self.rows[row + HAS_TIMESTAMP] = 1
            self.rows[row + TSVAL] = self.u32(at + 2)
            self.rows[row + TSECR] = self.u32(at + 6)
        elif kind == O_SACK:
            self.sack(row, at + 2, (length - 2) // 8)
        elif kind == O_MSS and length == 4:
            self.rows[row + MSS] = self.u16(at + 2)
        elif kind == O_WINDOW_SCALE and length == 3:
            self.rows[row + WINDOW_SCALE] = self.data[at + 2]
        elif kind == O_SACK_PERMITTED and length == 2:
            self.rows[row + SACK_PERMITTED] = 1
        elif kind == O_FAST_OPEN or self.is_experiment(kind, at, length):
            self.rows[row + FAST_OPEN] = 1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(-1)
    def is_experiment(
        self, kind: cython.longlong, at: cython.Py_ssize_t, length: cython.longlong
    ) -> cython.longlong:
        """Fast Open as it was tried before it had a number of its own."""
        return 1 if kind == O_EXPERIMENTAL and length >= 4 and self.u16(at + 2) == MAGIC else 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def sack(
        self, row: cython.Py_ssize_t, at: cython.Py_ssize_t, blocks: cython.longlong
    ) -> cython.longlong:
        """RFC 2018 section 3: four blocks fit into a header; more are a lie."""
        edge: cython.Py_ssize_t
        if blocks > MAX_SACK_BLOCKS:
            blocks = MAX_SACK_BLOCKS
        self.rows[row + SACK_BLOCKS] = blocks
        for edge in range(2 * blocks):
            self.rows[row + SACK_1_LEFT + edge] = self.u32(at + 4 * edge)
        return 0
