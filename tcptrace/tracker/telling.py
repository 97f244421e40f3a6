# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""From milestones to transitions: the plain reference machine runs over each endpoint's events.

An endpoint's own order decides, not the capture's: a FIN that acknowledges the peer's FIN left
after it had come, and what comes from one peer comes in the order in which the peer sent it.
What nothing more is heard of ends by the timers of the profile.
"""

from __future__ import annotations

import cython

from tcptrace.tcp import flags
from tcptrace.tcp.machine import EVENTS, TABLE, Stay
from tcptrace.tcp.profile import Profile, Retries, TimerCells
from tcptrace.tcp.states import Event, State
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis, Transitions
from tcptrace.tracker.witness import Witness

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Evidence.index("packet"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Evidence.index("payload"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
PROBE = cython.declare(cython.Py_ssize_t, Evidence.index("probe"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())

OPENED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("opened"))
CROSSED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("crossed"))
ESTABLISHED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("established"))
FIN_OUT = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_out"))
FIN_ACKED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_acked"))
FIN_TAKEN = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_taken"))
ENDED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("ended"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
EARLIEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("earliest"))
LATEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("latest"))
BASIS = cython.declare(cython.Py_ssize_t, list(FIELDS).index("basis"))
SHOWN_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("packet"))
CONFIRMED_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("confirmed"))
EVENT = cython.declare(cython.Py_ssize_t, list(FIELDS).index("event"))
REASON = cython.declare(cython.Py_ssize_t, list(FIELDS).index("reason"))
ROW = cython.declare(cython.Py_ssize_t, list(FIELDS).index("row"))
FIN_OCTET = cython.declare(cython.Py_ssize_t, Sides.index("fin"))
UNA = cython.declare(cython.Py_ssize_t, Sides.index("una"))
ACTIVE = cython.declare(cython.Py_ssize_t, Sides.index("active"))
STATELESS = cython.declare(cython.Py_ssize_t, Sides.index("stateless"))
SPOKE = cython.declare(cython.Py_ssize_t, Sides.index("spoke"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())
SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
OBSERVED = cython.declare(cython.longlong, Basis.OBSERVED)
ASSUMED = cython.declare(cython.longlong, Basis.ASSUMED)
TIMER = cython.declare(cython.longlong, Basis.TIMER)
PASSIVE_OPEN = cython.declare(cython.longlong, Event.PASSIVE_OPEN)
MID_STREAM = cython.declare(cython.longlong, Event.MID_STREAM)
SND_RST = cython.declare(cython.longlong, Event.SND_RST)
SKIP_TIME_WAIT = cython.declare(cython.longlong, Event.SKIP_TIME_WAIT)
BEFORE_CAPTURE = cython.declare(cython.longlong, Reason.BEFORE_CAPTURE)
SILENCE = cython.declare(cython.longlong, Reason.SILENCE)
EXPIRED = cython.declare(cython.longlong, Reason.EXPIRED)
NO_SOCKET = cython.declare(cython.longlong, Reason.NO_SOCKET)
CLOSED = cython.declare(cython.longlong, State.CLOSED)
LISTEN = cython.declare(cython.longlong, State.LISTEN)
SYN_SENT = cython.declare(cython.longlong, State.SYN_SENT)
SYN_RCVD = cython.declare(cython.longlong, State.SYN_RCVD)
OPEN_STATE = cython.declare(cython.longlong, State.ESTABLISHED)
FIN_WAIT_2 = cython.declare(cython.longlong, State.FIN_WAIT_2)
CLOSE_WAIT = cython.declare(cython.longlong, State.CLOSE_WAIT)
TIME_WAIT = cython.declare(cython.longlong, State.TIME_WAIT)
TIMEOUTS = cython.declare(
    object, (Event.TIMEOUT_2MSL, Event.TIMEOUT_FIN_WAIT_2, Event.TIMEOUT_RETRANSMISSION)
)
N_EVENTS = cython.declare(cython.longlong, EVENTS)
STAY = cython.declare(cython.longlong, Stay.IGNORED)
SYN_GIVE_UP = cython.declare(cython.Py_ssize_t, TimerCells.index("syn_give_up_min"))
SYN_ACK_GIVE_UP = cython.declare(cython.Py_ssize_t, TimerCells.index("syn_ack_give_up_min"))
SYN_ACK_WAIT = cython.declare(cython.Py_ssize_t, TimerCells.index("syn_ack_wait_min"))
FIN_WAIT_2_TIMER = cython.declare(cython.Py_ssize_t, TimerCells.index("fin_wait_2_min"))
MAX_TW_BUCKETS = cython.declare(cython.Py_ssize_t, TimerCells.index("max_tw_buckets"))
TIME_WAIT_TIMER = cython.declare(cython.Py_ssize_t, TimerCells.index("time_wait_min"))
OUT_CONN = cython.declare(cython.Py_ssize_t, Transitions.index("conn"))
OUT_ROLE = cython.declare(cython.Py_ssize_t, Transitions.index("role"))
OUT_STATE = cython.declare(cython.Py_ssize_t, Transitions.index("state"))
OUT_EVENT = cython.declare(cython.Py_ssize_t, Transitions.index("event"))
OUT_BASIS = cython.declare(cython.Py_ssize_t, Transitions.index("basis"))
OUT_TIME = cython.declare(cython.Py_ssize_t, Transitions.index("time"))
OUT_EARLIEST = cython.declare(cython.Py_ssize_t, Transitions.index("earliest"))
OUT_LATEST = cython.declare(cython.Py_ssize_t, Transitions.index("latest"))
OUT_PACKET = cython.declare(cython.Py_ssize_t, Transitions.index("packet"))
OUT_CONFIRMED = cython.declare(cython.Py_ssize_t, Transitions.index("confirmed_by"))
OUT_REASON = cython.declare(cython.Py_ssize_t, Transitions.index("reason"))
OUT_WIDTH = cython.declare(cython.Py_ssize_t, Transitions.width())
ROWS_A_SIDE = 12

NEVER = cython.declare(cython.longlong, -1)
PATIENT = cython.declare(cython.Py_ssize_t, 3)


@cython.cclass
class Telling:
    """One pass over the milestones of a batch of connections."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    out: cython.longlong[::1]
    cells: cython.longlong[::1]
    table: cython.const[cython.uchar][::1]
    profile: object
    w: object
    now: cython.longlong
    first: cython.Py_ssize_t
    made: cython.Py_ssize_t
    conn: cython.longlong
    side: cython.longlong
    state: cython.longlong
    clock: cython.longlong

    def __init__(
        self, witness: Witness, rows: memoryview, sides: memoryview, profile: Profile
    ) -> None:
        self.w = witness
        self.r = rows
        self.e = sides
        self.profile = profile
        self.cells = profile.cells()
        self.table = TABLE

    def tell(
        self,
        offsets: cython.longlong[::1],
        count: cython.Py_ssize_t,
        out: cython.longlong[::1],
        now: cython.longlong[::1],
    ) -> int:
        """Write `Transitions` rows (conn: place in the batch, role: side); how many were made."""
        self.out, self.made = out, 0
        conn: cython.Py_ssize_t
        for conn in range(count):
            self.conn, self.first, self.now = conn, offsets[conn], now[conn]
            self.w.look(offsets[conn], offsets[conn + 1])
            at: cython.Py_ssize_t = 2 * conn * SIDE_WIDTH
            for self.side in range(2):
                own: cython.Py_ssize_t = at + self.side * SIDE_WIDTH
                self._run(own, at + (1 - self.side) * SIDE_WIDTH)
        return self.made

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _run(self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t) -> cython.int:
        e = self.e
        self.clock = NEVER
        self.state = CLOSED
        if e[at + STATELESS]:
            self._refuse(at)
            return 0
        if e[at + OPENED + WHEN] == NEVER:
            self._only_end(at)
            return 0
        if not e[at + ACTIVE] and e[at + OPENED + EVENT] != MID_STREAM:
            self._listen(at)
        self._step(at, OPENED)
        self._step(at, CROSSED)
        if self._fin_before_established(at):
            self._step(at, FIN_OUT)
        self._step(at, ESTABLISHED)
        self._close(at, peer)
        if e[at + ENDED + WHEN] != NEVER:
            self._take(at + ENDED)
        else:
            self._wait_in_silence(at)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _close(self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t) -> cython.int:
        e = self.e
        if self._took_before_fin(at, peer):
            if e[at + FIN_OUT + WHEN] != NEVER and e[at + FIN_TAKEN + WHEN] != NEVER:
                e[at + FIN_TAKEN + WHEN] = min(e[at + FIN_TAKEN + WHEN], e[at + FIN_OUT + WHEN])
            self._step(at, FIN_TAKEN)
            self._step(at, FIN_OUT)
            self._step(at, FIN_ACKED)
            return 0
        self._step(at, FIN_OUT)
        acked: cython.longlong = e[at + FIN_ACKED + ROW]
        taken: cython.longlong = e[at + FIN_TAKEN + ROW]
        ack_first: cython.bint = e[at + FIN_ACKED + WHEN] <= e[at + FIN_TAKEN + WHEN]
        if acked >= 0 and taken >= 0:
            ack_first = acked <= taken
        if e[at + FIN_ACKED + WHEN] == NEVER or not ack_first:
            self._step(at, FIN_TAKEN)
            self._step(at, FIN_ACKED)
        else:
            self._step(at, FIN_ACKED)
            self._step(at, FIN_TAKEN)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _took_before_fin(self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t) -> cython.bint:
        """A FIN whose first emission acknowledges the peer's FIN left after it had come."""
        e = self.e
        if e[at + FIN_TAKEN + WHEN] == NEVER or e[at + FIN_OUT + WHEN] == NEVER:
            return e[at + FIN_OUT + WHEN] == NEVER
        row: cython.longlong = e[at + FIN_OUT + ROW]
        if row >= 0:
            return self.r[row * WIDTH + ACKED] > e[peer + FIN_OCTET]
        return e[at + FIN_TAKEN + WHEN] <= e[at + FIN_OUT + WHEN]

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _fin_before_established(self, at: cython.Py_ssize_t) -> cython.bint:
        """With fast open a FIN may leave from SYN_RCVD (RFC 7413)."""
        e = self.e
        fin: cython.longlong = e[at + FIN_OUT + ROW]
        if e[at + FIN_OUT + WHEN] == NEVER or fin < 0 or e[at + ACTIVE]:
            return False
        if e[at + OPENED + EVENT] == MID_STREAM:
            return False
        if e[at + ESTABLISHED + WHEN] == NEVER:
            return True
        return e[at + ESTABLISHED + ROW] > fin

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _step(self, at: cython.Py_ssize_t, milestone: cython.Py_ssize_t) -> cython.int:
        """Take a milestone unless the endpoint had ended before it."""
        e = self.e
        when: cython.longlong = e[at + milestone + WHEN]
        end: cython.longlong = e[at + ENDED + WHEN]
        if when == NEVER or (end != NEVER and when > end and milestone != OPENED):
            return 0
        if milestone == FIN_TAKEN and self._skips_time_wait():
            e[at + FIN_TAKEN + EVENT] = SKIP_TIME_WAIT
        if end != NEVER and e[at + ENDED + EVENT] == SKIP_TIME_WAIT and when >= end:
            return 0
        self._take(at + milestone)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _skips_time_wait(self) -> cython.bint:
        """With no room for TIME_WAIT the FIN closes at once (Linux tcp_time_wait)."""
        return self.state == FIN_WAIT_2 and self.cells[MAX_TW_BUCKETS] == 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _take(self, m: cython.Py_ssize_t) -> cython.int:
        """Move by the machine, if it moves."""
        e = self.e
        following: cython.longlong = self.table[self.state * N_EVENTS + e[m + EVENT]]
        if following >= STAY:
            return 0
        self.state = following
        self.clock = max(self.clock, e[m + WHEN])
        row: cython.Py_ssize_t = self._row(e[m + EVENT], e[m + BASIS], e[m + REASON])
        self.out[row + OUT_EARLIEST] = min(e[m + EARLIEST], self.clock)
        self.out[row + OUT_LATEST] = max(e[m + LATEST], self.clock)
        if e[m + EARLIEST] == NEVER:
            self.out[row + OUT_EARLIEST] = NEVER
        self.out[row + OUT_PACKET] = e[m + SHOWN_BY]
        self.out[row + OUT_CONFIRMED] = e[m + CONFIRMED_BY]
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _row(
        self, event: cython.longlong, basis: cython.longlong, reason: cython.longlong
    ) -> cython.Py_ssize_t:
        """Begin a row of the present state at the present moment."""
        out = self.out
        row: cython.Py_ssize_t = self.made * OUT_WIDTH
        self.made += 1
        out[row + OUT_CONN], out[row + OUT_ROLE] = self.conn, self.side
        out[row + OUT_STATE], out[row + OUT_EVENT] = self.state, event
        out[row + OUT_BASIS], out[row + OUT_REASON] = basis, reason
        out[row + OUT_TIME] = out[row + OUT_EARLIEST] = out[row + OUT_LATEST] = self.clock
        out[row + OUT_PACKET] = out[row + OUT_CONFIRMED] = 0
        return row

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _listen(self, at: cython.Py_ssize_t) -> cython.int:
        """Before its SYN comes a passive endpoint is a listener's, which no packet shows."""
        self.state = LISTEN
        self.clock = min(self.r[self.first * WIDTH + TIME], self.e[at + OPENED + WHEN])
        row: cython.Py_ssize_t = self._row(PASSIVE_OPEN, ASSUMED, BEFORE_CAPTURE)
        self.out[row + OUT_EARLIEST] = NEVER
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _refuse(self, at: cython.Py_ssize_t) -> cython.int:
        """It answered by RST and sent nothing else: no socket was there."""
        reset: cython.Py_ssize_t = self.w.next_row(self.first, self.side, RST, 0)
        if reset < 0:
            return 0
        k: cython.Py_ssize_t = reset * WIDTH
        self.clock = self.r[k + SENT]
        row: cython.Py_ssize_t = self._row(SND_RST, OBSERVED, NO_SOCKET)
        self.out[row + OUT_LATEST] = self.r[k + TIME]
        self.out[row + OUT_PACKET] = self.r[k + PACKET]
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _only_end(self, at: cython.Py_ssize_t) -> cython.int:
        """Nothing is known of it but a RST: it is CLOSED."""
        e = self.e
        if e[at + ENDED + WHEN] == NEVER or e[at + ACTIVE]:
            return 0
        self.clock = e[at + ENDED + WHEN]
        row: cython.Py_ssize_t = self._row(
            e[at + ENDED + EVENT], e[at + ENDED + BASIS], e[at + ENDED + REASON]
        )
        self.out[row + OUT_PACKET] = e[at + ENDED + SHOWN_BY]
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _wait_in_silence(self, at: cython.Py_ssize_t) -> cython.int:
        """The timer that ends the last state, if one does."""
        since: cython.longlong = self.clock
        if self.state == SYN_SENT:
            return self._expire(since, self.cells[SYN_GIVE_UP], self.cells[SYN_GIVE_UP + 1])
        if self.state == SYN_RCVD:
            return self._expire_request(at)
        if self.state == FIN_WAIT_2:
            if self._held(since):
                return 0
            return self._expire(
                since, self.cells[FIN_WAIT_2_TIMER], self.cells[FIN_WAIT_2_TIMER + 1]
            )
        if self.state == TIME_WAIT:
            since = max(since, self.w.last_sent(self.side, ACK_BIT, SYN))
            return self._expire(since, self.cells[TIME_WAIT_TIMER], self.cells[TIME_WAIT_TIMER + 1])
        if self.state not in (CLOSED, LISTEN):
            self._give_up(at)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _expire_request(self, at: cython.Py_ssize_t) -> cython.int:
        """A request socket dies some time after its first SYN,ACK (Linux reqsk_timer_handler)."""
        answer: cython.Py_ssize_t = self.w.next_row(self.first, self.side, SYN | ACK_BIT, RST)
        if answer < 0:
            return 0
        first: cython.longlong = self.r[answer * WIDTH + SENT]
        last: cython.longlong = self.w.last_sent(self.side, SYN | ACK_BIT, 0)
        wait: cython.longlong = self.cells[SYN_ACK_WAIT]
        if wait != NEVER and last + wait > first + self.cells[SYN_ACK_GIVE_UP]:
            return self._expire(last, wait, self.cells[SYN_ACK_WAIT + 1])
        return self._expire(first, self.cells[SYN_ACK_GIVE_UP], self.cells[SYN_ACK_GIVE_UP + 1])

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _held(self, since: cython.longlong) -> cython.bint:
        """Whether FIN_WAIT_2's socket was still read: it acknowledged new data, or a later FIN."""
        r = self.r
        taken: cython.longlong = NEVER
        row: cython.Py_ssize_t = self.w.next_row(self.first, self.side, ACK_BIT, RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if r[k + SENT] > since + 2_000_000:
                if taken != NEVER and r[k + ACKED] > taken:
                    return True
            else:
                taken = max(taken, r[k + ACKED])
            row = self.w.next_row(row + 1, self.side, ACK_BIT, RST)
        return False

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _give_up(self, at: cython.Py_ssize_t) -> cython.int:
        """What is repeated and never acknowledged ends at the expiry that gives up."""
        r, e = self.r, self.e
        head: cython.longlong = max(e[at + UNA], 1)
        orphan: cython.bint = e[at + FIN_OUT + WHEN] != NEVER
        sends: list = []
        row: cython.Py_ssize_t = self.w.next_row(self.first, self.side, 0, RST | SYN)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if r[k + BEGIN] <= head < r[k + END] and not r[k + PROBE]:
                sends.append(r[k + SENT])
            row = self.w.next_row(row + 1, self.side, 0, RST | SYN)
        if len(sends) < (2 if orphan else PATIENT) or self._hears(sends[1]):
            return 0
        sends.sort()
        window = self.profile.gives_up(Retries.of(sends), orphan)
        return self._expire(0, window.earliest, window.latest)

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _hears(self, moment: cython.longlong) -> cython.bint:
        """Whether the peer sent anything after the moment."""
        row: cython.Py_ssize_t = self.w.next_row(self.first, 1 - self.side, 0, 0)
        while row >= 0:
            if self.r[row * WIDTH + TIME] > moment:
                return True
            row = self.w.next_row(row + 1, 1 - self.side, 0, 0)
        return False

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _expire(
        self, since: cython.longlong, least: cython.longlong, most: cython.longlong
    ) -> cython.int:
        """A timer row for the present state; NEVER: the system has no such timer."""
        if least == NEVER:
            return 0
        for event in TIMEOUTS:
            following: cython.longlong = self.table[self.state * N_EVENTS + event]
            if following < STAY:
                self.state = following
                self.clock = max(self.clock, since + (least + most) // 2)
                row: cython.Py_ssize_t = self._row(event, TIMER, EXPIRED)
                self.out[row + OUT_EARLIEST] = min(self.clock, since + least)
                self.out[row + OUT_LATEST] = max(self.clock, since + most)
                return 0
        return 0
