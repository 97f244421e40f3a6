# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`ZeekModel` ⚙: what Zeek would write about each connection, kept up one segment at a time.

A second machine beside RFC 9293's, for it answers another question: what conn.log says, Zeek's
own timers and its habit of believing every FIN and RST included. Read `_packet` first: it is
the order of TCPSessionAdapter::Process; its rare steps stand in `tracker.zeek_machine`. A slot
holds one of our connections; Zeek may cut it into several rows (a SYN unanswered for 5 s, long
silence, a late packet after the close), and all of them are kept.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Checksum, Kind, Mark, Segments
from tcptrace.tcp import flags as bits
from tcptrace.tracker import zeek_machine as machine
from tcptrace.tracker import zeek_rows as words
from tcptrace.tracker.zeek_rows import CONN_STATES as CONN_STATES
from tcptrace.tracker.zeek_rows import EndpointState

WIDTH = cython.declare(cython.Py_ssize_t, Segments.width())
SLOT = cython.declare(cython.Py_ssize_t, Segments.index("slot"))
SENDER = cython.declare(cython.Py_ssize_t, Segments.index("sender"))
OPENS = cython.declare(cython.Py_ssize_t, Segments.index("opens"))
KIND = cython.declare(cython.Py_ssize_t, Segments.index("kind"))
MARKS = cython.declare(cython.Py_ssize_t, Segments.index("marks"))
TIME = cython.declare(cython.Py_ssize_t, Segments.index("time"))
SEQ = cython.declare(cython.Py_ssize_t, Segments.index("seq"))
ACK_NUMBER = cython.declare(cython.Py_ssize_t, Segments.index("ack"))
FLAGS = cython.declare(cython.Py_ssize_t, Segments.index("flags"))
WINDOW = cython.declare(cython.Py_ssize_t, Segments.index("window"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Segments.index("payload"))
KEPT = cython.declare(cython.Py_ssize_t, Segments.index("kept"))
CHECKSUM = cython.declare(cython.Py_ssize_t, Segments.index("checksum"))
SRC_PORT = cython.declare(cython.Py_ssize_t, Segments.index("src_port"))
DST_PORT = cython.declare(cython.Py_ssize_t, Segments.index("dst_port"))
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
SYN_SENT = cython.declare(cython.longlong, int(EndpointState.SYN_SENT))
CLOSED = cython.declare(cython.longlong, int(EndpointState.CLOSED))
RESET = cython.declare(cython.longlong, int(EndpointState.RESET))
ONCE_D = cython.declare(cython.longlong, machine.SEEN["D"])
ONCE_A = cython.declare(cython.longlong, machine.SEEN["A"])
RESPONDER_BITS = cython.declare(cython.longlong, machine.RESPONDER_BITS)

LINGER = cython.declare(cython.longlong, words.LINGER)
FAR = cython.declare(cython.longlong, words.FAR)
UNACKED = cython.declare(cython.longlong, words.UNACKED)
MASK = cython.declare(cython.longlong, 0xFFFFFFFF)
COMPLETES = cython.declare(bytes, words.COMPLETES)


@cython.cfunc
@cython.exceptval(check=False)
def _diff(left: cython.longlong, right: cython.longlong) -> cython.longlong:
    return ((left - right + 0x80000000) & 0xFFFFFFFF) - 0x80000000


@cython.cclass
class Side:
    """An endpoint in Zeek's eyes, and its stream: the fields of TCP_Endpoint and its reassembler.

    `start` is the ISN; `last` is one past the highest number sent and `acked` the highest
    acknowledged, with the wraps in their upper 32 bits; `*_mark`, `fin_end`, `delivered`,
    `trimmed` and `high` count from the ISN. `high` is one past the last octet kept, 0 for none.
    """

    sender = cython.declare(cython.longlong, visibility="public")
    state = cython.declare(cython.longlong, visibility="public")
    before = cython.declare(cython.longlong, visibility="public")
    start = cython.declare(cython.longlong, visibility="public")
    last = cython.declare(cython.longlong, visibility="public")
    acked = cython.declare(cython.longlong, visibility="public")
    fins = cython.declare(cython.longlong, visibility="public")
    fin_end = cython.declare(cython.longlong, visibility="public")
    closed = cython.declare(cython.bint, visibility="public")
    syn_mark = cython.declare(cython.longlong, visibility="public")
    fin_mark = cython.declare(cython.longlong, visibility="public")
    rst_mark = cython.declare(cython.longlong, visibility="public")
    packets = cython.declare(cython.longlong, visibility="public")
    corrupt = cython.declare(cython.longlong, visibility="public")
    repeats = cython.declare(cython.longlong, visibility="public")
    shut = cython.declare(cython.longlong, visibility="public")
    gaps = cython.declare(cython.longlong, visibility="public")
    missed = cython.declare(cython.longlong, visibility="public")
    delivered = cython.declare(cython.longlong, visibility="public")
    trimmed = cython.declare(cython.longlong, visibility="public")
    high = cython.declare(cython.longlong, visibility="public")
    ended = cython.declare(cython.bint, visibility="public")
    vouched = cython.declare(cython.bint, visibility="public")
    given_up = cython.declare(cython.bint, visibility="public")
    blocks = cython.declare(object, visibility="public")

    def __init__(self, sender: cython.longlong) -> None:
        self.sender = sender
        self.state = self.before = INACTIVE
        self.start = self.last = self.acked = self.fins = self.fin_end = 0
        self.syn_mark = self.fin_mark = self.rst_mark = 0
        self.packets = self.corrupt = self.repeats = self.shut = self.gaps = self.missed = 0
        self.delivered = self.trimmed = 1
        self.high = 0
        self.closed = self.ended = self.given_up = self.vouched = False
        self.blocks = None

    @cython.cfunc
    def _relative(self, number: cython.longlong, near: cython.longlong) -> cython.longlong:
        """`number` from the ISN on, unwrapped near `near`; negative if before the ISN."""
        last: cython.longlong = near & MASK
        wraps: cython.longlong = near >> 32
        far: cython.longlong = _diff(number, last)
        if far < 0 and wraps and number > last:
            wraps -= 1
        elif far > 0 and number < last:
            wraps += 1
        if wraps == 0:
            return _diff(number, self.start & MASK)
        return (wraps << 32) + number - self.start

    @cython.cfunc
    def _send(self, end: cython.longlong, flags: cython.longlong) -> cython.bint:
        """Move `last` to the segment's end; whether that end is nothing new."""
        last: cython.longlong = self.last & MASK
        far: cython.longlong = _diff(end, last)
        if flags & (SYN | RST) and (far > FAR or far < -FAR):
            return False
        ahead: cython.bint = (flags & FIN) != 0 and last == (self.start + 1) & MASK
        if not ahead and self.state == RESET:
            return False
        if ahead or far > 0:
            self.last = ((self.last >> 32) + (end < last) << 32) + end
            return False
        return True

    @cython.cfunc
    def _acknowledge(self, number: cython.longlong, flags: cython.longlong) -> cython.longlong:
        """The peer acknowledges up to `number`: relative to the ISN, 0 if below it."""
        if self.state == INACTIVE:
            machine.number(self, (number - 1) & MASK, (number - 1) & MASK)
            return 1
        relative: cython.longlong = self._relative(number, self.acked)
        if relative < 0:
            return 0
        last: cython.longlong = self.acked & MASK
        far: cython.longlong = _diff(number, last)
        if far > 0 and not flags & RST and not (number == 0 and far > FAR):
            self.acked = ((self.acked >> 32) + (number < last) << 32) + number
        return relative

    @cython.cfunc
    def _store(self, peer: Side, start: cython.longlong, end: cython.longlong) -> cython.int:
        """Octets [start, end) are in the capture: TCP_Reassembler::DataSent."""
        start = max(start, max(self.acked - self.start, self.trimmed))
        if self.given_up or start >= end:
            return 0
        self.high = max(self.high, end)
        unacked: cython.bint = 0 <= self.acked - self.start <= 1
        if start > self.delivered or self.blocks is not None or unacked:
            machine.store(self, peer, start, end)
        else:
            self.delivered = max(self.delivered, end)
        if self.delivered - self.trimmed > UNACKED:
            machine.give_up(self)
        return 0


@cython.cclass
class Connection:
    """A connection of Zeek's, and the segment at hand; `previous` was cut off in the same slot."""

    previous = cython.declare(object, visibility="public")
    first = cython.declare(Side, visibility="public")
    second = cython.declare(Side, visibility="public")
    orig = cython.declare(cython.longlong, visibility="public")
    seen = cython.declare(cython.longlong, visibility="public")
    history = cython.declare(bytearray, visibility="public")
    partial = cython.declare(cython.bint, visibility="public")
    met = cython.declare(cython.longlong, visibility="public")
    time_start = cython.declare(cython.longlong, visibility="public")
    time_end = cython.declare(cython.longlong, visibility="public")
    created = cython.declare(cython.longlong, visibility="public")
    attempt_at = cython.declare(cython.longlong, visibility="public")
    delete_at = cython.declare(cython.longlong, visibility="public")
    idle = cython.declare(cython.longlong, visibility="public")
    deferred = cython.declare(cython.bint, visibility="public")
    time = cython.declare(cython.longlong, visibility="public")
    seq = cython.declare(cython.longlong, visibility="public")
    flags = cython.declare(cython.longlong, visibility="public")
    payload = cython.declare(cython.longlong, visibility="public")
    src_port = cython.declare(cython.longlong, visibility="public")
    dst_port = cython.declare(cython.longlong, visibility="public")
    whole = cython.declare(cython.bint, visibility="public")
    completeness = cython.declare(cython.longlong, visibility="public")
    segments = cython.declare(cython.longlong, visibility="public")

    def __init__(self, previous: Connection | None, sender: cython.longlong) -> None:
        self.previous = previous
        self.completeness = 0 if previous is None else previous.completeness
        self.segments = 0 if previous is None else previous.segments
        self.first, self.second = Side(0), Side(1)
        self.orig = sender
        self.seen = self.met = 0
        self.history = bytearray()
        self.partial = self.deferred = False
        self.attempt_at = self.delete_at = words.NEVER
        self.idle = words.HANDSHAKE_IDLE
        self.time_start = self.time_end = self.created = 0
        self.whole = False
        self.time = self.seq = self.flags = self.payload = self.src_port = self.dst_port = 0

    @cython.cfunc
    def _take(self, rows: cython.longlong[::1], at: cython.Py_ssize_t) -> cython.int:
        """Put the segment at hand into place; a damaged one has no flags to act on."""
        self.time = rows[at + TIME]
        self.seq = rows[at + SEQ]
        self.flags = 0 if rows[at + KIND] == DAMAGED else rows[at + FLAGS]
        self.payload = rows[at + PAYLOAD]
        self.whole = rows[at + KEPT] >= self.payload
        self.src_port = rows[at + SRC_PORT]
        self.dst_port = rows[at + DST_PORT]
        return 0

    @cython.cfunc
    def _over(self, now: cython.longlong) -> cython.bint:
        """Whether the segment at hand begins another of Zeek's rows."""
        timer: cython.longlong = min(self.attempt_at, self.delete_at)
        if now < timer and now - self.time_end < LINGER and not self.flags & SYN:
            return False
        orig: Side = self.second if self.orig else self.first
        resp: Side = self.first if self.orig else self.second
        if machine.timed_out(self, orig, resp, now):
            return True
        return self.flags & SYN and machine.reused(orig, resp, self.flags, self.seq)

    @cython.cfunc
    def _packet(
        self, side: Side, peer: Side, ack: cython.longlong, window: cython.longlong
    ) -> cython.int:
        """One packet that counts, in the order of TCPSessionAdapter::Process."""
        flags: cython.longlong = self.flags
        role: cython.longlong = 1 if side.sender == self.orig else 2
        if not self.met & role and (role == 1 or not self.partial):
            self.partial = not flags & SYN or (role == 1 and flags & ACK)
        data: cython.longlong = 0 if flags & RST else self.payload
        seg_len: cython.longlong = data + ((flags & SYN) != 0) + ((flags & FIN) != 0)
        end: cython.longlong = (self.seq + seg_len) & MASK
        if side.state == INACTIVE or flags & SYN:
            machine.begin(side, flags, self.seq, end)
        start: cython.longlong = side._relative(self.seq, side.last)
        self._letters(side, peer, start, window)
        if not (side.closed and peer.closed):
            self.time_end = self.time
        if flags & FIN:
            side.fins += 1
            side.fin_end = start + seg_len
        acked: cython.longlong = peer._acknowledge(ack, flags) if flags & ACK else 0
        if side._send(end, flags) and self.payload > 0:
            side.repeats += 1
            machine.add_scaled(self, side, "T", side.repeats)
        closing: cython.bint = False
        if flags & CONTROLS or side.state == INACTIVE:
            closing = machine.move(self, side, peer)
        if acked:
            self._trim(peer, side, acked)
        self.met |= role
        if data > 0 and start >= 0 and self.whole:
            start += (flags & SYN) != 0
            side._store(peer, start, start + data)
        if side.fins or side.state >= CLOSED:
            machine.check_end(self, side, peer)
        if closing:
            machine.close(self, side, peer)
        side.packets += 1
        return 0

    @cython.cfunc
    def _letters(
        self, side: Side, peer: Side, start: cython.longlong, window: cython.longlong
    ) -> cython.int:
        """The letters of a packet's own flags and of its window."""
        once: cython.longlong = ONCE_D if self.payload else ONCE_A
        if self.flags & CONTROLS:
            machine.add_control(self, side, self.flags, start, start + self.payload)
        elif self.payload or self.flags & ACK:
            if side.sender != self.orig:
                once <<= RESPONDER_BITS
            if not self.seen & once:
                machine.add_plain(self, side, "D" if self.payload else "A")
        boring: cython.bint = peer.state == CLOSED or side.state == RESET
        if window == 0 and not self.flags & RST and not boring:
            side.shut += 1
            machine.add_scaled(self, side, "W", side.shut)
        return 0

    @cython.cfunc
    def _trim(self, side: Side, peer: Side, upto: cython.longlong) -> cython.int:
        """The stream of `side` was acknowledged up to here: TCP_Reassembler::AckReceived."""
        if side.fins and 0 <= side.fin_end <= upto:
            upto = side.fin_end - 1
        if upto <= side.trimmed:
            return 0
        if upto > side.delivered:
            machine.fill_gaps(self, side, peer, upto)
        side.trimmed = upto
        if side.blocks is not None:
            machine.absorb(side)
        if side.fins or side.state >= CLOSED:
            machine.check_end(self, side, peer)
        return 0


@cython.cclass
class ZeekModel:
    """Zeek's view of many connections, each in the slot that the tracker gave it.

    With `check_checksums` (Zeek without `-C`) a corrupt segment leaves only a `C` in the
    history, one whose IP header is corrupt leaves nothing. Unlike Zeek, which calls a host
    corrupt that leaves checksums to its network card, and a capture whose addresses were
    rewritten, this believes a bad checksum only of a sender that has sent a good one.
    """

    check_checksums: cython.bint
    clock: cython.longlong
    slots: list

    def __init__(self, check_checksums: bool = True) -> None:
        self.check_checksums = check_checksums
        self.clock = -words.NEVER
        self.slots = []

    def feed(self, rows: cython.longlong[::1], count: cython.Py_ssize_t) -> None:
        """Take in the first `count` rows of `Segments.cells`; slot, sender, opens are filled in."""
        at: cython.Py_ssize_t
        for at in range(0, count * WIDTH, WIDTH):
            if rows[at + KIND] != ICMP_ERROR:
                self._segment(rows, at)

    def connection(self, slot: cython.Py_ssize_t) -> Connection | None:
        """The slot's last connection, `previous` leading to those before; None if never fed."""
        return self.slots[slot] if slot < len(self.slots) else None

    @cython.cfunc
    def _segment(self, rows: cython.longlong[::1], at: cython.Py_ssize_t) -> cython.int:
        conn: Connection = self._connection(rows, at)
        if conn is None:
            return 0
        side: Side = conn.second if rows[at + SENDER] else conn.first
        conn.segments += 1
        conn.completeness |= COMPLETES[(conn.flags & 31) * 2 + (conn.payload > 0)]
        if rows[at + KIND] == DAMAGED or rows[at + MARKS] & HEADER_CUT:
            return 0
        if self.check_checksums and side.vouched and rows[at + CHECKSUM] == BAD:
            side.corrupt += 1
            machine.add_scaled(conn, side, "C", side.corrupt)
            return 0
        if rows[at + CHECKSUM] == GOOD:
            side.vouched = True
        peer: Side = conn.first if rows[at + SENDER] else conn.second
        return conn._packet(side, peer, rows[at + ACK_NUMBER], rows[at + WINDOW])

    @cython.cfunc
    def _connection(self, rows: cython.longlong[::1], at: cython.Py_ssize_t) -> Connection:
        """The connection that Zeek counts the row to, opened where need be; None: to none."""
        slot: cython.Py_ssize_t = rows[at + SLOT]
        self.clock = max(self.clock, rows[at + TIME])
        while slot >= len(self.slots):
            self.slots.append(None)
        conn: Connection = None if rows[at + OPENS] else self.slots[slot]
        if conn is not None:
            side: Side = conn.second if rows[at + SENDER] else conn.first
            if self.check_checksums and side.vouched and rows[at + MARKS] & IP_CHECKSUM:
                return None
            conn._take(rows, at)
            if not conn._over(self.clock):
                return conn
        conn = Connection(conn, rows[at + SENDER])
        conn._take(rows, at)
        machine.open_connection(conn, self.clock)
        self.slots[slot] = conn
        return conn
