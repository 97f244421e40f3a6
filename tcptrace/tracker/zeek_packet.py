# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`ZeekPackets` ⚙: what any segment does to the row of Zeek's conn.log that it belongs to.

Read `_packet` first, the order of TCPSessionAdapter::Process; `zeek_side`, `zeek_history` and
`zeek_connection` hold what it moves. Everywhere `k` is the first cell of a slot's row, `own` the
sender of the segment at hand.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Checksum, Kind, Mark, Segments
from tcptrace.tcp import flags as bits
from tcptrace.tcp import sequence
from tcptrace.tracker import zeek_machine as machine
from tcptrace.tracker.completeness import Streams
from tcptrace.tracker.zeek_connection import ZeekConnections
from tcptrace.tracker.zeek_history import ZeekHistories
from tcptrace.tracker.zeek_rows import EndpointState, ZeekSlots
from tcptrace.tracker.zeek_side import ZeekSides
from tcptrace.tracker.zeek_timers import ZeekTimers

SLOT = cython.declare(cython.Py_ssize_t, Segments.index("slot"))
SENDER = cython.declare(cython.Py_ssize_t, Segments.index("sender"))
OPENS = cython.declare(cython.Py_ssize_t, Segments.index("opens"))
KIND = cython.declare(cython.Py_ssize_t, Segments.index("kind"))
MARKS = cython.declare(cython.Py_ssize_t, Segments.index("marks"))
TIME = cython.declare(cython.Py_ssize_t, Segments.index("time"))
SEQ = cython.declare(cython.Py_ssize_t, Segments.index("seq"))
FLAGS = cython.declare(cython.Py_ssize_t, Segments.index("flags"))
WINDOW = cython.declare(cython.Py_ssize_t, Segments.index("window"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Segments.index("payload"))
KEPT = cython.declare(cython.Py_ssize_t, Segments.index("kept"))
CHECKSUM = cython.declare(cython.Py_ssize_t, Segments.index("checksum"))
SRC_PORT = cython.declare(cython.Py_ssize_t, Segments.index("src_port"))
DST_PORT = cython.declare(cython.Py_ssize_t, Segments.index("dst_port"))
ACK_NUMBER = cython.declare(cython.Py_ssize_t, Segments.index("ack"))
SLOT_WIDTH = cython.declare(cython.Py_ssize_t, ZeekSlots.width())
TIME_END = cython.declare(cython.Py_ssize_t, ZeekSlots.index("time_end"))
START = cython.declare(cython.Py_ssize_t, ZeekSlots.index("start_0"))
LAST = cython.declare(cython.Py_ssize_t, ZeekSlots.index("last_0"))
PACKETS = cython.declare(cython.Py_ssize_t, ZeekSlots.index("packets_0"))
REPEATS = cython.declare(cython.Py_ssize_t, ZeekSlots.index("repeats_0"))
FIN_END = cython.declare(cython.Py_ssize_t, ZeekSlots.index("fin_end_0"))
CLOSED_WINDOWS = cython.declare(cython.Py_ssize_t, ZeekSlots.index("shut_0"))
CORRUPTED = cython.declare(cython.Py_ssize_t, ZeekSlots.index("corrupt_0"))
FED = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("fed"))
ORIG = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("orig"))
PARTIAL = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("partial"))
MET = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("met"))
STATE = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("state_0"))
CLOSED_SIDE = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("closed_0"))
VOUCHED = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("vouched_0"))
FINS = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("fins_0"))
DAMAGED = cython.declare(cython.longlong, int(Kind.DAMAGED))
BAD = cython.declare(cython.longlong, int(Checksum.BAD))
GOOD = cython.declare(cython.longlong, int(Checksum.GOOD))
HEADER_CUT = cython.declare(cython.longlong, int(Mark.HEADER_CUT))
IP_CHECKSUM = cython.declare(cython.longlong, int(Mark.IP_CHECKSUM))
FIN = cython.declare(cython.longlong, bits.FIN)
SYN = cython.declare(cython.longlong, bits.SYN)
RST = cython.declare(cython.longlong, bits.RST)
ACK = cython.declare(cython.longlong, bits.ACK)
CONTROLS = cython.declare(cython.longlong, bits.FIN | bits.SYN | bits.RST)
INACTIVE = cython.declare(cython.longlong, int(EndpointState.INACTIVE))
CLOSED = cython.declare(cython.longlong, int(EndpointState.CLOSED))
RESET = cython.declare(cython.longlong, int(EndpointState.RESET))
ACK_SHIFT = cython.declare(cython.longlong, machine.ACK_SHIFT)
MASK = cython.declare(cython.longlong, sequence.MASK)
CORRUPT = cython.declare(cython.longlong, ord("C"))
SHUT = cython.declare(cython.longlong, ord("W"))
REPEATED = cython.declare(cython.longlong, ord("T"))


@cython.final
@cython.cclass
class ZeekPackets:
    """Takes segments in one by one, each with all that it may do.

    With `check_checksums` (Zeek without `-C`) a corrupt segment leaves only a `C` in the
    history, one whose IP header is corrupt leaves nothing. Unlike Zeek, which calls a host
    corrupt that leaves checksums to its network card, and a capture whose addresses were
    rewritten, this believes a bad checksum only of a sender that has sent a good one.
    """

    check_checksums: cython.bint
    connections: ZeekConnections
    streams: Streams
    sides: ZeekSides
    histories: ZeekHistories
    timers: ZeekTimers
    rows: cython.longlong[::1]
    cells: cython.longlong[::1]
    octets: cython.uchar[::1]
    at: cython.Py_ssize_t
    clock: cython.longlong

    def __init__(self, check_checksums: bool = True) -> None:
        self.check_checksums = check_checksums
        self.connections, self.streams = ZeekConnections(), Streams()
        self.sides, self.histories = self.connections.sides, self.connections.histories
        self.timers = self.connections.timers

    @cython.ccall
    @cython.exceptval(-1)
    def look(self, rows: cython.longlong[::1], count: cython.Py_ssize_t) -> cython.int:
        """Turn to the first `count` rows of `Segments.cells`, and have room for their slots."""
        self.connections.make_room(self.streams.look(rows, count))
        self.cells, self.octets = self.connections.cells, self.connections.octets
        self.rows = rows
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def take(self, at: cython.Py_ssize_t, clock: cython.longlong) -> cython.int:
        """Take in the segment at cell `at`; `clock` is the latest time of any so far."""
        self.at, self.clock = at, clock
        self.streams.add(at)
        k: cython.Py_ssize_t = self._connection()
        return self._segment(k, self.rows[at + SENDER]) if k >= 0 else 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def note(
        self, at: cython.Py_ssize_t, k: cython.Py_ssize_t, kind: cython.Py_ssize_t
    ) -> cython.int:
        """A letter that the history may not have yet: until then, the stream may not either."""
        self.streams.add(at)
        return self.histories.add_own(k, self.rows[at + SENDER], kind, 0, 0)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def _connection(self) -> cython.Py_ssize_t:
        """Where the connection is that Zeek counts the row to, begun where need be; -1: nowhere."""
        at: cython.Py_ssize_t = self.at
        k: cython.Py_ssize_t = self.rows[at + SLOT] * SLOT_WIDTH
        own: cython.Py_ssize_t = self.rows[at + SENDER]
        # What a damaged header says of itself counts for nothing.
        flags: cython.longlong = self.rows[at + FLAGS] * (self.rows[at + KIND] != DAMAGED)
        if self.rows[at + OPENS]:
            self.connections.forget(k)
        elif self.octets[8 * k + FED]:
            if self.rows[at + MARKS] & IP_CHECKSUM and self._believes(k, own):
                return -1
            if not self.timers.may_be_over(k, flags, self.clock):
                return k
            if not self.timers.is_over(k, flags, self.rows[at + SEQ], self.clock):
                return k
            with cython.gil:
                self.connections.cut(k)
        self.connections.begin(k, own, self.rows[at + TIME], self.clock)
        self.connections.name_ends(k, flags, self.rows[at + SRC_PORT], self.rows[at + DST_PORT])
        return k

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _believes(self, k: cython.Py_ssize_t, own: cython.Py_ssize_t) -> cython.bint:
        """Whether a bad checksum of this sender's is one."""
        return self.check_checksums and self.octets[8 * k + VOUCHED + own] != 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _segment(self, k: cython.Py_ssize_t, own: cython.Py_ssize_t) -> cython.int:
        at: cython.Py_ssize_t = self.at
        if self.rows[at + KIND] == DAMAGED or self.rows[at + MARKS] & HEADER_CUT:
            return 0
        if self.rows[at + CHECKSUM] == BAD and self._believes(k, own):
            return self._count(k, own, CORRUPTED, CORRUPT)
        if self.rows[at + CHECKSUM] == GOOD:
            self.octets[8 * k + VOUCHED + own] = 1
        self.cells[k + PACKETS + own] += 1
        return self._packet(k, own)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _count(
        self,
        k: cython.Py_ssize_t,
        own: cython.Py_ssize_t,
        column: cython.Py_ssize_t,
        letter: cython.longlong,
    ) -> cython.int:
        """Count what the sender did, and have a letter for it now and then."""
        self.cells[k + column + own] += 1
        return self.histories.add(k, own, letter, self.cells[k + column + own])

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _packet(self, k: cython.Py_ssize_t, own: cython.Py_ssize_t) -> cython.int:
        """One packet that counts, in the order of TCPSessionAdapter::Process."""
        at: cython.Py_ssize_t = self.at
        o: cython.Py_ssize_t = 8 * k
        peer: cython.Py_ssize_t = 1 - own
        flags: cython.longlong = self.rows[at + FLAGS]
        seq: cython.longlong = self.rows[at + SEQ]
        payload: cython.longlong = self.rows[at + PAYLOAD]
        kind: cython.Py_ssize_t = (flags & CONTROLS) | (flags & ACK) >> ACK_SHIFT
        kind = 2 * kind + (payload > 0)
        role: cython.longlong = self._meet(k, own, flags)
        data: cython.longlong = 0 if flags & RST else payload
        seg_len: cython.longlong = data + ((flags & SYN) != 0) + ((flags & FIN) != 0)
        end: cython.longlong = (seq + seg_len) & MASK
        if self.octets[o + STATE + own] == INACTIVE or flags & SYN:
            self.sides.begin(k, own, flags, seq, end)
        last: cython.longlong = self.cells[k + LAST + own]
        start: cython.longlong = self.sides.relative(seq, last, self.cells[k + START + own])
        self.histories.add_own(
            k, own, kind, flags & CONTROLS, start + (payload if flags & FIN else 0)
        )
        if self.rows[at + WINDOW] == 0:
            self._shut(k, own, flags)
        if not (self.octets[o + CLOSED_SIDE] and self.octets[o + CLOSED_SIDE + 1]):
            self.cells[k + TIME_END] = self.rows[at + TIME]
        if flags & FIN:
            self.octets[o + FINS + own] = 1
            self.cells[k + FIN_END + own] = start + seg_len
        acked: cython.longlong = 0
        if flags & ACK:
            acked = self.sides.acknowledge(k, peer, self.rows[at + ACK_NUMBER], flags)
        if self.sides.send(k, own, end, flags) and payload > 0:
            self._count(k, own, REPEATS, REPEATED)
        moves: cython.bint = flags & CONTROLS != 0 or self.octets[o + STATE + own] == INACTIVE
        closes: cython.bint = moves and self.connections.move(k, own, kind, self.rows[at + TIME])
        if acked:
            self.connections.trim(k, peer, acked)
        self.octets[o + MET] |= role
        if 0 < data <= self.rows[at + KEPT] and start >= 0:
            start += (flags & SYN) != 0
            self.sides.store(k, own, start, start + data)
        self.connections.check_end(k, own)
        if closes:
            self.connections.close(k, own)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _meet(
        self, k: cython.Py_ssize_t, own: cython.Py_ssize_t, flags: cython.longlong
    ) -> cython.longlong:
        """The sender's role; its first packet says whether the connection is partial."""
        o: cython.Py_ssize_t = 8 * k
        role: cython.longlong = 1 if own == self.octets[o + ORIG] else 2
        if not self.octets[o + MET] & role and (role == 1 or not self.octets[o + PARTIAL]):
            self.octets[o + PARTIAL] = not flags & SYN or (role == 1 and flags & ACK != 0)
        return role

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _shut(
        self, k: cython.Py_ssize_t, own: cython.Py_ssize_t, flags: cython.longlong
    ) -> cython.int:
        """Its window is closed, which is of interest only while there is something to send."""
        o: cython.Py_ssize_t = 8 * k
        closed: cython.bint = self.octets[o + STATE + 1 - own] == CLOSED
        if flags & RST or closed or self.octets[o + STATE + own] == RESET:
            return 0
        return self._count(k, own, CLOSED_WINDOWS, SHUT)
