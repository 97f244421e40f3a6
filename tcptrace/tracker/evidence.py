# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`EvidenceLog`: what is kept of an open connection's segments, and what is counted of the rest.

The opening, and what surrounds every SYN, FIN, RST and ICMP error, is kept for good (`pinned`);
of the segments between only the last few dozen are, for they may turn out to stand before a
FIN. Rows lie in chunks of a pool, so that a connection costs what it keeps.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.decode.segments import Checksum, Kind, Segments
from tcptrace.tcp import flags
from tcptrace.tracker.slots import Evidence, Slots, Tallies, grown

SEGMENT_WIDTH = cython.declare(cython.Py_ssize_t, Segments.width())
SLOT = cython.declare(cython.Py_ssize_t, Segments.index("slot"))
OPENS = cython.declare(cython.Py_ssize_t, Segments.index("opens"))
COPIED = cython.declare(cython.Py_ssize_t, len(Evidence.COPIED))

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Evidence.index("packet"))
KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
PATH = cython.declare(cython.Py_ssize_t, Evidence.index("path"))
INTERFACE = cython.declare(cython.Py_ssize_t, Evidence.index("interface"))
TTL = cython.declare(cython.Py_ssize_t, Evidence.index("ttl"))
IP_ID = cython.declare(cython.Py_ssize_t, Evidence.index("ip_id"))
SEQ = cython.declare(cython.Py_ssize_t, Evidence.index("seq"))
ACK = cython.declare(cython.Py_ssize_t, Evidence.index("ack"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
WINDOW = cython.declare(cython.Py_ssize_t, Evidence.index("window"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Evidence.index("payload"))
CHECKSUM = cython.declare(cython.Py_ssize_t, Evidence.index("checksum"))
CHECKSUM_FIELD = cython.declare(cython.Py_ssize_t, Evidence.index("checksum_field"))
MSS = cython.declare(cython.Py_ssize_t, Evidence.index("mss"))
TSVAL = cython.declare(cython.Py_ssize_t, Evidence.index("tsval"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())

ROWS = cython.declare(cython.Py_ssize_t, Slots.index("rows"))
FIRST_CHUNK = cython.declare(cython.Py_ssize_t, Slots.index("first_chunk"))
LAST_CHUNK = cython.declare(cython.Py_ssize_t, Slots.index("last_chunk"))
LAST_ROWS = cython.declare(cython.Py_ssize_t, Slots.index("last_rows"))
LAST_PINNED = cython.declare(cython.Py_ssize_t, Slots.index("last_pinned"))
LOOSE = cython.declare(cython.Py_ssize_t, Slots.index("loose"))
PIN = cython.declare(cython.Py_ssize_t, Slots.index("pin"))
PINNED_ROWS = cython.declare(cython.Py_ssize_t, Slots.index("pinned_rows"))
SLOT_WIDTH = cython.declare(cython.Py_ssize_t, Slots.width())

SEGMENTS = cython.declare(cython.Py_ssize_t, Tallies.index("segments"))
PAYLOADS = cython.declare(cython.Py_ssize_t, Tallies.index("payload"))
RETRANSMITS = cython.declare(cython.Py_ssize_t, Tallies.index("retransmits"))
COPIES = cython.declare(cython.Py_ssize_t, Tallies.index("copies"))
REORDERED = cython.declare(cython.Py_ssize_t, Tallies.index("reordered"))
UNSEEN = cython.declare(cython.Py_ssize_t, Tallies.index("unseen"))
BAD_CHECKSUMS = cython.declare(cython.Py_ssize_t, Tallies.index("bad_checksums"))
OFFLOADS = cython.declare(cython.Py_ssize_t, Tallies.index("offloaded"))
SUPER_SEGMENTS = cython.declare(cython.Py_ssize_t, Tallies.index("super_segments"))
ZERO_WINDOWS = cython.declare(cython.Py_ssize_t, Tallies.index("zero_windows"))
OFFERED_MSS = cython.declare(cython.Py_ssize_t, Tallies.index("mss"))
NXT = cython.declare(cython.Py_ssize_t, Tallies.index("nxt"))
UNA = cython.declare(cython.Py_ssize_t, Tallies.index("una"))
UNA_TIME = cython.declare(cython.Py_ssize_t, Tallies.index("una_time"))
LAST_TIME = cython.declare(cython.Py_ssize_t, Tallies.index("last_time"))
LAST_PACKET = cython.declare(cython.Py_ssize_t, Tallies.index("last_packet"))
GAP = cython.declare(cython.Py_ssize_t, Tallies.index("gap"))
TALLY_WIDTH = cython.declare(cython.Py_ssize_t, Tallies.width())

SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
BAD = cython.declare(cython.longlong, Checksum.BAD)
OFFLOADED = cython.declare(cython.longlong, Checksum.OFFLOADED)

# The pool holds what is known when a segment passes: the columns copied, and `copy`.
KEPT = cython.declare(cython.Py_ssize_t, len(Evidence.COPIED) + 1)
CHUNK = cython.declare(cython.Py_ssize_t, 8)
LOOSE_CHUNKS = cython.declare(cython.Py_ssize_t, 5)
PIN_AFTER = cython.declare(cython.Py_ssize_t, 32)
PINNED_MOST = cython.declare(cython.Py_ssize_t, 2048)
COPY_WITHIN = cython.declare(cython.longlong, 50_000_000)
COPY_AT_ONCE = cython.declare(cython.longlong, 1_000_000)
REORDER_WITHIN = cython.declare(cython.longlong, 10_000_000)
NEAR = cython.declare(cython.longlong, 1 << 30)
MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)
HALF = cython.declare(cython.longlong, 0x80000000)


@cython.cfunc
@cython.exceptval(check=False)
def _diff(left: cython.longlong, right: cython.longlong) -> cython.longlong:
    """tcp.sequence.diff, for this kernel."""
    return ((left - right + HALF) & MASK32) - HALF


@cython.cclass
class EvidenceLog:
    """The evidence of all open connections, by slot."""

    pool: object
    rows: cython.longlong[::1]
    after: cython.longlong[::1]
    free: list
    tally_matrix: object
    tallies: cython.longlong[::1]
    source: cython.longlong[::1]

    def __init__(self) -> None:
        self.pool = np.zeros((0, CHUNK * KEPT), np.int64)
        self.after = memoryview(np.zeros(1, np.int64))
        self.free = []
        self.tally_matrix = np.zeros((1, 2 * TALLY_WIDTH), np.int64)
        self.source = memoryview(np.array([Segments.index(n) for n in Evidence.COPIED], np.int64))

    def tallies_of(self, slots: list):
        """`Tallies` matrix of some slots: side 0 then side 1 of each."""
        return self.tally_matrix[slots].reshape(-1, TALLY_WIDTH)

    def add(self, segments: cython.longlong[::1], count: cython.Py_ssize_t, slots: object) -> None:
        """Keep or count each segment of a batch to which `ConnectionTable.assign` gave a slot."""
        table: cython.longlong[::1] = memoryview(slots.reshape(-1))
        if len(self.tally_matrix) < len(slots):
            self.tally_matrix = grown(self.tally_matrix, len(slots))
        self.tallies = memoryview(self.tally_matrix.reshape(-1))
        row: cython.Py_ssize_t
        slot: cython.Py_ssize_t
        for row in range(count):
            slot = segments[row * SEGMENT_WIDTH + SLOT]
            if slot >= 0:
                if segments[row * SEGMENT_WIDTH + OPENS]:
                    self._reset(slot, table)
                self._keep(segments, row * SEGMENT_WIDTH, table, slot)

    def collect(self, slots: list, table_matrix: object):
        """(Evidence matrix, offsets): the rows of these slots in a row; their chunks go back."""
        table: cython.longlong[::1] = memoryview(table_matrix.reshape(-1))
        offsets = np.zeros(len(slots) + 1, np.int64)
        np.cumsum(table_matrix[slots, ROWS], out=offsets[1:])
        matrix = np.zeros((int(offsets[len(slots)]), WIDTH), np.int64)
        if len(matrix):
            out: cython.longlong[::1] = memoryview(matrix.reshape(-1))
            at: cython.Py_ssize_t = 0
            for slot in slots:
                at = self._pour(slot, table, out, at)
        return matrix, offsets

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _pour(
        self,
        slot: cython.Py_ssize_t,
        table: cython.longlong[::1],
        out: cython.longlong[::1],
        at: cython.Py_ssize_t,
    ) -> cython.Py_ssize_t:
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        chunk: cython.longlong = table[k + FIRST_CHUNK]
        cell: cython.Py_ssize_t
        row: cython.Py_ssize_t
        used: cython.Py_ssize_t
        while chunk >= 0:
            used = table[k + LAST_ROWS] if chunk == table[k + LAST_CHUNK] else CHUNK
            for row in range(chunk * CHUNK * KEPT, (chunk * CHUNK + used) * KEPT, KEPT):
                for cell in range(KEPT):
                    out[at + cell] = self.rows[row + cell]
                at += WIDTH
            self.free.append(chunk)
            chunk = self.after[chunk]
        table[k + FIRST_CHUNK] = table[k + LAST_CHUNK] = -1
        return at

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _reset(self, slot: cython.Py_ssize_t, table: cython.longlong[::1]) -> cython.int:
        cell: cython.Py_ssize_t
        base: cython.Py_ssize_t = slot * 2 * TALLY_WIDTH
        for cell in range(base, base + 2 * TALLY_WIDTH):
            self.tallies[cell] = 0
        self.tallies[base + NXT] = self.tallies[base + UNA] = -1
        self.tallies[base + TALLY_WIDTH + NXT] = self.tallies[base + TALLY_WIDTH + UNA] = -1
        table[slot * SLOT_WIDTH + PIN] = PIN_AFTER
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _keep(
        self,
        s: cython.longlong[::1],
        at: cython.Py_ssize_t,
        table: cython.longlong[::1],
        slot: cython.Py_ssize_t,
    ) -> cython.int:
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        row: cython.Py_ssize_t = self._next_row(table, k)
        cell: cython.Py_ssize_t
        for cell in range(COPIED):
            self.rows[row + cell] = s[at + self.source[cell]]
        self.rows[row + COPY] = self._is_copy(table, k, row)
        self._count(row, slot)
        bits: cython.longlong = self.rows[row + FLAGS] & (SYN | FIN | RST)
        if (bits or self.rows[row + KIND] != SEGMENT) and table[k + PINNED_ROWS] < PINNED_MOST:
            table[k + PIN] = PIN_AFTER
            table[k + LAST_PINNED] = table[k + LAST_CHUNK]
            table[k + LOOSE] = 0
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _next_row(self, table: cython.longlong[::1], k: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The cell where the slot's next evidence row begins."""
        if table[k + LAST_CHUNK] < 0 or table[k + LAST_ROWS] == CHUNK:
            self._next_chunk(table, k)
        row: cython.Py_ssize_t = (table[k + LAST_CHUNK] * CHUNK + table[k + LAST_ROWS]) * KEPT
        table[k + LAST_ROWS] += 1
        table[k + ROWS] += 1
        if table[k + PIN] > 0:
            table[k + PIN] -= 1
            table[k + PINNED_ROWS] += 1
            table[k + LAST_PINNED] = table[k + LAST_CHUNK]
            table[k + LOOSE] = 0
        return row

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _next_chunk(self, table: cython.longlong[::1], k: cython.Py_ssize_t) -> cython.int:
        chunk: cython.longlong
        if table[k + LOOSE] >= LOOSE_CHUNKS:
            self._drop_oldest_loose(table, k)
        if not self.free:
            self._more_chunks()
        chunk = self.free.pop()
        self.after[chunk] = -1
        if table[k + LAST_CHUNK] >= 0:
            self.after[table[k + LAST_CHUNK]] = chunk
        else:
            table[k + FIRST_CHUNK] = chunk
        table[k + LAST_CHUNK], table[k + LAST_ROWS] = chunk, 0
        table[k + LOOSE] += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _drop_oldest_loose(self, table: cython.longlong[::1], k: cython.Py_ssize_t) -> cython.int:
        kept: cython.longlong = table[k + LAST_PINNED]
        oldest: cython.longlong = self.after[kept]
        self.after[kept] = self.after[oldest]
        self.free.append(oldest)
        table[k + LOOSE] -= 1
        table[k + ROWS] -= CHUNK
        return 0

    def _more_chunks(self) -> None:
        size: cython.Py_ssize_t = len(self.pool)
        larger: cython.Py_ssize_t = max(1024, size + size // 2)
        # In place: the system moves a large array's pages, and nothing else ever holds a view.
        self.rows = None
        self.pool.resize((larger, CHUNK * KEPT), refcheck=False)
        self.rows = memoryview(self.pool.reshape(-1))
        links = np.full(larger, -1, np.int64)
        if size:
            links[:size] = np.asarray(self.after)
        self.after = memoryview(links)
        self.free.extend(range(larger - 1, size - 1, -1))

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _is_copy(
        self, table: cython.longlong[::1], k: cython.Py_ssize_t, row: cython.Py_ssize_t
    ) -> cython.longlong:
        """Whether one of the last rows is the same packet, captured twice."""
        r = self.rows
        other: cython.Py_ssize_t = row - KEPT
        first: cython.Py_ssize_t = table[k + LAST_CHUNK] * CHUNK * KEPT
        while other >= first:
            if r[row + SEQ] == r[other + SEQ] and self._same(row, other):
                return 1
            if r[row + TIME] - r[other + TIME] > COPY_WITHIN:
                return 0
            other -= KEPT
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
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
        gap: cython.longlong = abs(r[row + TIME] - r[other + TIME])
        if gap > COPY_WITHIN or r[row + KIND] != SEGMENT:
            return False
        if r[row + IP_ID] > 0 or gap < COPY_AT_ONCE:
            return True
        return (
            r[row + TTL] != r[other + TTL]
            or r[row + PATH] != r[other + PATH]
            or r[row + INTERFACE] != r[other + INTERFACE]
        )

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _count(self, row: cython.Py_ssize_t, slot: cython.Py_ssize_t) -> cython.int:
        r, t = self.rows, self.tallies
        base: cython.Py_ssize_t = slot * 2 * TALLY_WIDTH
        own: cython.Py_ssize_t = base + r[row + SENDER] * TALLY_WIDTH
        peer: cython.Py_ssize_t = base + (1 - r[row + SENDER]) * TALLY_WIDTH
        if r[row + KIND] != SEGMENT:
            return 0
        if r[row + COPY]:
            t[own + COPIES] += 1
            return 0
        t[own + SEGMENTS] += 1
        t[own + PAYLOADS] += r[row + PAYLOAD]
        t[own + BAD_CHECKSUMS] += r[row + CHECKSUM] == BAD
        t[own + OFFLOADS] += r[row + CHECKSUM] == OFFLOADED
        if r[row + MSS] > 0:
            t[own + OFFERED_MSS] = r[row + MSS]
        if t[peer + OFFERED_MSS] and r[row + PAYLOAD] > t[peer + OFFERED_MSS]:
            t[own + SUPER_SEGMENTS] += 1
        last: cython.longlong = max(t[own + LAST_TIME], t[peer + LAST_TIME])
        t[own + GAP] = max(0, r[row + TIME] - last) if last else 0
        t[own + LAST_TIME], t[own + LAST_PACKET] = r[row + TIME], r[row + PACKET]
        if not r[row + FLAGS] & RST:
            t[own + ZERO_WINDOWS] += r[row + WINDOW] == 0
            self._count_octets(row, own, peer)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _count_octets(
        self, row: cython.Py_ssize_t, own: cython.Py_ssize_t, peer: cython.Py_ssize_t
    ) -> cython.int:
        r, t = self.rows, self.tallies
        bits: cython.longlong = r[row + FLAGS]
        length: cython.longlong = r[row + PAYLOAD] + ((bits & SYN) != 0) + ((bits & FIN) != 0)
        end: cython.longlong = (r[row + SEQ] + length) & MASK32
        if t[own + NXT] < 0 or _diff(end, t[own + NXT]) > 0:
            t[own + NXT] = end
        elif length > 0 and _diff(r[row + SEQ], t[own + NXT]) < 0:
            self._count_repeat(row, own, end)
        if bits & ACK_BIT:
            self._count_ack(row, peer)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _count_repeat(
        self, row: cython.Py_ssize_t, own: cython.Py_ssize_t, end: cython.longlong
    ) -> cython.int:
        r, t = self.rows, self.tallies
        late: cython.longlong = r[row + TIME] - t[own + UNA_TIME]
        acked: cython.bint = t[own + UNA] >= 0 and _diff(end, t[own + UNA]) <= 0
        if acked and late < REORDER_WITHIN and t[own + UNSEEN] > 0:
            t[own + REORDERED] += 1
            t[own + UNSEEN] = max(0, t[own + UNSEEN] - r[row + PAYLOAD])
        else:
            t[own + RETRANSMITS] += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _count_ack(self, row: cython.Py_ssize_t, peer: cython.Py_ssize_t) -> cython.int:
        r, t = self.rows, self.tallies
        if t[peer + UNA] >= 0 and _diff(r[row + ACK], t[peer + UNA]) <= 0:
            return 0
        if t[peer + NXT] >= 0:
            beyond: cython.longlong = _diff(r[row + ACK], t[peer + NXT])
            if beyond > NEAR:
                return 0
            if beyond > 0:
                t[peer + UNSEEN] += beyond
                t[peer + NXT] = r[row + ACK]
        t[peer + UNA], t[peer + UNA_TIME] = r[row + ACK], r[row + TIME]
        return 0
