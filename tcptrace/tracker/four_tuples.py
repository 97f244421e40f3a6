# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`FourTuples`: from two addresses and two ports to a slot, whichever end sent the segment.

And from the two addresses to their part of all traffic.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.decode.segments import Segments
from tcptrace.tracker.slots import PARTS, Slots

if not cython.compiled:
    from tcptrace.tracker.memory import prefetch

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
PREVIOUS = cython.declare(cython.Py_ssize_t, Slots.index("previous"))  # then "following"
SLOT_WIDTH = cython.declare(cython.Py_ssize_t, Slots.width())
SEGMENT_WIDTH = cython.declare(cython.Py_ssize_t, Segments.width())
MASK62 = cython.declare(cython.longlong, 0x3FFFFFFFFFFFFFFF)
MASK64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)

# SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"): "somepseudorandomlygenerated
# bytes", rounds at the end, and the last word, which has the count of octets in its upper eight.
START_0 = cython.declare(cython.ulonglong, 0x736F6D6570736575)
START_1 = cython.declare(cython.ulonglong, 0x646F72616E646F6D)
START_2 = cython.declare(cython.ulonglong, 0x6C7967656E657261)
START_3 = cython.declare(cython.ulonglong, 0x7465646279746573)
LAST_ROUNDS = cython.declare(cython.int, 3)
WORDS = cython.declare(cython.int, 6)
LENGTH = cython.declare(cython.longlong, 40 << 56)
# The other half of the key is made of the seed, which the slots' sign bit leaves 62 bits.
SECOND_KEY = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)

# The part has no seed, for every process that tracks some of the parts must know it: whoever makes
# addresses for one part gains no more than that it is larger. MurmurHash3's finalizer.
FIRST_MIX = cython.declare(cython.ulonglong, 0xFF51AFD7ED558CCD)
SECOND_MIX = cython.declare(cython.ulonglong, 0xC4CEB9FE1A85EC53)
MANY = cython.declare(cython.ulonglong, PARTS)

UNUSED = cython.declare(cython.longlong, -1)
REMOVED = cython.declare(cython.longlong, -2)
# Rows ahead for which bucket, slot and the slots beside it in its queue are fetched.
SOON = cython.declare(cython.Py_ssize_t, 18)
SOONER = cython.declare(cython.Py_ssize_t, 12)
NEXT = cython.declare(cython.Py_ssize_t, 6)
LINES = cython.declare(cython.Py_ssize_t, (Slots.width() + 7) // 8)  # of the caches, a slot's
LEAST_BUCKETS = cython.declare(cython.longlong, 4096)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _turned(word: cython.ulonglong, by: cython.int) -> cython.ulonglong:
    """64 bits, turned left."""
    return ((word << by) | (word >> (64 - by))) & MASK64


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _is_upper_first(s: cython.longlong[::1], at: cython.Py_ssize_t) -> cython.bint:
    """Whether the source comes after the destination, in an order of addresses and ports."""
    if s[at + SRC_HI] != s[at + DST_HI]:
        return s[at + SRC_HI] > s[at + DST_HI]
    if s[at + SRC_LO] != s[at + DST_LO]:
        return s[at + SRC_LO] > s[at + DST_LO]
    return s[at + SRC_PORT] > s[at + DST_PORT]


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _word(
    s: cython.longlong[::1], at: cython.Py_ssize_t, place: cython.int, turned: cython.bint
) -> cython.longlong:
    """One of the words that are hashed, the same in both directions: ends in order, then ports."""
    if place == 0:
        return s[at + DST_HI] if turned else s[at + SRC_HI]
    if place == 1:
        return s[at + DST_LO] if turned else s[at + SRC_LO]
    if place == 2:
        return s[at + SRC_HI] if turned else s[at + DST_HI]
    if place == 3:
        return s[at + SRC_LO] if turned else s[at + DST_LO]
    if place == 4:
        source: cython.longlong = s[at + SRC_PORT]
        destination: cython.longlong = s[at + DST_PORT]
        return destination << 16 | source if turned else source << 16 | destination
    return LENGTH


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _mixed(upper: cython.longlong, lower: cython.longlong) -> cython.ulonglong:
    """An address, every bit of it in every bit."""
    word: cython.ulonglong = (upper & MASK64) * FIRST_MIX & MASK64
    word = (word ^ word >> 33) + (lower & MASK64) & MASK64
    word = (word ^ word >> 33) * FIRST_MIX & MASK64
    word = (word ^ word >> 33) * SECOND_MIX & MASK64
    return word ^ word >> 33


@cython.final
@cython.cclass
class FourTuples:
    """Slots by a segment's four-tuple, open addressing; the newest incarnation is there."""

    s: cython.longlong[::1]
    cells: cython.longlong[::1]
    buckets: cython.longlong[::1]
    tags: cython.longlong[::1]
    mask: cython.longlong
    seed: cython.longlong
    filled: cython.longlong

    def __init__(self, seed: int) -> None:
        """`seed` is drawn anew for each run, so that nobody can choose four-tuples that collide."""
        self.seed = seed & MASK62
        self.buckets = memoryview(np.full(LEAST_BUCKETS, UNUSED, np.int64))
        self.tags = memoryview(np.zeros(1, np.int64))
        self.mask = LEAST_BUCKETS - 1
        self.filled = 0

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
    @cython.exceptval(-2, check=True)
    def find(self, at: cython.Py_ssize_t, tag: cython.longlong) -> cython.longlong:
        """2 * slot + sender of the connection of the segment at cell `at`, -1 for none.

        tag : the segment's, as `tag` gives it
        """
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

    def tag_all(self, count: cython.Py_ssize_t) -> None:
        """Work out the tags of the first `count` segments of the batch."""
        if len(self.tags) < count:
            self.tags = memoryview(np.zeros(count, np.int64))
        row: cython.Py_ssize_t
        with cython.nogil:
            for row in range(count):
                self.tags[row] = self.tag(row * SEGMENT_WIDTH)

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def tag_of(self, row: cython.Py_ssize_t) -> cython.longlong:
        """The tag of a segment of the batch."""
        return self.tags[row]

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def expect(self, row: cython.Py_ssize_t, count: cython.Py_ssize_t) -> cython.int:
        """Have at hand what the segments after that of a row will need."""
        if cython.compiled and row + SOON < count:
            prefetch(cython.address(self.buckets[self.tags[row + SOON] & self.mask]))
            self._expect_slot(self.buckets[self.tags[row + SOONER] & self.mask])
            self._expect_neighbours(self.buckets[self.tags[row + NEXT] & self.mask])
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _expect_slot(self, slot: cython.longlong) -> cython.int:
        line: cython.Py_ssize_t
        if cython.compiled and slot >= 0:
            for line in range(LINES):
                prefetch(cython.address(self.cells[slot * SLOT_WIDTH + 8 * line]))
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _expect_neighbours(self, slot: cython.longlong) -> cython.int:
        """Those that stand beside a slot in its queue."""
        link: cython.Py_ssize_t
        beside: cython.longlong
        if cython.compiled and slot >= 0:
            for link in range(PREVIOUS, PREVIOUS + 2):
                beside = self.cells[slot * SLOT_WIDTH + link]
                if beside >= 0:
                    prefetch(cython.address(self.cells[beside * SLOT_WIDTH + PREVIOUS]))
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def sender(self, at: cython.Py_ssize_t, slot: cython.Py_ssize_t) -> cython.longlong:
        """Which side of a connection of its four-tuple sent the segment."""
        return 0 if self._matches(at, slot, SRC_HI, DST_HI) else 1

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def tag(self, at: cython.Py_ssize_t) -> cython.longlong:
        """SipHash-1-3 of a segment's four-tuple under the seed, the same in both directions.

        A hash without such a proof has four-tuples that collide under every seed.
        """
        one: cython.ulonglong = self.seed & MASK64
        two: cython.ulonglong = (one * SECOND_KEY) & MASK64
        v0: cython.ulonglong = one ^ START_0
        v1: cython.ulonglong = two ^ START_1
        v2: cython.ulonglong = one ^ START_2
        v3: cython.ulonglong = two ^ START_3
        turned: cython.bint = _is_upper_first(self.s, at)
        word: cython.ulonglong
        place: cython.int
        for place in range(WORDS + LAST_ROUNDS):
            word = 0
            if place < WORDS:
                word = _word(self.s, at, place, turned) & MASK64
            elif place == WORDS:
                v2 ^= 0xFF
            v3 ^= word
            v0 = (v0 + v1) & MASK64
            v1 = _turned(v1, 13) ^ v0
            v0 = _turned(v0, 32)
            v2 = (v2 + v3) & MASK64
            v3 = _turned(v3, 16) ^ v2
            v0 = (v0 + v3) & MASK64
            v3 = _turned(v3, 21) ^ v0
            v2 = (v2 + v1) & MASK64
            v1 = _turned(v1, 17) ^ v2
            v2 = _turned(v2, 32)
            v0 ^= word
        return (v0 ^ v1 ^ v2 ^ v3) & MASK62

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def part(self, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Which of PARTS a segment's two addresses are in, the same in both directions."""
        one: cython.ulonglong = _mixed(self.s[at + SRC_HI], self.s[at + SRC_HI + 1])
        two: cython.ulonglong = _mixed(self.s[at + DST_HI], self.s[at + DST_HI + 1])
        return ((one + two) & MASK64) % MANY

    def parts(self, count: cython.Py_ssize_t):
        """The part of each of the first `count` segments that it looks at, int64."""
        found = np.zeros(count, np.int64)
        parts: cython.longlong[::1] = memoryview(found)
        row: cython.Py_ssize_t
        for row in range(count):
            parts[row] = self.part(row * SEGMENT_WIDTH)
        return found

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _matches(
        self,
        at: cython.Py_ssize_t,
        slot: cython.longlong,
        first: cython.Py_ssize_t,
        second: cython.Py_ssize_t,
    ) -> cython.bint:
        """Whether side 0 of a slot is the end at address column `first` (source, destination)."""
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        source_first: cython.bint = first == SRC_HI
        port_0: cython.longlong = self.s[at + SRC_PORT] if source_first else self.s[at + DST_PORT]
        port_1: cython.longlong = self.s[at + DST_PORT] if source_first else self.s[at + SRC_PORT]
        if self.cells[k + PORT_0] != port_0 or self.cells[k + PORT_1] != port_1:
            return False
        if (
            self.cells[k + LO_0] != self.s[at + first + 1]
            or self.cells[k + LO_1] != self.s[at + second + 1]
        ):
            return False
        return (
            self.cells[k + HI_0] == self.s[at + first]
            and self.cells[k + HI_1] == self.s[at + second]
        )

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=False)
    def insert(self, slot: cython.Py_ssize_t, open_count: cython.longlong) -> cython.int:
        """Add a slot whose four-tuple has none; `open_count` slots are in use."""
        self.filled += 1
        if 2 * self.filled > self.mask:
            with cython.gil:
                self._rehash(open_count)
        return self._put(slot)

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=False)
    def replace(self, slot: cython.Py_ssize_t, by: cython.longlong) -> cython.int:
        """Put another slot of the same four-tuple in its place, or -1 to take it out."""
        place: cython.longlong = self.cells[slot * SLOT_WIDTH + HASH] & self.mask
        while self.buckets[place] != slot:
            place = (place + 1) & self.mask
        self.buckets[place] = by if by >= 0 else REMOVED
        return 0

    @cython.cfunc
    @cython.nogil
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
        size: cython.longlong = LEAST_BUCKETS
        while size < 8 * open_count:
            size *= 2
        old = self.buckets
        self.buckets = memoryview(np.full(size, UNUSED, np.int64))
        self.mask = size - 1
        self.filled = 1
        place: cython.Py_ssize_t
        for place in range(len(old)):
            if old[place] >= 0:
                self._put(old[place])
                self.filled += 1
        return 0
