# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`SynReceived`: which ACK ended SYN_RCVD, the milestone established of a passive endpoint.

A repeated SYN,ACK refutes every ACK that would have reached its sender before (Linux
tcp_check_req keeps a request socket until then).
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Segments
from tcptrace.tcp import flags
from tcptrace.tcp.states import Event, State
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.refuting import Refuting
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.witness import Witness

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Evidence.index("packet"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Evidence.index("payload"))
HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Evidence.index("has_timestamp"))
TSVAL = cython.declare(cython.Py_ssize_t, Evidence.index("tsval"))
TSECR = cython.declare(cython.Py_ssize_t, Evidence.index("tsecr"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
DOUBT = cython.declare(cython.Py_ssize_t, Evidence.index("doubt"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
ESTABLISHED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("established"))
EARLIEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("earliest"))
LATEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("latest"))
SHOWN_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("packet"))
CONFIRMED_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("confirmed"))
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
JITTER = cython.declare(cython.Py_ssize_t, Sides.index("jitter"))
CLOCK = cython.declare(cython.Py_ssize_t, Sides.index("clock"))
IGNORED_ACKS = cython.declare(cython.Py_ssize_t, Sides.index("acks_ignored"))
SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
OBSERVED = cython.declare(cython.longlong, Basis.OBSERVED)
CONFIRMED = cython.declare(cython.longlong, Basis.CONFIRMED)
PRESUMED = cython.declare(cython.longlong, Basis.PRESUMED)
RCV_ACK_OF_SYN = cython.declare(cython.longlong, Event.RCV_ACK_OF_SYN)
NOT_REPEATED = cython.declare(cython.longlong, Reason.NOT_REPEATED)
UNCAPTURED = cython.declare(cython.longlong, Reason.UNCAPTURED)
MILLISECOND = cython.declare(cython.longlong, 1_000_000)
NEVER = cython.declare(cython.longlong, -1)
REPEATED_AFTER = cython.declare(cython.longlong, 1_000_000_000)
FAR = cython.declare(cython.longlong, 2_000_000)
OVERFLOW = cython.declare(cython.longlong, 3)
ACK = cython.declare(cython.Py_ssize_t, Segments.index("ack"))
SYN_RCVD = cython.declare(cython.longlong, State.SYN_RCVD)


@cython.final
@cython.cclass
class SynReceived:
    """How SYN_RCVD ended, for one connection at a time; `look` turns to it."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    w: Witness
    refuting: Refuting

    def __init__(self, refuting: Refuting, witness: Witness) -> None:
        self.refuting = refuting
        self.w = witness
        self.r = witness.r
        self.e = witness.e

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
    def passive_established(
        self, at: cython.Py_ssize_t, side: cython.longlong, answer: cython.Py_ssize_t
    ) -> cython.int:
        """SYN_RCVD ends with the first ACK that no later SYN,ACK refutes."""
        proof: cython.Py_ssize_t = self._proof_of_ack(side)
        last_answer: cython.longlong = self.w.last_sent(1 - side, SYN | ACK_BIT, 0)
        slack: cython.longlong = 2 * MILLISECOND + self.e[at + JITTER]
        ignored: cython.longlong = 0
        offered: cython.Py_ssize_t = -1
        cause: cython.Py_ssize_t = -1
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, ACK_BIT, RST)
        while row >= 0 and cause < 0:
            k: cython.Py_ssize_t = row * WIDTH
            if self.r[k + ACKED] >= 1 and self.r[k + DOUBT] == 0:
                offered = row if offered < 0 else offered
                if last_answer != NEVER and self.r[k + ARRIVES] + slack < last_answer:
                    ignored += 1
                else:
                    cause = row
            row = self.w.next_row(row + 1, side, ACK_BIT, RST)
        self.e[at + IGNORED_ACKS] = ignored
        first: cython.Py_ssize_t = cause
        if proof >= 0:
            cause = self._echoed_cause(side, proof, cause, ignored)
        elif ignored >= 2:
            cause = -1
        if ignored or cause != first:
            self.refuting.acks_of_syn(at, side, cause, proof)
        if proof < 0 and ignored >= 2:
            return 0
        self._establish(at, cause, proof, answer)
        if proof < 0 <= cause:
            self._by_a_later_ack(at, side, last_answer)
        if 0 <= first < cause:  # the queue may have had room for it already
            self.e[at + ESTABLISHED + EARLIEST] = self.r[first * WIDTH + TIME]
        if 0 <= offered < cause and (proof >= 0 or not self.e[at + CLOCK]):
            since: cython.longlong = self.r[offered * WIDTH + TIME]
            if 0 <= self.e[at + TURNAROUND] < FAR:  # beside the tap, its SYN,ACK tells: not before
                since = max(since, last_answer)
            self.e[at + ESTABLISHED + EARLIEST] = min(self.e[at + ESTABLISHED + EARLIEST], since)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _by_a_later_ack(
        self, at: cython.Py_ssize_t, side: cython.longlong, answer: cython.longlong
    ) -> cython.int:
        """With fast open nothing proves which ACK it was: any that came before a SYN,ACK's repeat.

        The first SYN,ACK would be repeated after a second (RFC 6298; Linux TCP_TIMEOUT_INIT).
        """
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, SYN, ACK_BIT | RST)
        if row < 0 or not self.r[row * WIDTH + PAYLOAD]:
            return 0
        row = self.w.next_row(self.first, side, ACK_BIT, RST)
        while row >= 0 and self.r[row * WIDTH + ARRIVES] < answer + REPEATED_AFTER:
            late: cython.longlong = self.r[row * WIDTH + ARRIVES] + max(
                self.e[at + JITTER], MILLISECOND
            )
            self.e[at + ESTABLISHED + LATEST] = max(self.e[at + ESTABLISHED + LATEST], late)
            row = self.w.next_row(row + 1, side, ACK_BIT, RST)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _establish(
        self,
        at: cython.Py_ssize_t,
        cause: cython.Py_ssize_t,
        proof: cython.Py_ssize_t,
        answer: cython.Py_ssize_t,
    ) -> cython.int:
        if cause >= 0:
            self.w.takes(at + ESTABLISHED, at, cause, proof)
            self.w.say(
                at + ESTABLISHED,
                CONFIRMED if proof >= 0 else PRESUMED,
                RCV_ACK_OF_SYN,
                NOT_REPEATED,
            )
        elif proof >= 0:
            t: cython.longlong = self.r[proof * WIDTH + TIME]
            low: cython.longlong = self.r[answer * WIDTH + TIME] if answer >= 0 else NEVER
            self.w.moment(at + ESTABLISHED, self.r[proof * WIDTH + SENT], low, t)
            self.w.say(at + ESTABLISHED, OBSERVED, RCV_ACK_OF_SYN, UNCAPTURED)
            self.e[at + ESTABLISHED + SHOWN_BY] = self.r[proof * WIDTH + PACKET]
            self.e[at + ESTABLISHED + CONFIRMED_BY] = self.r[proof * WIDTH + PACKET]
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _proof_of_ack(self, side: cython.longlong) -> cython.Py_ssize_t:
        """The passive side's first segment that only an established endpoint sends.

        With fast open it sends payload and FIN from SYN_RCVD (RFC 7413), so only the
        acknowledgement of more than its peer's SYN tells.
        """
        beyond: cython.longlong = 1
        fast: cython.bint = False
        syn: cython.Py_ssize_t = self.w.next_row(self.first, side, SYN, ACK_BIT | RST)
        if syn >= 0:
            beyond = self.r[syn * WIDTH + END]
            fast = self.r[syn * WIDTH + PAYLOAD] > 0
        row: cython.Py_ssize_t = self.w.next_row(self.first, 1 - side, ACK_BIT, SYN | RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            speaks: cython.bint = self.r[k + PAYLOAD] > 0 or (self.r[k + FLAGS] & FIN) != 0
            if self.r[k + ACKED] > beyond or (speaks and not fast):
                return row
            row = self.w.next_row(row + 1, 1 - side, ACK_BIT, SYN | RST)
        return -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _echoed_cause(
        self,
        side: cython.longlong,
        proof: cython.Py_ssize_t,
        cause: cython.Py_ssize_t,
        ignored: cython.longlong,
    ) -> cython.Py_ssize_t:
        """The cause may not be later than what the proof echoes; after an overflow it is that."""
        p: cython.Py_ssize_t = proof * WIDTH
        if not self.r[p + HAS_TIMESTAMP]:
            return cause if cause < proof else -1
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, ACK_BIT, RST)
        while row >= 0 and row < proof:
            k: cython.Py_ssize_t = row * WIDTH
            if self.r[k + TSVAL] == self.r[p + TSECR] and self.r[k + ACKED] >= 1:
                if cause < 0 or cause > row or ignored >= OVERFLOW:
                    return row
                return cause
            row = self.w.next_row(row + 1, side, ACK_BIT, RST)
        return cause if cause < proof else -1
