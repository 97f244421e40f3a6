# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Fins`: where a FIN and what acknowledges it stand in the evidence of one connection.

A FIN may be uncaptured and yet be known: by the octet it took, or by the peer's ACK of it.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.witness import Witness

if not cython.compiled:
    from tcptrace.tcp.sequence import diff

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
SACK_BLOCKS = cython.declare(cython.Py_ssize_t, Evidence.index("sack_blocks"))
SACK_LEFT = cython.declare(cython.Py_ssize_t, Evidence.index("sack_1_left"))
SACK_RIGHT = cython.declare(cython.Py_ssize_t, Evidence.index("sack_1_right"))
SEQ = cython.declare(cython.Py_ssize_t, Evidence.index("seq"))
ACK = cython.declare(cython.Py_ssize_t, Evidence.index("ack"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
SPOKE = cython.declare(cython.Py_ssize_t, Sides.index("spoke"))
FIN_OCTET = cython.declare(cython.Py_ssize_t, Sides.index("fin"))
NXT = cython.declare(cython.Py_ssize_t, Sides.index("nxt"))
UNA = cython.declare(cython.Py_ssize_t, Sides.index("una"))
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
NEVER = cython.declare(cython.longlong, -1)


@cython.final
@cython.cclass
class Fins:
    """What the evidence of one connection says of its FINs; `look` turns to it."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    now: cython.longlong
    w: Witness

    def __init__(self, witness: Witness) -> None:
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
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def hidden_fin(self, at: cython.Py_ssize_t, side: cython.longlong) -> cython.int:
        """A FIN that was not captured: its octet is used or acknowledged, one past all captured."""
        if self.e[at + FIN_OCTET] >= 0:
            return 0
        highest: cython.longlong = self.captured(side)
        if not self.e[at + SPOKE]:
            highest = max(highest, self._acked_before_last(side))
        reached: cython.longlong = max(self.e[at + NXT], self.e[at + UNA])
        if reached == highest + 1:
            self.e[at + FIN_OCTET] = highest
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def captured(self, side: cython.longlong) -> cython.longlong:
        """One past the highest octet of the side that was captured; 1 if none but its SYN was."""
        highest: cython.longlong = 1
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, 0, RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if self.r[k + END] > self.r[k + BEGIN]:
                highest = max(highest, self.r[k + END])
            row = self.w.next_row(row + 1, side, 0, RST)
        return highest

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _acked_before_last(self, side: cython.longlong) -> cython.longlong:
        """What the peer acknowledged of an unseen side before it acknowledged the last of it."""
        before: cython.longlong = 1
        last: cython.longlong = 1
        row: cython.Py_ssize_t = self.w.next_row(self.first, 1 - side, ACK_BIT, RST)
        while row >= 0:
            if self.r[row * WIDTH + ACKED] > last:
                before, last = last, self.r[row * WIDTH + ACKED]
            row = self.w.next_row(row + 1, 1 - side, ACK_BIT, RST)
        return before

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def covering(
        self, side: cython.longlong, fin: cython.longlong, row: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """The side's next segment from `row` on that acknowledges the peer's octet `fin`."""
        row = self.w.next_row(row, side, ACK_BIT, RST)
        while row >= 0 and self.r[row * WIDTH + ACKED] <= fin:
            row = self.w.next_row(row + 1, side, ACK_BIT, RST)
        return row

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def fin_copy(
        self, side: cython.longlong, fin: cython.longlong, row: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """The side's next segment from `row` on that carries its FIN."""
        row = self.w.next_row(row, side, FIN, RST)
        while row >= 0 and self.r[row * WIDTH + END] != fin + 1:
            row = self.w.next_row(row + 1, side, FIN, RST)
        return row

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def beyond(
        self, side: cython.longlong, fin: cython.longlong, row: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """The side's next segment numbered behind its own FIN: it had sent it before."""
        row = self.w.next_row(row, side, 0, RST)
        while row >= 0 and self.r[row * WIDTH + BEGIN] <= fin:
            row = self.w.next_row(row + 1, side, 0, RST)
        return row

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def last_before(
        self, side: cython.longlong, fin: cython.longlong, moment: cython.longlong
    ) -> cython.longlong:
        """When the side last sent something below its FIN, before the moment; NEVER if never."""
        found: cython.longlong = NEVER
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, 0, RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if self.r[k + END] <= fin and self.r[k + SENT] <= moment:
                found = max(found, self.r[k + SENT])
            row = self.w.next_row(row + 1, side, 0, RST)
        return found

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def missed(
        self, side: cython.longlong, row: cython.Py_ssize_t, slack: cython.longlong
    ) -> cython.Py_ssize_t:
        """The segment by which the side shows that it lacks what an ACK rode on; -1 for none."""
        k: cython.Py_ssize_t = row * WIDTH
        if self.r[k + END] == self.r[k + BEGIN]:
            return -1
        later: cython.Py_ssize_t = self.w.next_row(row + 1, side, ACK_BIT, RST)
        while later >= 0:
            o: cython.Py_ssize_t = later * WIDTH
            if self.r[o + SENT] > self.r[k + ARRIVES] + slack:
                lacks: cython.bint = self.r[o + ACKED] <= self.r[k + BEGIN] and not self.sacks(
                    later, row
                )
                return later if lacks else -1
            later = self.w.next_row(later + 1, side, ACK_BIT, RST)
        return -1

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def sacks(self, row: cython.Py_ssize_t, other: cython.Py_ssize_t) -> cython.bint:
        """Whether a segment's first two SACK blocks hold the first octet of another."""
        o: cython.Py_ssize_t = row * WIDTH
        k: cython.Py_ssize_t = other * WIDTH
        block: cython.Py_ssize_t
        for block in range(min(self.r[o + SACK_BLOCKS], 2)):
            left: cython.longlong = self.r[o + SACK_LEFT + 2 * block]
            if diff(self.r[k + SEQ], left) >= 0 and diff(self.r[k + SEQ], left) < diff(
                self.r[o + SACK_RIGHT + 2 * block], left
            ):
                return True
        return False

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def duplicate_sack(
        self, side: cython.longlong, fin: cython.longlong, proof: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether the proof carries a D-SACK of the FIN (RFC 2883) that no ACK before it did."""
        p: cython.Py_ssize_t = proof * WIDTH
        if self.r[p + SACK_BLOCKS] == 0 or diff(self.r[p + SACK_RIGHT], self.r[p + ACK]) > 0:
            return False
        if diff(self.r[p + ACK], self.r[p + SACK_RIGHT]) > self.r[p + ACKED] - (fin + 1):
            return False
        row: cython.Py_ssize_t = proof - 1
        while row >= self.first:
            k: cython.Py_ssize_t = row * WIDTH
            if (
                self.r[k + SENDER] == self.r[p + SENDER]
                and not self.r[k + COPY]
                and self.r[k + KIND] == SEGMENT
            ):
                same: cython.bint = self.r[k + SACK_RIGHT] == self.r[p + SACK_RIGHT]
                return not (self.r[k + SACK_BLOCKS] > 0 and same)
            row -= 1
        return True

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def reset_after(self, moment: cython.longlong) -> cython.longlong:
        """Until when silence tells something: a RST after the moment, or the end of watching."""
        row: cython.Py_ssize_t = self.w.next_row(self.first, -1, RST, 0)
        while row >= 0:
            if self.r[row * WIDTH + TIME] >= moment:
                return self.r[row * WIDTH + TIME]
            row = self.w.next_row(row + 1, -1, RST, 0)
        return self.now
