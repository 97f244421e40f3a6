# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Closing`: how each endpoint closed, the milestones fin_out, fin_taken and fin_acked.

`fins` finds the segments, `fin_sending` dates a FIN's leaving, `fin_receipt` its being taken in
and acknowledged.
"""

from __future__ import annotations

import cython

from tcptrace.tcp.states import Event
from tcptrace.tracker.fin_order import FinOrder
from tcptrace.tracker.fin_receipt import FinReceipt
from tcptrace.tracker.fin_sending import FinSending
from tcptrace.tracker.fins import Fins
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.witness import Witness

ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
OPENED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("opened"))
FIN_OUT = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_out"))
FIN_ACKED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_acked"))
FIN_TAKEN = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_taken"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
BASIS = cython.declare(cython.Py_ssize_t, list(FIELDS).index("basis"))
EVENT = cython.declare(cython.Py_ssize_t, list(FIELDS).index("event"))
ROW = cython.declare(cython.Py_ssize_t, list(FIELDS).index("row"))
UNA = cython.declare(cython.Py_ssize_t, Sides.index("una"))
FIN_SEEN = cython.declare(cython.Py_ssize_t, Sides.index("fin_seen"))
FIN_OCTET = cython.declare(cython.Py_ssize_t, Sides.index("fin"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())
OBSERVED = cython.declare(cython.longlong, Basis.OBSERVED)
CONFIRMED = cython.declare(cython.longlong, Basis.CONFIRMED)
PRESUMED = cython.declare(cython.longlong, Basis.PRESUMED)
MID_STREAM = cython.declare(cython.longlong, Event.MID_STREAM)
NEVER = cython.declare(cython.longlong, -1)


@cython.final
@cython.cclass
class Closing:
    """One pass over the evidence of a batch of connections."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    w: Witness
    fins: Fins
    sending: FinSending
    receipt: FinReceipt
    order: FinOrder

    def __init__(self, witness: Witness) -> None:
        self.w = witness
        self.r = witness.r
        self.e = witness.e
        self.fins = Fins(witness)
        self.sending = FinSending(self.fins, witness)
        self.receipt = FinReceipt(self.fins, witness)
        self.order = FinOrder(self.fins, witness)

    def settle(
        self, offsets: cython.longlong[::1], count: cython.Py_ssize_t, now: cython.longlong[::1]
    ) -> None:
        """Fill the closing milestones of both sides; the tap watched a connection until `now`."""
        conn: cython.Py_ssize_t
        with cython.nogil:
            for conn in range(count):
                self._look(offsets[conn], offsets[conn + 1], now[conn])
                self._settle(2 * conn * SIDE_WIDTH, (2 * conn + 1) * SIDE_WIDTH)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _look(
        self, first: cython.Py_ssize_t, last: cython.Py_ssize_t, now: cython.longlong
    ) -> cython.int:
        self.first = first
        self.w.look(first, last)
        self.fins.look(first, last, now)
        self.sending.look(first, last, now)
        self.receipt.look(first, last, now)
        self.order.look(first, last, now)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _settle(self, one: cython.Py_ssize_t, two: cython.Py_ssize_t) -> cython.int:
        self._clear(one)
        self._clear(two)
        self.fins.hidden_fin(one, 0)
        self.fins.hidden_fin(two, 1)
        self._close(one, two, 0)
        self._close(two, one, 1)
        self.order.settle(one, two, 0)
        self.order.settle(two, one, 1)
        self._doubt(one, two, 0)
        return self._doubt(two, one, 1)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _clear(self, at: cython.Py_ssize_t) -> cython.int:
        self.e[at + FIN_OUT + WHEN] = self.e[at + FIN_ACKED + WHEN] = self.e[
            at + FIN_TAKEN + WHEN
        ] = NEVER
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _close(
        self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t, side: cython.longlong
    ) -> cython.int:
        """The FIN of one side: its sending, its being taken in, its being acknowledged."""
        fin: cython.longlong = self.e[at + FIN_OCTET]
        if fin < 0:
            return 0
        proof: cython.Py_ssize_t = self.fins.covering(1 - side, fin, self.first)
        self.sending.fin_leaves(at, side, fin, proof)
        self.receipt.fin_taken(at, peer, side, fin, proof)
        self.receipt.fin_acknowledged(at, peer, side, fin, proof)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _doubt(
        self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t, side: cython.longlong
    ) -> cython.int:
        """A side's FIN may lie in what was not captured of it: nothing that it orders is certain.

        So it is where the peer acknowledges more than was captured, and where nothing of the side
        was captured but acknowledgements of a connection that had begun before.
        """
        if self.e[at + FIN_SEEN]:
            return 0
        captured: cython.longlong = self.fins.captured(side)
        acked: cython.longlong = self.e[at + UNA]
        row: cython.longlong = self.e[peer + FIN_OUT + ROW]
        if self.e[peer + FIN_OUT + WHEN] != NEVER and row >= 0:
            acked = self.r[row * WIDTH + ACKED]
        joined: cython.bint = self.e[at + OPENED + EVENT] == MID_STREAM and captured == 1
        if (acked > captured or joined) and self.e[peer + FIN_OUT + BASIS] == OBSERVED:
            self.e[peer + FIN_OUT + BASIS] = PRESUMED
        if (self.e[at + UNA] > captured or joined) and self.e[at + FIN_TAKEN + BASIS] <= CONFIRMED:
            self.e[at + FIN_TAKEN + BASIS] = PRESUMED
        return 0
