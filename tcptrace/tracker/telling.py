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
from tcptrace.tcp.profile import Profile, TimerCells
from tcptrace.tcp.states import Event, State
from tcptrace.tracker.precedence import Precedence
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.silence import Silence
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.taken_back import TakenBack
from tcptrace.tracker.transitions import Basis, Transitions
from tcptrace.tracker.witness import Witness

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Evidence.index("packet"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
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
MINISOCKET = cython.declare(cython.Py_ssize_t, Sides.index("minisocket"))
ACTIVE = cython.declare(cython.Py_ssize_t, Sides.index("active"))
STATELESS = cython.declare(cython.Py_ssize_t, Sides.index("stateless"))
TAKEN_BACK = cython.declare(cython.Py_ssize_t, Sides.index("taken_back"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())
RST = cython.declare(cython.longlong, flags.RST)
cython.declare(OBSERVED=cython.longlong, PRESUMED=cython.longlong, INFERRED=cython.longlong)
cython.declare(TIMER=cython.longlong, ASSUMED=cython.longlong, RETRACTED=cython.longlong)
OBSERVED, _, PRESUMED, INFERRED, TIMER, ASSUMED, RETRACTED = Basis
CLOSE = cython.declare(cython.longlong, Event.CLOSE)
FELL_SILENT = cython.declare(cython.longlong, Reason.SILENCE)
SYN_SENT = cython.declare(cython.longlong, State.SYN_SENT)
PASSIVE_OPEN = cython.declare(cython.longlong, Event.PASSIVE_OPEN)
MID_STREAM = cython.declare(cython.longlong, Event.MID_STREAM)
SND_RST = cython.declare(cython.longlong, Event.SND_RST)
SKIP_TIME_WAIT = cython.declare(cython.longlong, Event.SKIP_TIME_WAIT)
BEFORE_CAPTURE = cython.declare(cython.longlong, Reason.BEFORE_CAPTURE)
EXPIRED = cython.declare(cython.longlong, Reason.EXPIRED)
NO_SOCKET = cython.declare(cython.longlong, Reason.NO_SOCKET)
NO_REASON = cython.declare(cython.longlong, Reason.NONE)
FOREVER = cython.declare(cython.longlong, (1 << 63) - 1)
CLOSED = cython.declare(cython.longlong, State.CLOSED)
LISTEN = cython.declare(cython.longlong, State.LISTEN)
FIN_WAIT_2 = cython.declare(cython.longlong, State.FIN_WAIT_2)
TIMEOUTS = cython.declare(
    bytes, bytes((Event.TIMEOUT_2MSL, Event.TIMEOUT_FIN_WAIT_2, Event.TIMEOUT_RETRANSMISSION))
)
N_TIMEOUTS = cython.declare(cython.Py_ssize_t, len(TIMEOUTS))
N_EVENTS = cython.declare(cython.longlong, EVENTS)
STAY = cython.declare(cython.longlong, Stay.IGNORED)
MAX_TW_BUCKETS = cython.declare(cython.Py_ssize_t, TimerCells.index("max_tw_buckets"))
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
NEVER = cython.declare(cython.longlong, -1)

ROWS_A_SIDE = 12  # that stand; those that were taken back come on top


@cython.final
@cython.cclass
class Telling:
    """One pass over the milestones of a batch of connections."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    out: cython.longlong[::1]
    cells: cython.longlong[::1]
    table: cython.const[cython.uchar][::1]
    silence: Silence
    order: Precedence
    w: Witness
    now: cython.longlong
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    made: cython.Py_ssize_t
    conn: cython.longlong
    side: cython.longlong
    state: cython.longlong
    clock: cython.longlong
    upto: cython.longlong
    back: TakenBack
    taken_back: cython.longlong

    def __init__(self, witness: Witness, profile: Profile) -> None:
        self.w = witness
        self.r = witness.r
        self.e = witness.e
        self.order = Precedence(witness)
        self.silence = Silence(witness, profile)
        self.cells = profile.cells()
        self.table = TABLE
        self.back, self.taken_back = witness.taken_back, 0

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
        with cython.nogil:
            for conn in range(count):
                self.conn, self.now = conn, now[conn]
                self.first, self.last = offsets[conn], offsets[conn + 1]
                self.w.look(offsets[conn], offsets[conn + 1])
                self.side = 0
                self._run(2 * conn * SIDE_WIDTH, (2 * conn + 1) * SIDE_WIDTH)
                self.side = 1
                self._run((2 * conn + 1) * SIDE_WIDTH, 2 * conn * SIDE_WIDTH)
        return self.made

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _run(self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t) -> cython.int:
        self.clock = self.upto = NEVER
        self.state = CLOSED
        self.taken_back = self.back.ordered(self.e[at + TAKEN_BACK])
        if self.e[at + STATELESS]:
            self._refuse(at)
            return 0
        if self.e[at + OPENED + WHEN] == NEVER:
            self._only_end(at)
            return 0
        if not self.e[at + ACTIVE] and self.e[at + OPENED + EVENT] != MID_STREAM:
            self._listen(at)
        self._step(at, OPENED)
        self._step(at, CROSSED)
        if self.order.fin_before_established(at):
            self._step(at, FIN_OUT)
        self._step(at, ESTABLISHED)
        self._close(at, peer)
        if self.e[at + ENDED + WHEN] != NEVER:
            self._take(at + ENDED)
        else:
            self._wait_in_silence(at, peer)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _close(self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t) -> cython.int:
        if self.order.took_before_fin(at, peer):
            if self.e[at + FIN_OUT + WHEN] != NEVER and self.e[at + FIN_TAKEN + WHEN] != NEVER:
                self.e[at + FIN_TAKEN + WHEN] = min(
                    self.e[at + FIN_TAKEN + WHEN], self.e[at + FIN_OUT + WHEN]
                )
            self._step(at, FIN_TAKEN)
            self._step(at, FIN_OUT)
            self._step(at, FIN_ACKED)
            return 0
        self._step(at, FIN_OUT)
        acked: cython.longlong = self.e[at + FIN_ACKED + ROW]
        taken: cython.longlong = self.e[at + FIN_TAKEN + ROW]
        ack_first: cython.bint = self.e[at + FIN_ACKED + WHEN] <= self.e[at + FIN_TAKEN + WHEN]
        if acked >= 0 and taken >= 0:
            ack_first = acked <= taken or self.e[at + MINISOCKET] != 0
        if self.e[at + FIN_ACKED + WHEN] == NEVER or not ack_first:
            self._step(at, FIN_TAKEN)
            self._step(at, FIN_ACKED)
        else:
            self._step(at, FIN_ACKED)
            if self.order.may_have_come_before(at, peer):
                self.w.say(at + FIN_TAKEN, PRESUMED, self.e[at + FIN_TAKEN + EVENT], NO_REASON)
                self.e[at + FIN_TAKEN + CONFIRMED_BY] = 0
            self._step(at, FIN_TAKEN)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _step(self, at: cython.Py_ssize_t, milestone: cython.Py_ssize_t) -> cython.int:
        """Take a milestone unless the endpoint had ended before it."""
        when: cython.longlong = self.e[at + milestone + WHEN]
        end: cython.longlong = self.e[at + ENDED + WHEN]
        if when == NEVER or (end != NEVER and when > end and milestone != OPENED):
            return 0
        if milestone == FIN_TAKEN and self.state == FIN_WAIT_2 and not self.cells[MAX_TW_BUCKETS]:
            # With no room for TIME_WAIT the FIN closes at once (Linux tcp_time_wait).
            self.e[at + FIN_TAKEN + EVENT] = SKIP_TIME_WAIT
        if end != NEVER and self.e[at + ENDED + EVENT] == SKIP_TIME_WAIT and when >= end:
            return 0
        self._take(at + milestone)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _take(self, m: cython.Py_ssize_t) -> cython.int:
        """Move by the machine, if it moves."""
        if self.taken_back:
            self._tell_taken_back(self.e[m + WHEN])
        following: cython.longlong = self.table[self.state * N_EVENTS + self.e[m + EVENT]]
        if following >= STAY:
            return 0
        self.state = following
        self.clock = max(self.clock, self.e[m + WHEN])
        row: cython.Py_ssize_t = self._row(self.e[m + EVENT], self.e[m + BASIS], self.e[m + REASON])
        early: cython.longlong = self.e[m + EARLIEST]
        self.out[row + OUT_EARLIEST] = early if early == NEVER else min(early, self.clock)
        # What seems to have come to pass before the state that it follows may be as late as that.
        late: cython.longlong = self.e[m + LATEST]
        self.upto = late if late >= self.clock else max(self.clock, self.upto)
        self.out[row + OUT_LATEST] = self.upto
        self.out[row + OUT_PACKET] = self.e[m + SHOWN_BY]
        self.out[row + OUT_CONFIRMED] = self.e[m + CONFIRMED_BY]
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _tell_taken_back(self, until: cython.longlong) -> cython.int:
        """Rows of the moves that the present state would have made by then, but for a refutation.

        One segment can seem to make two, the second from where the first would have led.
        """
        before: cython.longlong = 0
        move: cython.longlong = self.taken_back
        cause: cython.longlong = 0
        led_to: cython.longlong = self.state
        while move:
            self.back.look(move)
            left: cython.longlong = led_to if self.back.packet == cause else self.state
            following: cython.longlong = self.table[left * N_EVENTS + self.back.event]
            if self.back.time > until or following >= STAY:
                before = move
            else:
                cause, led_to = self.back.packet, following
                self._retract(following)
                if before:
                    self.back.put_after(before, self.back.following)
                else:
                    self.taken_back = self.back.following
            move = self.back.following
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _retract(self, following: cython.longlong) -> cython.int:
        row: cython.Py_ssize_t = self._row(self.back.event, RETRACTED, self.back.reason)
        when: cython.longlong = max(self.back.time, self.clock)
        self.out[row + OUT_STATE] = following
        self.out[row + OUT_TIME] = self.out[row + OUT_LATEST] = when
        self.out[row + OUT_EARLIEST] = min(self.back.earliest, when)
        self.out[row + OUT_PACKET] = self.back.packet
        self.out[row + OUT_CONFIRMED] = self.back.proof
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _row(
        self, event: cython.longlong, basis: cython.longlong, reason: cython.longlong
    ) -> cython.Py_ssize_t:
        """Begin a row of the present state at the present moment."""
        row: cython.Py_ssize_t = self.made * OUT_WIDTH
        self.made += 1
        self.out[row + OUT_CONN], self.out[row + OUT_ROLE] = self.conn, self.side
        self.out[row + OUT_STATE], self.out[row + OUT_EVENT] = self.state, event
        self.out[row + OUT_BASIS], self.out[row + OUT_REASON] = basis, reason
        self.out[row + OUT_TIME] = self.out[row + OUT_EARLIEST] = self.clock
        self.out[row + OUT_LATEST] = self.clock
        self.out[row + OUT_PACKET] = self.out[row + OUT_CONFIRMED] = 0
        return row

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _listen(self, at: cython.Py_ssize_t) -> cython.int:
        """Before its SYN comes a passive endpoint is a listener's, which no packet shows."""
        self.state = LISTEN
        self.clock = min(self.r[self.first * WIDTH + TIME], self.e[at + OPENED + WHEN])
        row: cython.Py_ssize_t = self._row(PASSIVE_OPEN, ASSUMED, BEFORE_CAPTURE)
        self.out[row + OUT_EARLIEST] = NEVER
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _refuse(self, at: cython.Py_ssize_t) -> cython.int:
        """It answered by RST and sent nothing else: no socket was there."""
        reset: cython.Py_ssize_t = self.w.next_row(self.first, self.side, RST, 0)
        if reset < 0:
            return 0
        k: cython.Py_ssize_t = reset * WIDTH
        self.clock = self.r[k + SENT]
        row: cython.Py_ssize_t = self._row(SND_RST, OBSERVED, NO_SOCKET)
        self.out[row + OUT_LATEST] = max(self.clock, self.r[k + TIME])
        self.out[row + OUT_PACKET] = self.r[k + PACKET]
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _only_end(self, at: cython.Py_ssize_t) -> cython.int:
        """Nothing is known of it but a RST: it is CLOSED."""
        m: cython.Py_ssize_t = at + ENDED
        if self.e[m + WHEN] == NEVER or self.e[at + ACTIVE]:
            return 0
        self.clock = self.e[m + WHEN]
        row: cython.Py_ssize_t = self._row(self.e[m + EVENT], self.e[m + BASIS], self.e[m + REASON])
        self.out[row + OUT_PACKET] = self.e[m + SHOWN_BY]
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _wait_in_silence(self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t) -> cython.int:
        """A row for the timer that ends the last state, if one does."""
        if self.taken_back:
            self._tell_taken_back(FOREVER)
        self.silence.look(self.first, self.last, self.side)
        if self.state == SYN_SENT and self._give_up_opening(at, peer):
            return 0
        if self.silence.expiry(at, self.state, self.clock):
            self._time_out()
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _time_out(self) -> cython.int:
        """A row for the timeout that moves from the last state."""
        place: cython.Py_ssize_t
        for place in range(N_TIMEOUTS):
            event: cython.longlong = TIMEOUTS[place]
            following: cython.longlong = self.table[self.state * N_EVENTS + event]
            if following < STAY:
                spread: cython.longlong = self.silence.most - self.silence.least
                self._leave(following, self.silence.least + spread // 2)
                return self._bound(self._row(event, TIMER, EXPIRED))
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _leave(self, following: cython.longlong, moment: cython.longlong) -> cython.int:
        self.state, self.clock = following, max(self.clock, moment)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _bound(self, row: cython.Py_ssize_t) -> cython.int:
        """Within the bounds that the silence gives."""
        self.out[row + OUT_EARLIEST] = min(self.clock, self.silence.least)
        self.out[row + OUT_LATEST] = max(self.clock, self.silence.most)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _give_up_opening(self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t) -> cython.bint:
        """A row for the close() that ended SYN_SENT, if its SYN was not repeated as it would be."""
        moment: cython.longlong = self.silence.given_up(at, peer, self.now)
        if moment == NEVER:
            return False
        self._leave(CLOSED, moment)
        self._bound(self._row(CLOSE, INFERRED, FELL_SILENT))
        return True
