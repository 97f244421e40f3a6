"""`Mark`s: the moments of a ladder on its two lifelines, and how far down each stands.

Time runs down, but not to scale: a one-way delay is a fixed height, longer gaps grow by their
logarithm, idle stretches are folded, and what needs room for its words gets it. Above and below
never contradict before and after.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import log2
from typing import Final

from tcptrace.tables.wording import MILLISECOND
from tcptrace.views.rungs import Move, Run, Rung

DEPARTS, ARRIVES, MOVES, RUN, ENDS = "departs", "arrives", "moves", "run", "ends"
BOTH: Final = -1  # the side of a mark that concerns both lifelines

LINE = 17.0  # a line of words
DELAY = 26.0  # the height of a one-way delay
LONGEST = 64.0  # of a gap that is not folded
FOLD = 38.0
RUN_HEIGHT = 46.0
IDLE_DELAYS, IDLE = 8, 100 * MILLISECOND  # a gap that is both is idle


@dataclass(eq=False)
class Mark:
    """A moment at one side. `push` is room that words of it were found to need; y is solved."""

    time: int
    side: int
    kind: str
    item: Rung | Run | None = None
    moves: list[Move] = field(default_factory=list)
    push: float = 0.0
    y: float = 0.0
    idle: int = 0
    idle_y: float = 0.0

    @property
    def last(self) -> int:
        """When it is over: only a run lasts."""
        return self.item.last if self.kind == RUN and isinstance(self.item, Run) else self.time

    @property
    def has_words(self) -> bool:
        """Whether words stand above it, between the lifelines."""
        if self.kind == ARRIVES:
            return isinstance(self.item, Rung) and self.item.is_error
        return self.kind in (DEPARTS, ENDS)


def marks_of(items: Iterable[Rung | Run], delays: tuple[int, int], end: int) -> list[Mark]:
    """The marks in order from top to bottom; `end` is the capture's if it is to be shown, or 0."""
    placed: list[Mark] = []
    stretch: list[Mark] = []
    ended = not end
    for item in items:
        if not ended and item.time > end:
            stretch.append(_end(end, stretch))
            ended = True
        if isinstance(item, Rung):
            stretch += _of_rung(item, delays)
            continue
        placed += _sorted(stretch)
        placed.append(Mark(item.time, BOTH, RUN, item))
        stretch = []
    if not ended:
        stretch.append(_end(end, stretch))
    placed += _sorted(stretch)
    return _with_what_was_before(placed)


def unit_of(marks: Sequence[Mark], delays: tuple[int, int]) -> int:
    """The time that is drawn `DELAY` high: from side to side, or a common gap if not known."""
    one_way = sum(max(delay, 0) for delay in delays)
    gaps = sorted(b.time - a.time for a, b in pairwise(marks) if b.time > a.time)
    return one_way or (gaps[len(gaps) // 4] if gaps else MILLISECOND)


def settle(marks: Sequence[Mark], top: float, unit: int) -> float:
    """Give each mark its y, not above `top`; the lowest y that anything reaches."""
    column = _Column(top)
    flying: set[int] = set()
    before: Mark | None = None
    for mark in marks:
        gap = mark.time - before.last if before else 0
        beside_run = mark.kind == RUN or (before is not None and before.kind == RUN)
        is_idle = gap >= max(IDLE_DELAYS * unit, IDLE) and not flying
        mark.idle = gap if is_idle else 0
        height = FOLD if is_idle else 0.0 if beside_run else _height(max(gap, 0), unit)
        mark.idle_y = column.lowest + 15
        column.place(mark, height)
        if mark.kind == DEPARTS:
            flying.add(id(mark.item))
        elif mark.kind == ARRIVES:
            flying.discard(id(mark.item))
        before = mark
    return column.bottom


class _Column:
    """How far down each lifeline is taken."""

    def __init__(self, top: float) -> None:
        self.lowest = top
        self.used = [top, top]  # by marks and staggered moves
        self.named = [top, top]  # by the names of states
        self.arrived = [top - LINE, top - LINE]

    @property
    def bottom(self) -> float:
        return max(self.lowest, *self.used, *self.named)

    def place(self, mark: Mark, height: float) -> None:
        y = self.lowest + height + mark.push
        sides = (0, 1) if mark.side == BOTH else (mark.side,)
        for side in sides:
            y = max(y, self.used[side] + (LINE if mark.has_words else 5))
            if mark.moves:
                y = max(y, self.named[side])
            if mark.kind == ARRIVES:
                y = max(y, self.arrived[side] + LINE - 3)
        if mark.kind == RUN:
            y = max(y, self.bottom) + 12
        mark.y = y
        self.lowest = y + (RUN_HEIGHT + 6 if mark.kind == RUN else 0)
        for side in sides:
            self.used[side] = self.lowest + LINE * max(len(mark.moves) - 1, 0)
            self.named[side] = max(self.named[side], y + LINE * len(mark.moves))
            if mark.kind == ARRIVES:
                self.arrived[side] = y


def _height(gap: int, unit: int) -> float:
    if gap <= unit:
        return DELAY * gap / unit
    return min(DELAY + 12 * log2(gap / unit), LONGEST)


def _sorted(marks: list[Mark]) -> list[Mark]:
    """By time; what was there first stays first, and the end of the capture is last of its time."""
    return sorted(marks, key=lambda mark: (mark.time, mark.kind == ENDS))


def _with_what_was_before(marks: list[Mark]) -> list[Mark]:
    """The marks, the states that a side is assumed to begin in first: they reach to the top."""
    sides: set[int] = set()
    first = []
    for mark in marks:
        if mark.kind == MOVES and mark.side not in sides and mark.moves[0].basis == "assumed":
            mark.time = min(mark.time, marks[0].time)
            first.append(mark)
        sides |= {move.role for move in mark.moves}
    return first + [mark for mark in marks if mark not in first]


def _end(end: int, stretch: Sequence[Mark]) -> Mark:
    """The capture's end, below what was still on its way then."""
    return Mark(max([end, *(mark.time for mark in stretch if mark.kind == ARRIVES)]), BOTH, ENDS)


def _of_rung(rung: Rung, delays: tuple[int, int]) -> list[Mark]:
    if not rung.label:
        return [
            Mark(move.time, move.role, MOVES, rung, [move])
            for move in sorted(rung.moves, key=lambda move: move.time)
        ]
    sender, receiver = rung.sender, 1 - rung.sender
    if sender < 0:
        return []
    begin, end = (max(delays[side], 0) for side in (sender, receiver))
    departs = Mark(rung.time - begin, sender, DEPARTS, rung)
    arrives = Mark(rung.time + end, receiver, ARRIVES, rung)
    if rung.is_error:
        arrives.side, arrives.time = sender, rung.time + begin
    ends = [arrives] if rung.is_error else [departs, arrives]
    alone: list[Mark] = []
    for move in rung.moves:
        here = next((mark for mark in ends if mark.side == move.role), None)
        near = max(begin + end, MILLISECOND)
        if here is None or abs(here.time - move.time) > near:
            alone.append(Mark(move.time, move.role, MOVES, rung, [move]))
        elif not here.moves:
            here.moves.append(move)
            here.time = (min if here is departs else max)(move.time, rung.time)
        else:
            here.moves.append(move)
    return [*ends, *alone]
