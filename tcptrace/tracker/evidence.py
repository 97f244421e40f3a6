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
from tcptrace.tracker.slots import Brief, Keeping, grown

if not cython.compiled:
    from tcptrace.tracker.memory import brief_of, low_32, prefetch, row_of

    SEGMENT_WIDTH = Segments.width()
    S_SLOT = Segments.index("slot")
    S_OPENS = Segments.index("opens")
    S_COPY = Segments.index("copy")
    S_TIME = Segments.index("time")
    S_PACKET = Segments.index("packet")
    S_PATH = Segments.index("path")
    S_SEQ = Segments.index("seq")
    S_ACK = Segments.index("ack")
    S_PAYLOAD = Segments.index("payload")
    S_TSVAL = Segments.index("tsval")
    S_TSECR = Segments.index("tsecr")
    S_KIND = Segments.index("kind")
    S_INTERFACE = Segments.index("interface")
    S_TTL = Segments.index("ttl")
    S_IP_ID = Segments.index("ip_id")
    S_FLAGS = Segments.index("flags")
    S_WINDOW = Segments.index("window")
    S_CHECKSUM = Segments.index("checksum")
    S_CHECKSUM_FIELD = Segments.index("checksum_field")
    S_HAS_TIMESTAMP = Segments.index("has_timestamp")
    S_SACK_BLOCKS = Segments.index("sack_blocks")
    S_ICMP = Segments.index("icmp")
    S_SENDER = Segments.index("sender")

    BRIEF = len(Brief.CELLS)
    B_TIME = Brief.index("time_low")
    B_PACKET = Brief.index("packet")
    B_SEQ = Brief.index("seq")
    B_ACK = Brief.index("ack")
    B_TSVAL = Brief.index("tsval")
    B_TSECR = Brief.index("tsecr")
    B_SIZES = Brief.index("sizes")
    B_LABELS = Brief.index("labels")
    B_BITS = Brief.index("bits")
    TTL_SHIFT = Brief.shift("ttl")
    KIND_SHIFT = Brief.shift("kind")
    CHECKSUM_SHIFT = Brief.shift("checksum")
    TIMESTAMP_SHIFT = Brief.shift("has_timestamp")
    SENDER_SHIFT = Brief.shift("sender")
    ID_SHIFT = Brief.shift("has_ip_id")
    COPY = Brief.field("copy")
    ODD = Brief.field("odd")

    ROWS = Keeping.index("rows")
    FIRST_CHUNK = Keeping.index("first_chunk")
    LAST_CHUNK = Keeping.index("last_chunk")
    LAST_ROWS = Keeping.index("last_rows")
    LAST_PINNED = Keeping.index("last_pinned")
    LOOSE = Keeping.index("loose")
    PIN = Keeping.index("pin")
    PINNED_ROWS = Keeping.index("pinned_rows")
    USUAL_PATH = Keeping.index("path")
    USUAL_INTERFACE = Keeping.index("interface")
    SLOT_WIDTH = Keeping.width()

    SYN_FIN_RST = flags.SYN | flags.FIN | flags.RST
    SEGMENT = Kind.SEGMENT

    # Rows ahead for which what is kept of a slot, and its last chunk, are fetched.
    SOON = 12
    NEXT = 6
    LINES = Keeping.CHUNK * len(Brief.CELLS) // 16  # of a chunk
    CHUNK = Keeping.CHUNK
    PACKED = Keeping.PACKED
    LOOSE_CHUNKS = 5
    PIN_AFTER = 32
    PINNED_MOST = 2048


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _write(
    c: cython.p_int, to: cython.Py_ssize_t, s: cython.p_longlong, at: cython.Py_ssize_t
) -> cython.int:
    """Write a segment into a chunk, from its cell `to` on, as if it said no more than most."""
    ip_id: cython.longlong = s[at + S_IP_ID]
    c[to + B_TIME] = low_32(s[at + S_TIME])
    c[to + B_TIME + 1] = s[at + S_TIME] >> 32
    c[to + B_PACKET] = low_32(s[at + S_PACKET])
    c[to + B_SEQ] = low_32(s[at + S_SEQ])
    c[to + B_ACK] = low_32(s[at + S_ACK])
    c[to + B_TSVAL] = low_32(s[at + S_TSVAL])
    c[to + B_TSECR] = low_32(s[at + S_TSECR])
    c[to + B_SIZES] = low_32(s[at + S_PAYLOAD] | s[at + S_WINDOW] << 16)
    c[to + B_LABELS] = low_32((ip_id if ip_id >= 0 else 0) | s[at + S_CHECKSUM_FIELD] << 16)
    c[to + B_BITS] = _bits(s, at)
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _bits(s: cython.p_longlong, at: cython.Py_ssize_t) -> cython.longlong:
    """What a brief says of a segment in single bits, but for what is only known later."""
    return (
        s[at + S_FLAGS]
        | s[at + S_TTL] << TTL_SHIFT
        | s[at + S_KIND] << KIND_SHIFT
        | s[at + S_CHECKSUM] << CHECKSUM_SHIFT
        | s[at + S_HAS_TIMESTAMP] << TIMESTAMP_SHIFT
        | s[at + S_SENDER] << SENDER_SHIFT
        | (s[at + S_IP_ID] >= 0) << ID_SHIFT
    )


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _says_more(s: cython.p_longlong, at: cython.Py_ssize_t, k: cython.p_longlong) -> cython.bint:
    """Whether a segment says what only some do."""
    return (
        s[at + S_SACK_BLOCKS]
        | s[at + S_ICMP]
        | (s[at + S_PATH] ^ k[USUAL_PATH])
        | (s[at + S_INTERFACE] ^ k[USUAL_INTERFACE])
        | s[at + S_PAYLOAD] >> 16
        | s[at + S_PACKET] >> 32
    ) != 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _begin(k: cython.p_longlong, s: cython.p_longlong, at: cython.Py_ssize_t) -> cython.int:
    """A connection begins in the slot: nothing is kept of it yet."""
    cell: cython.Py_ssize_t
    for cell in range(SLOT_WIDTH):
        k[cell] = 0
    k[FIRST_CHUNK] = k[LAST_CHUNK] = k[LAST_PINNED] = -1
    k[PIN] = PIN_AFTER
    k[USUAL_PATH], k[USUAL_INTERFACE] = s[at + S_PATH], s[at + S_INTERFACE]
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _count_row(k: cython.p_longlong) -> cython.int:
    """A slot has one more row, in its last chunk."""
    k[LAST_ROWS] += 1
    k[ROWS] += 1
    if k[PIN] > 0:
        k[PIN] -= 1
        k[PINNED_ROWS] += 1
        k[LAST_PINNED] = k[LAST_CHUNK]
        k[LOOSE] = 0
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _resembles(c: cython.p_int, at: cython.Py_ssize_t) -> cython.bint:
    """Whether a row has SEQ and ACK of one before it in its chunk."""
    other: cython.Py_ssize_t = at
    while other > 0:
        other -= BRIEF
        if c[other + B_SEQ] == c[at + B_SEQ] and c[other + B_ACK] == c[at + B_ACK]:
            return True
    return False


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def _expect(
    table: cython.longlong[::1],
    rows: cython.int[::1],
    soon: cython.longlong,
    following: cython.longlong,
) -> cython.int:
    """Have at hand what is kept of a slot, and where the next row of another one will be."""
    k: cython.p_longlong
    if cython.compiled and soon >= 0:
        prefetch(cython.address(table[soon * SLOT_WIDTH]))
        prefetch(cython.address(table[soon * SLOT_WIDTH + SLOT_WIDTH - 1]))
    if cython.compiled and following >= 0:
        k = row_of(table, following * SLOT_WIDTH, SLOT_WIDTH)
        if k[LAST_CHUNK] >= 0 and k[ROWS] > 0 and k[LAST_ROWS] < CHUNK:
            prefetch(cython.address(rows[(k[LAST_CHUNK] * CHUNK + k[LAST_ROWS]) * BRIEF]))
    return 0


@cython.cclass
class EvidenceLog(Pool):
    """The evidence of all open connections, by slot."""

    kept: object
    segments: cython.longlong[::1]

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
        if count == 0:
            return
        self.segments = segments
        s: cython.p_longlong = row_of(segments, 0, count * SEGMENT_WIDTH)
        row: cython.Py_ssize_t
        with cython.nogil:
            for row in range(count):
                if cython.compiled and row + SOON < count:
                    _expect(
                        self.table,
                        self.rows,
                        s[(row + SOON) * SEGMENT_WIDTH + S_SLOT],
                        s[(row + NEXT) * SEGMENT_WIDTH + S_SLOT],
                    )
                if s[row * SEGMENT_WIDTH + S_SLOT] >= 0:
                    self._keep(s, row * SEGMENT_WIDTH)
        self.segments = None

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _expect_chunk(self, chunk: cython.longlong) -> cython.int:
        """Have the rows of a chunk at hand."""
        line: cython.Py_ssize_t
        if cython.compiled and chunk >= 0:
            c: cython.p_int = brief_of(self.rows, chunk * CHUNK * BRIEF, CHUNK * BRIEF)
            for line in range(LINES):
                prefetch(cython.address(c[16 * line]))
        return 0

    def offsets(self, slots: object) -> object:
        """Where the rows of each of these slots begin if laid one after the other, and their end.

        slots : int64, n of them; gives n + 1 offsets
        """
        ends = np.zeros(len(slots) + 1, np.int64)
        np.cumsum(self.rows_of(slots), out=ends[1:])
        return ends

    def rows_of(self, slots: object) -> object:
        """How many rows are kept of each of these slots: int64, as they are."""
        return self.kept[slots, ROWS]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _bring_back(self, k: cython.p_longlong) -> cython.int:
        """Lay packed rows into the pool: a subclass's matter."""
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _give_back(self, k: cython.p_longlong) -> cython.int:
        """The slot's chunks are free again."""
        chunk: cython.longlong = k[FIRST_CHUNK]
        following: cython.longlong
        while chunk >= 0:
            following = self.after[chunk]
            self._let_go(chunk, k[LAST_ROWS] if following < 0 else CHUNK)
            chunk = following
        k[FIRST_CHUNK] = k[LAST_CHUNK] = -1
        return 0

    @cython.cfunc
    @cython.final
    @cython.nogil
    @cython.exceptval(-1)
    def _keep(self, s: cython.p_longlong, at: cython.Py_ssize_t) -> cython.int:
        """Keep a segment, which stands in the batch from cell `at` on; mark a copy."""
        k: cython.p_longlong = row_of(self.table, s[at + S_SLOT] * SLOT_WIDTH, SLOT_WIDTH)
        if s[at + S_OPENS]:
            _begin(k, s, at)
        if k[FIRST_CHUNK] <= PACKED:
            self._bring_back(k)
        if k[LAST_CHUNK] < 0 or k[LAST_ROWS] >= CHUNK:
            self._next_chunk(k)
        c: cython.p_int = brief_of(self.rows, k[LAST_CHUNK] * (CHUNK * BRIEF), CHUNK * BRIEF)
        row: cython.Py_ssize_t = k[LAST_ROWS] * BRIEF
        _count_row(k)
        _write(c, row, s, at)
        if _says_more(s, at, k):
            c[row + B_SIZES] = self.odds.write(self.segments, at)
            c[row + B_BITS] |= ODD
        s[at + S_COPY] = 0
        if _resembles(c, row) and self._is_copy(c, row, k):
            s[at + S_COPY] = 1
            c[row + B_BITS] |= COPY
        pins: cython.bint = s[at + S_FLAGS] & SYN_FIN_RST != 0 or s[at + S_KIND] != SEGMENT
        if pins and k[PINNED_ROWS] < PINNED_MOST:
            k[PIN] = PIN_AFTER
            k[LAST_PINNED] = k[LAST_CHUNK]
            k[LOOSE] = 0
        return 0

    @cython.cfunc
    @cython.final
    @cython.nogil
    @cython.exceptval(-1)
    def _next_row(self, k: cython.p_longlong) -> cython.Py_ssize_t:
        """The cell where the slot's next evidence row begins."""
        if k[LAST_CHUNK] < 0 or k[LAST_ROWS] >= CHUNK:
            self._next_chunk(k)
        row: cython.Py_ssize_t = (k[LAST_CHUNK] * CHUNK + k[LAST_ROWS]) * BRIEF
        _count_row(k)
        return row

    @cython.cfunc
    @cython.final
    @cython.nogil
    @cython.exceptval(-1)
    def _next_chunk(self, k: cython.p_longlong) -> cython.int:
        if k[LOOSE] >= LOOSE_CHUNKS:
            self._drop_oldest_loose(k)
        chunk: cython.longlong = self._take_chunk()
        if k[LAST_CHUNK] >= 0:
            self.after[k[LAST_CHUNK]] = chunk
        else:
            k[FIRST_CHUNK] = chunk
        k[LAST_CHUNK], k[LAST_ROWS] = chunk, 0
        k[LOOSE] += 1
        return 0

    @cython.cfunc
    @cython.final
    @cython.nogil
    @cython.exceptval(-1)
    def _drop_oldest_loose(self, k: cython.p_longlong) -> cython.int:
        kept: cython.longlong = k[LAST_PINNED]
        oldest: cython.longlong = self.after[kept]
        self.after[kept] = self.after[oldest]
        self._let_go(oldest, CHUNK)
        k[LOOSE] -= 1
        k[ROWS] -= CHUNK
        return 0
