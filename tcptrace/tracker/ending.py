# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""How a connection was cut short: RSTs sent and taken in, and ICMP errors about a SYN.

The form of a RST tells who sent it (Linux tcp_v4_send_reset against tcp_send_active_reset): with
ACK and options a living socket that aborts; without ACK, numbered as the segment that it answers,
a host that has no socket for it, or an endpoint in SYN_SENT or SYN_RCVD that lives on.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tcp.profile import TimerCells
from tcptrace.tcp.states import Event, State
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.reset_receipt import ResetReceipt
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.witness import Witness

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
SEQ = cython.declare(cython.Py_ssize_t, Evidence.index("seq"))
ACK = cython.declare(cython.Py_ssize_t, Evidence.index("ack"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Evidence.index("has_timestamp"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
DOUBT = cython.declare(cython.Py_ssize_t, Evidence.index("doubt"))
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
ISS = cython.declare(cython.Py_ssize_t, Sides.index("iss"))
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
JITTER = cython.declare(cython.Py_ssize_t, Sides.index("jitter"))
ACTIVE = cython.declare(cython.Py_ssize_t, Sides.index("active"))
TIMESTAMPS = cython.declare(cython.Py_ssize_t, Sides.index("timestamps"))
STATELESS = cython.declare(cython.Py_ssize_t, Sides.index("stateless"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())
SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
OBSERVED = cython.declare(cython.longlong, Basis.OBSERVED)
CONFIRMED = cython.declare(cython.longlong, Basis.CONFIRMED)
PRESUMED = cython.declare(cython.longlong, Basis.PRESUMED)
INFERRED = cython.declare(cython.longlong, Basis.INFERRED)
SND_RST = cython.declare(cython.longlong, Event.SND_RST)
RCV_RST = cython.declare(cython.longlong, Event.RCV_RST)
RCV_ICMP_ERROR = cython.declare(cython.longlong, Event.RCV_ICMP_ERROR)
SKIP_TIME_WAIT = cython.declare(cython.longlong, Event.SKIP_TIME_WAIT)
CLOSE = cython.declare(cython.longlong, Event.CLOSE)
ICMP_ERROR = cython.declare(cython.longlong, Kind.ICMP_ERROR)
OWN_SEGMENT = cython.declare(cython.longlong, Reason.OWN_SEGMENT)
NO_SOCKET = cython.declare(cython.longlong, Reason.NO_SOCKET)
NOTHING_MORE = cython.declare(cython.longlong, Reason.NOTHING_MORE)
CONTINUED = cython.declare(cython.longlong, Reason.CONTINUED)
OUT_OF_WINDOW = cython.declare(cython.longlong, Reason.OUT_OF_WINDOW)
DARK_PATH = cython.declare(cython.longlong, Reason.DARK_PATH)
FORGED = cython.declare(cython.longlong, Reason.FORGED)
UNSTAMPED = cython.declare(cython.longlong, Reason.UNSTAMPED)
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
SYN_SENT = cython.declare(cython.longlong, State.SYN_SENT)
TIME_WAIT = cython.declare(cython.longlong, State.TIME_WAIT)


@cython.final
@cython.cclass
class Ending:
    """One pass over the evidence of a batch of connections."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    profile: cython.longlong[::1]
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    w: Witness
    receipt: ResetReceipt

    def __init__(
        self, witness: Witness, rows: memoryview, sides: memoryview, profile: memoryview
    ) -> None:
        self.w = witness
        self.r = rows
        self.e = sides
        self.receipt = ResetReceipt(witness, rows, sides)
        self.profile = profile

    def settle(self, offsets: cython.longlong[::1], count: cython.Py_ssize_t) -> None:
        """Fill the milestone `ended` of both sides of each connection; the earliest that holds."""
        conn: cython.Py_ssize_t
        row: cython.Py_ssize_t
        one: cython.Py_ssize_t
        with cython.nogil:
            for conn in range(count):
                self._look(offsets[conn], offsets[conn + 1])
                one = 2 * conn * SIDE_WIDTH
                self.e[one + ENDED + WHEN] = self.e[one + SIDE_WIDTH + ENDED + WHEN] = NEVER
                for row in range(self.first, self.last):
                    self._judge(one, row)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _look(self, first: cython.Py_ssize_t, last: cython.Py_ssize_t) -> cython.int:
        self.first, self.last = first, last
        self.w.look(first, last)
        return self.receipt.look(first, last)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _judge(self, one: cython.Py_ssize_t, row: cython.Py_ssize_t) -> cython.int:
        r = self.r
        k: cython.Py_ssize_t = row * WIDTH
        side: cython.longlong = r[k + SENDER]
        at: cython.Py_ssize_t = one + side * SIDE_WIDTH
        peer: cython.Py_ssize_t = one + (1 - side) * SIDE_WIDTH
        if r[k + KIND] == ICMP_ERROR:
            self._icmp(at, side, row)
        elif r[k + FLAGS] & RST and not r[k + COPY] and r[k + KIND] == SEGMENT:
            self._sent(at, peer, side, row)
            self._taken(peer, at, 1 - side, row)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _icmp(
        self, at: cython.Py_ssize_t, side: cython.longlong, row: cython.Py_ssize_t
    ) -> cython.int:
        """An error about its SYN ends SYN_SENT (Linux tcp_v4_err), unless the SYN is repeated."""
        r, e = self.r, self.e
        k: cython.Py_ssize_t = row * WIDTH
        arrives: cython.longlong = r[k + TIME] + max(e[at + TURNAROUND], 0) // 2
        if e[at + ISS] != r[k + SEQ] or e[at + ESTABLISHED + WHEN] != NEVER:
            return 0
        by: cython.Py_ssize_t = self._speaks_after(side, arrives + 2 * MILLISECOND, row)
        if by >= 0:
            return self.w.refute(at, RCV_ICMP_ERROR, row, by, CONTINUED)
        self._end(at, arrives, PRESUMED, RCV_ICMP_ERROR, row)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _sent(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        row: cython.Py_ssize_t,
    ) -> cython.int:
        """What a RST tells of its sender."""
        r, e = self.r, self.e
        k: cython.Py_ssize_t = row * WIDTH
        spoke: cython.bint = self.w.next_row(self.first, side, 0, RST) >= 0
        if not spoke:
            e[at + STATELESS] = 1
            return 0
        by: cython.Py_ssize_t = self._speaks_after(side, r[k + SENT] + 2 * MILLISECOND, row)
        if by >= 0:
            if r[k + FLAGS] & ACK_BIT or self._proved_open(at):
                self.w.refute(at, SND_RST, row, by, FORGED)
            return 0
        if not r[k + FLAGS] & ACK_BIT:
            self._answered(at, peer, side, row)
        elif self._forged(at, row):
            self.w.refute(at, SND_RST, row, -1, UNSTAMPED)
        else:
            self._end(at, r[k + SENT], OBSERVED, SND_RST, row)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _forged(self, at: cython.Py_ssize_t, row: cython.Py_ssize_t) -> cython.bint:
        """An abort carries the connection's timestamps (RFC 7323 section 3.2)."""
        k: cython.Py_ssize_t = row * WIDTH
        return self.e[at + TIMESTAMPS] != 0 and self.r[k + HAS_TIMESTAMP] == 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _speaks_after(
        self, side: cython.longlong, moment: cython.longlong, after: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """The first segment but a RST that the side sent after the moment; -1 for none."""
        row: cython.Py_ssize_t = self.w.next_row(after + 1, side, 0, RST)
        while row >= 0:
            if self.r[row * WIDTH + SENT] > moment:
                return row
            row = self.w.next_row(row + 1, side, 0, RST)
        return -1

    @cython.cfunc
    @cython.nogil
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
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _answered(
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
                self._end(at, r[k + SENT], OBSERVED, SND_RST, row)
            return 0
        c: cython.Py_ssize_t = cause * WIDTH
        if e[at + FIN_OUT + WHEN] != NEVER:
            self._answered_closed(at, peer, row, cause)
        elif e[at + ACTIVE] and r[c + FLAGS] & SYN and not self._proved_open(at):
            self.w.take_back(at, ESTABLISHED, row, NO_SOCKET)
            self._end(at, r[c + TIME], INFERRED, CLOSE, row)
        elif not e[at + ACTIVE] and not self._proved_open(at):
            self.w.take_back(at, ESTABLISHED, row, NO_SOCKET)
            self._answered_request(at, side, row, cause)
        else:
            self._proved_fin_taken(at, row)
            self._end(at, r[k + SENT], OBSERVED, SND_RST, row)
        return 0

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
        r, e = self.r, self.e
        wait: cython.longlong = self.profile[SYN_ACK_WAIT_MIN]
        late: cython.longlong = self.profile[SYN_ACK_WAIT_MAX]
        last: cython.longlong = self.w.last_sent(side, SYN | ACK_BIT, 0)
        if last == NEVER or wait == NEVER or last + wait > r[cause * WIDTH + ARRIVES]:
            self._end(at, r[row * WIDTH + SENT], OBSERVED, SND_RST, row)
            return 0
        self._end(at, last + (wait + late) // 2, INFERRED, TIMEOUT_RETRANSMISSION, row)
        e[at + ENDED + EARLIEST], e[at + ENDED + LATEST] = last + wait, last + late
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _proved_fin_taken(self, at: cython.Py_ssize_t, row: cython.Py_ssize_t) -> cython.bint:
        """Whether it acknowledged the peer's FIN; else its RST tells that it never took it in."""
        e = self.e
        if e[at + FIN_TAKEN + WHEN] != NEVER and e[at + FIN_TAKEN + CONFIRMED_BY]:
            return True
        self.w.take_back(at, FIN_TAKEN, row, NO_SOCKET)
        return False

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _proved_open(self, at: cython.Py_ssize_t) -> cython.bint:
        e = self.e
        return e[at + ESTABLISHED + WHEN] != NEVER and e[at + ESTABLISHED + BASIS] <= CONFIRMED

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
            self._end(at, acked + (wait + late) // 2, INFERRED, TIMEOUT_FIN_WAIT_2, row)
            e[at + ENDED + EARLIEST] = acked + wait
            e[at + ENDED + LATEST] = max(acked + wait, min(acked + late, arrives))
        else:
            self._end(at, r[k + SENT], OBSERVED, SND_RST, row)
        return 0

    @cython.cfunc
    @cython.nogil
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
            self._end(at, taken + self.profile[TIME_WAIT_MIN], INFERRED, TIMEOUT_2MSL, row)
        else:
            self._end(at, taken, INFERRED, SKIP_TIME_WAIT, row)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _took_before_fin(self, at: cython.Py_ssize_t) -> cython.bint:
        """Whether it was in LAST_ACK: its FIN left after the peer's had come."""
        return self.e[at + FIN_TAKEN + WHEN] <= self.e[at + FIN_OUT + WHEN]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _taken(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        row: cython.Py_ssize_t,
    ) -> cython.int:
        """Whether the RST's receiver took it in: valid (RFC 5961 section 3.2), and silent after."""
        r, e = self.r, self.e
        k: cython.Py_ssize_t = row * WIDTH
        arrives: cython.longlong = r[k + ARRIVES]
        if r[k + DOUBT]:
            return 0
        by: cython.Py_ssize_t
        if not self.receipt.valid(at, peer, side, row):  # a challenge ACK comes at once
            by = self._speaks_after(side, arrives - MILLISECOND, row)
            return self.w.refute(at, RCV_RST, row, by, OUT_OF_WINDOW)
        by = self._speaks_after(side, arrives + 2 * MILLISECOND + e[at + JITTER], row)
        if by >= 0:
            return self.w.refute(at, RCV_RST, row, by, CONTINUED)
        if self.receipt.dark(side, row):
            return self.w.refute(at, RCV_RST, row, -1, DARK_PATH)
        if e[at + ESTABLISHED + WHEN] != NEVER and e[at + ESTABLISHED + WHEN] > arrives:
            e[at + ESTABLISHED + WHEN] = NEVER
        self._end(at, arrives, PRESUMED, RCV_RST, row)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _end(
        self,
        at: cython.Py_ssize_t,
        when: cython.longlong,
        basis: cython.longlong,
        event: cython.longlong,
        row: cython.Py_ssize_t,
    ) -> cython.int:
        """Note an end; the earliest stays."""
        r, e = self.r, self.e
        m: cython.Py_ssize_t = at + ENDED
        k: cython.Py_ssize_t = row * WIDTH
        if e[m + WHEN] != NEVER and e[m + WHEN] <= when:
            return 0
        if r[k + SENDER] == (at // SIDE_WIDTH) % 2 and r[k + KIND] == SEGMENT:
            self.w.sends(m, at, row)
        else:
            self.w.takes(m, at, row, -1)
        e[m + WHEN] = when
        e[m + EARLIEST] = min(when, e[m + EARLIEST])
        reason: cython.longlong = OWN_SEGMENT if basis == OBSERVED else NO_SOCKET
        self.w.say(m, basis, event, NOTHING_MORE if basis == PRESUMED else reason)
        return 0
