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
from tcptrace.tracker.stray_resets import StrayResets
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
ESTABLISHED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("established"))
ENDED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("ended"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
ISS = cython.declare(cython.Py_ssize_t, Sides.index("iss"))
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
JITTER = cython.declare(cython.Py_ssize_t, Sides.index("jitter"))
TIMESTAMPS = cython.declare(cython.Py_ssize_t, Sides.index("timestamps"))
STATELESS = cython.declare(cython.Py_ssize_t, Sides.index("stateless"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())
SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
OBSERVED = cython.declare(cython.longlong, Basis.OBSERVED)
PRESUMED = cython.declare(cython.longlong, Basis.PRESUMED)
SND_RST = cython.declare(cython.longlong, Event.SND_RST)
RCV_RST = cython.declare(cython.longlong, Event.RCV_RST)
RCV_ICMP_ERROR = cython.declare(cython.longlong, Event.RCV_ICMP_ERROR)
ICMP_ERROR = cython.declare(cython.longlong, Kind.ICMP_ERROR)
CONTINUED = cython.declare(cython.longlong, Reason.CONTINUED)
OUT_OF_WINDOW = cython.declare(cython.longlong, Reason.OUT_OF_WINDOW)
DARK_PATH = cython.declare(cython.longlong, Reason.DARK_PATH)
FORGED = cython.declare(cython.longlong, Reason.FORGED)
UNSTAMPED = cython.declare(cython.longlong, Reason.UNSTAMPED)
FIN_OUT = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_out"))
FIN_ACKED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_acked"))
FIN_TAKEN = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_taken"))
RFC1337 = cython.declare(cython.Py_ssize_t, TimerCells.index("rfc1337"))
MILLISECOND = cython.declare(cython.longlong, 1_000_000)
NEVER = cython.declare(cython.longlong, -1)
SYN_SENT = cython.declare(cython.longlong, State.SYN_SENT)


@cython.final
@cython.cclass
class Ending:
    """One pass over the evidence of a batch of connections."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    w: Witness
    receipt: ResetReceipt
    strays: StrayResets
    rfc1337: cython.longlong

    def __init__(self, witness: Witness, profile: memoryview) -> None:
        self.w = witness
        self.r = witness.r
        self.e = witness.e
        self.receipt = ResetReceipt(witness)
        self.strays = StrayResets(witness, profile)
        self.rfc1337 = profile[RFC1337]

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
        self.receipt.look(first, last)
        return self.strays.look(first)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _judge(self, one: cython.Py_ssize_t, row: cython.Py_ssize_t) -> cython.int:
        k: cython.Py_ssize_t = row * WIDTH
        side: cython.longlong = self.r[k + SENDER]
        at: cython.Py_ssize_t = one + side * SIDE_WIDTH
        peer: cython.Py_ssize_t = one + (1 - side) * SIDE_WIDTH
        if self.r[k + KIND] == ICMP_ERROR:
            self._icmp(at, side, row)
        elif self.r[k + FLAGS] & RST and not self.r[k + COPY] and self.r[k + KIND] == SEGMENT:
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
        k: cython.Py_ssize_t = row * WIDTH
        arrives: cython.longlong = self.r[k + TIME] + max(self.e[at + TURNAROUND], 0) // 2
        if self.e[at + ISS] != self.r[k + SEQ] or self.e[at + ESTABLISHED + WHEN] != NEVER:
            return 0
        by: cython.Py_ssize_t = self._speaks_after(side, arrives + 2 * MILLISECOND, row)
        if by >= 0:
            return self.w.refute(at, RCV_ICMP_ERROR, row, by, CONTINUED)
        self.w.ends(at, arrives, PRESUMED, RCV_ICMP_ERROR, row)
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
        k: cython.Py_ssize_t = row * WIDTH
        spoke: cython.bint = self.w.next_row(self.first, side, 0, RST) >= 0
        if not spoke:
            self.e[at + STATELESS] = 1
            return 0
        by: cython.Py_ssize_t = self._speaks_after(side, self.r[k + SENT] + 2 * MILLISECOND, row)
        if by >= 0:
            if self.r[k + FLAGS] & ACK_BIT or self.strays.proved_open(at):
                self.w.refute(at, SND_RST, row, by, FORGED)
            return 0
        if not self.r[k + FLAGS] & ACK_BIT:
            self.strays.answered(at, peer, side, row)
        elif self._forged(at, row):
            self.w.refute(at, SND_RST, row, -1, UNSTAMPED)
        else:
            self.w.ends(at, self.r[k + SENT], OBSERVED, SND_RST, row)
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
    @cython.exceptval(-1, check=True)
    def _taken(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        row: cython.Py_ssize_t,
    ) -> cython.int:
        """Whether the RST's receiver took it in: valid (RFC 5961 section 3.2), and silent after."""
        k: cython.Py_ssize_t = row * WIDTH
        arrives: cython.longlong = self.r[k + ARRIVES]
        if self.r[k + DOUBT] or (self.rfc1337 and self._in_time_wait(at, arrives)):
            return 0
        by: cython.Py_ssize_t
        if not self.receipt.valid(at, peer, side, row):  # a challenge ACK comes at once
            by = self._speaks_after(side, arrives - MILLISECOND, row)
            return self.w.refute(at, RCV_RST, row, by, OUT_OF_WINDOW)
        by = self._speaks_after(side, arrives + 2 * MILLISECOND + self.e[at + JITTER], row)
        if by >= 0:
            return self.w.refute(at, RCV_RST, row, by, CONTINUED)
        if self.receipt.dark(side, row):
            return self.w.refute(at, RCV_RST, row, -1, DARK_PATH)
        if self.e[at + ESTABLISHED + WHEN] != NEVER and self.e[at + ESTABLISHED + WHEN] > arrives:
            self.e[at + ESTABLISHED + WHEN] = NEVER
        # What it sent so shortly after that the RST may have come later, it sent while it lived.
        self.w.ends(at, max(arrives, self.w.last_sent(side, 0, 0)), PRESUMED, RCV_RST, row)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _in_time_wait(self, at: cython.Py_ssize_t, moment: cython.longlong) -> cython.bint:
        """Whether its FIN left first, and both FINs are done with: RFC 1337 ignores RSTs there."""
        if NEVER in (
            self.e[at + FIN_OUT + WHEN],
            self.e[at + FIN_ACKED + WHEN],
            self.e[at + FIN_TAKEN + WHEN],
        ):
            return False
        taken: cython.longlong = self.e[at + FIN_TAKEN + WHEN]
        first: cython.bint = self.e[at + FIN_OUT + WHEN] <= taken
        return first and max(taken, self.e[at + FIN_ACKED + WHEN]) <= moment
