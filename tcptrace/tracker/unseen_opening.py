# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`UnseenOpening`: a handshake that fell into a gap of the capture, told by what came after it.

A connection whose first segment is a bare ACK, followed by payload of the same sender at the same
numbers, began with the one; unless the capture itself had only begun, and the ACK is of something
before it.
"""

from __future__ import annotations

import cython

from tcptrace.tcp import flags
from tcptrace.tcp.states import Event
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.syn_received import SynReceived
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.witness import Witness

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Evidence.index("packet"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Evidence.index("payload"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
OPENED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("opened"))
ESTABLISHED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("established"))
EARLIEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("earliest"))
SHOWN_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("packet"))
CONFIRMED_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("confirmed"))
ACTIVE = cython.declare(cython.Py_ssize_t, Sides.index("active"))
SYN = cython.declare(cython.longlong, flags.SYN)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
OBSERVED = cython.declare(cython.longlong, Basis.OBSERVED)
ASSUMED = cython.declare(cython.longlong, Basis.ASSUMED)
SND_SYN = cython.declare(cython.longlong, Event.SND_SYN)
RCV_SYN = cython.declare(cython.longlong, Event.RCV_SYN)
RCV_SYN_ACK = cython.declare(cython.longlong, Event.RCV_SYN_ACK)
UNCAPTURED = cython.declare(cython.longlong, Reason.UNCAPTURED)
NEVER = cython.declare(cython.longlong, -1)
# RFC 1122 section 4.2.3.2 has an ACK delayed by half a second at the most; the rest is its way.
UNDER_WAY = cython.declare(cython.longlong, 1_000_000_000)


@cython.final
@cython.cclass
class UnseenOpening:
    """The opening of one connection at a time, of which no SYN was captured.

    begun : when the capture began, ns
    """

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    since: cython.longlong
    w: Witness

    def __init__(self, witness: Witness, begun: cython.longlong) -> None:
        self.w = witness
        self.r = witness.r
        self.e = witness.e
        self.since = begun + UNDER_WAY

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def opens(
        self,
        received: SynReceived,
        one: cython.Py_ssize_t,
        two: cython.Py_ssize_t,
        first: cython.Py_ssize_t,
    ) -> cython.int:
        """Whether the connection whose rows begin at `first` opened so; then both milestones are
        filled."""
        word: cython.Py_ssize_t = self._last_of_handshake(first)
        if word < 0:
            return 0
        side: cython.longlong = self.r[word * WIDTH + SENDER]
        active: cython.Py_ssize_t = two if side else one
        passive: cython.Py_ssize_t = one if side else two
        self._assume_syns(active, passive, word)
        self._establish(active, word)
        received.passive_established(passive, side, -1)
        self.e[passive + ESTABLISHED + EARLIEST] = NEVER  # an ACK before it was captured no more
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _last_of_handshake(self, first: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The bare ACK that payload follows at the same numbers, -1 if it does not begin so."""
        r = self.r
        ack: cython.Py_ssize_t = self.w.next_row(first, -1, 0, 0)
        if ack < 0 or r[ack * WIDTH + TIME] < self.since or not self._is_bare_ack(ack):
            return -1
        row: cython.Py_ssize_t = self.w.next_row(ack + 1, -1, 0, 0)
        while row >= 0 and self._is_bare_ack(row) and self._is_beside(ack, row):
            row = self.w.next_row(row + 1, -1, 0, 0)
        if row < 0 or not r[row * WIDTH + PAYLOAD] or not self._is_beside(ack, row):
            return -1
        return ack

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _is_bare_ack(self, row: cython.Py_ssize_t) -> cython.bint:
        bits: cython.longlong = self.r[row * WIDTH + FLAGS]
        return bits & (SYN | FIN | RST | ACK_BIT) == ACK_BIT and not self.r[row * WIDTH + PAYLOAD]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _is_beside(self, row: cython.Py_ssize_t, later: cython.Py_ssize_t) -> cython.bint:
        """Whether two segments are of one sender, and at the same numbers."""
        r = self.r
        one: cython.Py_ssize_t = row * WIDTH
        two: cython.Py_ssize_t = later * WIDTH
        if r[one + SENDER] != r[two + SENDER] or r[two + FLAGS] & (SYN | RST):
            return False
        return r[one + BEGIN] == r[two + BEGIN] and r[one + ACKED] == r[two + ACKED]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _assume_syns(
        self, active: cython.Py_ssize_t, passive: cython.Py_ssize_t, word: cython.Py_ssize_t
    ) -> cython.int:
        """They left a round trip before, as far as that is known; nothing bounds when."""
        sent: cython.longlong = self.r[word * WIDTH + SENT]
        late: cython.longlong = self.r[word * WIDTH + TIME]
        trip: cython.longlong = self.w.round_trip(active, passive)
        self.e[active + ACTIVE] = 1
        self.w.moment(active + OPENED, sent - trip, NEVER, late)
        self.w.say(active + OPENED, ASSUMED, SND_SYN, UNCAPTURED)
        self.w.moment(passive + OPENED, sent - trip // 2, NEVER, late)
        self.w.say(passive + OPENED, ASSUMED, RCV_SYN, UNCAPTURED)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _establish(self, at: cython.Py_ssize_t, word: cython.Py_ssize_t) -> cython.int:
        """Its ACK shows that it has the SYN,ACK; there may have been an ACK before it."""
        r, e = self.r, self.e
        k: cython.Py_ssize_t = word * WIDTH
        self.w.moment(at + ESTABLISHED, r[k + SENT], NEVER, r[k + TIME])
        self.w.say(at + ESTABLISHED, OBSERVED, RCV_SYN_ACK, UNCAPTURED)
        e[at + ESTABLISHED + CONFIRMED_BY] = e[at + ESTABLISHED + SHOWN_BY] = r[k + PACKET]
        return 0
