# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Silence`: when an endpoint of which nothing more is heard leaves its last state.

Only timers end a state without a packet: of SYN_SENT, SYN_RCVD, TIME_WAIT, of an orphan's
FIN_WAIT_2, and of what is repeated and never acknowledged (RFC 9293 sections 3.8.3 and 3.10.8).
"""

from __future__ import annotations

import cython

from tcptrace.tcp import flags
from tcptrace.tcp.profile import Profile, Retries, TimerCells
from tcptrace.tcp.states import State
from tcptrace.tcp.syn_waits import SynWaits, syn_waits
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.waits import Waits
from tcptrace.tracker.witness import Witness

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
PROBE = cython.declare(cython.Py_ssize_t, Evidence.index("probe"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
FIN_OUT = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_out"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
UNA = cython.declare(cython.Py_ssize_t, Sides.index("una"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())
SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
CLOSED = cython.declare(cython.longlong, State.CLOSED)
LISTEN = cython.declare(cython.longlong, State.LISTEN)
SYN_SENT = cython.declare(cython.longlong, State.SYN_SENT)
SYN_RCVD = cython.declare(cython.longlong, State.SYN_RCVD)
FIN_WAIT_2 = cython.declare(cython.longlong, State.FIN_WAIT_2)
TIME_WAIT = cython.declare(cython.longlong, State.TIME_WAIT)
SYN_GIVE_UP = cython.declare(cython.Py_ssize_t, TimerCells.index("syn_give_up_min"))
SYN_ACK_GIVE_UP = cython.declare(cython.Py_ssize_t, TimerCells.index("syn_ack_give_up_min"))
SYN_ACK_WAIT = cython.declare(cython.Py_ssize_t, TimerCells.index("syn_ack_wait_min"))
FIN_WAIT_2_TIMER = cython.declare(cython.Py_ssize_t, TimerCells.index("fin_wait_2_min"))
FIN_WAIT_2_RTO = cython.declare(cython.Py_ssize_t, TimerCells.index("fin_wait_2_rto"))
RTO_MIN = cython.declare(cython.Py_ssize_t, TimerCells.index("rto_min"))
RTO_MAX = cython.declare(cython.Py_ssize_t, TimerCells.index("rto_max"))
TIME_WAIT_TIMER = cython.declare(cython.Py_ssize_t, TimerCells.index("time_wait_min"))
NEXT_SYN = cython.declare(cython.Py_ssize_t, SynWaits.index("next"))
NEXT_SYN_LATE = cython.declare(cython.Py_ssize_t, SynWaits.index("next_late"))
SECOND_SYN_LATE = cython.declare(cython.Py_ssize_t, SynWaits.index("second_late"))
SYN_WIDTH = cython.declare(cython.Py_ssize_t, SynWaits.width())
NEVER = cython.declare(cython.longlong, -1)
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
NEAR = cython.declare(cython.longlong, 2_000_000)
LATE = cython.declare(cython.longlong, 100_000_000)


@cython.final
@cython.cclass
class Silence:
    """The timer that ends an endpoint's last state; `look` turns to one of a connection's sides.

    least, most : bounds of the moment that `expiry` or `given_up` has found, NEVER for none
    """

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    cells: cython.longlong[::1]
    syns: cython.longlong[::1]
    profile: object
    w: Witness
    waits: Waits
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    side: cython.longlong
    least: cython.longlong
    most: cython.longlong

    def __init__(self, witness: Witness, profile: Profile) -> None:
        self.w = witness
        self.r = witness.r
        self.e = witness.e
        self.profile = profile
        self.cells = profile.cells()
        self.syns = syn_waits(profile).cells
        self.waits = Waits(witness)
        self.first = self.last = self.side = 0
        self.least = self.most = NEVER

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def look(
        self, first: cython.Py_ssize_t, last: cython.Py_ssize_t, side: cython.longlong
    ) -> cython.int:
        """Turn to a side of the connection that has these rows."""
        self.first, self.last, self.side = first, last, side
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def expiry(
        self, at: cython.Py_ssize_t, state: cython.longlong, since: cython.longlong
    ) -> cython.bint:
        """Whether a timer ends the state, between `least` and `most`."""
        self.least = self.most = NEVER
        if state == SYN_SENT:
            self._after(since, SYN_GIVE_UP)
        elif state == SYN_RCVD:
            self._request()
        elif state == FIN_WAIT_2:
            if not self._held(since):
                self._orphan(since)
        elif state == TIME_WAIT:
            self._after(max(since, self.w.last_sent(self.side, ACK_BIT, SYN)), TIME_WAIT_TIMER)
        elif state not in (CLOSED, LISTEN):
            self._give_up(at)
        return self.least != NEVER

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def given_up(
        self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t, now: cython.longlong
    ) -> cython.longlong:
        """When a program closed its socket in SYN_SENT, by the SYNs that did not come; else NEVER.

        One may have been lost before the tap, so two must be missing, but for a tap beside it.
        The best estimate is when an answer would have come: it was never waited for.
        """
        last: cython.longlong = NEVER
        syns: cython.Py_ssize_t = 0  # the row of so many
        row: cython.Py_ssize_t = self.w.next_row(self.first, self.side, SYN, ACK_BIT | RST)
        while row >= 0:
            syns += SYN_WIDTH
            last = max(last, self.r[row * WIDTH + SENT])
            row = self.w.next_row(row + 1, self.side, SYN, ACK_BIT | RST)
        self.least = self.most = last
        if syns >= self.syns.shape[0]:
            return NEVER
        near: cython.bint = 0 <= self.e[at + TURNAROUND] <= NEAR
        due: cython.longlong = self.syns[syns + (NEXT_SYN_LATE if near else SECOND_SYN_LATE)]
        if due == NEVER or now < last + due + LATE:
            return NEVER
        self.most = last + self.syns[syns + NEXT_SYN]
        trip: cython.longlong = self.w.round_trip(at, peer)
        return last + trip if trip else (last + self.most) // 2

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _after(self, since: cython.longlong, timer: cython.Py_ssize_t) -> cython.int:
        if self.cells[timer] != NEVER:
            self.least, self.most = since + self.cells[timer], since + self.cells[timer + 1]
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _orphan(self, since: cython.longlong) -> cython.int:
        """FIN_WAIT_2's timer, whose floor is the endpoint's own timeout (Linux tcp_fin_time)."""
        self._after(since, FIN_WAIT_2_TIMER)
        if self.least == NEVER or self.cells[FIN_WAIT_2_RTO] == NEVER:
            return 0
        self.waits.measure(self.first, self.last, self.side, since)
        timeout: cython.longlong = max(self.waits.timeout(), self.cells[RTO_MIN])
        timeout = min(timeout, self.cells[RTO_MAX])  # Linux tcp_bound_rto
        if timeout > self.cells[FIN_WAIT_2_RTO]:
            with cython.gil:
                self._slow_orphan(since, timeout)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _slow_orphan(self, since: cython.longlong, timeout: cython.longlong) -> cython.int:
        longer = self.profile.fin_wait_2(timeout)
        if longer.earliest > self.cells[FIN_WAIT_2_TIMER]:
            self.least, self.most = since + longer.earliest, since + longer.latest
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _request(self) -> cython.int:
        """A request socket dies some time after its SYN,ACKs (Linux reqsk_timer_handler)."""
        answer: cython.Py_ssize_t = self.w.next_row(self.first, self.side, SYN | ACK_BIT, RST)
        if answer < 0:
            return 0
        first: cython.longlong = self.r[answer * WIDTH + SENT]
        last: cython.longlong = self.w.last_sent(self.side, SYN | ACK_BIT, 0)
        wait: cython.longlong = self.cells[SYN_ACK_WAIT]
        if wait != NEVER and last + wait > first + self.cells[SYN_ACK_GIVE_UP]:
            return self._after(last, SYN_ACK_WAIT)
        return self._after(first, SYN_ACK_GIVE_UP)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _give_up(self, at: cython.Py_ssize_t) -> cython.int:
        """What is repeated and never acknowledged ends at the expiry that gives up."""
        head: cython.longlong = max(self.e[at + UNA], 1)
        orphan: cython.bint = self.e[at + FIN_OUT + WHEN] != NEVER
        theirs: cython.longlong = max(self.e[at + (1 - 2 * self.side) * SIDE_WIDTH + UNA], 1)
        one: cython.Py_ssize_t = self._next_with(head, self.first)
        two: cython.Py_ssize_t = self._next_with(head, one + 1) if one >= 0 else -1
        if two < 0 or (not orphan and self._next_with(head, two + 1) < 0):
            return 0
        if self._hears(self.r[two * WIDTH + SENT], theirs):
            return 0
        with cython.gil:
            self._give_up_repeating(head, orphan)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _next_with(self, octet: cython.longlong, row: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The next segment of the side that carries an octet, no probe; -1 for none."""
        row = self.w.next_row(row, self.side, 0, RST | SYN)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if self.r[k + BEGIN] <= octet < self.r[k + END] and not self.r[k + PROBE]:
                return row
            row = self.w.next_row(row + 1, self.side, 0, RST | SYN)
        return -1

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _give_up_repeating(self, octet: cython.longlong, orphan: cython.bint) -> cython.int:
        sends: list = []
        row: cython.Py_ssize_t = self._next_with(octet, self.first)
        while row >= 0:
            sends.append(self.r[row * WIDTH + SENT])
            row = self._next_with(octet, row + 1)
        sends.sort()
        window = self.profile.gives_up(Retries.of(sends), orphan)
        self.least, self.most = window.earliest, window.latest
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _held(self, since: cython.longlong) -> cython.bint:
        """Whether FIN_WAIT_2's socket was still read: it acknowledged new data, or a later FIN."""
        taken: cython.longlong = NEVER
        row: cython.Py_ssize_t = self.w.next_row(self.first, self.side, ACK_BIT, RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if self.r[k + SENT] > since + 2_000_000:
                if taken != NEVER and self.r[k + ACKED] > taken:
                    return True
            else:
                taken = max(taken, self.r[k + ACKED])
            row = self.w.next_row(row + 1, self.side, ACK_BIT, RST)
        return False

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _hears(self, moment: cython.longlong, una: cython.longlong) -> cython.bint:
        """Whether the peer sent anything after the moment that may have arrived.

        A RST did not, nor octets from `una` on, which were never acknowledged.
        """
        row: cython.Py_ssize_t = self.w.next_row(self.first, 1 - self.side, 0, RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            lost: cython.bint = self.r[k + END] > max(self.r[k + BEGIN], una)
            if self.r[k + TIME] > moment and not lost:
                return True
            row = self.w.next_row(row + 1, 1 - self.side, 0, RST)
        return False
