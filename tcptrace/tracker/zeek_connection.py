# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Connection` ⚙: one row of Zeek's conn.log in the making; `zeek_machine` says its moves."""

from __future__ import annotations

import cython

from tcptrace.tcp import flags as bits
from tcptrace.tracker import zeek_machine as machine
from tcptrace.tracker import zeek_rows as words
from tcptrace.tracker.zeek_machine import Act
from tcptrace.tracker.zeek_rows import EndpointState
from tcptrace.tracker.zeek_side import Side

FIN = cython.declare(cython.longlong, bits.FIN)
SYN = cython.declare(cython.longlong, bits.SYN)
RST = cython.declare(cython.longlong, bits.RST)
ACK = cython.declare(cython.longlong, bits.ACK)
INACTIVE = cython.declare(cython.longlong, int(EndpointState.INACTIVE))
SYN_SENT = cython.declare(cython.longlong, int(EndpointState.SYN_SENT))
SYN_ACK_SENT = cython.declare(cython.longlong, int(EndpointState.SYN_ACK_SENT))
CLOSED = cython.declare(cython.longlong, int(EndpointState.CLOSED))
RESET = cython.declare(cython.longlong, int(EndpointState.RESET))
STATES = cython.declare(cython.longlong, machine.STATES)
SEGMENTS = cython.declare(cython.longlong, machine.SEGMENTS)
RESPONDER_SHIFT = cython.declare(cython.longlong, machine.RESPONDER_SHIFT)
FLIPS = cython.declare(cython.longlong, int(Act.FLIPS))
WHOLE = cython.declare(cython.longlong, int(Act.WHOLE))
ATTEMPTS = cython.declare(cython.longlong, int(Act.ATTEMPTS))
ESTABLISHES = cython.declare(cython.longlong, int(Act.ESTABLISHES))
SETTLES = cython.declare(cython.longlong, int(Act.SETTLES))
REVIVES = cython.declare(cython.longlong, int(Act.REVIVES))
CLOSES = cython.declare(cython.longlong, int(Act.CLOSES))
cython.declare(STATE_AFTER=bytes, PEER_AFTER=bytes, BEFORE=bytes, ACTS=bytes, CLEAN=bytes)
STATE_AFTER, PEER_AFTER, BEFORE = machine.STATE_AFTER, machine.PEER_AFTER, machine.BEFORE
ACTS, CLEAN = machine.ACTS, machine.CLEAN
LETTER = cython.declare(bytes, machine.LETTER)
ONCE_BIT = cython.declare(bytes, machine.ONCE_BIT)
NEVER = cython.declare(cython.longlong, words.NEVER)
LINGER = cython.declare(cython.longlong, words.LINGER)
IDLE = cython.declare(cython.longlong, words.IDLE)
PATIENT_IDLE = cython.declare(cython.longlong, words.PATIENT_IDLE)
SESSION_CHECK = cython.declare(cython.longlong, words.SESSION_CHECK)
LONGEST = cython.declare(cython.Py_ssize_t, words.LONGEST_HISTORY)
GAP = cython.declare(cython.longlong, ord("G"))


@cython.final
@cython.no_gc
@cython.cclass
class Connection:
    """A connection of Zeek's; `earlier` are those that it cut off in the same slot, or None.

    `seen` has a bit for each letter that is in the history (`zeek_machine.ONCE`), `met` one for
    each role whose first packet is over; `port_0` and `port_1` are the two senders'.
    """

    first: Side
    second: Side
    orig: cython.longlong
    seen: cython.longlong
    met: cython.longlong
    port_0: cython.longlong
    port_1: cython.longlong
    time_start: cython.longlong
    time_end: cython.longlong
    created: cython.longlong
    attempt_at: cython.longlong
    delete_at: cython.longlong
    idle: cython.longlong
    partial: cython.bint
    deferred: cython.bint
    history: bytearray
    earlier: object

    def __init__(self) -> None:
        self.first, self.second = Side(0), Side(1)
        self.orig = self.seen = self.met = self.time_start = self.time_end = self.created = 0
        self.port_0 = self.port_1 = 0
        self.history = bytearray()
        self.partial = self.deferred = False
        self.attempt_at = self.delete_at = NEVER
        self.idle, self.earlier = words.HANDSHAKE_IDLE, None

    @cython.ccall
    @cython.exceptval(-1)
    def open(
        self,
        sender: cython.longlong,
        flags: cython.longlong,
        source: cython.longlong,
        destination: cython.longlong,
    ) -> cython.int:
        """Name the two ends, roles swapped where the first packet's ports ask for it."""
        self.time_end = self.time_start
        self.orig = sender
        self.port_0 = destination if sender else source
        self.port_1 = source if sender else destination
        if machine.seems_swapped(flags, source, destination):
            self.flip()
        return 0

    @cython.ccall
    @cython.exceptval(-1)
    def succeed(self, old: Connection) -> cython.int:
        """Keep what a slot held before, in one flat list: a chain would end in recursion."""
        self.earlier, old.earlier = old.earlier or [], None
        self.earlier.append(old)
        return 0

    @cython.ccall
    @cython.exceptval(-1)
    def flip(self) -> cython.int:
        """Swap the roles: Connection::FlipRoles."""
        self.orig = 1 - self.orig
        self.partial = False
        self.met = (self.met >> 1) | ((self.met & 1) << 1)
        self.history.append(ord("^"))
        return 0

    @cython.ccall
    @cython.exceptval(-1)
    def is_over(
        self, flags: cython.longlong, seq: cython.longlong, now: cython.longlong
    ) -> cython.bint:
        """Whether a segment begins another of Zeek's rows: by a timer, or as a SYN that reuses."""
        orig: Side = self.second if self.orig else self.first
        resp: Side = self.first if self.orig else self.second
        if self._timed_out(orig, resp, now):
            return True
        return flags & SYN != 0 and _reused(orig, resp, flags, seq)

    @cython.cfunc
    @cython.exceptval(-1)
    def _timed_out(self, orig: Side, resp: Side, now: cython.longlong) -> cython.bint:
        if now >= self.attempt_at:
            self.attempt_at = NEVER
            if resp.state == INACTIVE and orig.state in (SYN_SENT, SYN_ACK_SENT):
                return True
        silent: cython.longlong = now - self.time_end
        if now >= self.delete_at or silent >= self.idle:
            return True
        if silent <= LINGER or not _seems_over(orig, resp):
            return False
        checks: cython.longlong = max(0, (self.time_end - self.created) // SESSION_CHECK + 1)
        return self.created + LINGER + checks * SESSION_CHECK <= now

    @cython.ccall
    @cython.exceptval(-1)
    def add(self, side: Side, letter: cython.longlong, count: cython.longlong) -> cython.int:
        """Add a letter, a small one for the responder, for the 1st, 10th, 100th, ... of a kind."""
        while count % 10 == 0:
            count //= 10
        if count == 1 and len(self.history) < LONGEST:
            self.history.append(letter if side.sender == self.orig else letter | 32)
        return 0

    @cython.ccall
    @cython.exceptval(-1)
    def add_own(
        self, side: Side, kind: cython.Py_ssize_t, controls: cython.longlong, place: cython.longlong
    ) -> cython.int:
        """The letter of a packet's own flags, from `place` on; marks say where the last was."""
        changed: cython.bint = False
        if not LETTER[kind]:
            return 0
        if controls == SYN:
            changed, side.syn_mark = place != side.syn_mark, place
        elif controls == FIN:
            changed, side.fin_mark = place != side.fin_mark, place
        elif controls == RST:
            changed, side.rst_mark = place != side.rst_mark, place
        elif not controls and len(self.history) == 1 and self.history == b"H":
            self.flip()
            self.history[:] = b"^h"
        shift: cython.longlong = 0 if side.sender == self.orig else RESPONDER_SHIFT
        once: cython.longlong = cython.cast(cython.longlong, ONCE_BIT[kind]) << shift
        if changed or not self.seen & once:
            self.add(side, LETTER[kind], 1)
        self.seen |= once
        return 0

    @cython.ccall
    @cython.exceptval(-1)
    def move(
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
            self.act(side, peer, ACTS[place], time)
        return ACTS[place] & CLOSES != 0

    @cython.ccall
    @cython.exceptval(-1)
    def act(
        self, side: Side, peer: Side, acts: cython.longlong, time: cython.longlong
    ) -> cython.int:
        """What a move does besides changing states, but for closing."""
        if acts & FLIPS:
            self.flip()
        if acts & SETTLES:
            self.idle = IDLE
        if acts & ATTEMPTS:
            self.attempt_at = min(time + LINGER, NEVER)
        served: cython.longlong = self.port_0 if self.orig else self.port_1
        if acts & ESTABLISHES and served in words.PATIENT_PORTS:
            self.idle = PATIENT_IDLE
        if acts & WHOLE:
            self.partial = False
            self.met |= 1 if side.sender == self.orig else 2
        if acts & REVIVES and peer.before == CLOSED:
            peer.before, peer.state = RESET, CLOSED
        return 0

    @cython.ccall
    @cython.exceptval(-1)
    def trim(self, side: Side, peer: Side, upto: cython.longlong) -> cython.int:
        """The stream of `side` was acknowledged up to here: TCP_Reassembler::AckReceived."""
        if side.fins and 0 <= side.fin_end <= upto:
            upto = side.fin_end - 1
        if upto <= side.trimmed:
            return 0
        while upto > side.delivered and not (upto <= 2 and self.partial):
            self._gap(side, peer, upto if side.blocks is None else min(upto, side.blocks.starts[0]))
            side.absorb()
        side.trimmed = upto
        side.absorb()
        return self.check_end(side, peer)

    @cython.cfunc
    @cython.exceptval(-1)
    def _gap(self, side: Side, peer: Side, upto: cython.longlong) -> cython.int:
        """Octets were acknowledged and not captured; gaps in a handshake cannot be believed."""
        clean: cython.bint = CLEAN[side.state * STATES + side.before] and not side.given_up
        if clean and CLEAN[peer.state * STATES + peer.before]:
            side.missed += upto - side.delivered
            side.gaps += 1
            self.add(side, GAP, side.gaps)
        side.delivered = upto
        return 0

    @cython.ccall
    @cython.exceptval(-1)
    def check_end(self, side: Side, peer: Side) -> cython.int:
        """Note a stream's end once, and close what waited for it: TCP_Reassembler::CheckEOF."""
        if side.ended or not (side.fins or side.state >= CLOSED) or side.pending(peer):
            return 0
        side.ended = True
        if self.deferred:
            self.close(side, peer)
            self.deferred = False
        return 0

    @cython.ccall
    @cython.exceptval(-1)
    def close(self, side: Side, peer: Side) -> cython.int:
        """What follows a FIN or RST once all data is delivered: ConnectionClosed."""
        self.deferred = side.pending(peer)
        if self.deferred or side.closed:
            return 0
        side.closed = True
        if side.state == RESET or peer.closed or peer.state == INACTIVE:
            self.attempt_at = NEVER
            self.delete_at = min(self.time_end + LINGER, NEVER)
        return 0


@cython.cfunc
@cython.exceptval(-1)
def _seems_over(orig: Side, resp: Side) -> cython.bint:
    if orig.closed and resp.closed:
        return True
    if orig.closed or resp.closed:
        reset: cython.bint = orig.state == RESET or resp.state == RESET
        return reset or orig.state == INACTIVE or resp.state == INACTIVE
    return orig.state == INACTIVE and resp.state == INACTIVE


@cython.cfunc
@cython.exceptval(-1)
def _reused(orig: Side, resp: Side, flags: cython.longlong, seq: cython.longlong) -> cython.bint:
    """TCPSessionAdapter::IsReuse."""
    if flags & ACK and orig.state != INACTIVE:
        return False
    if orig.closed or resp.closed:
        return True
    if seq == (resp.start if flags & ACK else orig.start):
        return False
    crossed: cython.bint = not flags & ACK and orig.state == SYN_ACK_SENT and resp.state == INACTIVE
    return not (crossed and seq == resp.start)
