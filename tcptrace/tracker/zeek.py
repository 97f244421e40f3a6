# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`ZeekModel` ⚙: what Zeek would write about each connection, kept up one segment at a time.

A second machine beside RFC 9293's, for it answers another question: what conn.log says, Zeek's
timers and its habit of believing every FIN and RST included. A slot holds one of our connections;
Zeek may cut it into several rows (a SYN unanswered for 5 s, long silence, a late packet after the
close), and all of them are kept.

`zeek_packet` takes any segment in. Most move no endpoint's state and only a few numbers: those
are taken in here, in one loop whose views of the cells stay in registers; `zeek_opening` knows the
first two of a connection.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Checksum, Kind, Mark, Segments
from tcptrace.tcp import flags as bits
from tcptrace.tcp import sequence
from tcptrace.tracker import zeek_machine as machine
from tcptrace.tracker import zeek_rows as words
from tcptrace.tracker.completeness import Streams
from tcptrace.tracker.zeek_connection import ZeekConnections
from tcptrace.tracker.zeek_opening import ZeekOpenings
from tcptrace.tracker.zeek_packet import ZeekPackets
from tcptrace.tracker.zeek_rows import EndpointState, ZeekSlots

if not cython.compiled:
    from tcptrace.tcp.sequence import diff
    from tcptrace.tracker.memory import prefetch

    SLOT = Segments.index("slot")
    SENDER = Segments.index("sender")
    OPENS = Segments.index("opens")
    KIND = Segments.index("kind")
    MARKS = Segments.index("marks")
    TIME = Segments.index("time")
    CLOCK = Segments.index("clock")
    SEQ = Segments.index("seq")
    ACK_NUMBER = Segments.index("ack")
    FLAGS = Segments.index("flags")
    WINDOW = Segments.index("window")
    PAYLOAD = Segments.index("payload")
    KEPT = Segments.index("kept")
    CHECKSUM = Segments.index("checksum")
    WIDTH = Segments.width()
    SLOT_WIDTH = ZeekSlots.width()
    SOON = 8  # rows ahead for which they are fetched
    SOON_SLOT = 8 * Segments.width() + Segments.index("slot")
    ENDING = ZeekSlots.octet("closed_0") // 8
    TIME_END = ZeekSlots.index("time_end")
    PACKETS = ZeekSlots.index("packets_0")
    START = ZeekSlots.index("start_0")
    LAST = ZeekSlots.index("last_0")
    ACKED = ZeekSlots.index("acked_0")
    TRIMMED = ZeekSlots.index("trimmed_0")
    DELIVERED = ZeekSlots.index("delivered_0")
    MISSED = ZeekSlots.index("missed_0")
    GAPS = ZeekSlots.index("gaps_0")
    ICMP_ERROR = int(Kind.ICMP_ERROR)
    BAD = int(Checksum.BAD)
    GOOD = int(Checksum.GOOD)
    DOUBTS = int(Mark.HEADER_CUT | Mark.IP_CHECKSUM)
    SYN = bits.SYN
    ACK = bits.ACK
    MOVING = bits.FIN | bits.SYN | bits.RST | bits.ACK
    ACK_KIND = 2 * (bits.ACK >> machine.ACK_SHIFT)
    FAR = words.FAR
    GAP = ord("G")
    DATA_SEEN = machine.ONCE["D"]
    ACK_SEEN = machine.ONCE["A"]

LINGER = cython.declare(cython.longlong, words.LINGER)
MASK = cython.declare(cython.longlong, sequence.MASK)
HALF = cython.declare(cython.longlong, sequence.HALF)

# What the first cell of a row says while both endpoints are established and have been heard of.
ESTABLISHED = EndpointState.ESTABLISHED
_OPEN = ZeekSlots.bits(met=3, state_0=ESTABLISHED, state_1=ESTABLISHED)
OPEN = cython.declare(cython.longlong, _OPEN)
OPEN_MASK = cython.declare(cython.longlong, ZeekSlots.bits(met=255, state_0=255, state_1=255))
ORIG_SHIFT = cython.declare(cython.longlong, ZeekSlots.shift("orig"))
SEEN_SHIFT = cython.declare(cython.longlong, ZeekSlots.shift("seen_0"))
VOUCHED_SHIFT = cython.declare(cython.longlong, ZeekSlots.shift("vouched_0"))
STEP = cython.declare(cython.longlong, ZeekSlots.shift("seen_1") - ZeekSlots.shift("seen_0"))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def _expect(cells: cython.longlong[::1], slot: cython.longlong) -> cython.int:
    """Have at hand what most segments touch of a slot's row: it begins with that."""
    k: cython.Py_ssize_t = slot * SLOT_WIDTH
    if cython.compiled and 0 <= k and k + SLOT_WIDTH <= cells.shape[0]:
        prefetch(cython.address(cells[k]))
        prefetch(cython.address(cells[k + 8]))
        prefetch(cython.address(cells[k + 16]))
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def _is_plain(
    rows: cython.longlong[::1],
    cells: cython.longlong[::1],
    at: cython.size_t,
    k: cython.size_t,
    now: cython.longlong,
) -> cython.bint:
    """Whether a segment moves no endpoint's state and ends nothing, its numbers apart.

    It has ACK and nothing that moves; both endpoints are established, no stream has a hole or an
    end, and no timer is near: those of attempts and closes end nothing of such a connection.
    """
    word: cython.longlong = cells[k]
    vouched: cython.longlong = word >> (VOUCHED_SHIFT + STEP * rows[at + SENDER])
    return (
        rows[at + FLAGS] & MOVING == ACK
        and rows[at + KIND] | rows[at + OPENS] | rows[at + MARKS] & DOUBTS | cells[k + ENDING] == 0
        and word & OPEN_MASK == OPEN
        and now < cells[k + TIME_END] + LINGER
        and rows[at + WINDOW] != 0
        and rows[at + CHECKSUM] != BAD
        and (rows[at + CHECKSUM] != GOOD or vouched & 1 != 0)
    )


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def _take_in(
    packets: ZeekPackets,
    rows: cython.longlong[::1],
    cells: cython.longlong[::1],
    at: cython.size_t,
    now: cython.longlong,
) -> cython.bint:
    """Take in a segment that is plain, as `packets` would; whether it was.

    New octets and new acknowledgements only move numbers; older ones are not plain.
    """
    sender: cython.size_t = rows[at + SENDER]
    k: cython.size_t = rows[at + SLOT] * SLOT_WIDTH
    if not _is_plain(rows, cells, at, k, now):
        return False
    own: cython.size_t = k + sender
    peer: cython.size_t = k + 1 - sender
    payload: cython.longlong = rows[at + PAYLOAD]
    last: cython.longlong = cells[own + LAST]
    sent: cython.longlong = diff(rows[at + SEQ] + payload, last & MASK)
    acked: cython.longlong = cells[peer + ACKED]
    ahead: cython.longlong = diff(rows[at + ACK_NUMBER], acked & MASK)
    acked += ahead
    upto: cython.longlong = acked - cells[peer + START]
    if not 0 <= ahead <= FAR or not 0 <= upto or (upto >= HALF and acked <= MASK) or upto == 2:
        return False
    kept: cython.bint = 0 < payload <= rows[at + KEPT]
    start: cython.longlong = last - cells[own + START]
    if payload > 0 and (sent <= 0 or (kept and (sent != payload or not 0 <= start < HALF))):
        return False
    letter: cython.longlong = DATA_SEEN if payload > 0 else ACK_SEEN
    if not _seen(cells[k], sender) & letter:
        packets.note(at, k, ACK_KIND + (payload > 0))
    cells[k + TIME_END] = rows[at + TIME]
    cells[own + PACKETS] += 1
    if sent > 0:
        cells[own + LAST] = last + sent
    if ahead > 0:
        cells[peer + ACKED] = acked
    if upto > cells[peer + TRIMMED]:
        _trim(packets, cells, k, peer, upto)
    if kept:
        packets.connections.sides.store(k, sender, start, start + payload)
    return True


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _seen(word: cython.longlong, sender: cython.longlong) -> cython.longlong:
    """The letters that its role has in the history, by the first cell of a row."""
    return word >> (SEEN_SHIFT + STEP * ((word >> ORIG_SHIFT & 1) ^ sender))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.cdivision(True)
@cython.exceptval(-1)
def _trim(
    packets: ZeekPackets,
    cells: cython.longlong[::1],
    k: cython.size_t,
    peer: cython.size_t,
    upto: cython.longlong,
) -> cython.int:
    """`ZeekConnections.trim` of a stream that was acknowledged and has neither hole nor end."""
    delivered: cython.longlong = cells[peer + DELIVERED]
    if upto > delivered:
        gaps: cython.longlong = cells[peer + GAPS] + 1
        cells[peer + GAPS] = gaps
        cells[peer + MISSED] += upto - delivered
        cells[peer + DELIVERED] = upto
        if gaps == 1 or gaps % 10 == 0:
            packets.connections.histories.add(k, peer - k, GAP, gaps)
    cells[peer + TRIMMED] = upto
    return 0


@cython.final
@cython.cclass
class ZeekModel:
    """Zeek's view of many connections, each in the slot that the tracker gave it."""

    clock: cython.longlong
    openings: ZeekOpenings
    packets = cython.declare(ZeekPackets, visibility="public")
    connections = cython.declare(ZeekConnections, visibility="public")
    streams = cython.declare(Streams, visibility="public")

    def __init__(self, check_checksums: bool = True) -> None:
        self.clock = -words.NEVER
        self.packets, self.openings = ZeekPackets(check_checksums), ZeekOpenings()
        self.connections, self.streams = self.packets.connections, self.packets.streams

    def feed(self, rows: cython.longlong[::1], count: cython.Py_ssize_t) -> None:
        """Take in the first `count` rows of `Segments.cells`; the tracker has filled them in."""
        row: cython.Py_ssize_t
        at: cython.size_t
        clock: cython.longlong = self.clock
        packets: ZeekPackets = self.packets
        openings: ZeekOpenings = self.openings
        packets.look(rows, count)
        cells: cython.longlong[::1] = self.connections.cells
        openings.look(rows, cells, self.streams.seen)
        with cython.nogil:
            for row in range(count):
                at = row * WIDTH
                if cython.compiled and row + SOON < count:
                    _expect(cells, rows[at + SOON_SLOT])
                if rows[at + KIND] != ICMP_ERROR:
                    clock = max(clock, rows[at + TIME], rows[at + CLOCK])
                    if rows[at + FLAGS] & SYN:
                        if not openings.take(at, clock):
                            packets.take(at, clock)
                    elif not _take_in(packets, rows, cells, at, clock):
                        packets.take(at, clock)
        self.clock = clock

    def release(self, slots: list[int]) -> None:
        """Forget what is in these slots."""
        slot: cython.Py_ssize_t
        for slot in slots:
            if slot * SLOT_WIDTH < self.connections.cells.shape[0]:
                self.connections.forget(slot * SLOT_WIDTH)
