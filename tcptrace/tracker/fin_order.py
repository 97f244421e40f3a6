# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`FinOrder`: in which order an endpoint that had sent its FIN took in the peer's and its ACK.

The order of the two decides between FIN_WAIT_2 and CLOSING. The path may have changed it behind
the tap, and a close() may be older than the FIN: what cannot be told for certain is presumed.
"""

from __future__ import annotations

import cython

from tcptrace.tcp import flags
from tcptrace.tracker.fins import Fins
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.witness import Witness

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Evidence.index("packet"))
IP_ID = cython.declare(cython.Py_ssize_t, Evidence.index("ip_id"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
PROBE = cython.declare(cython.Py_ssize_t, Evidence.index("probe"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
FIN_OUT = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_out"))
FIN_ACKED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_acked"))
FIN_TAKEN = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_taken"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
BASIS = cython.declare(cython.Py_ssize_t, list(FIELDS).index("basis"))
CONFIRMED_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("confirmed"))
ROW = cython.declare(cython.Py_ssize_t, list(FIELDS).index("row"))
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
JITTER = cython.declare(cython.Py_ssize_t, Sides.index("jitter"))
FIN_OCTET = cython.declare(cython.Py_ssize_t, Sides.index("fin"))
MINISOCKET = cython.declare(cython.Py_ssize_t, Sides.index("minisocket"))
FIN = cython.declare(cython.longlong, flags.FIN)
SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
RST = cython.declare(cython.longlong, flags.RST)
CONFIRMED = cython.declare(cython.longlong, Basis.CONFIRMED)
PRESUMED = cython.declare(cython.longlong, Basis.PRESUMED)
MILLISECOND = cython.declare(cython.longlong, 1_000_000)
AT_ONCE = cython.declare(cython.longlong, 200_000_000)
AT_ONCE_SLACK = cython.declare(cython.longlong, 10_000_000)
FAR = cython.declare(cython.longlong, 2_000_000)
NEARBY = cython.declare(cython.Py_ssize_t, 64)
FIRST_RTO = cython.declare(cython.longlong, 250_000_000)
NEVER = cython.declare(cython.longlong, -1)


@cython.final
@cython.cclass
class FinOrder:
    """What orders the two, for one connection at a time; `look` turns to it."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    w: Witness
    fins: Fins

    def __init__(self, fins: Fins, witness: Witness) -> None:
        self.fins = fins
        self.w = witness
        self.r = witness.r
        self.e = witness.e
        self.first = self.last = 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def look(
        self, first: cython.Py_ssize_t, last: cython.Py_ssize_t, now: cython.longlong
    ) -> cython.int:
        """Turn to the rows of one connection."""
        self.first, self.last = first, last
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def settle(
        self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t, side: cython.longlong
    ) -> cython.int:
        """Mark a minisocket, and call presumed what the evidence leaves open."""
        self.e[at + MINISOCKET] = 0
        taken: cython.longlong = self.e[at + FIN_TAKEN + ROW]
        fin: cython.longlong = self.e[peer + FIN_OCTET]
        if self.e[at + FIN_TAKEN + WHEN] == NEVER or taken < 0:
            return 0
        if self.e[at + FIN_OUT + WHEN] != NEVER and self.e[at + FIN_ACKED + WHEN] != NEVER:
            self.e[at + MINISOCKET] = self._minisocket(side, fin, taken)
            if not self.e[at + MINISOCKET] and not self._proves_closing(at, side, fin):
                self._doubt(at, peer, taken)
            if not self.e[at + MINISOCKET] and self.e[at + FIN_ACKED + ROW] <= taken:
                self._doubt_ack_first(at, side, fin)
        left: cython.bint = self.e[at + FIN_OUT + WHEN] == NEVER or self._tells(at, side, fin)
        if not left or self._unseen(side, fin, taken) or self._in_recovery(at, side, taken):
            self._presume(at + FIN_TAKEN)
            self._presume(at + FIN_OUT)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _tells(
        self, at: cython.Py_ssize_t, side: cython.longlong, fin: cython.longlong
    ) -> cython.bint:
        """Whether it is sure that the endpoint's FIN left before, or after, the peer's had come.

        Before: it sent it, or was numbered behind it, and did not acknowledge the peer's. After: it
        acknowledged the peer's while its own was to come. Else the first that was captured may
        repeat one that was lost on the way to the tap.
        """
        own: cython.longlong = self.e[at + FIN_OCTET]
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, ACK_BIT, RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if self.r[k + ACKED] <= fin and self.r[k + END] > own:
                return True
            if self.r[k + ACKED] > fin and self._precedes(row, own):
                return True
            row = self.w.next_row(row + 1, side, ACK_BIT, RST)
        return self._is_first(at, side, own)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _precedes(self, row: cython.Py_ssize_t, fin: cython.longlong) -> cython.bint:
        """Whether a segment without octets, which carries SND.NXT, left before its side's FIN."""
        k: cython.Py_ssize_t = row * WIDTH
        return (
            self.r[k + END] == self.r[k + BEGIN]
            and self.r[k + BEGIN] <= fin
            and not self.r[k + PROBE]
        )

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _is_first(
        self, at: cython.Py_ssize_t, side: cython.longlong, fin: cython.longlong
    ) -> cython.bint:
        """Whether the first FIN that was captured is the first that its side sent.

        So it is beside the tap; where the IPv4 identification tells that none was lost since a
        segment that was before it; and, without that, where it left as soon as the peer's came.
        """
        copy: cython.Py_ssize_t = self.fins.fin_copy(side, fin, self.first)
        taken: cython.longlong = self.e[at + FIN_TAKEN + ROW]
        if copy < 0:
            return False
        if 0 <= self.e[at + TURNAROUND] < FAR:
            return True
        if self.r[copy * WIDTH + IP_ID] > 0:
            return self._unbroken(side, fin, copy)
        soon: cython.longlong = 2 * self.e[at + JITTER] + AT_ONCE_SLACK
        return self.r[copy * WIDTH + SENT] <= self.r[taken * WIDTH + ARRIVES] + soon

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _unbroken(
        self, side: cython.longlong, fin: cython.longlong, row: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether all was captured from a segment that left before the FIN to this copy of it."""
        left: cython.Py_ssize_t = NEARBY
        while left > 0:
            left -= 1
            row = self._numbered_before(side, row)
            if row < 0:
                return False
            if self.r[row * WIDTH + FLAGS] & SYN or self._precedes(row, fin):
                return True
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _numbered_before(self, side: cython.longlong, row: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The side's row whose identification is the one before; the path may have turned them."""
        wanted: cython.longlong = (self.r[row * WIDTH + IP_ID] - 1) & 0xFFFF
        apart: cython.Py_ssize_t
        for apart in range(1, NEARBY):
            if row - apart >= self.first and self._is_numbered(row - apart, side, wanted):
                return row - apart
            if row + apart < self.last and self._is_numbered(row + apart, side, wanted):
                return row + apart
        return -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _is_numbered(
        self, row: cython.Py_ssize_t, side: cython.longlong, number: cython.longlong
    ) -> cython.bint:
        k: cython.Py_ssize_t = row * WIDTH
        return self.r[k + SENDER] == side and self.r[k + IP_ID] == number and not self.r[k + COPY]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _presume(self, m: cython.Py_ssize_t) -> cython.int:
        if self.e[m + WHEN] != NEVER and self.e[m + BASIS] <= CONFIRMED:
            self.e[m + BASIS] = PRESUMED
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _minisocket(
        self, side: cython.longlong, fin: cython.longlong, taken: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether the peer's FIN found FIN_WAIT_2's minisocket: its ACK has no identification.

        Linux numbers the packets of a full socket, and gives 0 to those that
        tcp_v4_timewait_ack sends. A later ACK tells nothing: it comes from TIME_WAIT.
        """
        proof: cython.Py_ssize_t = self.fins.covering(side, fin, taken + 1)
        if proof < 0 or self.r[proof * WIDTH + IP_ID] != 0 or self.r[proof * WIDTH + FLAGS] & FIN:
            return False
        if self.r[proof * WIDTH + SENT] > self.r[taken * WIDTH + ARRIVES] + AT_ONCE:
            return False
        if self.fins.fin_copy(1 - side, fin, self.first) != taken:
            return False
        again: cython.Py_ssize_t = self.fins.fin_copy(1 - side, fin, taken + 1)
        if 0 <= again < proof:
            return False
        return self._numbers(side, taken)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _numbers(self, side: cython.longlong, before: cython.Py_ssize_t) -> cython.bint:
        """Whether the side gave its segments before a row an identification."""
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, 0, SYN | RST)
        return 0 <= row < before and self.r[row * WIDTH + IP_ID] > 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _close_together(self, at: cython.Py_ssize_t, taken: cython.Py_ssize_t) -> cython.bint:
        """Whether the FIN and the ACK came so close together that the path may have turned them."""
        acked: cython.longlong = self.e[at + FIN_ACKED + ROW]
        if acked < 0 or acked == taken:
            return False
        between: cython.longlong = self.r[acked * WIDTH + ARRIVES] - self.r[taken * WIDTH + ARRIVES]
        return abs(between) <= 2 * self.e[at + JITTER]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _proves_closing(
        self, at: cython.Py_ssize_t, side: cython.longlong, fin: cython.longlong
    ) -> cython.bint:
        """Whether the FIN was acknowledged before the ACK of the endpoint's own can have come.

        It had not come either if the endpoint then repeated its FIN, as no TIME_WAIT does.
        """
        r, own = self.r, self.e[at + FIN_OCTET]
        acked: cython.Py_ssize_t = self.fins.covering(1 - side, own, self.first)
        proof: cython.Py_ssize_t = self.fins.covering(side, fin, self.first)
        if acked < 0 or proof < 0:
            return False
        if r[proof * WIDTH + TIME] < r[acked * WIDTH + TIME]:
            return True
        copy: cython.Py_ssize_t = self.fins.fin_copy(side, own, self.first)
        while copy >= 0 and r[copy * WIDTH + ACKED] <= fin:
            copy = self.fins.fin_copy(side, own, copy + 1)
        return copy >= 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _doubt(
        self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t, taken: cython.Py_ssize_t
    ) -> cython.int:
        """Behind the tap the path may have turned them: the FIN came first only by the capture."""
        if self._close_together(at, taken):
            self._presume(at + FIN_TAKEN)
            self._presume(at + FIN_ACKED)
        elif self.e[at + FIN_ACKED + ROW] > taken and self._left_first(
            at, self.e[peer + FIN_OCTET]
        ):
            self._presume(at + FIN_TAKEN)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _doubt_ack_first(
        self, at: cython.Py_ssize_t, side: cython.longlong, fin: cython.longlong
    ) -> cython.int:
        """A copy of the peer's FIN without the ACK may have come before the ACK did.

        Unless the endpoint shows the ACK by a segment that does not acknowledge the FIN yet.
        """
        row: cython.Py_ssize_t = self.w.next_row(self.first, -1, ACK_BIT, RST)
        bare: cython.bint = False
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if self.r[k + SENDER] != side:
                carries: cython.bint = self.r[k + FLAGS] & FIN != 0 and self.r[k + END] == fin + 1
                bare = bare or (carries and self.r[k + ACKED] <= self.e[at + FIN_OCTET])
            elif self.r[k + ACKED] > fin:
                break
            elif self.r[k + PACKET] == self.e[at + FIN_ACKED + CONFIRMED_BY]:
                return 0
            row = self.w.next_row(row + 1, -1, ACK_BIT, RST)
        if bare:
            self._presume(at + FIN_ACKED)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _left_first(self, at: cython.Py_ssize_t, fin: cython.longlong) -> cython.bint:
        """Whether its own FIN is told before the peer's: by what it acknowledges, else by time."""
        row: cython.longlong = self.e[at + FIN_OUT + ROW]
        if row >= 0:
            return self.r[row * WIDTH + ACKED] <= fin
        return self.e[at + FIN_OUT + WHEN] < self.e[at + FIN_TAKEN + WHEN]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _unseen(
        self, side: cython.longlong, fin: cython.longlong, taken: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether the ACK of the FIN stands behind octets that were neither captured nor acked."""
        proof: cython.Py_ssize_t = self.fins.covering(side, fin, taken + 1)
        if proof < 0 or self.r[proof * WIDTH + BEGIN] <= self.r[taken * WIDTH + ACKED]:
            return False
        return self.r[proof * WIDTH + BEGIN] > self.fins.captured(side)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _in_recovery(
        self, at: cython.Py_ssize_t, side: cython.longlong, taken: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether the FIN found octets long unacknowledged, behind which a FIN may have waited.

        close() enters FIN_WAIT_1 though nothing may be sent yet (Linux tcp_close_state).
        """
        una: cython.longlong = self.r[taken * WIDTH + ACKED]
        moment: cython.longlong = self.e[at + FIN_TAKEN + WHEN]
        row: cython.Py_ssize_t = taken - 1
        oldest: cython.longlong = NEVER
        while row >= self.first:
            k: cython.Py_ssize_t = row * WIDTH
            if self.r[k + SENDER] == side and not self.r[k + FLAGS] & RST and not self.r[k + PROBE]:
                if self.r[k + END] > self.r[k + BEGIN] and self.r[k + END] <= una:
                    break
                if self.r[k + END] > max(una, self.r[k + BEGIN]):
                    oldest = self.r[k + SENT]
            row -= 1
        wait: cython.longlong = FIRST_RTO + 2 * max(self.e[at + TURNAROUND], 0)
        return oldest != NEVER and oldest + wait < moment
