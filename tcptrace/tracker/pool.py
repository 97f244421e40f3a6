# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Pool` ⚙: rows of evidence in chunks, each as short as what it says allows.

Most segments say little: ten cells of 32 bits, a *brief*, hold such a row. What only some of them
say (SACK blocks, a path that is not the first segment's) stands in an *odd* row beside it, whose
place is in the brief.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.tracker.odds import Odds
from tcptrace.tracker.slots import Brief, Keeping

if not cython.compiled:
    from tcptrace.tracker.memory import brief_of

    USUAL_PATH = Keeping.index("path")
    USUAL_INTERFACE = Keeping.index("interface")
    CHUNK = Keeping.CHUNK
    BRIEF = len(Brief.CELLS)
    B_TIME = Brief.index("time_low")
    B_SEQ = Brief.index("seq")
    B_ACK = Brief.index("ack")
    B_TSVAL = Brief.index("tsval")
    B_SIZES = Brief.index("sizes")
    B_LABELS = Brief.index("labels")
    B_BITS = Brief.index("bits")
    ODD = Brief.field("odd")
    # What two rows must have in common to be of the same packet, of what stands in the bits.
    IDENTITY = Brief.field("flags", "kind", "sender", "has_ip_id")
    TTL_FIELD = Brief.field("ttl")
    OF_KIND = Brief.field("kind")
    COPY_WITHIN = 50_000_000
    COPY_AT_ONCE = 1_000_000
    MASK32 = 0xFFFFFFFF
    UPPER = 1 << 32


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _gap(c: cython.p_int, at: cython.Py_ssize_t, other: cython.Py_ssize_t) -> cython.longlong:
    """The time between two rows, whichever came first."""
    upper: cython.longlong = c[at + B_TIME + 1]
    gap: cython.longlong = upper - c[other + B_TIME + 1]
    gap = gap * UPPER + (c[at + B_TIME] & MASK32) - (c[other + B_TIME] & MASK32)
    return -gap if gap < 0 else gap


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _time(c: cython.p_int, at: cython.Py_ssize_t) -> cython.longlong:
    upper: cython.longlong = c[at + B_TIME + 1]
    return upper * UPPER + (c[at + B_TIME] & MASK32)


@cython.cclass
class Pool:
    """Chunks of CHUNK rows that lead to each other, and a free list of those that hold none.

    table : `Keeping`, a row a slot, called k; c is a chunk's cells, in which a row begins at `at`
    """

    briefs: object
    odds: Odds
    table: cython.longlong[::1]
    rows: cython.int[::1]
    after: cython.longlong[::1]
    free: cython.longlong
    used: cython.longlong

    def __init__(self) -> None:
        self.briefs = np.zeros((0, CHUNK * BRIEF), np.int32)
        self.odds = Odds()
        self.after = memoryview(np.zeros(1, np.int64))
        self.free = -1
        self.used = 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _take_chunk(self) -> cython.longlong:
        """A chunk that holds nothing, after which comes none."""
        if self.free < 0:
            with cython.gil:
                self._more_chunks()
        chunk: cython.longlong = self.free
        self.free = self.after[chunk]
        self.after[chunk] = -1
        self.used += 1
        return chunk

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _let_go(self, chunk: cython.longlong, rows: cython.Py_ssize_t) -> cython.int:
        """The chunk is free again, and the odd rows beside its first `rows` rows are."""
        c: cython.p_int = brief_of(self.rows, chunk * CHUNK * BRIEF, CHUNK * BRIEF)
        row: cython.Py_ssize_t
        for row in range(min(rows, CHUNK)):
            if c[row * BRIEF + B_BITS] & ODD:
                self.odds.let_go(c[row * BRIEF + B_SIZES])
        self.after[chunk] = self.free
        self.free = chunk
        self.used -= 1
        return 0

    def _more_chunks(self) -> None:
        size: cython.Py_ssize_t = len(self.briefs)
        larger: cython.Py_ssize_t = size + max(1024, size // 8)
        # In place: the system moves a large array's pages, and nothing else ever holds a view.
        self.rows = None
        self.briefs.resize((larger, CHUNK * BRIEF), refcheck=False)
        self.rows = memoryview(self.briefs.reshape(-1))
        links = np.arange(1, larger + 1)  # each new chunk leads to the next free one
        links[larger - 1] = -1
        if size:
            links[:size] = np.asarray(self.after)
        self.after = memoryview(links)
        self.free = size

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _is_copy(self, c: cython.p_int, at: cython.Py_ssize_t, k: cython.p_longlong) -> cython.bint:
        """Whether a row before it in its chunk is of the same packet, captured twice."""
        time: cython.longlong = _time(c, at)
        other: cython.Py_ssize_t = at - BRIEF
        while other >= 0:
            if c[at + B_SEQ] == c[other + B_SEQ] and self._same(c, at, other, k):
                return True
            if time - _time(c, other) > COPY_WITHIN:
                return False
            other -= BRIEF
        return False

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _same(
        self,
        c: cython.p_int,
        at: cython.Py_ssize_t,
        other: cython.Py_ssize_t,
        k: cython.p_longlong,
    ) -> cython.bint:
        """Whether two rows of a chunk with the same SEQ are of the same packet, captured twice."""
        differing: cython.longlong = c[at + B_BITS] ^ c[other + B_BITS]
        if (
            c[at + B_ACK] != c[other + B_ACK]
            or differing & IDENTITY
            or c[at + B_LABELS] != c[other + B_LABELS]
            or c[at + B_TSVAL] != c[other + B_TSVAL]
            or self._payload(c, at) != self._payload(c, other)
        ):
            return False
        gap: cython.longlong = _gap(c, at, other)
        if gap > COPY_WITHIN or c[at + B_BITS] & OF_KIND:  # of an ICMP error, a damaged header
            return False
        if c[at + B_LABELS] & 0xFFFF or gap < COPY_AT_ONCE:  # identified, or at once
            return True
        return differing & TTL_FIELD != 0 or self._took_another_way(c, at, other, k)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _payload(self, c: cython.p_int, at: cython.Py_ssize_t) -> cython.longlong:
        if c[at + B_BITS] & ODD:
            return self.odds.payload(c[at + B_SIZES])
        return c[at + B_SIZES] & 0xFFFF

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _took_another_way(
        self,
        c: cython.p_int,
        at: cython.Py_ssize_t,
        other: cython.Py_ssize_t,
        k: cython.p_longlong,
    ) -> cython.bint:
        """Whether two rows differ in path or interface."""
        differ: cython.bint = self._path(c, at, k) != self._path(c, other, k)
        return differ or self._interface(c, at, k) != self._interface(c, other, k)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _path(
        self, c: cython.p_int, at: cython.Py_ssize_t, k: cython.p_longlong
    ) -> cython.longlong:
        if c[at + B_BITS] & ODD:
            return self.odds.path(c[at + B_SIZES])
        return k[USUAL_PATH]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _interface(
        self, c: cython.p_int, at: cython.Py_ssize_t, k: cython.p_longlong
    ) -> cython.longlong:
        if c[at + B_BITS] & ODD:
            return self.odds.interface(c[at + B_SIZES])
        return k[USUAL_INTERFACE]
