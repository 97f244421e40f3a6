# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`StrayResets`: what a RST tells of its sender that answers a segment for which it has no socket.

Its number is the acknowledgement that it answers (RFC 9293 section 3.5.2). Whoever sends it had
been CLOSED when that segment came, or is an orphan that lost its socket by it.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tcp.profile import TimerCells
from tcptrace.tcp.states import Event, State
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.witness import Witness

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
SEQ = cython.declare(cython.Py_ssize_t, Evidence.index("seq"))
ACK = cython.declare(cython.Py_ssize_t, Evidence.index("ack"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
WINDOW = cython.declare(cython.Py_ssize_t, Evidence.index("window"))
ESTABLISHED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("established"))
FIN_OUT = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_out"))
FIN_ACKED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_acked"))
FIN_TAKEN = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_taken"))
ENDED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("ended"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
EARLIEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("earliest"))
LATEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("latest"))
BASIS = cython.declare(cython.Py_ssize_t, list(FIELDS).index("basis"))
CONFIRMED_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("confirmed"))
EVENT = cython.declare(cython.Py_ssize_t, list(FIELDS).index("event"))
ACTIVE = cython.declare(cython.Py_ssize_t, Sides.index("active"))
TIMESTAMPS = cython.declare(cython.Py_ssize_t, Sides.index("timestamps"))
SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
OBSERVED = cython.declare(cython.longlong, Basis.OBSERVED)
CONFIRMED = cython.declare(cython.longlong, Basis.CONFIRMED)
INFERRED = cython.declare(cython.longlong, Basis.INFERRED)
SND_RST = cython.declare(cython.longlong, Event.SND_RST)
RCV_RST = cython.declare(cython.longlong, Event.RCV_RST)
SKIP_TIME_WAIT = cython.declare(cython.longlong, Event.SKIP_TIME_WAIT)
CLOSE = cython.declare(cython.longlong, Event.CLOSE)
NO_SOCKET = cython.declare(cython.longlong, Reason.NO_SOCKET)
TIMEOUT_2MSL = cython.declare(cython.longlong, Event.TIMEOUT_2MSL)
TIMEOUT_RETRANSMISSION = cython.declare(cython.longlong, Event.TIMEOUT_RETRANSMISSION)
TIMEOUT_FIN_WAIT_2 = cython.declare(cython.longlong, Event.TIMEOUT_FIN_WAIT_2)
FIN_WAIT_2_MIN = cython.declare(cython.Py_ssize_t, TimerCells.index("fin_wait_2_min"))
FIN_WAIT_2_MAX = cython.declare(cython.Py_ssize_t, TimerCells.index("fin_wait_2_max"))
TIME_WAIT_MIN = cython.declare(cython.Py_ssize_t, TimerCells.index("time_wait_min"))
SYN_ACK_WAIT_MIN = cython.declare(cython.Py_ssize_t, TimerCells.index("syn_ack_wait_min"))
SYN_ACK_WAIT_MAX = cython.declare(cython.Py_ssize_t, TimerCells.index("syn_ack_wait_max"))
MILLISECOND = cython.declare(cython.longlong, 1_000_000)
NEVER = cython.declare(cython.longlong, -1)
TIME_WAIT = cython.declare(cython.longlong, State.TIME_WAIT)


@cython.final
@cython.cclass
class StrayResets:
    """What RSTs in reply tell, in one connection at a time; `look` turns to it."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    profile: cython.longlong[::1]
    first: cython.Py_ssize_t
    w: Witness

    def __init__(
        self, witness: Witness, rows: memoryview, sides: memoryview, profile: memoryview
    ) -> None:
        self.w = witness
        self.r = rows
        self.e = sides
        self.profile = profile
        self.first = 0

    def look(self, first: cython.Py_ssize_t) -> None:
        """Turn to the connection whose rows begin there."""
        self.first = first

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def answered(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        row: cython.Py_ssize_t,
    ) -> cython.int:
        """A RST in answer: its sender had no socket when the provoking segment came, or lost it."""
        r, e = self.r, self.e
        k: cython.Py_ssize_t = row * WIDTH
        if e[at + ENDED + WHEN] != NEVER and e[at + ENDED + EVENT] == RCV_RST:
            return 0  # a RST had ended it: that it has no socket is nothing new
        cause: cython.Py_ssize_t = self._provoked_by(side, row)
        if cause < 0:
            if not r[k + WINDOW] and not e[at + TIMESTAMPS]:
                self.w.ends(at, r[k + SENT], OBSERVED, SND_RST, row)
            return 0
        c: cython.Py_ssize_t = cause * WIDTH
        if e[at + FIN_OUT + WHEN] != NEVER:
            self._answered_closed(at, peer, row, cause)
        elif e[at + ACTIVE] and r[c + FLAGS] & SYN and not self.proved_open(at):
            self.w.take_back(at, ESTABLISHED, row, NO_SOCKET)
            self.w.ends(at, r[c + TIME], INFERRED, CLOSE, row)
        elif not e[at + ACTIVE] and not self.proved_open(at):
            self.w.take_back(at, ESTABLISHED, row, NO_SOCKET)
            self._answered_request(at, side, row, cause)
        else:
            self._proved_fin_taken(at, row)
            self.w.ends(at, r[k + SENT], OBSERVED, SND_RST, row)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _provoked_by(self, side: cython.longlong, row: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The peer's last segment before a RST whose ACK is the RST's number."""
        r = self.r
        other: cython.Py_ssize_t = row - 1
        while other >= self.first:
            o: cython.Py_ssize_t = other * WIDTH
            theirs: cython.bint = r[o + SENDER] != side and r[o + KIND] == SEGMENT
            acks: cython.bint = r[o + FLAGS] & (ACK_BIT | RST) == ACK_BIT
            if theirs and acks and r[o + ACK] == r[row * WIDTH + SEQ]:
                return other
            other -= 1
        return -1

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _answered_request(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        row: cython.Py_ssize_t,
        cause: cython.Py_ssize_t,
    ) -> cython.int:
        """It was never established: its request had run out by then, or ends by this RST."""
        r, e = self.r, self.e
        wait: cython.longlong = self.profile[SYN_ACK_WAIT_MIN]
        late: cython.longlong = self.profile[SYN_ACK_WAIT_MAX]
        last: cython.longlong = self.w.last_sent(side, SYN | ACK_BIT, 0)
        if last == NEVER or wait == NEVER or last + wait > r[cause * WIDTH + ARRIVES]:
            self.w.ends(at, r[row * WIDTH + SENT], OBSERVED, SND_RST, row)
            return 0
        self.w.ends(at, last + (wait + late) // 2, INFERRED, TIMEOUT_RETRANSMISSION, row)
        e[at + ENDED + EARLIEST], e[at + ENDED + LATEST] = last + wait, last + late
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _proved_fin_taken(self, at: cython.Py_ssize_t, row: cython.Py_ssize_t) -> cython.bint:
        """Whether it acknowledged the peer's FIN; else its RST tells that it never took it in."""
        e = self.e
        if e[at + FIN_TAKEN + WHEN] != NEVER and e[at + FIN_TAKEN + CONFIRMED_BY]:
            return True
        self.w.take_back(at, FIN_TAKEN, row, NO_SOCKET)
        return False

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def proved_open(self, at: cython.Py_ssize_t) -> cython.bint:
        e = self.e
        return e[at + ESTABLISHED + WHEN] != NEVER and e[at + ESTABLISHED + BASIS] <= CONFIRMED

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _answered_closed(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        row: cython.Py_ssize_t,
        cause: cython.Py_ssize_t,
    ) -> cython.int:
        """The RST's sender had sent its FIN: an orphan that got data, or no socket any more."""
        r, e = self.r, self.e
        k: cython.Py_ssize_t = row * WIDTH
        c: cython.Py_ssize_t = cause * WIDTH
        arrives: cython.longlong = r[c + ARRIVES]
        if self._proved_fin_taken(at, row):
            self._after_fin_taken(at, row, cause)
            return 0
        acked: cython.longlong = e[at + FIN_ACKED + WHEN]
        wait: cython.longlong = self.profile[FIN_WAIT_2_MIN]
        if acked != NEVER and wait != NEVER and acked + wait <= arrives + 50 * MILLISECOND:
            late: cython.longlong = self.profile[FIN_WAIT_2_MAX]
            self.w.ends(at, acked + (wait + late) // 2, INFERRED, TIMEOUT_FIN_WAIT_2, row)
            e[at + ENDED + EARLIEST] = acked + wait
            e[at + ENDED + LATEST] = max(acked + wait, min(acked + late, arrives))
        else:
            self.w.ends(at, r[k + SENT], OBSERVED, SND_RST, row)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _after_fin_taken(
        self, at: cython.Py_ssize_t, row: cython.Py_ssize_t, cause: cython.Py_ssize_t
    ) -> cython.int:
        """It had both FINs: closed already by the last ACK, or its TIME_WAIT was skipped."""
        e = self.e
        arrives: cython.longlong = self.r[cause * WIDTH + ARRIVES]
        taken: cython.longlong = e[at + FIN_TAKEN + WHEN]
        if self._took_before_fin(at):
            return 0
        if e[at + ENDED + WHEN] != NEVER:
            return 0
        if arrives - taken >= self.profile[TIME_WAIT_MIN]:
            self.w.ends(at, taken + self.profile[TIME_WAIT_MIN], INFERRED, TIMEOUT_2MSL, row)
        else:
            self.w.ends(at, taken, INFERRED, SKIP_TIME_WAIT, row)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _took_before_fin(self, at: cython.Py_ssize_t) -> cython.bint:
        """Whether it was in LAST_ACK: its FIN left after the peer's had come."""
        return self.e[at + FIN_TAKEN + WHEN] <= self.e[at + FIN_OUT + WHEN]
