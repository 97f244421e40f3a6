# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Tallying` ⚙: what is counted of each side of the open connections while its segments pass."""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.decode.segments import Checksum, Kind, Segments
from tcptrace.tcp import flags
from tcptrace.tracker.slots import Tallies, grown

if not cython.compiled:
    from tcptrace.tracker.memory import prefetch

TIME = cython.declare(cython.Py_ssize_t, Segments.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Segments.index("packet"))
KIND = cython.declare(cython.Py_ssize_t, Segments.index("kind"))
SEQ = cython.declare(cython.Py_ssize_t, Segments.index("seq"))
ACK = cython.declare(cython.Py_ssize_t, Segments.index("ack"))
FLAGS = cython.declare(cython.Py_ssize_t, Segments.index("flags"))
WINDOW = cython.declare(cython.Py_ssize_t, Segments.index("window"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Segments.index("payload"))
CHECKSUM = cython.declare(cython.Py_ssize_t, Segments.index("checksum"))
MSS = cython.declare(cython.Py_ssize_t, Segments.index("mss"))
SLOT = cython.declare(cython.Py_ssize_t, Segments.index("slot"))
SENDER = cython.declare(cython.Py_ssize_t, Segments.index("sender"))
OPENS = cython.declare(cython.Py_ssize_t, Segments.index("opens"))
IS_COPY = cython.declare(cython.Py_ssize_t, Segments.index("copy"))
WIDTH = cython.declare(cython.Py_ssize_t, Segments.width())

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

SOON = cython.declare(cython.Py_ssize_t, 8)  # rows ahead for which they are fetched
LINES = cython.declare(cython.Py_ssize_t, (2 * Tallies.width() + 7) // 8)  # of the caches
SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
BAD = cython.declare(cython.longlong, Checksum.BAD)
OFFLOADED = cython.declare(cython.longlong, Checksum.OFFLOADED)

REORDER_WITHIN = cython.declare(cython.longlong, 10_000_000)
NEAR = cython.declare(cython.longlong, 1 << 30)
MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)
HALF = cython.declare(cython.longlong, 0x80000000)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _diff(left: cython.longlong, right: cython.longlong) -> cython.longlong:
    """tcp.sequence.diff, for this kernel."""
    return ((left - right + HALF) & MASK32) - HALF


@cython.final
@cython.cclass
class Tallying:
    """The `Tallies` of all open connections, by slot: side 0's row, then side 1's.

    Its loops say `self.rows` and `self.cells` in full: a view held under a shorter name is counted
    up and down atomically in every call, which took longer than the counting itself.
    """

    matrix: object
    cells: cython.longlong[::1]
    rows: cython.longlong[::1]

    def __init__(self) -> None:
        self.matrix = np.zeros((1, 2 * TALLY_WIDTH), np.int64)

    def of(self, slots: list):
        """`Tallies` matrix of some slots: side 0 then side 1 of each."""
        return self.matrix[slots].reshape(-1, TALLY_WIDTH)

    def add(
        self, segments: cython.longlong[::1], count: cython.Py_ssize_t, capacity: cython.Py_ssize_t
    ) -> None:
        """Count each segment of a batch whose copies `EvidenceLog.add` marked.

        capacity : how many slots there are
        """
        if len(self.matrix) < capacity:
            self.matrix = grown(self.matrix, capacity)
        self.cells = memoryview(self.matrix.reshape(-1))
        self.rows = segments
        row: cython.Py_ssize_t
        slot: cython.Py_ssize_t
        with cython.nogil:
            for row in range(count):
                if cython.compiled and row + SOON < count:
                    self._expect(segments[(row + SOON) * WIDTH + SLOT])
                slot = segments[row * WIDTH + SLOT]
                if slot >= 0:
                    if segments[row * WIDTH + OPENS]:
                        self._reset(2 * slot * TALLY_WIDTH)
                    self._count(row * WIDTH, slot)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _expect(self, slot: cython.longlong) -> cython.int:
        """Have at hand what was counted of a slot."""
        line: cython.Py_ssize_t
        if cython.compiled and slot >= 0:
            for line in range(LINES):
                prefetch(cython.address(self.cells[2 * slot * TALLY_WIDTH + 8 * line]))
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _reset(self, base: cython.Py_ssize_t) -> cython.int:
        cell: cython.Py_ssize_t
        for cell in range(base, base + 2 * TALLY_WIDTH):
            self.cells[cell] = 0
        self.cells[base + NXT] = self.cells[base + UNA] = -1
        self.cells[base + TALLY_WIDTH + NXT] = self.cells[base + TALLY_WIDTH + UNA] = -1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _count(self, row: cython.Py_ssize_t, slot: cython.Py_ssize_t) -> cython.int:
        base: cython.Py_ssize_t = slot * 2 * TALLY_WIDTH
        own: cython.Py_ssize_t = base + self.rows[row + SENDER] * TALLY_WIDTH
        peer: cython.Py_ssize_t = base + (1 - self.rows[row + SENDER]) * TALLY_WIDTH
        if self.rows[row + KIND] != SEGMENT:
            return 0
        if self.rows[row + IS_COPY]:
            self.cells[own + COPIES] += 1
            return 0
        self.cells[own + SEGMENTS] += 1
        self.cells[own + PAYLOADS] += self.rows[row + PAYLOAD]
        self.cells[own + BAD_CHECKSUMS] += self.rows[row + CHECKSUM] == BAD
        self.cells[own + OFFLOADS] += self.rows[row + CHECKSUM] == OFFLOADED
        if self.rows[row + MSS] > 0:
            self.cells[own + OFFERED_MSS] = self.rows[row + MSS]
        offered: cython.longlong = self.cells[peer + OFFERED_MSS]
        if offered and self.rows[row + PAYLOAD] > offered:
            self.cells[own + SUPER_SEGMENTS] += 1
        last: cython.longlong = max(self.cells[own + LAST_TIME], self.cells[peer + LAST_TIME])
        self.cells[own + GAP] = max(0, self.rows[row + TIME] - last) if last else 0
        self.cells[own + LAST_TIME] = self.rows[row + TIME]
        self.cells[own + LAST_PACKET] = self.rows[row + PACKET]
        if not self.rows[row + FLAGS] & RST:
            self.cells[own + ZERO_WINDOWS] += self.rows[row + WINDOW] == 0
            self._count_octets(row, own, peer)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _count_octets(
        self, row: cython.Py_ssize_t, own: cython.Py_ssize_t, peer: cython.Py_ssize_t
    ) -> cython.int:
        bits: cython.longlong = self.rows[row + FLAGS]
        length: cython.longlong = self.rows[row + PAYLOAD]
        length += ((bits & SYN) != 0) + ((bits & FIN) != 0)
        end: cython.longlong = (self.rows[row + SEQ] + length) & MASK32
        if self.cells[own + NXT] < 0 or _diff(end, self.cells[own + NXT]) > 0:
            self.cells[own + NXT] = end
        elif length > 0 and _diff(self.rows[row + SEQ], self.cells[own + NXT]) < 0:
            self._count_repeat(row, own, end)
        if bits & ACK_BIT:
            self._count_ack(row, peer)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _count_repeat(
        self, row: cython.Py_ssize_t, own: cython.Py_ssize_t, end: cython.longlong
    ) -> cython.int:
        late: cython.longlong = self.rows[row + TIME] - self.cells[own + UNA_TIME]
        acked: cython.bint = self.cells[own + UNA] >= 0 and _diff(end, self.cells[own + UNA]) <= 0
        if acked and late < REORDER_WITHIN and self.cells[own + UNSEEN] > 0:
            self.cells[own + REORDERED] += 1
            self.cells[own + UNSEEN] = max(0, self.cells[own + UNSEEN] - self.rows[row + PAYLOAD])
        else:
            self.cells[own + RETRANSMITS] += 1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _count_ack(self, row: cython.Py_ssize_t, peer: cython.Py_ssize_t) -> cython.int:
        if self.cells[peer + UNA] >= 0 and _diff(self.rows[row + ACK], self.cells[peer + UNA]) <= 0:
            return 0
        if self.cells[peer + NXT] >= 0:
            beyond: cython.longlong = _diff(self.rows[row + ACK], self.cells[peer + NXT])
            if beyond > NEAR:
                return 0
            if beyond > 0:
                self.cells[peer + UNSEEN] += beyond
                self.cells[peer + NXT] = self.rows[row + ACK]
        self.cells[peer + UNA] = self.rows[row + ACK]
        self.cells[peer + UNA_TIME] = self.rows[row + TIME]
        return 0
