"""`Workroom`: matrices that judging writes over again and again; fresh memory costs time."""

from __future__ import annotations

from tcptrace.columns import Matrix
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Transitions


class Workroom:
    """Room for what some connections are judged by and for their moves; one a thread."""

    def __init__(self) -> None:
        self._evidence = Evidence.zeros(0)
        self._sides = Sides.zeros(0)
        self._moves = Transitions.zeros(0)

    def evidence(self, count: int) -> Evidence:
        """So many rows, to be overwritten."""
        if len(self._evidence) < count:
            self._evidence = Evidence.zeros(count + count // 4)
        return self._evidence.take(slice(count))

    def sides(self, count: int) -> Sides:
        """So many rows, all zero."""
        if len(self._sides) < count:
            self._sides = Sides.zeros(count + count // 4)
        sides = self._sides.take(slice(count))
        sides.matrix[:] = 0
        return sides

    def moves(self, told: int, count: int) -> Transitions:
        """`count` rows to be overwritten, behind `told` of them that stay."""
        if len(self._moves) < told + count:
            larger = Transitions.zeros(2 * (told + count))
            larger.matrix[:told] = self._moves.matrix[:told]
            self._moves = larger
        return self._moves.take(slice(told, told + count))

    def told(self, count: int) -> Matrix:
        """A copy of the first `count` moves."""
        return self._moves.matrix[:count].copy()
