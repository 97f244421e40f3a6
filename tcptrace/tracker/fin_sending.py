# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`FinSending`: the milestone fin_out.

A captured FIN shows its sender's move, but the first copy may have been lost on the way to the
tap: segments numbered behind the FIN tell of it, and what `lost_fins` finds.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tcp.states import Event
from tcptrace.tracker.fins import Fins
from tcptrace.tracker.first_copies import FirstCopies
from tcptrace.tracker.lost_fins import LostFins
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.witness import Witness

if not cython.compiled:
    from tcptrace.tcp.sequence import diff, diff_16

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
IP_ID = cython.declare(cython.Py_ssize_t, Evidence.index("ip_id"))
HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Evidence.index("has_timestamp"))
TSVAL = cython.declare(cython.Py_ssize_t, Evidence.index("tsval"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
ACK = cython.declare(cython.Py_ssize_t, Evidence.index("ack"))
WINDOW = cython.declare(cython.Py_ssize_t, Evidence.index("window"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
REPEAT = cython.declare(cython.Py_ssize_t, Evidence.index("repeat"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
FIN_OUT = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_out"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
EARLIEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("earliest"))
JITTER = cython.declare(cython.Py_ssize_t, Sides.index("jitter"))
CLOCK = cython.declare(cython.Py_ssize_t, Sides.index("clock"))
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
FIN_OCTET = cython.declare(cython.Py_ssize_t, Sides.index("fin"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
OBSERVED = cython.declare(cython.longlong, Basis.OBSERVED)
INFERRED = cython.declare(cython.longlong, Basis.INFERRED)
SND_FIN = cython.declare(cython.longlong, Event.SND_FIN)
UNCAPTURED = cython.declare(cython.longlong, Reason.UNCAPTURED)
OWN_SEGMENT = cython.declare(cython.longlong, Reason.OWN_SEGMENT)
FAR = cython.declare(cython.longlong, 2_000_000)
MILLISECOND = cython.declare(cython.longlong, 1_000_000)
UNMEASURED = cython.declare(cython.longlong, 50_000_000)
HALF_DELAYED_ACK = cython.declare(cython.longlong, 20_000_000)  # of Linux's TCP_DELACK_MIN
SEND_BUFFER = cython.declare(cython.longlong, 16_384)  # tcp_wmem[1]
NEVER = cython.declare(cython.longlong, -1)


@cython.final
@cython.cclass
class FinSending:
    """When a side's first FIN left, for one connection at a time; `look` turns to it."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    now: cython.longlong
    w: Witness
    fins: Fins
    firsts: FirstCopies
    lost: LostFins

    def __init__(self, fins: Fins, witness: Witness) -> None:
        self.fins = fins
        self.firsts = FirstCopies(witness)
        self.lost = LostFins(fins, witness)
        self.w = witness
        self.r = witness.r
        self.e = witness.e

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def look(
        self, first: cython.Py_ssize_t, last: cython.Py_ssize_t, now: cython.longlong
    ) -> cython.int:
        """Turn to the rows of one connection, which the tap watched until `now`."""
        self.first, self.last, self.now = first, last, now
        self.firsts.look(first)
        self.lost.look(first, last, now)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def fin_leaves(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        copy: cython.Py_ssize_t = self.fins.fin_copy(side, fin, self.first)
        beyond: cython.Py_ssize_t = self.fins.beyond(side, fin, self.first)
        overtaken: cython.bint = beyond < 0 or copy < beyond or self._overtaken(copy, beyond)
        if copy >= 0 and (proof < 0 or copy < proof) and overtaken:
            self.w.sends(at + FIN_OUT, at, copy)
            self.w.say(at + FIN_OUT, OBSERVED, SND_FIN, OWN_SEGMENT)
            since: cython.longlong = self._idle_since(at, side, copy)
            self.e[at + FIN_OUT + EARLIEST] = min(self.e[at + FIN_OUT + EARLIEST], since)
            self.e[at + FIN_OUT + WHEN] = self._queued_by(side, copy, since)
            self._overtaken_copies(at, side, fin, copy)
            self.lost.lost_copies(at, side, copy)
            return self._lost_before(at, side, fin, copy)
        return self._left_unseen(at, side, fin, proof, beyond)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _lost_before(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        copy: cython.Py_ssize_t,
    ) -> cython.int:
        """A FIN may have left as long ago as what was lost before its first captured copy."""
        if 0 <= self.e[at + TURNAROUND] <= FAR:
            return 0
        since: cython.longlong = self.firsts.fin_since(side, fin, copy)
        if since != NEVER and self.firsts.lost_before(side, fin, copy):
            since -= self.w.margin(at)
            self.e[at + FIN_OUT + EARLIEST] = min(self.e[at + FIN_OUT + EARLIEST], since)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _overtaken_copies(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        copy: cython.Py_ssize_t,
    ) -> cython.int:
        """A copy that the path held up dates the FIN, if by its sender's clock it left first."""
        margin: cython.longlong = self.e[at + JITTER] + MILLISECOND
        row: cython.Py_ssize_t = self.fins.fin_copy(side, fin, copy + 1)
        while row >= 0:
            sent: cython.longlong = self.r[row * WIDTH + SENT]
            if sent + margin < self.e[at + FIN_OUT + WHEN]:
                self.e[at + FIN_OUT + WHEN] = sent
                self.e[at + FIN_OUT + EARLIEST] = min(
                    self.e[at + FIN_OUT + EARLIEST], sent - margin
                )
            row = self.fins.fin_copy(side, fin, row + 1)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _left_unseen(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        proof: cython.Py_ssize_t,
        beyond: cython.Py_ssize_t,
    ) -> cython.int:
        """A FIN was lost before the tap: others' segments and its own later ones tell when."""
        t: cython.longlong = self.now
        if beyond >= 0:
            t = self._before_peer_fin(at, side, beyond)
        if proof >= 0:
            trip: cython.longlong = self.r[proof * WIDTH + ARRIVES] - self.r[proof * WIDTH + SENT]
            t = min(t, self.r[proof * WIDTH + SENT] - trip)
        low: cython.longlong = self.fins.last_before(side, fin, t)
        if low == NEVER and proof >= 0:
            low = self._before_lacking(side, fin, proof)
        when: cython.longlong = t
        if low != NEVER and beyond >= 0 and t == self.r[beyond * WIDTH + SENT]:
            when = self.lost.between(at, side, fin, beyond, low)
        early: cython.longlong = low
        if low != NEVER and (beyond >= 0 or proof >= 0):
            since: cython.longlong = self.firsts.fin_since(
                side, fin, beyond if beyond >= 0 else proof
            )
            early = (min(low, since) if since != NEVER else low) - self.w.margin(at)
        late: cython.longlong = t + self.e[at + JITTER] + self.w.margin(at)
        if beyond >= 0:
            late = max(late, self.r[beyond * WIDTH + (SENT if self.e[at + CLOCK] else TIME)])
        if beyond >= 0:
            late = min(late, self.r[beyond * WIDTH + TIME])
        if proof >= 0:
            late = min(late, self.r[proof * WIDTH + TIME])
        self.w.moment(at + FIN_OUT, max(when, low), early, max(late, t, low))
        self.w.say(at + FIN_OUT, INFERRED, SND_FIN, UNCAPTURED)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _before_lacking(
        self, side: cython.longlong, fin: cython.longlong, proof: cython.Py_ssize_t
    ) -> cython.longlong:
        """Since when a FIN of an unseen side may have left: the peer lacked it until then."""
        lacked: cython.longlong = NEVER
        row: cython.Py_ssize_t = self.w.next_row(self.first, 1 - side, ACK_BIT, RST)
        while 0 <= row < proof:
            if self.r[row * WIDTH + ACKED] <= fin:
                lacked = max(lacked, self.r[row * WIDTH + SENT] - UNMEASURED)
            row = self.w.next_row(row + 1, 1 - side, ACK_BIT, RST)
        return lacked

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _overtaken(self, copy: cython.Py_ssize_t, beyond: cython.Py_ssize_t) -> cython.bint:
        """Whether a FIN that came behind a segment numbered after it had left before it."""
        k: cython.Py_ssize_t = copy * WIDTH
        b: cython.Py_ssize_t = beyond * WIDTH
        ahead: cython.longlong = 0
        if self.r[k + HAS_TIMESTAMP] and self.r[b + HAS_TIMESTAMP]:
            ahead = diff(self.r[b + TSVAL], self.r[k + TSVAL])
        if ahead == 0 and self.r[k + IP_ID] > 0 and self.r[b + IP_ID] > 0:
            ahead = diff_16(self.r[b + IP_ID], self.r[k + IP_ID])
        return ahead > 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _before_peer_fin(
        self, at: cython.Py_ssize_t, side: cython.longlong, beyond: cython.Py_ssize_t
    ) -> cython.longlong:
        """When an uncaptured FIN had left at the latest, by the segment numbered behind it.

        If that also acknowledges the peer's FIN for the first time, and by no D-SACK, the FINs
        crossed: had this one answered the peer's, the peer would have sent its own once more.
        """
        t: cython.longlong = self.r[beyond * WIDTH + SENT]
        theirs: cython.longlong = self.e[at + (1 - 2 * side) * SIDE_WIDTH + FIN_OCTET]
        if theirs < 0 or self.fins.covering(side, theirs, self.first) != beyond:
            return t
        copy: cython.Py_ssize_t = self.fins.fin_copy(1 - side, theirs, self.first)
        if copy >= 0 and self.fins.duplicate_sack(1 - side, theirs, beyond):
            return self._with_lost_ack(side, copy, beyond, t - 1)
        if copy < 0:
            return t
        before: cython.longlong = self.fins.last_before(
            side, self.e[at + FIN_OCTET], self.r[copy * WIDTH + ARRIVES]
        )
        if before == NEVER:
            return self.r[copy * WIDTH + ARRIVES] - MILLISECOND
        return before + max(0, self.r[copy * WIDTH + ARRIVES] - before) // 2

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _with_lost_ack(
        self,
        side: cython.longlong,
        copy: cython.Py_ssize_t,
        beyond: cython.Py_ssize_t,
        moment: cython.longlong,
    ) -> cython.longlong:
        """When a FIN left whose peer's FIN, `copy`, came before it and whose ACK was lost, too.

        A gap of one in the identification: one packet was both. A longer one: it lies between.
        Without identification one packet is likelier than two, within a delayed ACK's time.
        """
        previous: cython.Py_ssize_t = self.lost.previous_numbered(side, beyond)
        if previous < 0 or self.r[beyond * WIDTH + IP_ID] <= 0:
            return min(moment, self.r[copy * WIDTH + ARRIVES] + HALF_DELAYED_ACK)
        gap: cython.longlong = self.r[beyond * WIDTH + IP_ID] - self.r[previous * WIDTH + IP_ID] - 1
        came: cython.longlong = self.r[copy * WIDTH + ARRIVES]
        return came + MILLISECOND if gap == 1 else came + max(0, moment - came) // 2

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _idle_since(
        self, at: cython.Py_ssize_t, side: cython.longlong, copy: cython.Py_ssize_t
    ) -> cython.longlong:
        """Since when it was held up before the FIN left: close() may be as old.

        It is while octets are outstanding, while the peer's window is closed, and while each
        ACK lets the next octets go at once.
        """
        margin: cython.longlong = self.e[at + JITTER] + MILLISECOND
        since: cython.longlong = self.r[copy * WIDTH + SENT]
        row: cython.Py_ssize_t = copy
        while row >= self.first:
            k: cython.Py_ssize_t = row * WIDTH
            own: cython.bint = self.r[k + SENDER] == side and self.r[k + KIND] == SEGMENT
            if (
                own
                and self.r[k + END] > self.r[k + BEGIN]
                and not self.r[k + REPEAT]
                and not self.r[k + COPY]
            ):
                since = self.r[k + SENT]
                if self._idle(side, row, 2 * margin):
                    break
            row -= 1
        return since - margin

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _queued_by(
        self, side: cython.longlong, copy: cython.Py_ssize_t, since: cython.longlong
    ) -> cython.longlong:
        """When a FIN was queued: before its data began to leave that a closed window had held up.

        Provided that all that left since then, without a pause, fits into the least send buffer.
        """
        k: cython.Py_ssize_t = copy * WIDTH
        when: cython.longlong = self.r[k + SENT]
        if self.r[k + END] - self.r[k + BEGIN] < 2:
            return when
        row: cython.Py_ssize_t = copy - 1
        began: cython.longlong = when
        while row >= self.first and self.r[row * WIDTH + SENT] >= since:
            o: cython.Py_ssize_t = row * WIDTH
            if self.r[o + KIND] == SEGMENT and self.r[o + FLAGS] & (ACK_BIT | RST) == ACK_BIT:
                if self.r[o + SENDER] != side and (
                    self.r[o + WINDOW] == 0 or self.r[o + FLAGS] & FIN
                ):
                    return when if self.r[o + FLAGS] & FIN else began
                if (
                    self.r[o + SENDER] == side
                    and self.r[o + END] > self.r[o + BEGIN]
                    and not self.r[o + REPEAT]
                ):
                    began = self.r[o + SENT]
                    if self.r[k + END] - self.r[o + BEGIN] > SEND_BUFFER:
                        return when
            row -= 1
        return when

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _idle(
        self,
        side: cython.longlong,
        own: cython.Py_ssize_t,
        at_once: cython.longlong,
    ) -> cython.bint:
        """Whether a side was free to send before one of its rows, and for some time."""
        o: cython.Py_ssize_t = own * WIDTH
        row: cython.Py_ssize_t = own - 1
        while row >= self.first:
            k: cython.Py_ssize_t = row * WIDTH
            acks: cython.bint = self.r[k + FLAGS] & (ACK_BIT | RST) == ACK_BIT
            theirs: cython.bint = self.r[k + SENDER] != side and self.r[k + KIND] == SEGMENT
            if theirs and acks and self.r[k + ARRIVES] + at_once <= self.r[o + SENT]:
                return self.r[k + ACKED] >= self.r[o + BEGIN] and self.r[k + WINDOW] > 0
            row -= 1
        return self.r[o + BEGIN] <= 1
