# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`EvidenceLog` ⚙: what is kept of an open connection's segments.

The opening, and what surrounds every SYN, FIN, RST and ICMP error, is kept for good (`pinned`);
of the segments between only the last few dozen are, for they may turn out to stand before a
FIN. Rows lie in chunks of a pool, so that a connection costs what it keeps; `resting` has those of
quiet ones elsewhere.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.decode.segments import Kind, Segments
from tcptrace.tcp import flags
from tcptrace.tracker.pool import Pool
from tcptrace.tracker.slots import Brief, Evidence, Keeping, grown

if not cython.compiled:
    from tcptrace.tracker.memory import prefetch

SEGMENT_WIDTH = cython.declare(cython.Py_ssize_t, Segments.width())
SLOT = cython.declare(cython.Py_ssize_t, Segments.index("slot"))
IS_COPY = cython.declare(cython.Py_ssize_t, Segments.index("copy"))
OPENS = cython.declare(cython.Py_ssize_t, Segments.index("opens"))
KIND = cython.declare(cython.Py_ssize_t, Segments.index("kind"))
FLAGS = cython.declare(cython.Py_ssize_t, Segments.index("flags"))
PATH = cython.declare(cython.Py_ssize_t, Segments.index("path"))
INTERFACE = cython.declare(cython.Py_ssize_t, Segments.index("interface"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())

BRIEF = cython.declare(cython.Py_ssize_t, len(Brief.CELLS))
B_BITS = cython.declare(cython.Py_ssize_t, Brief.index("bits"))
COPY = cython.declare(cython.longlong, Brief.field("copy"))

ROWS = cython.declare(cython.Py_ssize_t, Keeping.index("rows"))
FIRST_CHUNK = cython.declare(cython.Py_ssize_t, Keeping.index("first_chunk"))
LAST_CHUNK = cython.declare(cython.Py_ssize_t, Keeping.index("last_chunk"))
LAST_ROWS = cython.declare(cython.Py_ssize_t, Keeping.index("last_rows"))
LAST_PINNED = cython.declare(cython.Py_ssize_t, Keeping.index("last_pinned"))
LOOSE = cython.declare(cython.Py_ssize_t, Keeping.index("loose"))
PIN = cython.declare(cython.Py_ssize_t, Keeping.index("pin"))
PINNED_ROWS = cython.declare(cython.Py_ssize_t, Keeping.index("pinned_rows"))
SLOT_WIDTH = cython.declare(cython.Py_ssize_t, Keeping.width())

SYN = cython.declare(cython.longlong, flags.SYN)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)

# Rows ahead for which what is kept of a slot, and its last chunk, are fetched.
SOON = cython.declare(cython.Py_ssize_t, 12)
LINES = cython.declare(cython.Py_ssize_t, Keeping.CHUNK * len(Brief.CELLS) // 16)  # of a chunk
NEXT = cython.declare(cython.Py_ssize_t, 6)
CHUNK = cython.declare(cython.Py_ssize_t, Keeping.CHUNK)
PACKED = cython.declare(cython.longlong, Keeping.PACKED)
LOOSE_CHUNKS = cython.declare(cython.Py_ssize_t, 5)
PIN_AFTER = cython.declare(cython.Py_ssize_t, 32)
PINNED_MOST = cython.declare(cython.Py_ssize_t, 2048)
USUAL_PATH = cython.declare(cython.Py_ssize_t, Keeping.index("path"))
USUAL_INTERFACE = cython.declare(cython.Py_ssize_t, Keeping.index("interface"))


@cython.cclass
class EvidenceLog(Pool):
    """The evidence of all open connections, by slot."""

    kept: object

    def __init__(self) -> None:
        super().__init__()
        self.kept = np.zeros((1, SLOT_WIDTH), np.int64)

    def add(
        self, segments: cython.longlong[::1], count: cython.Py_ssize_t, capacity: cython.Py_ssize_t
    ) -> None:
        """Keep each segment of a batch that `ConnectionTable.assign` gave a slot; mark copies.

        capacity : how many slots there are
        """
        if len(self.kept) < capacity:
            self.kept = grown(self.kept, capacity)
        self.table = memoryview(self.kept.reshape(-1))
        row: cython.Py_ssize_t
        slot: cython.Py_ssize_t
        with cython.nogil:
            for row in range(count):
                if cython.compiled and row + SOON < count:
                    self._expect(
                        segments[(row + SOON) * SEGMENT_WIDTH + SLOT],
                        segments[(row + NEXT) * SEGMENT_WIDTH + SLOT],
                    )
                slot = segments[row * SEGMENT_WIDTH + SLOT]
                if slot >= 0:
                    if segments[row * SEGMENT_WIDTH + OPENS]:
                        self._begin(slot * SLOT_WIDTH, segments, row * SEGMENT_WIDTH)
                    self._keep(segments, row * SEGMENT_WIDTH, slot)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _begin(
        self, k: cython.Py_ssize_t, s: cython.longlong[::1], at: cython.Py_ssize_t
    ) -> cython.int:
        """A connection begins in the slot: nothing is kept of it yet."""
        cell: cython.Py_ssize_t
        for cell in range(k, k + SLOT_WIDTH):
            self.table[cell] = 0
        self.table[k + FIRST_CHUNK] = self.table[k + LAST_CHUNK] = -1
        self.table[k + LAST_PINNED] = -1
        self.table[k + PIN] = PIN_AFTER
        self.table[k + USUAL_PATH] = s[at + PATH]
        self.table[k + USUAL_INTERFACE] = s[at + INTERFACE]
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _expect(self, soon: cython.longlong, following: cython.longlong) -> cython.int:
        """Have at hand what is kept of a slot, and where the next row of another one will be."""
        k: cython.Py_ssize_t
        last: cython.longlong
        row: cython.longlong
        if cython.compiled and soon >= 0:
            prefetch(cython.address(self.table[soon * SLOT_WIDTH]))
            prefetch(cython.address(self.table[soon * SLOT_WIDTH + SLOT_WIDTH - 1]))
        if cython.compiled and following >= 0:
            k = following * SLOT_WIDTH
            last = self.table[k + LAST_CHUNK]
            if last >= 0 and self.table[k + ROWS] > 0 and self.table[k + LAST_ROWS] < CHUNK:
                row = last * CHUNK + self.table[k + LAST_ROWS]
                prefetch(cython.address(self.rows[row * BRIEF]))
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _expect_chunk(self, chunk: cython.longlong) -> cython.int:
        """Have the rows of a chunk at hand."""
        line: cython.Py_ssize_t
        if cython.compiled and chunk >= 0:
            for line in range(LINES):
                prefetch(cython.address(self.rows[chunk * CHUNK * BRIEF + 16 * line]))
        return 0

    def offsets(self, slots: object) -> object:
        """Where the rows of each of these slots begin if laid one after the other, and their end.

        slots : int64, n of them; gives n + 1 offsets
        """
        ends = np.zeros(len(slots) + 1, np.int64)
        np.cumsum(self.kept[slots, ROWS], out=ends[1:])
        return ends

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _bring_back(self, slot: cython.Py_ssize_t) -> cython.int:
        """Lay packed rows into the pool: a subclass's matter."""
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _pour(
        self,
        slot: cython.Py_ssize_t,
        out: cython.longlong[::1],
        at: cython.Py_ssize_t,
    ) -> cython.Py_ssize_t:
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        chunk: cython.longlong = self.table[k + FIRST_CHUNK]
        row: cython.Py_ssize_t
        used: cython.Py_ssize_t
        while chunk >= 0:
            if cython.compiled:
                self._expect_chunk(self.after[chunk])
            used = self.table[k + LAST_ROWS] if chunk == self.table[k + LAST_CHUNK] else CHUNK
            for row in range(used):
                self._read(self.rows, (chunk * CHUNK + row) * BRIEF, self.odds, out, at)
                at += WIDTH
            chunk = self.after[chunk]
        return at

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _give_back(self, slot: cython.Py_ssize_t) -> cython.int:
        """The slot's chunks are free again."""
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        chunk: cython.longlong = self.table[k + FIRST_CHUNK]
        following: cython.longlong
        while chunk >= 0:
            following = self.after[chunk]
            self._let_go(chunk, self.table[k + LAST_ROWS] if following < 0 else CHUNK)
            chunk = following
        self.table[k + FIRST_CHUNK] = self.table[k + LAST_CHUNK] = -1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _keep(
        self,
        s: cython.longlong[::1],
        at: cython.Py_ssize_t,
        slot: cython.Py_ssize_t,
    ) -> cython.int:
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        if self.table[k + FIRST_CHUNK] <= PACKED:
            self._bring_back(slot)
        row: cython.Py_ssize_t = self._next_row(k)
        self._write(row, k, s, at)
        if self._is_copy(k, row, self.table[k + LAST_CHUNK]):
            self.rows[row + B_BITS] |= COPY
            s[at + IS_COPY] = 1
        else:
            s[at + IS_COPY] = 0
        pins: cython.bint = s[at + FLAGS] & (SYN | FIN | RST) != 0 or s[at + KIND] != SEGMENT
        if pins and self.table[k + PINNED_ROWS] < PINNED_MOST:
            self.table[k + PIN] = PIN_AFTER
            self.table[k + LAST_PINNED] = self.table[k + LAST_CHUNK]
            self.table[k + LOOSE] = 0
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _next_row(self, k: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The cell where the slot's next evidence row begins."""
        if self.table[k + LAST_CHUNK] < 0 or self.table[k + LAST_ROWS] == CHUNK:
            self._next_chunk(k)
        row: cython.Py_ssize_t = (
            self.table[k + LAST_CHUNK] * CHUNK + self.table[k + LAST_ROWS]
        ) * BRIEF
        self.table[k + LAST_ROWS] += 1
        self.table[k + ROWS] += 1
        if self.table[k + PIN] > 0:
            self.table[k + PIN] -= 1
            self.table[k + PINNED_ROWS] += 1
            self.table[k + LAST_PINNED] = self.table[k + LAST_CHUNK]
            self.table[k + LOOSE] = 0
        return row

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _next_chunk(self, k: cython.Py_ssize_t) -> cython.int:
        if self.table[k + LOOSE] >= LOOSE_CHUNKS:
            self._drop_oldest_loose(k)
        chunk: cython.longlong = self._take_chunk()
        if self.table[k + LAST_CHUNK] >= 0:
            self.after[self.table[k + LAST_CHUNK]] = chunk
        else:
            self.table[k + FIRST_CHUNK] = chunk
        self.table[k + LAST_CHUNK], self.table[k + LAST_ROWS] = chunk, 0
        self.table[k + LOOSE] += 1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _drop_oldest_loose(self, k: cython.Py_ssize_t) -> cython.int:
        kept: cython.longlong = self.table[k + LAST_PINNED]
        oldest: cython.longlong = self.after[kept]
        self.after[kept] = self.after[oldest]
        self._let_go(oldest, CHUNK)
        self.table[k + LOOSE] -= 1
        self.table[k + ROWS] -= CHUNK
        return 0
