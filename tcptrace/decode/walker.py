# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Kernel: `Walker`, which steps over the headers of a group, and is told how by a subclass. ⚙

A group of Header is a kernel of its own with a subclass that has a `step`. The methods which are
left out where this file is compiled are in walker.pxd for that, word by word (see
tests/declarations.py): only from there can Cython inline them into those kernels.
"""

from __future__ import annotations

import cython

from tcptrace.decode.datagrams import MAX_DEPTH, PATH_BITS, PATH_MULTIPLIER, Datagrams
from tcptrace.decode.headers import GROUP_BITS, Header
from tcptrace.decode.skipped import Reason

WIDTH = cython.declare(cython.Py_ssize_t, Datagrams.width())
HEADER = cython.declare(cython.Py_ssize_t, Datagrams.index("header"))
VALUE = cython.declare(cython.Py_ssize_t, Datagrams.index("value"))
AT = cython.declare(cython.Py_ssize_t, Datagrams.index("at"))
KEPT_END = cython.declare(cython.Py_ssize_t, Datagrams.index("kept_end"))
END = cython.declare(cython.Py_ssize_t, Datagrams.index("end"))
DEPTH = cython.declare(cython.Py_ssize_t, Datagrams.index("depth"))
PATH = cython.declare(cython.Py_ssize_t, Datagrams.index("path"))
ICMP_ERROR = cython.declare(cython.Py_ssize_t, Datagrams.index("icmp"))

ONE = cython.declare(cython.longlong, 1)
GROUP_SHIFT = cython.declare(cython.longlong, GROUP_BITS)
DEPTH_LIMIT = cython.declare(cython.longlong, MAX_DEPTH)
IPV4 = cython.declare(cython.longlong, int(Header.IPV4))
IPV6 = cython.declare(cython.longlong, int(Header.IPV6))
SKIPPED = cython.declare(cython.longlong, int(Header.SKIPPED))
TOO_DEEP = cython.declare(cython.longlong, int(Reason.TOO_DEEP))
ICMP_REASON = cython.declare(cython.longlong, int(Reason.ICMP))
MULTIPLIER = cython.declare(cython.longlong, PATH_MULTIPLIER)
LOWER_HALF = cython.declare(cython.longlong, (1 << 32) - 1)
PATH_MASK = cython.declare(cython.longlong, (1 << PATH_BITS) - 1)


@cython.cclass
class Walker:
    """The row being walked: what stands where, how far it reaches; and the buffers.

    Of Datagrams cells it takes the rows that stand at a header of the group of `first`.
    `truncated` and `unknown` are the Reasons of rows whose next header was not captured, or is
    of no known kind.
    """

    cells: cython.longlong[::1]
    data: cython.const[cython.uchar][::1]
    group: cython.longlong
    truncated: cython.longlong
    unknown: cython.longlong
    base: cython.Py_ssize_t
    at: cython.Py_ssize_t
    kept: cython.Py_ssize_t
    end: cython.Py_ssize_t
    header: cython.longlong
    reason: cython.longlong

    def __init__(
        self,
        cells: cython.longlong[::1],
        data: cython.const[cython.uchar][::1],
        first: cython.longlong,
        truncated: cython.longlong,
        unknown: cython.longlong,
    ) -> None:
        self.cells = cells
        self.data = data
        self.group = first >> GROUP_SHIFT
        self.truncated = truncated
        self.unknown = unknown

    def run(self) -> int:
        """Walk every row of the group out of it; returns the groups they are left at, as bits."""
        groups: cython.longlong
        with cython.nogil:
            groups = self.walk()
        return groups

    @cython.final
    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def walk(self) -> cython.longlong:
        groups: cython.longlong = 0
        each: cython.Py_ssize_t
        for each in range(self.cells.shape[0] // WIDTH):
            self.base = each * WIDTH
            self.header = self.cells[self.base + HEADER]
            if self.header >> GROUP_SHIFT == self.group:
                self.walk_row(self.base)
                groups |= ONE << (self.header >> GROUP_SHIFT)
        return groups

    @cython.final
    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def walk_row(self, base: cython.Py_ssize_t) -> cython.longlong:
        """Of a row that ends within what an ICMP error quotes, only the error is told."""
        self.at = self.cells[base + AT]
        self.kept = self.cells[base + KEPT_END]
        self.end = self.cells[base + END]
        self.reason = self.unknown
        while self.header >> GROUP_SHIFT == self.group:
            self.cells[base + DEPTH] += 1
            if self.cells[base + DEPTH] > DEPTH_LIMIT:
                self.skip(TOO_DEEP)
            else:
                self.step()
        self.cells[base + HEADER] = self.header
        self.cells[base + AT] = self.at
        self.cells[base + KEPT_END] = self.kept
        self.cells[base + END] = self.end
        if self.header == SKIPPED:
            self.cells[base + VALUE] = ICMP_REASON if self.cells[base + ICMP_ERROR] else self.reason
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def step(self) -> cython.longlong:
        """Step over `header` at `at`, or skip the row; here, where no header is known, skip it."""
        return self.skip(self.unknown)

    @cython.final
    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def skip(self, reason: cython.longlong) -> cython.longlong:
        """The row gives no segment; what is said last is the reason."""
        self.header = SKIPPED
        self.reason = reason
        return 0

    @cython.final
    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def by_version(self, at: cython.Py_ssize_t, otherwise: cython.longlong) -> cython.longlong:
        """An IP header of the version that its first four bits say, or a reason to skip."""
        version: cython.longlong = self.data[at] >> 4 if at < self.kept else 0
        if version == 4:
            return self.become(IPV4, at)
        return self.become(IPV6, at) if version == 6 else self.skip(otherwise)

    @cython.final
    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def add_to_path(self, number: cython.longlong) -> cython.longlong:
        """Mix an id of the header at hand into the row's path; never 0 afterwards."""
        path: cython.longlong = self.cells[self.base + PATH]
        path = ((path & LOWER_HALF) * MULTIPLIER) ^ (path >> 32)
        path = (path ^ (self.header << 40) ^ number) & PATH_MASK
        self.cells[self.base + PATH] = path if path else 1
        return 0

    if not cython.compiled:

        @cython.final
        @cython.cfunc
        @cython.inline
        @cython.nogil
        @cython.exceptval(-1)
        def become(self, header: cython.longlong, at: cython.Py_ssize_t) -> cython.longlong:
            """The next header and where it begins; SKIPPED if it is of no known kind."""
            self.header = header
            self.at = at
            return 0

        @cython.final
        @cython.cfunc
        @cython.inline
        @cython.nogil
        @cython.exceptval(-1)
        def has(self, count: cython.Py_ssize_t) -> cython.longlong:
            """Whether `count` octets from `at` were captured; if not, the row is skipped."""
            if self.at + count <= self.kept:
                return 1
            self.skip(self.truncated)
            return 0

        @cython.final
        @cython.cfunc
        @cython.inline
        @cython.nogil
        @cython.exceptval(-1)
        def u16(self, at: cython.Py_ssize_t) -> cython.longlong:
            return (self.data[at] << 8) | self.data[at + 1]

        @cython.final
        @cython.cfunc
        @cython.inline
        @cython.nogil
        @cython.exceptval(-1)
        def u24(self, at: cython.Py_ssize_t) -> cython.longlong:
            return (self.data[at] << 16) | self.u16(at + 1)

        @cython.final
        @cython.cfunc
        @cython.inline
        @cython.nogil
        @cython.exceptval(-1)
        def u32(self, at: cython.Py_ssize_t) -> cython.longlong:
            return (self.u16(at) << 16) | self.u16(at + 2)
