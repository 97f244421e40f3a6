# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Paths`: the least turnaround of each host with each peer, in a hash table of its own.

A flood asks for two paths a connection: none may cost a Python object.
"""

from __future__ import annotations

import secrets

import cython
import numpy as np

from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Slots

HI_0 = cython.declare(cython.Py_ssize_t, Slots.index("hi_0"))
LO_0 = cython.declare(cython.Py_ssize_t, Slots.index("lo_0"))
HI_1 = cython.declare(cython.Py_ssize_t, Slots.index("hi_1"))
LO_1 = cython.declare(cython.Py_ssize_t, Slots.index("lo_1"))
SLOT_WIDTH = cython.declare(cython.Py_ssize_t, Slots.width())
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())
# Of an entry: the host's address, its peer's, the least turnaround, and the next of its bucket.
WORDS = cython.declare(cython.Py_ssize_t, 4)
LEAST = cython.declare(cython.Py_ssize_t, 4)
NEXT = cython.declare(cython.Py_ssize_t, 5)
WIDTH = cython.declare(cython.Py_ssize_t, 6)
FEW = cython.declare(cython.Py_ssize_t, 1024)
NONE = cython.declare(cython.longlong, -1)
MASK32 = cython.declare(cython.ulonglong, 0xFFFFFFFF)
MASK64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)


@cython.final
@cython.cclass
class Paths:
    """At most so many paths between two calls; those that were met first are forgotten.

    Entries are numbered as they are met; that of number n is in row n modulo their count. They are
    hashed by a sum of products with secret factors, upper half (Lemire, Kaser: "Strongly universal
    string hashing is fast"): nobody can look for addresses that fall into one bucket.
    """

    entries: cython.longlong[::1]
    buckets: cython.longlong[::1]
    factors: cython.longlong[::1]
    words: cython.longlong[::1]
    mask: cython.longlong
    most: cython.longlong
    first: cython.longlong
    after: cython.longlong

    def __init__(self, most: int) -> None:
        self.most = most
        self.factors = memoryview(bytearray(secrets.token_bytes(16 * WORDS))).cast("q")
        self.words = memoryview(np.zeros(WORDS, np.int64))
        self.first = self.after = 0
        self._give_room(FEW)

    def settle(
        self, slots: cython.longlong[::1], sides: cython.longlong[::1], count: cython.Py_ssize_t
    ) -> None:
        """Learn the turnarounds of connections, ns, -1 unknown; then make each the least known."""
        side: cython.Py_ssize_t
        while self.after - self.first + 2 * count > self.mask:
            self._grow()
        with cython.nogil:
            for side in range(2 * count):
                if sides[side * SIDE_WIDTH + TURNAROUND] >= 0:
                    self._turn(slots, side)
                    self._learn(sides[side * SIDE_WIDTH + TURNAROUND])
            for side in range(2 * count):
                self._turn(slots, side)
                sides[side * SIDE_WIDTH + TURNAROUND] = self._least()
            while self.after - self.first > self.most:
                self._forget()

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _give_room(self, count: cython.Py_ssize_t) -> cython.int:
        self.entries = memoryview(np.zeros(count * WIDTH, np.int64))
        self.buckets = memoryview(np.full(count, NONE, np.int64))
        self.mask = count - 1
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _grow(self) -> cython.int:
        """Room for twice as many, each in the bucket that it falls in by now."""
        old: cython.longlong[::1] = self.entries
        mask: cython.longlong = self.mask
        after: cython.longlong = self.after
        self._give_room(2 * (mask + 1))
        self.after = self.first
        with cython.nogil:
            while self.after < after:
                self._add_from(old, (self.after & mask) * WIDTH)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _add_from(self, entries: cython.longlong[::1], k: cython.Py_ssize_t) -> cython.int:
        place: cython.Py_ssize_t
        for place in range(WORDS):
            self.words[place] = entries[k + place]
        return self._add(entries[k + LEAST])

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _turn(self, slots: cython.longlong[::1], side: cython.Py_ssize_t) -> cython.int:
        """Turn to the path of a side."""
        k: cython.Py_ssize_t = side // 2 * SLOT_WIDTH
        own: cython.Py_ssize_t = 2 * (side & 1)
        self.words[own], self.words[own + 1] = slots[k + HI_0], slots[k + LO_0]
        self.words[2 - own], self.words[3 - own] = slots[k + HI_1], slots[k + LO_1]
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _bucket(self) -> cython.Py_ssize_t:
        total: cython.ulonglong = 0
        place: cython.Py_ssize_t
        for place in range(WORDS):
            word: cython.ulonglong = self.words[place] & MASK64
            low: cython.ulonglong = self.factors[2 * place] & MASK64
            high: cython.ulonglong = self.factors[2 * place + 1] & MASK64
            total = total + (word & MASK32) * low + (word >> 32) * high & MASK64
        return (total >> 32) & self.mask

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _find(self) -> cython.Py_ssize_t:
        """Where the entry of the path begins, NONE if it is not known."""
        number: cython.longlong = self.buckets[self._bucket()]
        while number != NONE:
            k: cython.Py_ssize_t = (number & self.mask) * WIDTH
            if (
                self.entries[k] == self.words[0]
                and self.entries[k + 1] == self.words[1]
                and self.entries[k + 2] == self.words[2]
                and self.entries[k + 3] == self.words[3]
            ):
                return k
            number = self.entries[k + NEXT]
        return NONE

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _learn(self, turnaround: cython.longlong) -> cython.int:
        k: cython.Py_ssize_t = self._find()
        if k == NONE:
            return self._add(turnaround)
        self.entries[k + LEAST] = min(self.entries[k + LEAST], turnaround)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _least(self) -> cython.longlong:
        k: cython.Py_ssize_t = self._find()
        return NONE if k == NONE else self.entries[k + LEAST]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _add(self, turnaround: cython.longlong) -> cython.int:
        """The newest of its bucket, so that the oldest of all is the last of its own."""
        k: cython.Py_ssize_t = (self.after & self.mask) * WIDTH
        bucket: cython.Py_ssize_t = self._bucket()
        place: cython.Py_ssize_t
        for place in range(WORDS):
            self.entries[k + place] = self.words[place]
        self.entries[k + LEAST], self.entries[k + NEXT] = turnaround, self.buckets[bucket]
        self.buckets[bucket] = self.after
        self.after += 1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _forget(self) -> cython.int:
        """The oldest of all: nothing stands behind it in its bucket."""
        k: cython.Py_ssize_t = (self.first & self.mask) * WIDTH
        place: cython.Py_ssize_t
        for place in range(WORDS):
            self.words[place] = self.entries[k + place]
        bucket: cython.Py_ssize_t = self._bucket()
        number: cython.longlong = self.buckets[bucket]
        if number == self.first:
            self.buckets[bucket] = NONE
        while number != self.first:
            k = (number & self.mask) * WIDTH
            number = self.entries[k + NEXT]
            if number == self.first:
                self.entries[k + NEXT] = NONE
        self.first += 1
        return 0
