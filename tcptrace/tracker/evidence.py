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
from tcptrace.tracker.slots import Evidence, Keeping, grown

SEGMENT_WIDTH = cython.declare(cython.Py_ssize_t, Segments.width())
SLOT = cython.declare(cython.Py_ssize_t, Segments.index("slot"))
IS_COPY = cython.declare(cython.Py_ssize_t, Segments.index("copy"))
OPENS = cython.declare(cython.Py_ssize_t, Segments.index("opens"))
COPIED = cython.declare(cython.Py_ssize_t, len(Evidence.COPIED))


# The pool holds what is known when a segment passes: the columns copied, and `copy`. Its cells
# have 32 bits, for memory is what keeping costs; a wide column has two, the lower half first.
WIDE = cython.declare(cython.Py_ssize_t, len(Evidence.WIDE))
UNSIGNED = cython.declare(cython.Py_ssize_t, len(Evidence.WIDE) + len(Evidence.UNSIGNED))
KEPT = cython.declare(cython.Py_ssize_t, WIDE + COPIED + 1)


def _cell(name: str) -> int:
    """Where a column lies in a row of the pool."""
    place: int = Evidence.index(name)
    return 2 * place if name in Evidence.WIDE else place + len(Evidence.WIDE)


TIME = cython.declare(cython.Py_ssize_t, _cell("time"))
PATH = cython.declare(cython.Py_ssize_t, _cell("path"))
KIND = cython.declare(cython.Py_ssize_t, _cell("kind"))
INTERFACE = cython.declare(cython.Py_ssize_t, _cell("interface"))
TTL = cython.declare(cython.Py_ssize_t, _cell("ttl"))
IP_ID = cython.declare(cython.Py_ssize_t, _cell("ip_id"))
SEQ = cython.declare(cython.Py_ssize_t, _cell("seq"))
ACK = cython.declare(cython.Py_ssize_t, _cell("ack"))
FLAGS = cython.declare(cython.Py_ssize_t, _cell("flags"))
PAYLOAD = cython.declare(cython.Py_ssize_t, _cell("payload"))
CHECKSUM_FIELD = cython.declare(cython.Py_ssize_t, _cell("checksum_field"))
TSVAL = cython.declare(cython.Py_ssize_t, _cell("tsval"))
SENDER = cython.declare(cython.Py_ssize_t, _cell("sender"))
COPY = cython.declare(cython.Py_ssize_t, WIDE + COPIED)
COPY_COLUMN = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())

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

CHUNK = cython.declare(cython.Py_ssize_t, Keeping.CHUNK)
ELSEWHERE = cython.declare(cython.longlong, Keeping.ELSEWHERE)
LOOSE_CHUNKS = cython.declare(cython.Py_ssize_t, 5)
PIN_AFTER = cython.declare(cython.Py_ssize_t, 32)
PINNED_MOST = cython.declare(cython.Py_ssize_t, 2048)
COPY_WITHIN = cython.declare(cython.longlong, 50_000_000)
COPY_AT_ONCE = cython.declare(cython.longlong, 1_000_000)
MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)
HALF = cython.declare(cython.longlong, 0x80000000)
UPPER = cython.declare(cython.longlong, 1 << 32)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _low(value: cython.longlong) -> cython.int:
    """The lower 32 bits, as a cell of the pool holds them."""
    return ((value + HALF) & MASK32) - HALF


@cython.cclass
class EvidenceLog:
    """The evidence of all open connections, by slot."""

    pool: object
    poured: object
    kept: object
    table: cython.longlong[::1]
    rows: cython.int[::1]
    after: cython.longlong[::1]
    free: cython.longlong
    source: cython.longlong[::1]

    def __init__(self) -> None:
        self.pool = np.zeros((0, CHUNK * KEPT), np.int32)
        self.poured = np.zeros((0, WIDTH), np.int64)
        self.kept = np.zeros((1, SLOT_WIDTH), np.int64)
        self.after = memoryview(np.zeros(1, np.int64))
        self.free = -1
        self.source = memoryview(np.array([Segments.index(n) for n in Evidence.COPIED], np.int64))

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
                slot = segments[row * SEGMENT_WIDTH + SLOT]
                if slot >= 0:
                    if segments[row * SEGMENT_WIDTH + OPENS]:
                        self._begin(slot * SLOT_WIDTH)
                    self._keep(segments, row * SEGMENT_WIDTH, slot)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _begin(self, k: cython.Py_ssize_t) -> cython.int:
        """A connection begins in the slot: nothing is kept of it yet."""
        cell: cython.Py_ssize_t
        for cell in range(k, k + SLOT_WIDTH):
            self.table[cell] = 0
        self.table[k + FIRST_CHUNK] = self.table[k + LAST_CHUNK] = -1
        self.table[k + LAST_PINNED] = -1
        self.table[k + PIN] = PIN_AFTER
        return 0

    def collect(self, slots: list, keep: cython.bint = False):
        """(Evidence matrix, offsets): the rows of these slots in a row; their chunks go back.

        With `keep` they stay where they are, and nothing changes.
        """
        offsets = np.zeros(len(slots) + 1, np.int64)
        np.cumsum(self.kept[slots, ROWS], out=offsets[1:])
        total: cython.Py_ssize_t = offsets[len(slots)]
        out: cython.longlong[::1] = self._room(total)
        at: cython.Py_ssize_t = 0
        for slot in slots:
            at = self._pour(slot, out, at)
            if not keep:
                self._give_back(slot)
        return self.poured[:total], offsets

    def _room(self, count: cython.Py_ssize_t) -> memoryview:
        """Cells for so many rows, kept from call to call: fresh memory costs time."""
        if len(self.poured) <= count:
            self.poured = np.zeros((count + count // 4 + 1, WIDTH), np.int64)
        return memoryview(self.poured.reshape(-1))

    @cython.cfunc
    @cython.exceptval(-1)
    def _bring_back(self, slot: cython.Py_ssize_t) -> cython.int:
        """Lay rows that are elsewhere into the pool: a subclass's matter."""
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
            used = self.table[k + LAST_ROWS] if chunk == self.table[k + LAST_CHUNK] else CHUNK
            for row in range(used):
                self._unpack((chunk * CHUNK + row) * KEPT, out, at)
                at += WIDTH
            chunk = self.after[chunk]
        return at

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _unpack(
        self, row: cython.Py_ssize_t, out: cython.longlong[::1], at: cython.Py_ssize_t
    ) -> cython.int:
        r = self.rows
        column: cython.Py_ssize_t
        upper: cython.longlong
        for column in range(WIDE):
            upper = r[row + 2 * column + 1]
            out[at + column] = upper * UPPER + (r[row + 2 * column] & MASK32)
        for column in range(WIDE, UNSIGNED):
            out[at + column] = r[row + WIDE + column] & MASK32
        for column in range(UNSIGNED, COPIED):
            out[at + column] = r[row + WIDE + column]
        for column in range(COPIED, WIDTH):
            out[at + column] = 0
        out[at + COPY_COLUMN] = r[row + COPY]
        return 0

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
            self._let_go(chunk)
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
        if self.table[k + FIRST_CHUNK] == ELSEWHERE:
            with cython.gil:
                self._bring_back(slot)
        row: cython.Py_ssize_t = self._next_row(k)
        column: cython.Py_ssize_t
        for column in range(WIDE):
            self.rows[row + 2 * column] = _low(s[at + self.source[column]])
            self.rows[row + 2 * column + 1] = s[at + self.source[column]] >> 32
        for column in range(WIDE, COPIED):
            self.rows[row + WIDE + column] = _low(s[at + self.source[column]])
        self.rows[row + COPY] = s[at + IS_COPY] = self._is_copy(k, row)
        bits: cython.longlong = self.rows[row + FLAGS] & (SYN | FIN | RST)
        if (bits or self.rows[row + KIND] != SEGMENT) and self.table[k + PINNED_ROWS] < PINNED_MOST:
            self.table[k + PIN] = PIN_AFTER
            self.table[k + LAST_PINNED] = self.table[k + LAST_CHUNK]
            self.table[k + LOOSE] = 0
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _lay(
        self, row: cython.Py_ssize_t, cells: cython.longlong[::1], at: cython.Py_ssize_t
    ) -> cython.int:
        """Lay a row of `Evidence` into the pool."""
        column: cython.Py_ssize_t
        for column in range(WIDE):
            self.rows[row + 2 * column] = _low(cells[at + column])
            self.rows[row + 2 * column + 1] = cells[at + column] >> 32
        for column in range(WIDE, COPY_COLUMN + 1):
            self.rows[row + WIDE + column] = _low(cells[at + column])
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
        ) * KEPT
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
        chunk: cython.longlong
        if self.table[k + LOOSE] >= LOOSE_CHUNKS:
            self._drop_oldest_loose(k)
        if self.free < 0:
            with cython.gil:
                self._more_chunks()
        chunk = self.free
        self.free = self.after[chunk]
        self.after[chunk] = -1
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
        self._let_go(oldest)
        self.table[k + LOOSE] -= 1
        self.table[k + ROWS] -= CHUNK
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _let_go(self, chunk: cython.longlong) -> cython.int:
        self.after[chunk] = self.free
        self.free = chunk
        return 0

    def _more_chunks(self) -> None:
        size: cython.Py_ssize_t = len(self.pool)
        larger: cython.Py_ssize_t = max(1024, size + size // 2)
        # In place: the system moves a large array's pages, and nothing else ever holds a view.
        self.rows = None
        self.pool.resize((larger, CHUNK * KEPT), refcheck=False)
        self.rows = memoryview(self.pool.reshape(-1))
        links = np.arange(1, larger + 1)  # each new chunk leads to the next free one
        links[larger - 1] = -1
        if size:
            links[:size] = np.asarray(self.after)
        self.after = memoryview(links)
        self.free = size

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _time(self, row: cython.Py_ssize_t) -> cython.longlong:
        upper: cython.longlong = self.rows[row + TIME + 1]
        return upper * UPPER + (self.rows[row + TIME] & MASK32)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _is_copy(self, k: cython.Py_ssize_t, row: cython.Py_ssize_t) -> cython.longlong:
        """Whether one of the last rows is the same packet, captured twice."""
        r = self.rows
        other: cython.Py_ssize_t = row - KEPT
        first: cython.Py_ssize_t = self.table[k + LAST_CHUNK] * CHUNK * KEPT
        while other >= first:
            if r[row + SEQ] == r[other + SEQ] and self._same(row, other):
                return 1
            if self._time(row) - self._time(other) > COPY_WITHIN:
                return 0
            other -= KEPT
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _same(self, row: cython.Py_ssize_t, other: cython.Py_ssize_t) -> cython.bint:
        r = self.rows
        if (
            r[row + SENDER] != r[other + SENDER]
            or r[row + KIND] != r[other + KIND]
            or r[row + ACK] != r[other + ACK]
            or r[row + FLAGS] != r[other + FLAGS]
            or r[row + PAYLOAD] != r[other + PAYLOAD]
            or r[row + CHECKSUM_FIELD] != r[other + CHECKSUM_FIELD]
            or r[row + TSVAL] != r[other + TSVAL]
            or r[row + IP_ID] != r[other + IP_ID]
        ):
            return False
        gap: cython.longlong = abs(self._time(row) - self._time(other))
        if gap > COPY_WITHIN or r[row + KIND] != SEGMENT:
            return False
        if r[row + IP_ID] > 0 or gap < COPY_AT_ONCE:
            return True
        return (
            r[row + TTL] != r[other + TTL]
            or r[row + PATH] != r[other + PATH]
            or r[row + PATH + 1] != r[other + PATH + 1]
            or r[row + INTERFACE] != r[other + INTERFACE]
        )
