# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""How each endpoint came to be open: the milestones opened, crossed and established.

A SYN's sender is certain; which copy of a SYN or SYN,ACK was taken in tells the TSecr of the
answer; a repeated SYN,ACK refutes every ACK that would have reached its sender before
(Linux tcp_check_req keeps a request socket until then).
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Segments
from tcptrace.tcp import flags
from tcptrace.tcp.states import Event, State
from tcptrace.tracker.first_copies import FirstCopies
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.refuting import Refuting
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.syn_received import SynReceived
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.unseen_opening import UnseenOpening
from tcptrace.tracker.witness import Witness

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Evidence.index("packet"))
HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Evidence.index("has_timestamp"))
TSVAL = cython.declare(cython.Py_ssize_t, Evidence.index("tsval"))
TSECR = cython.declare(cython.Py_ssize_t, Evidence.index("tsecr"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
OPENED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("opened"))
CROSSED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("crossed"))
ESTABLISHED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("established"))
LATEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("latest"))
EARLIEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("earliest"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
SHOWN_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("packet"))
CONFIRMED_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("confirmed"))
ISS = cython.declare(cython.Py_ssize_t, Sides.index("iss"))
ACTIVE = cython.declare(cython.Py_ssize_t, Sides.index("active"))
SPOKE = cython.declare(cython.Py_ssize_t, Sides.index("spoke"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())
SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
RST = cython.declare(cython.longlong, flags.RST)
OBSERVED = cython.declare(cython.longlong, Basis.OBSERVED)
CONFIRMED = cython.declare(cython.longlong, Basis.CONFIRMED)
PRESUMED = cython.declare(cython.longlong, Basis.PRESUMED)
INFERRED = cython.declare(cython.longlong, Basis.INFERRED)
ASSUMED = cython.declare(cython.longlong, Basis.ASSUMED)
SND_SYN = cython.declare(cython.longlong, Event.SND_SYN)
RCV_SYN = cython.declare(cython.longlong, Event.RCV_SYN)
RCV_SYN_ACK = cython.declare(cython.longlong, Event.RCV_SYN_ACK)
RCV_ACK_OF_SYN = cython.declare(cython.longlong, Event.RCV_ACK_OF_SYN)
MID_STREAM = cython.declare(cython.longlong, Event.MID_STREAM)
ANSWERED = cython.declare(cython.longlong, Reason.ANSWERED)
NOT_REPEATED = cython.declare(cython.longlong, Reason.NOT_REPEATED)
UNCAPTURED = cython.declare(cython.longlong, Reason.UNCAPTURED)
OWN_SEGMENT = cython.declare(cython.longlong, Reason.OWN_SEGMENT)
BEFORE_CAPTURE = cython.declare(cython.longlong, Reason.BEFORE_CAPTURE)
ONE_SIDED = cython.declare(cython.longlong, Reason.ONE_SIDED)
MILLISECOND = cython.declare(cython.longlong, 1_000_000)
NEVER = cython.declare(cython.longlong, -1)
ACK = cython.declare(cython.Py_ssize_t, Segments.index("ack"))
SYN_SENT = cython.declare(cython.longlong, State.SYN_SENT)


@cython.final
@cython.cclass
class Opening:
    """One pass over the evidence of a batch of connections; the capture began at `begun`, ns."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    w: Witness
    firsts: FirstCopies
    received: SynReceived
    refuting: Refuting
    unseen: UnseenOpening

    def __init__(self, witness: Witness, begun: int) -> None:
        self.w = witness
        self.r = witness.r
        self.e = witness.e
        self.firsts = FirstCopies(witness)
        self.refuting = Refuting(witness)
        self.received = SynReceived(self.refuting, witness)
        self.unseen = UnseenOpening(witness, begun)

    def settle(self, offsets: cython.longlong[::1], count: cython.Py_ssize_t) -> None:
        """Fill the opening milestones of both sides of each connection."""
        conn: cython.Py_ssize_t
        with cython.nogil:
            for conn in range(count):
                self._look(offsets[conn], offsets[conn + 1])
                self._clear(2 * conn * SIDE_WIDTH)
                self._clear((2 * conn + 1) * SIDE_WIDTH)
                self._open(2 * conn * SIDE_WIDTH, (2 * conn + 1) * SIDE_WIDTH)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _look(self, first: cython.Py_ssize_t, last: cython.Py_ssize_t) -> cython.int:
        self.first = first
        self.firsts.look(first)
        self.received.look(first)
        self.refuting.look(first)
        return self.w.look(first, last)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _clear(self, at: cython.Py_ssize_t) -> cython.int:
        self.e[at + OPENED + WHEN] = self.e[at + CROSSED + WHEN] = self.e[
            at + ESTABLISHED + WHEN
        ] = NEVER
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _open(self, one: cython.Py_ssize_t, two: cython.Py_ssize_t) -> cython.int:
        if self.e[one + ISS] < 0 and self.e[two + ISS] < 0:
            if not self.unseen.opens(self.received, one, two, self.first):
                self._join(one, two, 0)
                self._join(two, one, 1)
        elif self.e[one + ACTIVE] and self.e[two + ACTIVE]:
            self._cross(one, two, 0)
            self._cross(two, one, 1)
        elif self.e[one + ACTIVE] or (self.e[one + ISS] < 0 and not self.e[two + ACTIVE]):
            self._handshake(one, two, 0)
        else:
            self._handshake(two, one, 1)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _join(
        self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t, side: cython.longlong
    ) -> cython.int:
        """The capture began inside the connection: the least that is known is ESTABLISHED."""
        row: cython.Py_ssize_t = self.w.next_row(self.first, -1, 0, RST)
        if row < 0 and self.w.next_row(self.first, side, 0, 0) >= 0:
            return 0
        if row < 0:
            row = self.w.next_row(self.first, -1, 0, 0)
        if row < 0:
            return 0
        t: cython.longlong = self.r[row * WIDTH + TIME]
        self.w.moment(at + OPENED, t, t, t)
        self.w.say(at + OPENED, ASSUMED, MID_STREAM, BEFORE_CAPTURE)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _handshake(
        self, active: cython.Py_ssize_t, passive: cython.Py_ssize_t, side: cython.longlong
    ) -> cython.int:
        syn: cython.Py_ssize_t = self.w.next_row(self.first, side, SYN, ACK_BIT | RST)
        answer: cython.Py_ssize_t = self.w.next_row(self.first, 1 - side, SYN | ACK_BIT, RST)
        proof: cython.Py_ssize_t = self._proof_of_syn_ack(side)
        self._active_opens(active, syn, answer)
        if answer < 0 and proof < 0 and self._speaks_of_another(1 - side):
            return self._join(passive, active, 1 - side)
        if answer >= 0 or proof >= 0 or self._speaks_inside(1 - side):
            self._passive_opens(passive, side, syn, answer, proof)
            self.received.passive_established(passive, side, answer)
        self._active_established(active, passive, side, answer, proof)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _speaks_inside(self, side: cython.longlong) -> cython.bint:
        """Whether the side sent anything but SYN and RST."""
        return self.w.next_row(self.first, side, 0, SYN | RST) >= 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _speaks_of_another(self, side: cython.longlong) -> cython.bint:
        """Whether its first segment acknowledges no octet of the SYN: a challenge ACK (RFC 5961).

        It is in a connection that the capture did not hold, RFC 9293 figure 9.
        """
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, 0, SYN | RST)
        return row >= 0 and self.r[row * WIDTH + ACKED] < 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _active_opens(
        self, at: cython.Py_ssize_t, syn: cython.Py_ssize_t, answer: cython.Py_ssize_t
    ) -> cython.int:
        if syn >= 0:
            self._syn_leaves(at, syn)
        elif answer >= 0:
            t: cython.longlong = self.r[answer * WIDTH + TIME]
            self.w.moment(at + OPENED, self.r[answer * WIDTH + SENT], NEVER, t)
            self.w.say(at + OPENED, ASSUMED, SND_SYN, BEFORE_CAPTURE)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _syn_leaves(self, at: cython.Py_ssize_t, syn: cython.Py_ssize_t) -> cython.int:
        """The first SYN captured; the first of all may have been lost before the tap."""
        self.w.sends(at + OPENED, at, syn)
        self.w.say(at + OPENED, OBSERVED, SND_SYN, OWN_SEGMENT)
        self.e[at + OPENED + EARLIEST] -= self.firsts.syn_is_older(at, syn)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _passive_opens(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        syn: cython.Py_ssize_t,
        answer: cython.Py_ssize_t,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        by: cython.Py_ssize_t = answer if answer >= 0 else proof
        cause: cython.Py_ssize_t = self._taken_syn(side, answer)
        if cause >= 0:
            self.w.takes(at + OPENED, at, cause, answer)
            if answer >= 0 and not self._echoes(answer, cause):  # it may have been an earlier copy
                self.e[at + OPENED + EARLIEST] = self.r[syn * WIDTH + TIME]
            self.w.say(at + OPENED, CONFIRMED if answer >= 0 else INFERRED, RCV_SYN, ANSWERED)
            self.refuting.syns(at, side, cause, answer)
        elif by >= 0:
            self.w.moment(at + OPENED, self.r[by * WIDTH + SENT], NEVER, self.r[by * WIDTH + TIME])
            self.w.say(at + OPENED, OBSERVED if answer >= 0 else INFERRED, RCV_SYN, UNCAPTURED)
        else:
            self.w.moment(at + OPENED, self.r[self.first * WIDTH + TIME], NEVER, NEVER)
            self.w.say(at + OPENED, ASSUMED, RCV_SYN, UNCAPTURED)
        if by >= 0:
            self.e[at + OPENED + CONFIRMED_BY] = self.r[by * WIDTH + PACKET]
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _taken_syn(self, side: cython.longlong, answer: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The copy of the SYN that was taken in: the one that the first SYN,ACK echoes."""
        best: cython.Py_ssize_t = -1
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, SYN, ACK_BIT | RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if answer >= 0:
                if self._echoes(answer, row):
                    return row
                if self.r[k + ARRIVES] > self.r[answer * WIDTH + SENT] + MILLISECOND and best >= 0:
                    break
            if answer >= 0 or best < 0:
                best = row
            row = self.w.next_row(row + 1, side, SYN, ACK_BIT | RST)
        return best

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _echoes(self, row: cython.Py_ssize_t, other: cython.Py_ssize_t) -> cython.bint:
        """Whether a row's TSecr is another's TSval; of several SYNs, that of the one taken in."""
        k: cython.Py_ssize_t = row * WIDTH
        o: cython.Py_ssize_t = other * WIDTH
        both: cython.bint = self.r[k + HAS_TIMESTAMP] != 0 and self.r[o + HAS_TIMESTAMP] != 0
        return both and self.r[k + TSECR] == self.r[o + TSVAL]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _proof_of_syn_ack(self, side: cython.longlong) -> cython.Py_ssize_t:
        """The first segment by which the active side shows that it has the SYN,ACK."""
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, ACK_BIT, RST)
        while row >= 0 and self.r[row * WIDTH + ACKED] < 1:
            row = self.w.next_row(row + 1, side, ACK_BIT, RST)
        return row

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _active_established(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        answer: cython.Py_ssize_t,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        cause: cython.Py_ssize_t = self._taken_syn_ack(side, answer, proof)
        if proof >= 0 and cause >= 0:
            self.w.takes(at + ESTABLISHED, at, cause, proof)
            self.e[at + ESTABLISHED + EARLIEST] = self.r[answer * WIDTH + TIME]
            self.w.say(at + ESTABLISHED, CONFIRMED, RCV_SYN_ACK, ANSWERED)
            self.refuting.syn_acks(at, 1 - side, cause, proof)
        elif proof >= 0:
            t: cython.longlong = self.r[proof * WIDTH + TIME]
            self.w.moment(
                at + ESTABLISHED, self.r[proof * WIDTH + SENT], self.e[at + OPENED + WHEN], t
            )
            self.w.say(at + ESTABLISHED, OBSERVED, RCV_SYN_ACK, UNCAPTURED)
            self.e[at + ESTABLISHED + CONFIRMED_BY] = self.r[proof * WIDTH + PACKET]
            self.e[at + ESTABLISHED + SHOWN_BY] = self.r[proof * WIDTH + PACKET]
        elif cause >= 0 and not self._ignored_syn_acks(side):
            self.w.takes(at + ESTABLISHED, at, cause, -1)
            self.w.say(at + ESTABLISHED, PRESUMED, RCV_SYN_ACK, NOT_REPEATED)
            self.refuting.syn_acks(at, 1 - side, cause, -1)
        elif not self.e[at + SPOKE] and self.e[peer + ESTABLISHED + WHEN] != NEVER:
            t = self.e[peer + ESTABLISHED + WHEN]
            self.w.moment(at + ESTABLISHED, t, self.e[at + OPENED + WHEN], t)
            self.w.say(at + ESTABLISHED, INFERRED, RCV_SYN_ACK, ONE_SIDED)
        elif answer >= 0:
            self.refuting.syn_acks(at, 1 - side, -1, -1)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _ignored_syn_acks(self, side: cython.longlong) -> cython.bint:
        """Whether SYN,ACKs were repeated and none drew an answer: they did not get there."""
        row: cython.Py_ssize_t = self.w.next_row(self.first, 1 - side, SYN | ACK_BIT, RST)
        if row < 0:
            return False
        return self.w.next_row(row + 1, 1 - side, SYN | ACK_BIT, RST) >= 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _taken_syn_ack(
        self, side: cython.longlong, answer: cython.Py_ssize_t, proof: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """The copy of the SYN,ACK that was taken in; without proof the first not refuted."""
        best: cython.Py_ssize_t = -1
        last_syn: cython.longlong = self.w.last_sent(side, SYN, ACK_BIT)
        row: cython.Py_ssize_t = answer
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if proof >= 0:
                p: cython.Py_ssize_t = proof * WIDTH
                if self._echoes(proof, row):
                    return row
                if row > proof and best >= 0:
                    break
                if best < 0 or self.r[k + ARRIVES] <= self.r[p + SENT] + MILLISECOND:
                    best = row
            elif best < 0 and self.r[k + ARRIVES] + MILLISECOND >= last_syn:
                best = row
            row = self.w.next_row(row + 1, 1 - side, SYN | ACK_BIT, RST)
        return best

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _cross(
        self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t, side: cython.longlong
    ) -> cython.int:
        """Simultaneous open, RFC 9293 figure 7: both were in SYN_SENT."""
        syn: cython.Py_ssize_t = self.w.next_row(self.first, side, SYN, ACK_BIT | RST)
        theirs: cython.Py_ssize_t = self.w.next_row(self.first, 1 - side, SYN, ACK_BIT | RST)
        answer: cython.Py_ssize_t = self.w.next_row(self.first, side, SYN | ACK_BIT, RST)
        self._syn_leaves(at, syn)
        self.w.takes(at + CROSSED, at, theirs, answer)
        if answer >= 0:
            self.w.say(at + CROSSED, CONFIRMED, RCV_SYN, ANSWERED)
        else:
            self.w.say(at + CROSSED, PRESUMED, RCV_SYN, 0)
            self._by_a_later_syn(at + CROSSED, 1 - side)
        row: cython.Py_ssize_t = self.w.next_row(self.first, 1 - side, ACK_BIT, RST)
        while row >= 0 and self.r[row * WIDTH + ACKED] < 1:
            row = self.w.next_row(row + 1, 1 - side, ACK_BIT, RST)
        if row >= 0:
            proof: cython.Py_ssize_t = self.w.next_row(self.first, side, ACK_BIT, SYN | RST)
            self.w.takes(at + ESTABLISHED, at, row, proof)
            self.w.say(at + ESTABLISHED, CONFIRMED if proof >= 0 else PRESUMED, RCV_ACK_OF_SYN, 0)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _by_a_later_syn(self, m: cython.Py_ssize_t, side: cython.longlong) -> cython.int:
        """Nothing tells which copy of a side's SYN was taken in: up to the last, then."""
        wait: cython.longlong = self.e[m + LATEST] - self.e[m + WHEN]
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, SYN, RST)
        while row >= 0:
            self.e[m + LATEST] = max(self.e[m + LATEST], self.r[row * WIDTH + ARRIVES] + wait)
            row = self.w.next_row(row + 1, side, SYN, RST)
        return 0
