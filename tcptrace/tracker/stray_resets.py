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
SND_FIN = cython.declare(cython.longlong, Event.SND_FIN)
SKIP_TIME_WAIT = cython.declare(cython.longlong, Event.SKIP_TIME_WAIT)
CLOSE = cython.declare(cython.longlong, Event.CLOSE)
NO_SOCKET = cython.declare(cython.longlong, Reason.NO_SOCKET)
UNCAPTURED = cython.declare(cython.longlong, Reason.UNCAPTURED)
RTO_INIT = cython.declare(cython.Py_ssize_t, TimerCells.index("rto_init"))
RTO_MIN = cython.declare(cython.Py_ssize_t, TimerCells.index("rto_min"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
UNA = cython.declare(cython.Py_ssize_t, Sides.index("una"))
FAR = cython.declare(cython.longlong, 2_000_000)
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
PAYLOAD = cython.declare(cython.Py_ssize_t, Evidence.index("payload"))
ROW = cython.declare(cython.Py_ssize_t, list(FIELDS).index("row"))
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))


@cython.final
@cython.cclass
class StrayResets:
    """What RSTs in reply tell, in one connection at a time; `look` turns to it."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    profile: cython.longlong[::1]
    first: cython.Py_ssize_t
    w: Witness

    def __init__(self, witness: Witness, profile: memoryview) -> None:
        self.w = witness
        self.r = witness.r
        self.e = witness.e
        self.profile = profile
        self.first = 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def look(self, first: cython.Py_ssize_t) -> cython.int:
        """Turn to the connection whose rows begin there."""
        self.first = first
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def answered(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        row: cython.Py_ssize_t,
    ) -> cython.int:
        """A RST in answer: its sender had no socket when the provoking segment came, or lost it."""
        k: cython.Py_ssize_t = row * WIDTH
        cause: cython.Py_ssize_t = self._provoked_by(side, row)
        if self.e[at + ENDED + WHEN] != NEVER and self.e[at + ENDED + EVENT] == RCV_RST:
            return self._too_late(at, row, cause)
        if cause < 0:
            if not self.r[k + WINDOW] and not self.e[at + TIMESTAMPS]:
                self.w.ends(at, self.r[k + SENT], OBSERVED, SND_RST, row)
            return 0
        c: cython.Py_ssize_t = cause * WIDTH
        if self.e[at + FIN_OUT + WHEN] != NEVER:
            self._answered_closed(at, peer, row, cause)
        elif self.e[at + ACTIVE] and self.r[c + FLAGS] & SYN and not self.proved_open(at):
            self.w.take_back(at, ESTABLISHED, row, NO_SOCKET)
            self._closed_in_syn_sent(at, peer, side, row, cause)
        elif not self.e[at + ACTIVE] and not self.proved_open(at):
            self.w.take_back(at, ESTABLISHED, row, NO_SOCKET)
            self._answered_request(at, side, row, cause)
        else:
            self._proved_fin_taken(at, row)
            self._lost_socket(at, peer, side, row, cause)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _too_late(
        self, at: cython.Py_ssize_t, row: cython.Py_ssize_t, cause: cython.Py_ssize_t
    ) -> cython.int:
        """A RST had ended it: that it has no socket is nothing new, but the peer's FIN found none.

        Unless it acknowledged that FIN: then a later copy of it was answered.
        """
        if cause >= 0 and self.e[at + FIN_TAKEN + ROW] == cause:
            self._proved_fin_taken(at, row)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _closed_in_syn_sent(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        row: cython.Py_ssize_t,
        cause: cython.Py_ssize_t,
    ) -> cython.int:
        """Its program gave up before the SYN,ACK came, and before it would have sent its SYN again.

        If it did so long before, an earlier SYN,ACK was lost: it would have been refused, too.
        """
        when: cython.longlong = self.r[cause * WIDTH + TIME]
        last: cython.longlong = self.w.last_sent(side, SYN, ACK_BIT)
        if last != NEVER and when > last + self.profile[RTO_INIT]:
            when = last + self.w.round_trip(at, peer)
        self.w.ends(at, when, INFERRED, CLOSE, row)
        if self.e[at + ENDED + EVENT] == CLOSE and last != NEVER:
            self.e[at + ENDED + EARLIEST] = min(last, self.e[at + ENDED + EARLIEST])
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _lost_socket(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        row: cython.Py_ssize_t,
        cause: cython.Py_ssize_t,
    ) -> cython.int:
        """An open endpoint has no socket any more: what it sent as it closed was lost to the tap.

        A FIN, if data came so soon that it could not yet have been repeated: an orphan is reset by
        data (Linux tcp_rcv_state_process). A FIN would have been repeated ever after, so if it is
        long ago it was an abort, which followed on its last segment more likely than on nothing.
        Beside the tap nothing is lost: it lost its memory, at some time before the answer.
        """
        c: cython.Py_ssize_t = cause * WIDTH
        last: cython.longlong = self.w.last_sent(side, 0, RST)
        when: cython.longlong = self.r[row * WIDTH + SENT]
        if self.e[at + TURNAROUND] <= FAR or last >= when:
            return self.w.ends(at, when, OBSERVED, SND_RST, row)
        soon: cython.bint = when <= last + self.profile[RTO_MIN]
        fresh: cython.bint = self.r[c + PAYLOAD] > 0 and self.r[c + END] > self.e[peer + UNA]
        if soon and fresh and self.e[at + FIN_TAKEN + WHEN] == NEVER:
            self.w.moment(at + FIN_OUT, last + (when - last) // 2, last, when)
            self.w.say(at + FIN_OUT, INFERRED, SND_FIN, UNCAPTURED)
        elif not soon:
            when = last + self.w.round_trip(at, peer)
        self.w.ends(at, when, INFERRED, SND_RST, row)
        if self.e[at + ENDED + WHEN] == when:
            self.e[at + ENDED + EARLIEST] = min(last, self.e[at + ENDED + EARLIEST])
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _provoked_by(self, side: cython.longlong, row: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The peer's last segment before a RST whose ACK is the RST's number."""
        other: cython.Py_ssize_t = row - 1
        while other >= self.first:
            o: cython.Py_ssize_t = other * WIDTH
            theirs: cython.bint = self.r[o + SENDER] != side and self.r[o + KIND] == SEGMENT
            acks: cython.bint = self.r[o + FLAGS] & (ACK_BIT | RST) == ACK_BIT
            if theirs and acks and self.r[o + ACK] == self.r[row * WIDTH + SEQ]:
                return other
            other -= 1
        return -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _answered_request(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        row: cython.Py_ssize_t,
        cause: cython.Py_ssize_t,
    ) -> cython.int:
        """It was never established: its request had run out by then, or ends by this RST."""
        wait: cython.longlong = self.profile[SYN_ACK_WAIT_MIN]
        late: cython.longlong = self.profile[SYN_ACK_WAIT_MAX]
        last: cython.longlong = self.w.last_sent(side, SYN | ACK_BIT, 0)
        if last == NEVER or wait == NEVER or last + wait > self.r[cause * WIDTH + ARRIVES]:
            self.w.ends(at, self.r[row * WIDTH + SENT], OBSERVED, SND_RST, row)
            return 0
        self.w.ends(at, last + (wait + late) // 2, INFERRED, TIMEOUT_RETRANSMISSION, row)
        self.e[at + ENDED + EARLIEST], self.e[at + ENDED + LATEST] = last + wait, last + late
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _proved_fin_taken(self, at: cython.Py_ssize_t, row: cython.Py_ssize_t) -> cython.bint:
        """Whether it acknowledged the peer's FIN; else its RST tells that it never took it in."""
        if self.e[at + FIN_TAKEN + WHEN] != NEVER and self.e[at + FIN_TAKEN + CONFIRMED_BY]:
            return True
        self.w.take_back(at, FIN_TAKEN, row, NO_SOCKET)
        return False

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def proved_open(self, at: cython.Py_ssize_t) -> cython.bint:
        return (
            self.e[at + ESTABLISHED + WHEN] != NEVER
            and self.e[at + ESTABLISHED + BASIS] <= CONFIRMED
        )

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _answered_closed(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        row: cython.Py_ssize_t,
        cause: cython.Py_ssize_t,
    ) -> cython.int:
        """The RST's sender had sent its FIN: an orphan that got data, or no socket any more."""
        k: cython.Py_ssize_t = row * WIDTH
        c: cython.Py_ssize_t = cause * WIDTH
        arrives: cython.longlong = self.r[c + ARRIVES]
        if self._proved_fin_taken(at, row):
            self._after_fin_taken(at, row, cause)
            return 0
        if self.e[at + FIN_ACKED + ROW] > cause and self.e[at + FIN_ACKED + BASIS] > CONFIRMED:
            self.w.take_back(at, FIN_ACKED, row, NO_SOCKET)  # what the RST answers came before
        acked: cython.longlong = self.e[at + FIN_ACKED + WHEN]
        wait: cython.longlong = self.profile[FIN_WAIT_2_MIN]
        if acked != NEVER and wait != NEVER and acked + wait <= arrives + 50 * MILLISECOND:
            late: cython.longlong = self.profile[FIN_WAIT_2_MAX]
            self.w.ends(at, acked + (wait + late) // 2, INFERRED, TIMEOUT_FIN_WAIT_2, row)
            self.e[at + ENDED + EARLIEST] = acked + wait
            self.e[at + ENDED + LATEST] = max(acked + wait, min(acked + late, arrives))
        else:
            self.w.ends(at, self.r[k + SENT], OBSERVED, SND_RST, row)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _after_fin_taken(
        self, at: cython.Py_ssize_t, row: cython.Py_ssize_t, cause: cython.Py_ssize_t
    ) -> cython.int:
        """It had both FINs: closed already by the last ACK, or its TIME_WAIT was skipped."""
        arrives: cython.longlong = self.r[cause * WIDTH + ARRIVES]
        taken: cython.longlong = self.e[at + FIN_TAKEN + WHEN]
        if self._took_before_fin(at):
            return 0
        if self.e[at + ENDED + WHEN] != NEVER:
            return 0
        if arrives - taken >= self.profile[TIME_WAIT_MIN]:
            self.w.ends(at, taken + self.profile[TIME_WAIT_MIN], INFERRED, TIMEOUT_2MSL, row)
        else:
            self.w.ends(at, taken, INFERRED, SKIP_TIME_WAIT, row)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _took_before_fin(self, at: cython.Py_ssize_t) -> cython.bint:
        """Whether it was in LAST_ACK: its FIN left after the peer's had come."""
        return self.e[at + FIN_TAKEN + WHEN] <= self.e[at + FIN_OUT + WHEN]
