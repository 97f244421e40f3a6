# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`FourTuples`: from two addresses and two ports to a slot, whichever end sent the segment.

And from the two addresses to their part of all traffic.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.decode.segments import Segments
from tcptrace.tracker.slots import PARTS, Slots

# Of an address the upper half, then the lower; source, then destination, as of sides 0 and 1.
SRC_HI = cython.declare(cython.Py_ssize_t, Segments.index("src_hi"))
DST_HI = cython.declare(cython.Py_ssize_t, Segments.index("dst_hi"))
SRC_PORT = cython.declare(cython.Py_ssize_t, Segments.index("src_port"))
DST_PORT = cython.declare(cython.Py_ssize_t, Segments.index("dst_port"))
HASH = cython.declare(cython.Py_ssize_t, Slots.index("hash"))
HI_0 = cython.declare(cython.Py_ssize_t, Slots.index("hi_0"))
HI_1 = cython.declare(cython.Py_ssize_t, Slots.index("hi_1"))
PORT_0 = cython.declare(cython.Py_ssize_t, Slots.index("port_0"))
PORT_1 = cython.declare(cython.Py_ssize_t, Slots.index("port_1"))
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
# Two IPv4 addresses are one word, two of IPv6 four; the ports are beside the count of octets.
WORDS_4 = cython.declare(cython.int, 2)
WORDS_6 = cython.declare(cython.int, 5)
LENGTH_4 = cython.declare(cython.ulonglong, 12 << 56)
LENGTH_6 = cython.declare(cython.ulonglong, 36 << 56)
IPV4 = cython.declare(cython.longlong, 0xFFFF)  # the upper half of ::ffff:a.b.c.d's lower half
MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)
# The other half of the key is made of the seed, which the slots' sign bit leaves 62 bits.
SECOND_KEY = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)

# The part has no seed, for every process that tracks some of the parts must know it: whoever makes
# addresses for one part gains no more than that it is larger. MurmurHash3's finalizer.
FIRST_MIX = cython.declare(cython.ulonglong, 0xFF51AFD7ED558CCD)
SECOND_MIX = cython.declare(cython.ulonglong, 0xC4CEB9FE1A85EC53)
MANY = cython.declare(cython.ulonglong, PARTS)

UNUSED = cython.declare(cython.longlong, -1)
REMOVED = cython.declare(cython.longlong, -2)
LEAST_BUCKETS = cython.declare(cython.longlong, 4096)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _cut(word: cython.ulonglong) -> cython.ulonglong:
    """64 bits, which in C it has."""
    return word if cython.compiled else word & MASK64


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _turned(word: cython.ulonglong, by: cython.int) -> cython.ulonglong:
    """64 bits, turned left."""
    return _cut(word << by) | (word >> (64 - by))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _hashed(
    words: cython.int,
    seed: cython.ulonglong,
    word: cython.ulonglong,
    second: cython.ulonglong,
    third: cython.ulonglong,
    fourth: cython.ulonglong,
    fifth: cython.ulonglong,
) -> cython.ulonglong:
    """SipHash-1-3 of so many words, the last of which has the count of octets."""
    other: cython.ulonglong = _cut(seed * SECOND_KEY)
    v0: cython.ulonglong = seed ^ START_0
    v1: cython.ulonglong = other ^ START_1
    v2: cython.ulonglong = seed ^ START_2
    v3: cython.ulonglong = other ^ START_3
    place: cython.int
    for place in range(words + LAST_ROUNDS):
        if place == words:
            v2 ^= 0xFF
        v3 ^= word
        v0 = _cut(v0 + v1)
        v1 = _turned(v1, 13) ^ v0
        v0 = _turned(v0, 32)
        v2 = _cut(v2 + v3)
        v3 = _turned(v3, 16) ^ v2
        v0 = _cut(v0 + v3)
        v3 = _turned(v3, 21) ^ v0
        v2 = _cut(v2 + v1)
        v1 = _turned(v1, 17) ^ v2
        v2 = _turned(v2, 32)
        v0 ^= word
        word, second, third, fourth, fifth = second, third, fourth, fifth, 0
    return v0 ^ v1 ^ v2 ^ v3


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _mixed(upper: cython.longlong, lower: cython.longlong) -> cython.ulonglong:
    """An address, every bit of it in every bit."""
    word: cython.ulonglong = _cut(_cut(upper) * FIRST_MIX)
    word = _cut((word ^ word >> 33) + _cut(lower))
    word = _cut((word ^ word >> 33) * FIRST_MIX)
    word = _cut((word ^ word >> 33) * SECOND_MIX)
    return word ^ word >> 33


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
                if self._matches(at, slot, HI_0, HI_1, PORT_0, PORT_1):
                    return 2 * slot
                if self._matches(at, slot, HI_1, HI_0, PORT_1, PORT_0):
                    return 2 * slot + 1
            place = (place + 1) & self.mask
        return -1

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def sender(self, at: cython.Py_ssize_t, slot: cython.Py_ssize_t) -> cython.longlong:
        """Which side of a connection of its four-tuple sent the segment."""
        return 0 if self._matches(at, slot, HI_0, HI_1, PORT_0, PORT_1) else 1

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def tag(self, at: cython.Py_ssize_t) -> cython.longlong:
        """SipHash-1-3 of a segment's four-tuple under the seed, the same in both directions.

        A hash without such a proof has four-tuples that collide under every seed. It has the ends
        in order: by their addresses, then their ports.
        """
        high_0: cython.longlong = self.s[at + SRC_HI]
        low_0: cython.longlong = self.s[at + SRC_HI + 1]
        high_1: cython.longlong = self.s[at + DST_HI]
        low_1: cython.longlong = self.s[at + DST_HI + 1]
        port_0: cython.longlong = self.s[at + SRC_PORT]
        port_1: cython.longlong = self.s[at + DST_PORT]
        upper: cython.bint = high_0 > high_1
        if high_0 == high_1:
            upper = low_0 > low_1 or (low_0 == low_1 and port_0 > port_1)
        if upper:
            high_0, high_1 = high_1, high_0
            low_0, low_1 = low_1, low_0
            port_0, port_1 = port_1, port_0
        ports: cython.ulonglong = port_0 << 16 | port_1
        if high_0 == 0 and high_1 == 0 and low_0 >> 32 == IPV4 and low_1 >> 32 == IPV4:
            pair: cython.ulonglong = _cut(_cut(low_0) << 32) | (low_1 & MASK32)
            return MASK62 & _hashed(WORDS_4, self.seed, pair, LENGTH_4 | ports, 0, 0, 0)
        one: cython.ulonglong = _cut(high_0)
        two: cython.ulonglong = _cut(high_1)
        ports |= LENGTH_6
        return MASK62 & _hashed(WORDS_6, self.seed, one, _cut(low_0), two, _cut(low_1), ports)

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def part(self, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Which of PARTS a segment's two addresses are in, the same in both directions."""
        one: cython.ulonglong = _mixed(self.s[at + SRC_HI], self.s[at + SRC_HI + 1])
        two: cython.ulonglong = _mixed(self.s[at + DST_HI], self.s[at + DST_HI + 1])
        return _cut(one + two) % MANY

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
        source: cython.Py_ssize_t,
        destination: cython.Py_ssize_t,
        source_port: cython.Py_ssize_t,
        destination_port: cython.Py_ssize_t,
    ) -> cython.bint:
        """Whether a slot has the segment's ends, its source at these columns."""
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        return (
            self.cells[k + source_port] == self.s[at + SRC_PORT]
            and self.cells[k + destination_port] == self.s[at + DST_PORT]
            and self.cells[k + source + 1] == self.s[at + SRC_HI + 1]
            and self.cells[k + destination + 1] == self.s[at + DST_HI + 1]
            and self.cells[k + source] == self.s[at + SRC_HI]
            and self.cells[k + destination] == self.s[at + DST_HI]
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
