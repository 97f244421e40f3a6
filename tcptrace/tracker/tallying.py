# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Tallying` ⚙: what is counted of each side of the open connections while its segments pass."""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.decode.segments import Checksum, Kind, Segments
from tcptrace.tcp import flags
from tcptrace.tracker.slots import Tallies, grown

if not cython.compiled:
    from tcptrace.cells import clear
    from tcptrace.tcp.sequence import diff
    from tcptrace.tracker.memory import prefetch

    TIME = Segments.index("time")
    PACKET = Segments.index("packet")
    KIND = Segments.index("kind")
    SEQ = Segments.index("seq")
    ACK = Segments.index("ack")
    FLAGS = Segments.index("flags")
    WINDOW = Segments.index("window")
    PAYLOAD = Segments.index("payload")
    CHECKSUM = Segments.index("checksum")
    MSS = Segments.index("mss")
    SLOT = Segments.index("slot")
    SENDER = Segments.index("sender")
    OPENS = Segments.index("opens")
    IS_COPY = Segments.index("copy")
    WIDTH = Segments.width()
    SEGMENTS = Tallies.index("segments")
    PAYLOADS = Tallies.index("payload")
    RETRANSMITS = Tallies.index("retransmits")
    COPIES = Tallies.index("copies")
    REORDERED = Tallies.index("reordered")
    UNSEEN = Tallies.index("unseen")
    BAD_CHECKSUMS = Tallies.index("bad_checksums")
    OFFLOADS = Tallies.index("offloaded")
    SUPER_SEGMENTS = Tallies.index("super_segments")
    ZERO_WINDOWS = Tallies.index("zero_windows")
    OFFERED_MSS = Tallies.index("mss")
    NXT = Tallies.index("nxt")
    UNA = Tallies.index("una")
    UNA_TIME = Tallies.index("una_time")
    LAST_TIME = Tallies.index("last_time")
    LAST_PACKET = Tallies.index("last_packet")
    GAP = Tallies.index("gap")
    TALLY_WIDTH = Tallies.width()
    BOTH_WIDTH = 2 * Tallies.width()
    SOON = 8  # rows ahead for which they are fetched
    SOON_SLOT = 8 * Segments.width() + Segments.index("slot")
    SYN = flags.SYN
    ACK_BIT = flags.ACK
    FIN = flags.FIN
    RST = flags.RST
    SYN_OR_FIN = flags.SYN | flags.FIN
    SEGMENT = Kind.SEGMENT
    GOOD = Checksum.GOOD
    BAD = Checksum.BAD
    OFFLOADED = Checksum.OFFLOADED
    REORDER_WITHIN = 10_000_000
    NEAR = 1 << 30

MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)


@cython.final
@cython.cclass
class Tallying:
    """The `Tallies` of all open connections, by slot: side 0's row, then side 1's.

    Views are taken once a batch, and handed on to functions that are all compiled into its loop.
    """

    matrix: object

    def __init__(self) -> None:
        self.matrix = np.zeros((1, BOTH_WIDTH), np.int64)

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
        cells: cython.longlong[::1] = memoryview(self.matrix.reshape(-1))
        row: cython.Py_ssize_t
        at: cython.size_t
        slot: cython.Py_ssize_t
        with cython.nogil:
            for row in range(count):
                at = row * WIDTH
                if cython.compiled and row + SOON < count:
                    _expect(cells, segments[at + SOON_SLOT])
                slot = segments[at + SLOT]
                if slot >= 0:
                    if segments[at + OPENS]:
                        _reset(cells, slot * BOTH_WIDTH)
                    if segments[at + KIND] == SEGMENT:
                        _count(segments, cells, at, slot * BOTH_WIDTH)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def _expect(cells: cython.longlong[::1], slot: cython.longlong) -> cython.int:
    """Have at hand what was counted of a slot."""
    base: cython.Py_ssize_t = slot * BOTH_WIDTH
    if cython.compiled and 0 <= base and base + BOTH_WIDTH <= cells.shape[0]:
        prefetch(cython.address(cells[base]))
        prefetch(cython.address(cells[base + 8]))
        prefetch(cython.address(cells[base + 16]))
        prefetch(cython.address(cells[base + 24]))
        prefetch(cython.address(cells[base + 32]))
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def _reset(cells: cython.longlong[::1], base: cython.Py_ssize_t) -> cython.int:
    clear(cells, base, BOTH_WIDTH)
    cells[base + NXT] = cells[base + UNA] = -1
    cells[base + TALLY_WIDTH + NXT] = cells[base + TALLY_WIDTH + UNA] = -1
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def _count(
    rows: cython.longlong[::1], cells: cython.longlong[::1], at: cython.size_t, base: cython.size_t
) -> cython.int:
    own: cython.size_t = base + rows[at + SENDER] * TALLY_WIDTH
    peer: cython.size_t = base + TALLY_WIDTH - rows[at + SENDER] * TALLY_WIDTH
    if rows[at + IS_COPY]:
        cells[own + COPIES] += 1
        return 0
    cells[own + SEGMENTS] += 1
    payload: cython.longlong = rows[at + PAYLOAD]
    if payload > 0:
        cells[own + PAYLOADS] += payload
        if payload > cells[peer + OFFERED_MSS] and cells[peer + OFFERED_MSS]:
            cells[own + SUPER_SEGMENTS] += 1
    if rows[at + CHECKSUM] > GOOD:
        cells[own + BAD_CHECKSUMS] += rows[at + CHECKSUM] == BAD
        cells[own + OFFLOADS] += rows[at + CHECKSUM] == OFFLOADED
    if rows[at + MSS] > 0:
        cells[own + OFFERED_MSS] = rows[at + MSS]
    time: cython.longlong = rows[at + TIME]
    last: cython.longlong = max(cells[own + LAST_TIME], cells[peer + LAST_TIME])
    cells[own + GAP] = max(0, time - last) if last else 0
    cells[own + LAST_TIME] = time
    cells[own + LAST_PACKET] = rows[at + PACKET]
    if not rows[at + FLAGS] & RST:
        if rows[at + WINDOW] == 0:
            cells[own + ZERO_WINDOWS] += 1
        _count_octets(rows, cells, at, own)
        if rows[at + FLAGS] & ACK_BIT:
            _count_ack(cells, peer, rows[at + ACK], time)
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def _count_octets(
    rows: cython.longlong[::1], cells: cython.longlong[::1], at: cython.size_t, own: cython.size_t
) -> cython.int:
    bits: cython.longlong = rows[at + FLAGS]
    length: cython.longlong = rows[at + PAYLOAD]
    if bits & SYN_OR_FIN:
        length += ((bits & SYN) != 0) + ((bits & FIN) != 0)
    end: cython.longlong = (rows[at + SEQ] + length) & MASK32
    nxt: cython.longlong = cells[own + NXT]
    if nxt < 0 or diff(end, nxt) > 0:
        cells[own + NXT] = end
    elif length > 0 and diff(rows[at + SEQ], nxt) < 0:
        _count_repeat(rows, cells, at, own, end)
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def _count_repeat(
    rows: cython.longlong[::1],
    cells: cython.longlong[::1],
    at: cython.size_t,
    own: cython.size_t,
    end: cython.longlong,
) -> cython.int:
    late: cython.longlong = rows[at + TIME] - cells[own + UNA_TIME]
    acked: cython.bint = cells[own + UNA] >= 0 and diff(end, cells[own + UNA]) <= 0
    if acked and late < REORDER_WITHIN and cells[own + UNSEEN] > 0:
        cells[own + REORDERED] += 1
        cells[own + UNSEEN] = max(0, cells[own + UNSEEN] - rows[at + PAYLOAD])
    else:
        cells[own + RETRANSMITS] += 1
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def _count_ack(
    cells: cython.longlong[::1], peer: cython.size_t, ack: cython.longlong, time: cython.longlong
) -> cython.int:
    una: cython.longlong = cells[peer + UNA]
    if una >= 0 and diff(ack, una) <= 0:
        return 0
    nxt: cython.longlong = cells[peer + NXT]
    if nxt >= 0:
        beyond: cython.longlong = diff(ack, nxt)
        if beyond > NEAR:
            return 0
        if beyond > 0:
            cells[peer + UNSEEN] += beyond
            cells[peer + NXT] = ack
    cells[peer + UNA] = ack
    cells[peer + UNA_TIME] = time
    return 0
