# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Refuting`: the moves that segments seemed to make and later ones disprove, to be told of.

The inference has decided by then which segment made the move; this finds, of those before it,
the packet that refutes each. One that follows while a move is presumed makes none of its own:
of all that the same packet refutes only the first is handed on.
"""

from __future__ import annotations

import cython

from tcptrace.tcp import flags
from tcptrace.tcp.states import Event
from tcptrace.tracker.fins import Fins
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.witness import Witness

BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
PROBE = cython.declare(cython.Py_ssize_t, Evidence.index("probe"))
DOUBT = cython.declare(cython.Py_ssize_t, Evidence.index("doubt"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
JITTER = cython.declare(cython.Py_ssize_t, Sides.index("jitter"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())
SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
RST = cython.declare(cython.longlong, flags.RST)
RCV_SYN = cython.declare(cython.longlong, Event.RCV_SYN)
RCV_SYN_ACK = cython.declare(cython.longlong, Event.RCV_SYN_ACK)
RCV_ACK_OF_SYN = cython.declare(cython.longlong, Event.RCV_ACK_OF_SYN)
RCV_FIN = cython.declare(cython.longlong, Event.RCV_FIN)
RCV_ACK_OF_FIN = cython.declare(cython.longlong, Event.RCV_ACK_OF_FIN)
REPEATED_LATER = cython.declare(cython.longlong, Reason.REPEATED_LATER)
ANSWERED_LATER = cython.declare(cython.longlong, Reason.ANSWERED_LATER)
STILL_MISSING = cython.declare(cython.longlong, Reason.STILL_MISSING)
CONTINUED = cython.declare(cython.longlong, Reason.CONTINUED)
UNANSWERED = cython.declare(cython.longlong, Reason.UNANSWERED)
IGNORED_BEFORE = cython.declare(cython.longlong, Reason.IGNORED_BEFORE)
MILLISECOND = cython.declare(cython.longlong, 1_000_000)
NOBODY = cython.declare(cython.Py_ssize_t, -2)


@cython.final
@cython.cclass
class Refuting:
    """What was taken back in one connection at a time; `look` turns to it.

    `side` is the sender of the segments that seemed to move their receiver, whose cell in the
    sides is `at`; `until` is the row that did move it, -1 if none did.
    """

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    w: Witness
    fins: Fins

    def __init__(self, witness: Witness) -> None:
        self.fins = Fins(witness)
        self.w = witness
        self.r = witness.r
        self.e = witness.e
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
    def syns(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        until: cython.Py_ssize_t,
        answer: cython.Py_ssize_t,
    ) -> cython.int:
        """The SYNs before the one that the SYN,ACK `answer` answers."""
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, SYN, ACK_BIT | RST)
        if 0 <= row < until and answer >= 0:
            self.w.refute(at, RCV_SYN, row, answer, ANSWERED_LATER)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def syn_acks(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        until: cython.Py_ssize_t,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        """The SYN,ACKs before the one that `proof` answers (-1: none is)."""
        told: cython.Py_ssize_t = NOBODY
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, SYN | ACK_BIT, RST)
        while row >= 0 and (until < 0 or row < until):
            reason: cython.longlong = REPEATED_LATER
            by: cython.Py_ssize_t = self._sent_after(at, row, told, SYN, ACK_BIT | RST)
            if proof >= 0 and (by < 0 or by > proof):
                by, reason = proof, ANSWERED_LATER
            following: cython.Py_ssize_t = self.w.next_row(row + 1, side, SYN | ACK_BIT, RST)
            if by < 0:
                by, reason = following, UNANSWERED
            if by >= 0 and by != told:
                self.w.refute(at, RCV_SYN_ACK, row, by, reason)
                told = by
            if reason == UNANSWERED:
                return 0
            row = following
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def acks_of_syn(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        until: cython.Py_ssize_t,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        """The ACKs of a SYN that its sender, who proves another by `proof`, did not honour."""
        told: cython.Py_ssize_t = NOBODY
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, ACK_BIT, RST)
        while row >= 0 and (until < 0 or row < until):
            if self.r[row * WIDTH + ACKED] >= 1 and self.r[row * WIDTH + DOUBT] == 0:
                reason: cython.longlong = REPEATED_LATER
                by: cython.Py_ssize_t = self._sent_after(at, row, told, SYN | ACK_BIT, RST)
                if by < 0:
                    by, reason = proof, ANSWERED_LATER if proof >= 0 else IGNORED_BEFORE
                if by != told:
                    self.w.refute(at, RCV_ACK_OF_SYN, row, by, reason)
                    told = by
            row = self.w.next_row(row + 1, side, ACK_BIT, RST)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def fin_copies(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        until: cython.Py_ssize_t,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        """The copies of a FIN before the one that `proof` acknowledges (-1: none is)."""
        told: cython.Py_ssize_t = NOBODY
        row: cython.Py_ssize_t = self.fins.fin_copy(side, fin, self.first)
        while row >= 0 and (until < 0 or row < until):
            begin: cython.longlong = self.r[row * WIDTH + BEGIN]
            filled: cython.bint = until >= 0 and self.r[until * WIDTH + BEGIN] < begin
            reason: cython.longlong = ANSWERED_LATER
            by: cython.Py_ssize_t = self._lacks(at, row, told, fin)
            following: cython.Py_ssize_t = self.fins.fin_copy(side, fin, row + 1)
            if filled or (by >= 0 and self.r[by * WIDTH + ACKED] < begin):
                by, reason = by if by >= 0 else proof, STILL_MISSING
            elif by >= 0:
                reason = CONTINUED
            elif proof >= 0:
                by = proof
            else:
                by, reason = following, UNANSWERED
            if by >= 0 and by != told and not self.r[row * WIDTH + PROBE]:
                self.w.refute(at, RCV_FIN, row, by, reason)
                told = by
            if reason == UNANSWERED:
                return 0
            row = following
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def acks_of_fin(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        until: cython.Py_ssize_t,
    ) -> cython.int:
        """The ACKs of a FIN that its sender lacked: it repeats what they acknowledge."""
        slack: cython.longlong = 2 * MILLISECOND + self.e[at + JITTER]
        told: cython.Py_ssize_t = NOBODY
        row: cython.Py_ssize_t = self.fins.covering(side, fin, self.first)
        while row >= 0 and (until < 0 or row < until):
            if self.r[row * WIDTH + DOUBT] == 0:
                reason: cython.longlong = REPEATED_LATER
                by: cython.Py_ssize_t = self._repeats(at, row, told, fin)
                if by < 0:
                    by, reason = self.fins.missed(1 - side, row, slack), CONTINUED
                if by >= 0 and by != told:
                    self.w.refute(at, RCV_ACK_OF_FIN, row, by, reason)
                    told = by
            row = self.fins.covering(side, fin, row + 1)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _sent_after(
        self,
        at: cython.Py_ssize_t,
        row: cython.Py_ssize_t,
        told: cython.Py_ssize_t,
        set_bits: cython.longlong,
        clear_bits: cython.longlong,
    ) -> cython.Py_ssize_t:
        """The next such segment of a row's receiver that left once the row had come; -1: none.

        What refutes a row refutes none before it, so that the search goes on at `told`.
        """
        moment: cython.longlong = self._known(at, row)
        side: cython.longlong = self._side(at)
        by: cython.Py_ssize_t = self.w.next_row(max(row + 1, told), side, set_bits, clear_bits)
        while by >= 0 and self.r[by * WIDTH + SENT] <= moment:
            by = self.w.next_row(by + 1, side, set_bits, clear_bits)
        return by

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _lacks(
        self,
        at: cython.Py_ssize_t,
        row: cython.Py_ssize_t,
        told: cython.Py_ssize_t,
        fin: cython.longlong,
    ) -> cython.Py_ssize_t:
        """The next segment that left once the row had come, and does not acknowledge its FIN.

        One that holds it in a SACK block left after it had come, however soon.
        """
        moment: cython.longlong = self._known(at, row)
        side: cython.longlong = self._side(at)
        by: cython.Py_ssize_t = self.w.next_row(max(row + 1, told), side, ACK_BIT, 0)
        while by >= 0 and self.r[by * WIDTH + ACKED] <= fin:
            if self.r[by * WIDTH + SENT] > moment or self.fins.sacks(by, row):
                return by
            by = self.w.next_row(by + 1, side, ACK_BIT, 0)
        return -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _repeats(
        self,
        at: cython.Py_ssize_t,
        row: cython.Py_ssize_t,
        told: cython.Py_ssize_t,
        fin: cython.longlong,
    ) -> cython.Py_ssize_t:
        """The next segment that left once the row had come, and repeats octets up to the FIN."""
        by: cython.Py_ssize_t = self._sent_after(at, row, told, 0, RST)
        while by >= 0:
            k: cython.Py_ssize_t = by * WIDTH
            if (
                self.r[k + BEGIN] <= fin
                and self.r[k + END] > self.r[k + BEGIN]
                and not self.r[k + PROBE]
            ):
                return by
            by = self._sent_after(at, row, by + 1, 0, RST)
        return -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _known(self, at: cython.Py_ssize_t, row: cython.Py_ssize_t) -> cython.longlong:
        """From when on what a row's receiver sends tells whether it had taken the row in."""
        return self.r[row * WIDTH + ARRIVES] + 2 * MILLISECOND + self.e[at + JITTER]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _side(self, at: cython.Py_ssize_t) -> cython.longlong:
        return (at // SIDE_WIDTH) % 2
