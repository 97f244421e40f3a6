# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`FourTuples`: from two addresses and two ports to a slot, whichever end sent the segment."""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.decode.segments import Segments
from tcptrace.tracker.slots import Slots

SRC_HI = cython.declare(cython.Py_ssize_t, Segments.index("src_hi"))
SRC_LO = cython.declare(cython.Py_ssize_t, Segments.index("src_lo"))
DST_HI = cython.declare(cython.Py_ssize_t, Segments.index("dst_hi"))
DST_LO = cython.declare(cython.Py_ssize_t, Segments.index("dst_lo"))
SRC_PORT = cython.declare(cython.Py_ssize_t, Segments.index("src_port"))
DST_PORT = cython.declare(cython.Py_ssize_t, Segments.index("dst_port"))
HASH = cython.declare(cython.Py_ssize_t, Slots.index("hash"))
HI_0 = cython.declare(cython.Py_ssize_t, Slots.index("hi_0"))
LO_0 = cython.declare(cython.Py_ssize_t, Slots.index("lo_0"))
HI_1 = cython.declare(cython.Py_ssize_t, Slots.index("hi_1"))
LO_1 = cython.declare(cython.Py_ssize_t, Slots.index("lo_1"))
PORT_0 = cython.declare(cython.Py_ssize_t, Slots.index("port_0"))
PORT_1 = cython.declare(cython.Py_ssize_t, Slots.index("port_1"))
SLOT_WIDTH = cython.declare(cython.Py_ssize_t, Slots.width())
MASK62 = cython.declare(cython.longlong, 0x3FFFFFFFFFFFFFFF)
UNUSED = cython.declare(cython.longlong, -1)
REMOVED = cython.declare(cython.longlong, -2)
LEAST_BUCKETS = cython.declare(cython.longlong, 4096)


@cython.cfunc
@cython.exceptval(check=False)
def _mix(state: cython.longlong, value: cython.longlong) -> cython.longlong:
    """One round of a multiplicative hash in 31-bit halves, so that both runs agree."""
    low: cython.longlong = ((state ^ value) & 0x7FFFFFFF) * 0x5BD1E995
    high: cython.longlong = (((state ^ value) >> 31) & 0x7FFFFFFF) * 0x1B873593
    mixed: cython.longlong = (low ^ (high << 1)) & MASK62
    return mixed ^ (mixed >> 29)


@cython.final
@cython.cclass
class FourTuples:
    """Slots by a segment's four-tuple, open addressing; the newest incarnation is there."""

    s: cython.longlong[::1]
    cells: cython.longlong[::1]
    buckets: cython.longlong[::1]
    mask: cython.longlong
    seed: cython.longlong
    filled: cython.longlong

    def __init__(self, seed: int) -> None:
        """`seed` is drawn anew for each run, so that nobody can choose four-tuples that collide."""
        self.seed = seed & MASK62
        self.buckets = memoryview(np.full(LEAST_BUCKETS, UNUSED, np.int64))
        self.mask = LEAST_BUCKETS - 1
        self.filled = 0

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def look(self, segments: cython.longlong[::1], cells: cython.longlong[::1]) -> cython.int:
        """Turn to a batch of segments and to the slots where they are now."""
        self.s = segments
        self.cells = cells
        return 0

    @cython.ccall
    @cython.exceptval(-2, check=True)
    def find(self, at: cython.Py_ssize_t) -> cython.longlong:
        """2 * slot + sender of the connection of the segment at cell `at`, -1 for none."""
        tag: cython.longlong = self.tag(at)
        place: cython.longlong = tag & self.mask
        while self.buckets[place] != UNUSED:
            slot: cython.longlong = self.buckets[place]
            if slot >= 0 and self.cells[slot * SLOT_WIDTH + HASH] == tag:
                if self._matches(at, slot, SRC_HI, DST_HI):
                    return 2 * slot
                if self._matches(at, slot, DST_HI, SRC_HI):
                    return 2 * slot + 1
            place = (place + 1) & self.mask
        return -1

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def sender(self, at: cython.Py_ssize_t, slot: cython.Py_ssize_t) -> cython.longlong:
        """Which side of a connection of its four-tuple sent the segment."""
        return 0 if self._matches(at, slot, SRC_HI, DST_HI) else 1

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def tag(self, at: cython.Py_ssize_t) -> cython.longlong:
        """The seeded hash of a segment's four-tuple, the same in both directions."""
        s = self.s
        one: cython.longlong = _mix(self.seed, s[at + SRC_HI])
        two: cython.longlong = _mix(self.seed, s[at + DST_HI])
        one = _mix(_mix(one, s[at + SRC_LO]), s[at + SRC_PORT])
        two = _mix(_mix(two, s[at + DST_LO]), s[at + DST_PORT])
        return _mix(_mix(self.seed, one + two), one ^ two)

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _matches(
        self,
        at: cython.Py_ssize_t,
        slot: cython.longlong,
        first: cython.Py_ssize_t,
        second: cython.Py_ssize_t,
    ) -> cython.bint:
        """Whether side 0 of a slot is the end at address column `first` (source, destination)."""
        s, c = self.s, self.cells
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        source_first: cython.bint = first == SRC_HI
        port_0: cython.longlong = s[at + SRC_PORT] if source_first else s[at + DST_PORT]
        port_1: cython.longlong = s[at + DST_PORT] if source_first else s[at + SRC_PORT]
        if c[k + PORT_0] != port_0 or c[k + PORT_1] != port_1:
            return False
        if c[k + LO_0] != s[at + first + 1] or c[k + LO_1] != s[at + second + 1]:
            return False
        return c[k + HI_0] == s[at + first] and c[k + HI_1] == s[at + second]

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def insert(self, slot: cython.Py_ssize_t, open_count: cython.longlong) -> cython.int:
        """Add a slot whose four-tuple has none; `open_count` slots are in use."""
        self.filled += 1
        if 2 * self.filled > self.mask:
            self._rehash(open_count)
        return self._put(slot)

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def replace(self, slot: cython.Py_ssize_t, by: cython.longlong) -> cython.int:
        """Put another slot of the same four-tuple in its place, or -1 to take it out."""
        place: cython.longlong = self.cells[slot * SLOT_WIDTH + HASH] & self.mask
        while self.buckets[place] != slot:
            place = (place + 1) & self.mask
        self.buckets[place] = by if by >= 0 else REMOVED
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _put(self, slot: cython.longlong) -> cython.int:
        place: cython.longlong = self.cells[slot * SLOT_WIDTH + HASH] & self.mask
        while self.buckets[place] >= 0:
            place = (place + 1) & self.mask
        self.buckets[place] = slot
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _rehash(self, open_count: cython.longlong) -> cython.int:
        """Room for four times what is open; the marks of what was removed are gone."""
        old = self.buckets
        size: cython.longlong = LEAST_BUCKETS
        while size < 8 * open_count:
            size *= 2
        self.buckets = memoryview(np.full(size, UNUSED, np.int64))
        self.mask = size - 1
        self.filled = 1
        place: cython.Py_ssize_t
        for place in range(len(old)):
            if old[place] >= 0:
                self._put(old[place])
                self.filled += 1
        return 0
