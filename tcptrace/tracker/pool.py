# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Pool` ⚙: rows of evidence in chunks, each as short as what it says allows.

Most segments say little: ten cells of 32 bits, a *brief*, hold such a row. What only some of them
say (SACK blocks, a path that is not the first segment's) stands in an *odd* row beside it, whose
place is in the brief.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.decode.segments import Segments
from tcptrace.tracker.odds import Odds
from tcptrace.tracker.slots import Brief, Evidence, Keeping

# Columns of `Segments`, and those of `Evidence` that are read again.
S_TIME = cython.declare(cython.Py_ssize_t, Segments.index("time"))
S_PACKET = cython.declare(cython.Py_ssize_t, Segments.index("packet"))
S_PATH = cython.declare(cython.Py_ssize_t, Segments.index("path"))
S_SEQ = cython.declare(cython.Py_ssize_t, Segments.index("seq"))
S_ACK = cython.declare(cython.Py_ssize_t, Segments.index("ack"))
S_PAYLOAD = cython.declare(cython.Py_ssize_t, Segments.index("payload"))
S_TSVAL = cython.declare(cython.Py_ssize_t, Segments.index("tsval"))
S_TSECR = cython.declare(cython.Py_ssize_t, Segments.index("tsecr"))
S_KIND = cython.declare(cython.Py_ssize_t, Segments.index("kind"))
S_INTERFACE = cython.declare(cython.Py_ssize_t, Segments.index("interface"))
S_TTL = cython.declare(cython.Py_ssize_t, Segments.index("ttl"))
S_IP_ID = cython.declare(cython.Py_ssize_t, Segments.index("ip_id"))
S_FLAGS = cython.declare(cython.Py_ssize_t, Segments.index("flags"))
S_WINDOW = cython.declare(cython.Py_ssize_t, Segments.index("window"))
S_CHECKSUM = cython.declare(cython.Py_ssize_t, Segments.index("checksum"))
S_CHECKSUM_FIELD = cython.declare(cython.Py_ssize_t, Segments.index("checksum_field"))
S_HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Segments.index("has_timestamp"))
S_SACK_BLOCKS = cython.declare(cython.Py_ssize_t, Segments.index("sack_blocks"))
S_ICMP = cython.declare(cython.Py_ssize_t, Segments.index("icmp"))
S_SENDER = cython.declare(cython.Py_ssize_t, Segments.index("sender"))
TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Evidence.index("packet"))
SEQ = cython.declare(cython.Py_ssize_t, Evidence.index("seq"))
ACK = cython.declare(cython.Py_ssize_t, Evidence.index("ack"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Evidence.index("payload"))
TSVAL = cython.declare(cython.Py_ssize_t, Evidence.index("tsval"))
TSECR = cython.declare(cython.Py_ssize_t, Evidence.index("tsecr"))
SACK = cython.declare(cython.Py_ssize_t, Evidence.index("sack_1_left"))
KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
IP_ID = cython.declare(cython.Py_ssize_t, Evidence.index("ip_id"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
WINDOW = cython.declare(cython.Py_ssize_t, Evidence.index("window"))
CHECKSUM = cython.declare(cython.Py_ssize_t, Evidence.index("checksum"))
HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Evidence.index("has_timestamp"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())

USUAL_PATH = cython.declare(cython.Py_ssize_t, Keeping.index("path"))
USUAL_INTERFACE = cython.declare(cython.Py_ssize_t, Keeping.index("interface"))
CHUNK = cython.declare(cython.Py_ssize_t, Keeping.CHUNK)

BRIEF = cython.declare(cython.Py_ssize_t, len(Brief.CELLS))
B_TIME = cython.declare(cython.Py_ssize_t, Brief.index("time_low"))
B_PACKET = cython.declare(cython.Py_ssize_t, Brief.index("packet"))
B_SEQ = cython.declare(cython.Py_ssize_t, Brief.index("seq"))
B_ACK = cython.declare(cython.Py_ssize_t, Brief.index("ack"))
B_TSVAL = cython.declare(cython.Py_ssize_t, Brief.index("tsval"))
B_TSECR = cython.declare(cython.Py_ssize_t, Brief.index("tsecr"))
B_SIZES = cython.declare(cython.Py_ssize_t, Brief.index("sizes"))
B_LABELS = cython.declare(cython.Py_ssize_t, Brief.index("labels"))
B_BITS = cython.declare(cython.Py_ssize_t, Brief.index("bits"))
TTL_SHIFT = cython.declare(cython.int, Brief.shift("ttl"))
KIND_SHIFT = cython.declare(cython.int, Brief.shift("kind"))
CHECKSUM_SHIFT = cython.declare(cython.int, Brief.shift("checksum"))
TIMESTAMP_SHIFT = cython.declare(cython.int, Brief.shift("has_timestamp"))
SENDER_SHIFT = cython.declare(cython.int, Brief.shift("sender"))
COPY_SHIFT = cython.declare(cython.int, Brief.shift("copy"))
ID_SHIFT = cython.declare(cython.int, Brief.shift("has_ip_id"))
ODD_SHIFT = cython.declare(cython.int, Brief.shift("odd"))
FLAGS_MASK = cython.declare(cython.longlong, Brief.mask("flags"))
KIND_MASK = cython.declare(cython.longlong, Brief.mask("kind"))
CHECKSUM_MASK = cython.declare(cython.longlong, Brief.mask("checksum"))
# What two rows must have in common to be of the same packet, of what stands in the bits.
IDENTITY = cython.declare(cython.longlong, Brief.field("flags", "kind", "sender", "has_ip_id"))
TTL_FIELD = cython.declare(cython.longlong, Brief.field("ttl"))
OF_KIND = cython.declare(cython.longlong, Brief.field("kind"))

COPY_WITHIN = cython.declare(cython.longlong, 50_000_000)
COPY_AT_ONCE = cython.declare(cython.longlong, 1_000_000)
MASK16 = cython.declare(cython.longlong, 0xFFFF)
MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)
HALF = cython.declare(cython.longlong, 0x80000000)
UPPER = cython.declare(cython.longlong, 1 << 32)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _low(value: cython.longlong) -> cython.int:
    """The lower 32 bits, as a cell holds them."""
    return ((value + HALF) & MASK32) - HALF


@cython.cclass
class Pool:
    """Chunks of CHUNK rows that lead to each other, and a free list of those that hold none.

    table : `Keeping`, a row a slot; k is where a slot's begins, row where a brief's cells do.
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
        first: cython.Py_ssize_t = chunk * CHUNK
        row: cython.Py_ssize_t
        for row in range(first, first + rows):
            if self.rows[row * BRIEF + B_BITS] >> ODD_SHIFT & 1:
                self.odds.let_go(self.rows[row * BRIEF + B_SIZES])
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
    def _write(
        self,
        row: cython.Py_ssize_t,
        k: cython.Py_ssize_t,
        cells: cython.longlong[::1],
        at: cython.Py_ssize_t,
    ) -> cython.int:
        """Write a row that `Segments` have from cell `at` on."""
        time: cython.longlong = cells[at + S_TIME]
        packet: cython.longlong = cells[at + S_PACKET]
        ip_id: cython.longlong = cells[at + S_IP_ID]
        has_id: cython.longlong = ip_id >= 0
        field: cython.longlong = cells[at + S_CHECKSUM_FIELD]
        self.rows[row + B_TIME] = _low(time)
        self.rows[row + B_TIME + 1] = time >> 32
        self.rows[row + B_PACKET] = _low(packet)
        self.rows[row + B_SEQ] = _low(cells[at + S_SEQ])
        self.rows[row + B_ACK] = _low(cells[at + S_ACK])
        self.rows[row + B_TSVAL] = _low(cells[at + S_TSVAL])
        self.rows[row + B_TSECR] = _low(cells[at + S_TSECR])
        self.rows[row + B_LABELS] = _low((ip_id * has_id) | field << 16)
        bits: cython.longlong = (
            cells[at + S_FLAGS]
            | cells[at + S_TTL] << TTL_SHIFT
            | cells[at + S_KIND] << KIND_SHIFT
            | cells[at + S_CHECKSUM] << CHECKSUM_SHIFT
            | cells[at + S_HAS_TIMESTAMP] << TIMESTAMP_SHIFT
            | cells[at + S_SENDER] << SENDER_SHIFT
            | has_id << ID_SHIFT
        )
        payload: cython.longlong = cells[at + S_PAYLOAD]
        if payload > MASK16 or packet > MASK32 or self._says_more(k, cells, at):
            bits |= 1 << ODD_SHIFT
            self.rows[row + B_SIZES] = self.odds.write(cells, at)
        else:
            self.rows[row + B_SIZES] = _low(payload | cells[at + S_WINDOW] << 16)
        self.rows[row + B_BITS] = bits
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _says_more(
        self, k: cython.Py_ssize_t, cells: cython.longlong[::1], at: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether a row says what only some do."""
        return (
            cells[at + S_SACK_BLOCKS] != 0
            or cells[at + S_PATH] != self.table[k + USUAL_PATH]
            or cells[at + S_INTERFACE] != self.table[k + USUAL_INTERFACE]
            or cells[at + S_ICMP] != 0
        )

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _read(
        self,
        rows: cython.int[::1],
        row: cython.Py_ssize_t,
        odds: Odds,
        out: cython.longlong[::1],
        at: cython.Py_ssize_t,
    ) -> cython.int:
        """Lay a row of any pool's out as `Evidence` has it; what is worked out later is 0."""
        bits: cython.longlong = rows[row + B_BITS]
        labels: cython.longlong = rows[row + B_LABELS] & MASK32
        sizes: cython.longlong = rows[row + B_SIZES]
        upper: cython.longlong = rows[row + B_TIME + 1]
        cell: cython.Py_ssize_t
        for cell in range(SACK, WIDTH):
            out[at + cell] = 0
        out[at + TIME] = upper * UPPER + (rows[row + B_TIME] & MASK32)
        out[at + PACKET] = rows[row + B_PACKET] & MASK32
        out[at + SEQ] = rows[row + B_SEQ] & MASK32
        out[at + ACK] = rows[row + B_ACK] & MASK32
        out[at + TSVAL] = rows[row + B_TSVAL] & MASK32
        out[at + TSECR] = rows[row + B_TSECR] & MASK32
        out[at + PAYLOAD] = sizes & MASK16
        out[at + WINDOW] = sizes >> 16 & MASK16
        out[at + IP_ID] = labels & MASK16 if bits >> ID_SHIFT & 1 else -1
        out[at + FLAGS] = bits & FLAGS_MASK
        out[at + KIND] = bits >> KIND_SHIFT & KIND_MASK
        out[at + CHECKSUM] = bits >> CHECKSUM_SHIFT & CHECKSUM_MASK
        out[at + HAS_TIMESTAMP] = bits >> TIMESTAMP_SHIFT & 1
        out[at + SENDER] = bits >> SENDER_SHIFT & 1
        out[at + COPY] = bits >> COPY_SHIFT & 1
        if bits >> ODD_SHIFT & 1:
            odds.read(sizes, out, at)
        return 0

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _time(self, row: cython.Py_ssize_t) -> cython.longlong:
        upper: cython.longlong = self.rows[row + B_TIME + 1]
        return upper * UPPER + (self.rows[row + B_TIME] & MASK32)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _is_copy(
        self, k: cython.Py_ssize_t, row: cython.Py_ssize_t, chunk: cython.longlong
    ) -> cython.bint:
        """Whether a row before it in its chunk is of the same packet, captured twice."""
        other: cython.Py_ssize_t = row - BRIEF
        first: cython.Py_ssize_t = chunk * CHUNK * BRIEF
        time: cython.longlong = self._time(row)
        while other >= first:
            if self.rows[row + B_SEQ] == self.rows[other + B_SEQ] and self._same(k, row, other):
                return True
            if time - self._time(other) > COPY_WITHIN:
                return False
            other -= BRIEF
        return False

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _same(
        self, k: cython.Py_ssize_t, row: cython.Py_ssize_t, other: cython.Py_ssize_t
    ) -> cython.bint:
        bits: cython.longlong = self.rows[row + B_BITS]
        differing: cython.longlong = bits ^ self.rows[other + B_BITS]
        if (
            self.rows[row + B_ACK] != self.rows[other + B_ACK]
            or differing & IDENTITY
            or self.rows[row + B_LABELS] != self.rows[other + B_LABELS]
            or self.rows[row + B_TSVAL] != self.rows[other + B_TSVAL]
            or self._payload(row) != self._payload(other)
        ):
            return False
        gap: cython.longlong = abs(self._time(row) - self._time(other))
        if gap > COPY_WITHIN or bits & OF_KIND:  # of an ICMP error, of a damaged header
            return False
        if self.rows[row + B_LABELS] & MASK16 or gap < COPY_AT_ONCE:  # identified, or at once
            return True
        return differing & TTL_FIELD != 0 or self._took_another_way(k, row, other)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _payload(self, row: cython.Py_ssize_t) -> cython.longlong:
        sizes: cython.longlong = self.rows[row + B_SIZES]
        if self.rows[row + B_BITS] >> ODD_SHIFT & 1:
            return self.odds.payload(sizes)
        return sizes & MASK16

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _took_another_way(
        self, k: cython.Py_ssize_t, row: cython.Py_ssize_t, other: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether two rows differ in path or interface."""
        differ: cython.bint = self._path(k, row) != self._path(k, other)
        return differ or self._interface(k, row) != self._interface(k, other)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _path(self, k: cython.Py_ssize_t, row: cython.Py_ssize_t) -> cython.longlong:
        if self.rows[row + B_BITS] >> ODD_SHIFT & 1:
            return self.odds.path(self.rows[row + B_SIZES])
        return self.table[k + USUAL_PATH]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _interface(self, k: cython.Py_ssize_t, row: cython.Py_ssize_t) -> cython.longlong:
        if self.rows[row + B_BITS] >> ODD_SHIFT & 1:
            return self.odds.interface(self.rows[row + B_SIZES])
        return self.table[k + USUAL_INTERFACE]
