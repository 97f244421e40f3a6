# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`ZeekModel` ⚙: what Zeek would write about each connection, kept up one segment at a time.

A second machine beside RFC 9293's, for it answers another question: what conn.log says, Zeek's
timers and its habit of believing every FIN and RST included. Read `_packet` first, the order of
TCPSessionAdapter::Process; moves are looked up in `zeek_machine`, rare steps are `zeek_steps`.
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
from tcptrace.tracker import zeek_steps as steps
from tcptrace.tracker.completeness import Streams
from tcptrace.tracker.zeek_rows import EndpointState

cython.declare(WIDTH=cython.Py_ssize_t, SLOT=cython.Py_ssize_t, SENDER=cython.Py_ssize_t)
cython.declare(OPENS=cython.Py_ssize_t, KIND=cython.Py_ssize_t, MARKS=cython.Py_ssize_t)
cython.declare(TIME=cython.Py_ssize_t, SEQ=cython.Py_ssize_t, ACK_NUMBER=cython.Py_ssize_t)
cython.declare(FLAGS=cython.Py_ssize_t, WINDOW=cython.Py_ssize_t, PAYLOAD=cython.Py_ssize_t)
cython.declare(KEPT=cython.Py_ssize_t, CHECKSUM=cython.Py_ssize_t, SRC_PORT=cython.Py_ssize_t)
DST_PORT = cython.declare(cython.Py_ssize_t, Segments.index("dst_port"))
column = Segments.index
WIDTH, SLOT, SENDER, OPENS = Segments.width(), column("slot"), column("sender"), column("opens")
KIND, MARKS, TIME, CHECKSUM = column("kind"), column("marks"), column("time"), column("checksum")
SEQ, ACK_NUMBER, FLAGS, WINDOW = column("seq"), column("ack"), column("flags"), column("window")
PAYLOAD, KEPT, SRC_PORT = column("payload"), column("kept"), column("src_port")
DAMAGED = cython.declare(cython.longlong, int(Kind.DAMAGED))
ICMP_ERROR = cython.declare(cython.longlong, int(Kind.ICMP_ERROR))
BAD = cython.declare(cython.longlong, int(Checksum.BAD))
GOOD = cython.declare(cython.longlong, int(Checksum.GOOD))
HEADER_CUT = cython.declare(cython.longlong, int(Mark.HEADER_CUT))
IP_CHECKSUM = cython.declare(cython.longlong, int(Mark.IP_CHECKSUM))
cython.declare(FIN=cython.longlong, SYN=cython.longlong, RST=cython.longlong, ACK=cython.longlong)
FIN, SYN, RST, ACK = bits.FIN, bits.SYN, bits.RST, bits.ACK
CONTROLS = cython.declare(cython.longlong, bits.FIN | bits.SYN | bits.RST)
INACTIVE = cython.declare(cython.longlong, int(EndpointState.INACTIVE))
CLOSED = cython.declare(cython.longlong, int(EndpointState.CLOSED))
RESET = cython.declare(cython.longlong, int(EndpointState.RESET))
STATES = cython.declare(cython.longlong, machine.STATES)
SEGMENTS = cython.declare(cython.longlong, machine.SEGMENTS)
ACK_SHIFT = cython.declare(cython.longlong, machine.ACK_SHIFT)
RESPONDER_SHIFT = cython.declare(cython.longlong, machine.RESPONDER_SHIFT)
CLOSES = cython.declare(cython.longlong, int(machine.Act.CLOSES))
cython.declare(STATE_AFTER=bytes, PEER_AFTER=bytes, BEFORE=bytes, ACTS=bytes, CLEAN=bytes)
STATE_AFTER, PEER_AFTER, BEFORE = machine.STATE_AFTER, machine.PEER_AFTER, machine.BEFORE
ACTS, CLEAN = machine.ACTS, machine.CLEAN
LETTER = cython.declare(bytes, machine.LETTER)
ONCE_BIT = cython.declare(bytes, machine.ONCE_BIT)
cython.declare(LINGER=cython.longlong, FAR=cython.longlong, UNACKED=cython.longlong)
cython.declare(LONGEST=cython.Py_ssize_t, MASK=cython.longlong, HALF=cython.longlong)
LINGER, FAR, UNACKED, LONGEST = words.LINGER, words.FAR, words.UNACKED, words.LONGEST_HISTORY
MASK, HALF = sequence.MASK, sequence.HALF


@cython.cfunc
@cython.exceptval(check=False)
def _diff(left: cython.longlong, right: cython.longlong) -> cython.longlong:
    return ((left - right + HALF) & MASK) - HALF


@cython.no_gc
@cython.cclass
class Side:
    """An endpoint in Zeek's eyes, and its stream: TCP_Endpoint and TCP_Reassembler.

    `start` is the ISN; `last` is one past the highest number sent and `acked` the highest
    acknowledged, with the wraps in their upper 32 bits; `*_mark`, `fin_end`, `delivered`,
    `trimmed` and `high` count from the ISN. `high` is one past the last octet kept, 0 for none.
    """

    cython.declare(syn_mark=cython.longlong, fin_mark=cython.longlong, rst_mark=cython.longlong)
    cython.declare(corrupt=cython.longlong, repeats=cython.longlong, shut=cython.longlong)
    cython.declare(gaps=cython.longlong, fin_end=cython.longlong, vouched=cython.bint)
    sender = cython.declare(cython.longlong, visibility="public")
    state = cython.declare(cython.longlong, visibility="public")
    before = cython.declare(cython.longlong, visibility="public")
    start = cython.declare(cython.longlong, visibility="public")
    last = cython.declare(cython.longlong, visibility="public")
    acked = cython.declare(cython.longlong, visibility="public")
    fins = cython.declare(cython.longlong, visibility="public")
    closed = cython.declare(cython.bint, visibility="public")
    packets = cython.declare(cython.longlong, visibility="public")
    missed = cython.declare(cython.longlong, visibility="public")
    delivered = cython.declare(cython.longlong, visibility="public")
    trimmed = cython.declare(cython.longlong, visibility="public")
    high = cython.declare(cython.longlong, visibility="public")
    ended = cython.declare(cython.bint, visibility="public")
    given_up = cython.declare(cython.bint, visibility="public")
    blocks = cython.declare(object, visibility="public")

    def __init__(self, sender: cython.longlong) -> None:
        self.sender = sender
        self.state = self.before = INACTIVE
        self.start = self.last = self.acked = self.fins = self.fin_end = self.packets = 0
        self.syn_mark = self.fin_mark = self.rst_mark = 0
        self.corrupt = self.repeats = self.shut = self.gaps = self.missed = self.high = 0
        self.delivered = self.trimmed = 1
        self.closed = self.ended = self.given_up = self.vouched = False
        self.blocks = None

    @cython.cfunc
    def _relative(self, number: cython.longlong, near: cython.longlong) -> cython.longlong:
        """`number` from the ISN on, unwrapped near `near`; negative if before the ISN."""
        last: cython.longlong = near & MASK
        wraps: cython.longlong = near >> 32
        far: cython.longlong = _diff(number, last)
        wraps += (far > 0 and number < last) - (far < 0 < wraps and number > last)
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
        if ahead or (far > 0 and self.state != RESET):
            self.last = ((self.last >> 32) + (end < last) << 32) + end
            return False
        return self.state != RESET

    @cython.cfunc
    def _acknowledge(self, number: cython.longlong, flags: cython.longlong) -> cython.longlong:
        """The peer acknowledges up to `number`: relative to the ISN, 0 if below it."""
        if self.state == INACTIVE:
            steps.number(self, (number - 1) & MASK, (number - 1) & MASK)
            return 1
        last: cython.longlong = self.acked & MASK
        relative: cython.longlong = self._relative(number, self.acked)
        far: cython.longlong = _diff(number, last)
        if relative >= 0 and far > 0 and not flags & RST and not (number == 0 and far > FAR):
            self.acked = ((self.acked >> 32) + (number < last) << 32) + number
        return max(relative, 0)

    @cython.cfunc
    def _store(self, peer: Side, start: cython.longlong, end: cython.longlong) -> cython.int:
        """Octets [start, end) are in the capture: TCP_Reassembler::DataSent."""
        start = max(start, max(self.acked - self.start, self.trimmed))
        if self.given_up or start >= end:
            return 0
        self.high = max(self.high, end)
        unacked: cython.bint = 0 <= self.acked - self.start <= 1
        far: cython.bint = start > self.delivered or end - self.trimmed > UNACKED
        if far or unacked or self.blocks is not None:
            steps.store(self, peer, start, end)
        else:
            self.delivered = max(self.delivered, end)
        return 0


@cython.no_gc
@cython.cclass
class Connection:
    """A connection of Zeek's; `earlier` are those that it cut off in the same slot, or None.

    `seen` has a bit for each letter that is in the history (`zeek_machine.ONCE`), `met` one for
    each role whose first packet is over; `ports` are sender 0's and sender 1's.
    """

    cython.declare(seen=cython.longlong)
    earlier = cython.declare(object, visibility="public")
    ports = cython.declare(tuple, visibility="public")
    first = cython.declare(Side, visibility="public")
    second = cython.declare(Side, visibility="public")
    orig = cython.declare(cython.longlong, visibility="public")
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

    def __init__(self) -> None:
        self.first, self.second = Side(0), Side(1)
        self.orig = self.seen = self.met = self.time_start = self.time_end = self.created = 0
        self.history, self.ports = bytearray(), (0, 0)
        self.partial = self.deferred = False
        self.attempt_at, self.delete_at = words.NEVER, words.NEVER
        self.idle, self.earlier = words.HANDSHAKE_IDLE, None

    @cython.cfunc
    def _add(self, side: Side, letter: cython.longlong, count: cython.longlong) -> cython.int:
        """Add a letter, a small one for the responder, for the 1st, 10th, 100th, ... of a kind."""
        while count % 10 == 0:
            count //= 10
        if count == 1 and len(self.history) < LONGEST:
            self.history.append(letter if side.sender == self.orig else letter | 32)
        return 0

    @cython.cfunc
    def _add_own(
        self, side: Side, kind: cython.Py_ssize_t, controls: cython.longlong, place: cython.longlong
    ) -> cython.int:
        """The letter of a packet's own flags, from `place` on; marks say where the last was."""
        letter: cython.longlong = LETTER[kind]
        changed: cython.bint = False
        if controls == SYN:
            changed, side.syn_mark = place != side.syn_mark, place
        elif controls == FIN:
            changed, side.fin_mark = place != side.fin_mark, place
        elif controls == RST:
            changed, side.rst_mark = place != side.rst_mark, place
        elif not controls and len(self.history) == 1 and self.history == b"H":
            steps.flip(self)
            self.history[:] = b"^h"
        shift: cython.longlong = 0 if side.sender == self.orig else RESPONDER_SHIFT
        once: cython.longlong = cython.cast(cython.longlong, ONCE_BIT[kind]) << shift
        if changed or not self.seen & once:
            self._add(side, letter, 1)
        self.seen |= once
        return 0

    @cython.cfunc
    def _move(
        self, side: Side, peer: Side, kind: cython.Py_ssize_t, time: cython.longlong
    ) -> cython.bint:
        """Move the sender's machine, and the peer's with it; whether the sender closes."""
        place: cython.Py_ssize_t = 0 if side.sender == self.orig else STATES
        place = ((place + side.state) * STATES + peer.state) * 2 * SEGMENTS + kind
        if BEFORE[place] != STATES:
            side.before = BEFORE[place]
            side.state = STATE_AFTER[place]
        if PEER_AFTER[place] != peer.state:
            peer.before = peer.state
            peer.state = PEER_AFTER[place]
        if ACTS[place] & ~CLOSES:
            steps.act(self, side, peer, ACTS[place], time)
        return ACTS[place] & CLOSES

    @cython.cfunc
    def _trim(self, side: Side, peer: Side, upto: cython.longlong) -> cython.int:
        """The stream of `side` was acknowledged up to here: TCP_Reassembler::AckReceived."""
        if side.fins and 0 <= side.fin_end <= upto:
            upto = side.fin_end - 1
        if upto <= side.trimmed:
            return 0
        while upto > side.delivered and not (upto <= 2 and self.partial):
            self._gap(side, peer, upto if side.blocks is None else min(upto, side.blocks.starts[0]))
            if side.blocks is not None:
                steps.absorb(side)
        side.trimmed = upto
        if side.blocks is not None:
            steps.absorb(side)
        if not side.ended and (side.fins or side.state >= CLOSED):
            steps.check_end(self, side, peer)
        return 0

    @cython.cfunc
    def _gap(self, side: Side, peer: Side, upto: cython.longlong) -> cython.int:
        """Octets were acknowledged and not captured; gaps in a handshake cannot be believed."""
        clean: cython.bint = CLEAN[side.state * STATES + side.before] and not side.given_up
        if clean and CLEAN[peer.state * STATES + peer.before]:
            side.missed += upto - side.delivered
            side.gaps += 1
            self._add(side, ord("G"), side.gaps)
        side.delivered = upto
        return 0


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
        """Take in the first `count` rows of `Segments.cells`; slot, sender, opens are filled in."""
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
        self.clock = max(self.clock, self.rows[at + TIME])
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
            if not (doubtful and steps.is_over(conn, flags, self.rows[at + SEQ], self.clock)):
                return conn
        fresh: Connection = Connection()
        if conn is not None:
            steps.succeed(fresh, conn)
        fresh.time_start, fresh.created = self.rows[at + TIME], self.clock
        ports = (self.rows[at + SRC_PORT], self.rows[at + DST_PORT])
        steps.open_connection(fresh, sender, flags, ports)
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
            return conn._add(side, ord("C"), side.corrupt)
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
            steps.begin(side, flags, seq, end)
        start: cython.longlong = side._relative(seq, side.last)
        if LETTER[kind]:
            conn._add_own(side, kind, flags & CONTROLS, start + (payload if flags & FIN else 0))
        boring: cython.bint = (flags & RST) != 0 or peer.state == CLOSED or side.state == RESET
        if self.rows[at + WINDOW] == 0 and not boring:
            side.shut += 1
            conn._add(side, ord("W"), side.shut)
        if not (side.closed and peer.closed):
            conn.time_end = self.rows[at + TIME]
        if flags & FIN:
            side.fins += 1
            side.fin_end = start + seg_len
        acked: cython.longlong = peer._acknowledge(ack, flags) if flags & ACK else 0
        if side._send(end, flags) and payload > 0:
            side.repeats += 1
            conn._add(side, ord("T"), side.repeats)
        moves: cython.bint = flags & CONTROLS != 0 or side.state == INACTIVE
        closes: cython.bint = moves and conn._move(side, peer, kind, self.rows[at + TIME])
        if acked:
            conn._trim(peer, side, acked)
        conn.met |= role
        if 0 < data <= self.rows[at + KEPT] and start >= 0:
            start += (flags & SYN) != 0
            side._store(peer, start, start + data)
        if not side.ended and (side.fins or side.state >= CLOSED):
            steps.check_end(conn, side, peer)
        if closes:
            steps.close(conn, side, peer)
        return 0
