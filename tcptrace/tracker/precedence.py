# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Precedence`: which of two events an endpoint had first, where the capture's order does not say.

What it sent tells what it had taken in by then.
"""

from __future__ import annotations

import cython

from tcptrace.tcp.states import Event
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.witness import Witness

ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
OPENED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("opened"))
ESTABLISHED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("established"))
FIN_OUT = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_out"))
FIN_ACKED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_acked"))
FIN_TAKEN = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_taken"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
BASIS = cython.declare(cython.Py_ssize_t, list(FIELDS).index("basis"))
EVENT = cython.declare(cython.Py_ssize_t, list(FIELDS).index("event"))
ROW = cython.declare(cython.Py_ssize_t, list(FIELDS).index("row"))
FIN_OCTET = cython.declare(cython.Py_ssize_t, Sides.index("fin"))
ACTIVE = cython.declare(cython.Py_ssize_t, Sides.index("active"))
PRESUMED = cython.declare(cython.longlong, Basis.PRESUMED)
MID_STREAM = cython.declare(cython.longlong, Event.MID_STREAM)
NEVER = cython.declare(cython.longlong, -1)


@cython.final
@cython.cclass
class Precedence:
    """Asked of one side, whose cells in the sides begin at `at`, its peer's at `peer`."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]

    def __init__(self, witness: Witness) -> None:
        self.r = witness.r
        self.e = witness.e

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def took_before_fin(self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t) -> cython.bint:
        """A FIN whose first emission acknowledges the peer's FIN left after it had come."""
        if self.e[at + FIN_TAKEN + WHEN] == NEVER or self.e[at + FIN_OUT + WHEN] == NEVER:
            return self.e[at + FIN_OUT + WHEN] == NEVER
        row: cython.longlong = self.e[at + FIN_OUT + ROW]
        if row >= 0:
            return self.r[row * WIDTH + ACKED] > self.e[peer + FIN_OCTET]
        return self.e[at + FIN_TAKEN + WHEN] <= self.e[at + FIN_OUT + WHEN]

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def may_have_come_before(self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t) -> cython.bint:
        """Whether an earlier copy of the FIN came, unless a presumed ACK did: CLOSING was next."""
        first: cython.longlong = self.e[peer + FIN_OUT + ROW]
        if self.e[at + FIN_ACKED + BASIS] != PRESUMED or first < 0:
            return False
        known: cython.bint = self.r[first * WIDTH + ACKED] > self.e[at + FIN_OCTET]
        return not known and first < self.e[at + FIN_TAKEN + ROW]

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def fin_before_established(self, at: cython.Py_ssize_t) -> cython.bint:
        """With fast open a FIN may leave from SYN_RCVD (RFC 7413)."""
        fin: cython.longlong = self.e[at + FIN_OUT + ROW]
        if self.e[at + FIN_OUT + WHEN] == NEVER or fin < 0 or self.e[at + ACTIVE]:
            return False
        if self.e[at + OPENED + EVENT] == MID_STREAM:
            return False
        if self.e[at + ESTABLISHED + WHEN] == NEVER:
            return True
        return self.e[at + ESTABLISHED + ROW] > fin
