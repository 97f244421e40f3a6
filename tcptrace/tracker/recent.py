# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Recent`: the slots of the four-tuples met last, and what the rows ahead will need.

Segments come in trains (Jain, Routhier: "Packet Trains"): most are of a four-tuple met just now. It
is remembered by a mark that costs less than its hash, in a place which the next one may take.
Equal marks prove nothing: whoever asks compares the ends. Hostile ones only cause misses.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.decode.segments import Segments
from tcptrace.tracker.four_tuples import FourTuples
from tcptrace.tracker.queues import LINKED
from tcptrace.tracker.slots import Slots

if not cython.compiled:
    from tcptrace.tracker.marks import mark
    from tcptrace.tracker.memory import prefetch

ENDS = cython.declare(cython.Py_ssize_t, Segments.index("src_hi"))  # to dst_port
WIDTH = cython.declare(cython.Py_ssize_t, Segments.width())
PREVIOUS = cython.declare(cython.Py_ssize_t, Slots.index("previous"))  # then "following"
QUEUE = cython.declare(cython.Py_ssize_t, Slots.index("queue"))
SLOT_WIDTH = cython.declare(cython.Py_ssize_t, Slots.width())
OF_PARTS = cython.declare(cython.longlong, LINKED)
LEAST_BITS = cython.declare(cython.int, 12)
MOST_BITS = cython.declare(cython.int, 16)
# More slots than the nearer caches hold, and one row of so many was hashed: then what the rows
# ahead need is fetched, so many rows ahead the bucket, the slot, and those beside it in its queue.
FAR = cython.declare(cython.Py_ssize_t, 4096)
RARE = cython.declare(cython.Py_ssize_t, 8)
SOON = cython.declare(cython.Py_ssize_t, 18)
SOONER = cython.declare(cython.Py_ssize_t, 12)
NEXT = cython.declare(cython.Py_ssize_t, 6)
LINES = cython.declare(cython.Py_ssize_t, 1 + Slots.index("shown") // 8)  # of the caches
MASK64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)


@cython.final
@cython.cclass
class Recent:
    """Four-tuples by their marks, each in one place, which its uppermost bits say.

    met : marks and, beside each, the slot that it was met in.
    hashed, rows : how many rows of the last batch had to be hashed, and how many it had.
    tags, soon : of each row, once it is near: its hash, -1 if not worked out; its slot, -1 if none.
    """

    s: cython.longlong[::1]
    cells: cython.longlong[::1]
    tuples: FourTuples
    met: cython.ulonglong[::1]
    shift: cython.int
    key: cython.ulonglong
    tags: cython.longlong[::1]
    soon: cython.longlong[::1]
    hashed: cython.Py_ssize_t
    rows: cython.Py_ssize_t
    far: cython.bint

    def __init__(self, tuples: FourTuples, seed: int) -> None:
        """`seed` as that of `tuples`."""
        self.tuples = tuples
        self.key = 2 * seed + 1 & MASK64
        self.tags, self.soon = (memoryview(np.zeros(0, np.int64)) for _ in range(2))
        self.far = False
        self.hashed = self.rows = 0
        self.remember(0)

    def remember(self, slots: cython.Py_ssize_t) -> None:
        """Make room for so many, within bounds; what was remembered is forgotten."""
        bits: cython.int = LEAST_BITS
        while bits < MOST_BITS and slots >> bits:
            bits += 1
        self.shift = 64 - bits
        self.met = memoryview(np.zeros(2 << bits, np.uint64))

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=False)
    def look(self, segments: cython.longlong[::1], cells: cython.longlong[::1]) -> cython.int:
        """Turn to a batch of segments and to the slots where they are now."""
        self.s = segments
        self.cells = cells
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def meet(self, its: cython.ulonglong, slot: cython.ulonglong) -> cython.int:
        """Remember the newest slot of a four-tuple by its mark."""
        place: cython.size_t = 2 * (its >> self.shift)
        self.met[place], self.met[place + 1] = its, slot
        return 0

    def begin(self, count: cython.Py_ssize_t, slots: cython.Py_ssize_t) -> None:
        """Before the first row of a batch: how many rows it has, and how many slots were used."""
        self.far = slots > FAR and RARE * self.hashed >= self.rows
        self.hashed, self.rows = 0, count
        if not self.far:
            return
        if len(self.tags) < count:
            self.tags, self.soon = (memoryview(np.zeros(count, np.int64)) for _ in range(2))
        row: cython.Py_ssize_t
        for row in range(min(SOON, count)):
            self._expect_bucket(row)

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def tag_of(self, row: cython.Py_ssize_t) -> cython.longlong:
        """The hash of a row's four-tuple, which may have been worked out when it was near."""
        self.hashed += 1
        if self.far and self.tags[row] >= 0:
            return self.tags[row]
        return self.tuples.tag(row * WIDTH)

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def expect(self, row: cython.Py_ssize_t, count: cython.Py_ssize_t) -> cython.int:
        """Have at hand what the segments after that of a row will need."""
        if row + SOON < count:
            self._expect_bucket(row + SOON)
        if row + SOONER < count:
            self._expect_slot(row + SOONER)
        if row + NEXT < count and self.soon[row + NEXT] >= 0:
            self._expect_neighbours(self.soon[row + NEXT] * SLOT_WIDTH)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _expect_bucket(self, row: cython.Py_ssize_t) -> cython.int:
        """Whether its four-tuple is remembered; if not, its hash."""
        e: cython.Py_ssize_t = row * WIDTH + ENDS
        high: cython.longlong = self.s[e] + self.s[e + 2]
        low: cython.longlong = self.s[e + 1] + self.s[e + 3]
        its: cython.ulonglong = mark(high, low, self.s[e + 4] + self.s[e + 5], self.key)
        place: cython.Py_ssize_t = 2 * (its >> self.shift)
        if self.met[place] == its:
            self.tags[row], self.soon[row] = -1, self.met[place + 1]
            return self._fetch(self.soon[row] * SLOT_WIDTH)
        self.tags[row], self.soon[row] = self.tuples.tag(row * WIDTH), -1
        if cython.compiled:
            prefetch(cython.address(self.tuples.buckets[self.tags[row] & self.tuples.mask]))
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _expect_slot(self, row: cython.Py_ssize_t) -> cython.int:
        """The slot of one that is not remembered, if there is one."""
        if self.soon[row] >= 0:
            return 0
        self.soon[row] = self.tuples.buckets[self.tags[row] & self.tuples.mask]
        return self._fetch(self.soon[row] * SLOT_WIDTH) if self.soon[row] >= 0 else 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _expect_neighbours(self, k: cython.Py_ssize_t) -> cython.int:
        """Those that stand beside a slot in its queue, if it has one."""
        link: cython.Py_ssize_t
        beside: cython.longlong
        if cython.compiled and self.cells[k + QUEUE] >= OF_PARTS:
            for link in range(PREVIOUS, PREVIOUS + 2):
                beside = self.cells[k + link]
                if beside >= 0:
                    prefetch(cython.address(self.cells[beside * SLOT_WIDTH + PREVIOUS]))
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _fetch(self, k: cython.Py_ssize_t) -> cython.int:
        """What is first in a slot."""
        line: cython.Py_ssize_t
        if cython.compiled:
            for line in range(LINES):
                prefetch(cython.address(self.cells[k + 8 * line]))
        return 0
