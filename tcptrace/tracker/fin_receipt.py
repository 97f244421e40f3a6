# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`FinReceipt`: the milestones fin_taken and fin_acked.

The acknowledgement of a FIN is the only proof that it was taken in (RFC 9293 section 3.10.7.4);
a repetition of any octet up to the FIN refutes every ACK of it that would have arrived before.
"""

from __future__ import annotations

import cython

from tcptrace.tcp import flags
from tcptrace.tcp.states import Event
from tcptrace.tracker.fins import Fins
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.refuting import Refuting
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.witness import Witness

if not cython.compiled:
    from tcptrace.tcp.sequence import diff

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Evidence.index("packet"))
HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Evidence.index("has_timestamp"))
TSVAL = cython.declare(cython.Py_ssize_t, Evidence.index("tsval"))
TSECR = cython.declare(cython.Py_ssize_t, Evidence.index("tsecr"))
ACK = cython.declare(cython.Py_ssize_t, Evidence.index("ack"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
DOUBT = cython.declare(cython.Py_ssize_t, Evidence.index("doubt"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
REPEAT = cython.declare(cython.Py_ssize_t, Evidence.index("repeat"))
PROBE = cython.declare(cython.Py_ssize_t, Evidence.index("probe"))
FIN_OUT = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_out"))
FIN_ACKED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_acked"))
FIN_TAKEN = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_taken"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
EARLIEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("earliest"))
LATEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("latest"))
BASIS = cython.declare(cython.Py_ssize_t, list(FIELDS).index("basis"))
SHOWN_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("packet"))
CONFIRMED_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("confirmed"))
CLOCK = cython.declare(cython.Py_ssize_t, Sides.index("clock"))
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
JITTER = cython.declare(cython.Py_ssize_t, Sides.index("jitter"))
SPOKE = cython.declare(cython.Py_ssize_t, Sides.index("spoke"))
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
CONFIRMED = cython.declare(cython.longlong, Basis.CONFIRMED)
PRESUMED = cython.declare(cython.longlong, Basis.PRESUMED)
INFERRED = cython.declare(cython.longlong, Basis.INFERRED)
RCV_FIN = cython.declare(cython.longlong, Event.RCV_FIN)
RCV_ACK_OF_FIN = cython.declare(cython.longlong, Event.RCV_ACK_OF_FIN)
ANSWERED = cython.declare(cython.longlong, Reason.ANSWERED)
NOT_REPEATED = cython.declare(cython.longlong, Reason.NOT_REPEATED)
UNCAPTURED = cython.declare(cython.longlong, Reason.UNCAPTURED)
SILENCE = cython.declare(cython.longlong, Reason.SILENCE)
MILLISECOND = cython.declare(cython.longlong, 1_000_000)
DARK = cython.declare(cython.longlong, 3)
FIRST_RTO = cython.declare(cython.longlong, 250_000_000)
NEVER = cython.declare(cython.longlong, -1)


@cython.final
@cython.cclass
class FinReceipt:
    """Who took in a FIN and its ACK, for one connection at a time; `look` turns to it."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    now: cython.longlong
    w: Witness
    fins: Fins
    refuting: Refuting

    def __init__(self, fins: Fins, witness: Witness) -> None:
        self.fins = fins
        self.refuting = Refuting(witness)
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
        self.refuting.look(first)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def fin_taken(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        """The peer takes the FIN in: proved by its ACK, else presumed of a copy not refuted."""
        m: cython.Py_ssize_t = peer + FIN_TAKEN
        cause: cython.Py_ssize_t
        if proof >= 0:
            cause = self._taken_copy(side, fin, proof)
            if cause >= 0:
                self.w.takes(m, peer, cause, proof)
                first: cython.Py_ssize_t = self.fins.fin_copy(side, fin, self.first)
                self.e[m + EARLIEST] = min(self.e[m + EARLIEST], self.r[first * WIDTH + TIME])
                self.w.say(m, CONFIRMED, RCV_FIN, ANSWERED)
                self.refuting.fin_copies(peer, side, fin, cause, proof)
            else:
                t: cython.longlong = self.r[proof * WIDTH + SENT]
                self.w.moment(
                    m, t, min(t, self.e[at + FIN_OUT + EARLIEST]), self.r[proof * WIDTH + TIME]
                )
                self.w.say(m, INFERRED, RCV_FIN, UNCAPTURED)
                self.e[m + SHOWN_BY] = self.e[m + CONFIRMED_BY] = self.r[proof * WIDTH + PACKET]
            return 0
        cause = self._presumed_copy(peer, side, fin)
        if cause >= 0:
            self.w.takes(m, peer, cause, -1)
            self.w.say(m, PRESUMED, RCV_FIN, NOT_REPEATED)
        self.refuting.fin_copies(peer, side, fin, cause, -1)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _taken_copy(
        self, side: cython.longlong, fin: cython.longlong, proof: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """Which of the side's segments, arriving before the proof left, completed its octets."""
        p: cython.Py_ssize_t = proof * WIDTH
        chosen: cython.Py_ssize_t = -1
        echoed: cython.Py_ssize_t = -1
        older: cython.Py_ssize_t = -1
        before: cython.Py_ssize_t = -1
        start: cython.Py_ssize_t = self.fins.fin_copy(side, fin, self.first)
        row: cython.Py_ssize_t = start
        both: cython.bint
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if (
                self.r[k + END] > self.r[k + BEGIN]
                and not self.r[k + PROBE]
                and self.r[k + DOUBT] == 0
            ):
                both = self.r[k + HAS_TIMESTAMP] != 0 and self.r[p + HAS_TIMESTAMP] != 0
                if both and self.r[k + TSVAL] == self.r[p + TSECR] and echoed < 0:
                    echoed, before = row, chosen
                if both and diff(self.r[k + TSVAL], self.r[p + TSECR]) < 0:
                    older = row
                if chosen < 0 or self.r[k + ARRIVES] <= self.r[p + SENT] + MILLISECOND:
                    chosen = row
            row = self.w.next_row(row + 1, side, 0, RST)
        if echoed >= 0 and before >= 0 and self.fins.duplicate_sack(side, fin, proof):
            return before
        if echoed >= 0:
            return echoed
        return older if older >= 0 else chosen

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _presumed_copy(
        self, peer: cython.Py_ssize_t, side: cython.longlong, fin: cython.longlong
    ) -> cython.Py_ssize_t:
        """The first copy of the FIN after which the peer did not speak as if it lacked it."""
        slack: cython.longlong = 2 * MILLISECOND + self.e[peer + JITTER]
        lacking: cython.longlong = NEVER
        lacks: cython.Py_ssize_t = -1
        row: cython.Py_ssize_t = self.w.next_row(self.first, 1 - side, ACK_BIT, 0)
        while row >= 0:
            if self.r[row * WIDTH + SENT] > lacking:
                lacking, lacks = self.r[row * WIDTH + SENT], row
            row = self.w.next_row(row + 1, 1 - side, ACK_BIT, 0)
        unanswered: cython.longlong = 0
        found: cython.Py_ssize_t = -1
        row = self.fins.fin_copy(side, fin, self.first)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            new: cython.bint = self.r[k + END] > self.r[k + BEGIN] and self.r[k + BEGIN] <= fin
            after: cython.bint = self.r[k + ARRIVES] + slack >= lacking
            if after and lacks > row and self.fins.sacks(lacks, row):
                after = False
            if new and after and not self.r[k + PROBE]:
                unanswered += 1
                if found < 0:
                    found = row
            row = self.w.next_row(row + 1, side, 0, RST)
        return found if unanswered < DARK or not self.e[peer + SPOKE] else -1

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def fin_acknowledged(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        m: cython.Py_ssize_t = at + FIN_ACKED
        repeated: cython.longlong = self._last_repeat(side, fin)
        slack: cython.longlong = 2 * MILLISECOND + self.e[at + JITTER]
        row: cython.Py_ssize_t = proof
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            held: cython.bint = self.r[k + DOUBT] == 0 and self.r[k + ARRIVES] + slack >= repeated
            if held and self.fins.missed(side, row, slack) < 0:
                break
            row = self.fins.covering(1 - side, fin, row + 1)
        if row != proof:
            self.refuting.acks_of_fin(at, 1 - side, fin, row)
        if row >= 0:
            self.w.takes(m, at, row, -1)
            self.w.say(m, PRESUMED, RCV_ACK_OF_FIN, NOT_REPEATED)
            self._confirm_ack(at, peer, side, row)
            if (
                self.e[m + BASIS] == CONFIRMED or not self.e[at + CLOCK]
            ):  # nothing tells which of them came
                self.e[m + EARLIEST] = self.r[proof * WIDTH + TIME]
        elif not self.e[peer + SPOKE] or self._quiet(at, side, fin):
            self._silent_ack(at, peer, side, fin, proof)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _confirm_ack(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        cause: cython.Py_ssize_t,
    ) -> cython.int:
        """A later segment proves it: it echoes the ACK or acknowledges octets sent only with it."""
        c: cython.Py_ssize_t = cause * WIDTH
        m: cython.Py_ssize_t = at + FIN_ACKED
        fresh: cython.longlong = self.r[c + BEGIN]
        tick: cython.longlong = 1 if self._shares_tick(cause) else 0
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, ACK_BIT, RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            later: cython.bint = self.r[k + SENT] >= self.r[c + TIME]
            echo: cython.bint = (
                self.r[k + HAS_TIMESTAMP] != 0
                and self.r[c + HAS_TIMESTAMP] != 0
                and diff(self.r[k + TSECR], self.r[c + TSVAL]) >= tick
            )
            if later and (echo or (self.r[k + ACKED] > fresh and self.r[c + REPEAT] == 0)):
                self.e[m + BASIS], self.e[m + CONFIRMED_BY] = CONFIRMED, self.r[k + PACKET]
                self.e[m + LATEST] = max(self.e[m + EARLIEST], self.r[k + TIME])
                self.e[m + WHEN] = max(
                    self.e[m + EARLIEST], min(self.e[m + WHEN], self.r[k + SENT])
                )
                return 0
            row = self.w.next_row(row + 1, side, ACK_BIT, RST)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _shares_tick(self, row: cython.Py_ssize_t) -> cython.bint:
        """Whether an earlier segment of its sender has a row's TSval: an echo may be of that."""
        k: cython.Py_ssize_t = row * WIDTH
        other: cython.Py_ssize_t = self.w.next_row(self.first, self.r[k + SENDER], 0, RST)
        while 0 <= other < row:
            o: cython.Py_ssize_t = other * WIDTH
            if self.r[o + HAS_TIMESTAMP] and self.r[o + TSVAL] == self.r[k + TSVAL]:
                return True
            other = self.w.next_row(other + 1, self.r[k + SENDER], 0, RST)
        return False

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _last_repeat(self, side: cython.longlong, fin: cython.longlong) -> cython.longlong:
        """When the side last repeated an octet up to its FIN; NEVER if it did not."""
        latest: cython.longlong = NEVER
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, 0, RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if (
                self.r[k + BEGIN] <= fin
                and self.r[k + END] > self.r[k + BEGIN]
                and not self.r[k + PROBE]
            ):
                latest = max(latest, self.r[k + SENT])
            row = self.w.next_row(row + 1, side, 0, RST)
        return latest

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _quiet(
        self, at: cython.Py_ssize_t, side: cython.longlong, fin: cython.longlong
    ) -> cython.bint:
        """Whether the side would have repeated something by now, had no ACK of its FIN arrived.

        Octets before the FIN stand for it: they are repeated first.
        """
        last: cython.longlong = NEVER
        gap: cython.longlong = FIRST_RTO + 2 * max(self.e[at + TURNAROUND], 0)
        row: cython.Py_ssize_t = self.fins.fin_copy(side, fin, self.first)
        copies: cython.longlong = 0
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if (
                self.r[k + BEGIN] <= fin
                and self.r[k + END] > self.r[k + BEGIN]
                and not self.r[k + PROBE]
            ):
                if last != NEVER:
                    gap = max(gap, 2 * (self.r[k + SENT] - last))
                last = self.r[k + SENT]
                copies += 1
            row = self.w.next_row(row + 1, side, 0, RST)
        if last == NEVER:
            return True
        return copies < DARK and self.fins.reset_after(last) > last + (gap * 11) // 5

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _silent_ack(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        """No ACK of the FIN was captured that holds, yet nothing is repeated: one came unseen."""
        m: cython.Py_ssize_t = at + FIN_ACKED
        trip: cython.longlong = max(self.e[peer + TURNAROUND], 0) + max(self.e[at + TURNAROUND], 0)
        t: cython.longlong = max(self._last_repeat(side, fin), self.e[at + FIN_OUT + WHEN])
        after: cython.Py_ssize_t = self.fins.beyond(side, fin, self.first)
        late: cython.longlong = t + trip + FIRST_RTO
        when: cython.longlong = t + trip
        if not self.e[peer + SPOKE] and after >= 0:
            late = max(t, self.r[after * WIDTH + SENT])
            when = t + (late - t) // 2
        self.w.moment(m, when, t, late)
        self.w.say(m, INFERRED, RCV_ACK_OF_FIN, SILENCE)
        if self.e[peer + FIN_TAKEN + WHEN] == NEVER:
            self.w.moment(peer + FIN_TAKEN, t + trip // 2, t, t + trip)
            self.w.say(peer + FIN_TAKEN, INFERRED, RCV_FIN, SILENCE)
        return 0
