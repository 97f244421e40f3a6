# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`TakenBack`: moves that a segment seemed to make and a later one disproves, by endpoint.

A flood has two a connection: they are rows that are linked, and no Python objects.
"""

from __future__ import annotations

from typing import ClassVar

import cython
import numpy as np

from tcptrace.columns import Rows
from tcptrace.tcp.states import Event
from tcptrace.tracker.slots import grown


class Moves(Rows):
    """Moves that were taken back; an endpoint's are told in the order of these columns."""

    COLUMNS: ClassVar[dict[str, str]] = {
        "time": "when it seemed to come to pass, ns",
        "last": "1 for the receipt of a FIN: what its segment acknowledges comes before",
        "event": "tcp.states.Event",
        "earliest": "lower bound of its time, ns",
        "packet": "that seemed to make it",
        "proof": "the packet that disproves it, 0 where no single one does",
        "reason": "tracker.reasons.Reason",
        "following": "the same endpoint's next move, counted from 1; 0 for none",
    }


TIME = cython.declare(cython.Py_ssize_t, Moves.index("time"))
LAST = cython.declare(cython.Py_ssize_t, Moves.index("last"))
EVENT = cython.declare(cython.Py_ssize_t, Moves.index("event"))
EARLIEST = cython.declare(cython.Py_ssize_t, Moves.index("earliest"))
PACKET = cython.declare(cython.Py_ssize_t, Moves.index("packet"))
PROOF = cython.declare(cython.Py_ssize_t, Moves.index("proof"))
REASON = cython.declare(cython.Py_ssize_t, Moves.index("reason"))
FOLLOWING = cython.declare(cython.Py_ssize_t, Moves.index("following"))
WIDTH = cython.declare(cython.Py_ssize_t, Moves.width())
RCV_FIN = cython.declare(cython.longlong, Event.RCV_FIN)
FEW = cython.declare(cython.Py_ssize_t, 64)


@cython.final
@cython.cclass
class TakenBack:
    """The moves of many endpoints, `made` of them; move n is in row n - 1 of `cells`.

    time to following : what `look` has found of a move
    """

    cells: cython.longlong[::1]
    room: cython.Py_ssize_t
    made: cython.Py_ssize_t
    runs: cython.Py_ssize_t
    time: cython.longlong
    event: cython.longlong
    earliest: cython.longlong
    packet: cython.longlong
    proof: cython.longlong
    reason: cython.longlong
    following: cython.longlong

    def __init__(self) -> None:
        self.room = self.made = self.runs = 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def add(
        self, event: cython.longlong, time: cython.longlong, following: cython.longlong
    ) -> cython.Py_ssize_t:
        """Begin a move before an endpoint's others, of which `following` is the first; its row."""
        if self.made == self.room:
            with cython.gil:
                self._grow()
        row: cython.Py_ssize_t = self.made * WIDTH
        self.made += 1
        self.cells[row + TIME], self.cells[row + EVENT] = time, event
        self.cells[row + LAST] = event == RCV_FIN
        self.cells[row + FOLLOWING] = following
        return row

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def say(
        self,
        row: cython.Py_ssize_t,
        earliest: cython.longlong,
        packet: cython.longlong,
        proof: cython.longlong,
        reason: cython.longlong,
    ) -> cython.int:
        self.cells[row + EARLIEST], self.cells[row + PACKET] = earliest, packet
        self.cells[row + PROOF], self.cells[row + REASON] = proof, reason
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def look(self, move: cython.longlong) -> cython.int:
        """Turn to a move."""
        row: cython.Py_ssize_t = (move - 1) * WIDTH
        self.time, self.event = self.cells[row + TIME], self.cells[row + EVENT]
        self.earliest, self.packet = self.cells[row + EARLIEST], self.cells[row + PACKET]
        self.proof, self.reason = self.cells[row + PROOF], self.cells[row + REASON]
        self.following = self.cells[row + FOLLOWING]
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def put_after(self, move: cython.longlong, following: cython.longlong) -> cython.int:
        """Leave out what stands between two moves of an endpoint."""
        self.cells[(move - 1) * WIDTH + FOLLOWING] = following
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def ordered(self, first: cython.longlong) -> cython.longlong:
        """Put an endpoint's moves in order; the first of them by then.

        Runs of equal length are merged pairwise until there is one, whatever was sent: a hostile
        connection has as many moves as segments.
        """
        length: cython.Py_ssize_t = 1
        self.runs = 2
        while first and self.runs > 1:
            first = self._merge_runs(first, length)
            length *= 2
        return first

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _merge_runs(self, first: cython.longlong, length: cython.Py_ssize_t) -> cython.longlong:
        """Merge each run with the one behind it; `runs`: how many there are then."""
        head: cython.longlong = 0
        tail: cython.longlong = 0
        one: cython.longlong = first
        self.runs = 0
        while one:
            self.runs += 1
            two: cython.longlong = one
            left: cython.Py_ssize_t = 0
            while two and left < length:
                two, left = self._after(two), left + 1
            right: cython.Py_ssize_t = length
            while left or (right and two):
                if not left or (right and two and self._precedes(two, one)):
                    first, two, right = two, self._after(two), right - 1
                else:
                    first, one, left = one, self._after(one), left - 1
                if tail:
                    self.put_after(tail, first)
                else:
                    head = first
                tail = first
            one = two
        self.put_after(tail, 0)
        return head

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _after(self, move: cython.longlong) -> cython.longlong:
        return self.cells[(move - 1) * WIDTH + FOLLOWING]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _precedes(self, move: cython.longlong, other: cython.longlong) -> cython.bint:
        place: cython.Py_ssize_t
        k: cython.Py_ssize_t = (move - 1) * WIDTH
        o: cython.Py_ssize_t = (other - 1) * WIDTH
        for place in range(FOLLOWING):
            if self.cells[k + place] != self.cells[o + place]:
                return self.cells[k + place] < self.cells[o + place]
        return False

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _grow(self) -> cython.int:
        held = Moves(np.asarray(self.cells)) if self.room else Moves.zeros(0)
        self.room = max(FEW, 2 * self.room)
        self.cells = Moves(grown(held.matrix, self.room)).cells
        return 0
