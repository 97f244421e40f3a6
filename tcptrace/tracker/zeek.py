# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`ZeekModel` ⚙: what Zeek would write about each connection, kept up one segment at a time.

A second machine beside RFC 9293's, for it answers another question: what conn.log says, Zeek's
timers and its habit of believing every FIN and RST included. Read `_packet` first, the order of
TCPSessionAdapter::Process; `zeek_side` and `zeek_connection` hold what it moves.
A slot holds one of our connections; Zeek may cut it into several rows (a SYN unanswered for
5 s, long silence, a late packet after the close), and all of them are kept.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Checksum, Kind, Mark, Segments
from tcptrace.tcp import flags as bits
from tcptrace.tcp import sequence
from tcptrace.tracker import zeek_machine as machine
from tcptrace.tracker import zeek_rows as words
from tcptrace.tracker.completeness import Streams
from tcptrace.tracker.zeek_connection import Connection
from tcptrace.tracker.zeek_rows import EndpointState
from tcptrace.tracker.zeek_side import Side

SLOT = cython.declare(cython.Py_ssize_t, Segments.index("slot"))
SENDER = cython.declare(cython.Py_ssize_t, Segments.index("sender"))
OPENS = cython.declare(cython.Py_ssize_t, Segments.index("opens"))
KIND = cython.declare(cython.Py_ssize_t, Segments.index("kind"))
MARKS = cython.declare(cython.Py_ssize_t, Segments.index("marks"))
TIME = cython.declare(cython.Py_ssize_t, Segments.index("time"))
CLOCK = cython.declare(cython.Py_ssize_t, Segments.index("clock"))
SEQ = cython.declare(cython.Py_ssize_t, Segments.index("seq"))
FLAGS = cython.declare(cython.Py_ssize_t, Segments.index("flags"))
WINDOW = cython.declare(cython.Py_ssize_t, Segments.index("window"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Segments.index("payload"))
KEPT = cython.declare(cython.Py_ssize_t, Segments.index("kept"))
CHECKSUM = cython.declare(cython.Py_ssize_t, Segments.index("checksum"))
SRC_PORT = cython.declare(cython.Py_ssize_t, Segments.index("src_port"))
DST_PORT = cython.declare(cython.Py_ssize_t, Segments.index("dst_port"))
ACK_NUMBER = cython.declare(cython.Py_ssize_t, Segments.index("ack"))
WIDTH = cython.declare(cython.Py_ssize_t, Segments.width())
DAMAGED = cython.declare(cython.longlong, int(Kind.DAMAGED))
ICMP_ERROR = cython.declare(cython.longlong, int(Kind.ICMP_ERROR))
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
LINGER = cython.declare(cython.longlong, words.LINGER)
MASK = cython.declare(cython.longlong, sequence.MASK)
CORRUPT = cython.declare(cython.longlong, ord("C"))
SHUT = cython.declare(cython.longlong, ord("W"))
REPEATED = cython.declare(cython.longlong, ord("T"))


@cython.cclass
class ZeekModel:
    """Zeek's view of many connections, each in the slot that the tracker gave it.

    With `check_checksums` (Zeek without `-C`) a corrupt segment leaves only a `C` in the
    history, one whose IP header is corrupt leaves nothing. Unlike Zeek, which calls a host
    corrupt that leaves checksums to its network card, and a capture whose addresses were
    rewritten, this believes a bad checksum only of a sender that has sent a good one. `slots`
    holds each slot's last `Connection`, None where none was fed.
    """

    check_checksums: cython.bint
    clock: cython.longlong
    slots = cython.declare(list, visibility="public")
    streams = cython.declare(object, visibility="public")
    rows: cython.longlong[::1]
    at: cython.Py_ssize_t

    def __init__(self, check_checksums: bool = True) -> None:
        self.check_checksums = check_checksums
        self.clock = -words.NEVER
        self.slots = []
        self.streams = Streams()

    def feed(self, rows: cython.longlong[::1], count: cython.Py_ssize_t) -> None:
        """Take in the first `count` rows of `Segments.cells`; the tracker has filled them in."""
        self.streams.feed(rows, count)
        self.rows = rows
        row: cython.Py_ssize_t
        conn: Connection
        for row in range(count):
            self.at = row * WIDTH
            if rows[self.at + KIND] != ICMP_ERROR:
                conn = self._connection()
                if conn is not None:
                    self._segment(conn)

    @cython.cfunc
    def _connection(self) -> Connection:
        """The connection that Zeek counts the row to, opened where need be; None: to none."""
        at: cython.Py_ssize_t = self.at
        slot: cython.Py_ssize_t = self.rows[at + SLOT]
        sender: cython.longlong = self.rows[at + SENDER]
        self.clock = max(self.clock, self.rows[at + TIME], self.rows[at + CLOCK])
        # What a damaged header says of itself counts for nothing.
        flags: cython.longlong = self.rows[at + FLAGS] * (self.rows[at + KIND] != DAMAGED)
        while slot >= len(self.slots):
            self.slots.append(None)
        conn: Connection = None if self.rows[at + OPENS] else self.slots[slot]
        if conn is not None:
            side: Side = conn.second if sender else conn.first
            if self.check_checksums and side.vouched and self.rows[at + MARKS] & IP_CHECKSUM:
                return None
            due: cython.longlong = min(conn.attempt_at, conn.delete_at, conn.time_end + LINGER)
            doubtful: cython.bint = flags & SYN != 0 or self.clock >= due
            if not (doubtful and conn.is_over(flags, self.rows[at + SEQ], self.clock)):
                return conn
        fresh: Connection = Connection()
        if conn is not None:
            fresh.succeed(conn)
        fresh.time_start, fresh.created = self.rows[at + TIME], self.clock
        fresh.open(sender, flags, self.rows[at + SRC_PORT], self.rows[at + DST_PORT])
        self.slots[slot] = fresh
        return fresh

    @cython.cfunc
    def _segment(self, conn: Connection) -> cython.int:
        if self.rows[self.at + KIND] == DAMAGED or self.rows[self.at + MARKS] & HEADER_CUT:
            return 0
        side: Side = conn.second if self.rows[self.at + SENDER] else conn.first
        checksum: cython.longlong = self.rows[self.at + CHECKSUM]
        if self.check_checksums and side.vouched and checksum == BAD:
            side.corrupt += 1
            return conn.add(side, CORRUPT, side.corrupt)
        side.vouched = side.vouched or checksum == GOOD
        side.packets += 1
        return self._packet(conn, side, conn.first if side.sender else conn.second)

    @cython.cfunc
    def _packet(self, conn: Connection, side: Side, peer: Side) -> cython.int:
        """One packet that counts, in the order of TCPSessionAdapter::Process."""
        at: cython.Py_ssize_t = self.at
        flags: cython.longlong = self.rows[at + FLAGS]
        seq: cython.longlong = self.rows[at + SEQ]
        ack: cython.longlong = self.rows[at + ACK_NUMBER]
        payload: cython.longlong = self.rows[at + PAYLOAD]
        kind: cython.Py_ssize_t = (flags & CONTROLS) | (flags & ACK) >> ACK_SHIFT
        kind = 2 * kind + (payload > 0)
        role: cython.longlong = 1 if side.sender == conn.orig else 2
        if not conn.met & role and (role == 1 or not conn.partial):
            conn.partial = not flags & SYN or (role == 1 and flags & ACK != 0)
        data: cython.longlong = 0 if flags & RST else payload
        seg_len: cython.longlong = data + ((flags & SYN) != 0) + ((flags & FIN) != 0)
        end: cython.longlong = (seq + seg_len) & MASK
        if side.state == INACTIVE or flags & SYN:
            side.begin(flags, seq, end)
        start: cython.longlong = side.relative(seq, side.last)
        conn.add_own(side, kind, flags & CONTROLS, start + (payload if flags & FIN else 0))
        boring: cython.bint = (flags & RST) != 0 or peer.state == CLOSED or side.state == RESET
        if self.rows[at + WINDOW] == 0 and not boring:
            side.shut += 1
            conn.add(side, SHUT, side.shut)
        if not (side.closed and peer.closed):
            conn.time_end = self.rows[at + TIME]
        if flags & FIN:
            side.fins += 1
            side.fin_end = start + seg_len
        acked: cython.longlong = peer.acknowledge(ack, flags) if flags & ACK else 0
        if side.send(end, flags) and payload > 0:
            side.repeats += 1
            conn.add(side, REPEATED, side.repeats)
        moves: cython.bint = flags & CONTROLS != 0 or side.state == INACTIVE
        closes: cython.bint = moves and conn.move(side, peer, kind, self.rows[at + TIME])
        if acked:
            conn.trim(peer, side, acked)
        conn.met |= role
        if 0 < data <= self.rows[at + KEPT] and start >= 0:
            start += (flags & SYN) != 0
            side.store(peer, start, start + data)
        conn.check_end(side, peer)
        if closes:
            conn.close(side, peer)
        return 0
