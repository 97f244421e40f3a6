"""What a drawn ladder consists of: shapes at their places, in units of the drawing; no markup.

`Label.corners` are what tests hold against each other: no two may meet, none may leave the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, radians, sin

from tcptrace.views.fates import IGNORED, LOST, Fate
from tcptrace.views.lettering import cells

Point = tuple[float, float]
CELL = 0.62  # a cell's width over the font's size; common fixed-width fonts have 0.55 to 0.61
REACH = {"": 1.0, LOST: 0.72, IGNORED: 0.94}


@dataclass(frozen=True)
class Piece:
    """A stretch of one label in one style; `kind` is a class of the style sheet."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Label:
    """Text whose baseline begins or ends at x, y, turned about that point.

    anchor : start, middle or end
    angle : degrees, clockwise
    lead : room kept free at that point, for what stands before the text
    """

    x: float
    y: float
    pieces: tuple[Piece, ...]
    anchor: str = "start"
    angle: float = 0.0
    size: float = 11.0
    lead: float = 0.0

    @property
    def text(self) -> str:
        """All that it says."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def width(self) -> float:
        """How wide it is at most."""
        return cells(self.text) * CELL * self.size

    @property
    def corners(self) -> list[Point]:
        """The four corners of its box, turned."""
        width = self.width + self.lead
        left = {"start": 0.0, "middle": -width / 2, "end": -width}[self.anchor]
        top, bottom = -0.8 * self.size, 0.22 * self.size
        box = [(left, top), (left + width, top), (left + width, bottom), (left, bottom)]
        turn = radians(self.angle)
        return [
            (self.x + x * cos(turn) - y * sin(turn), self.y + x * sin(turn) + y * cos(turn))
            for x, y in box
        ]


@dataclass(frozen=True)
class Arrow:
    """A segment's way; `loss` is why it was not taken in, `fates.LOST` or `IGNORED`, if so."""

    begin: Point
    end: Point
    fate: Fate = Fate.SENT
    loss: str = ""
    title: str = ""

    @property
    def reach(self) -> float:
        """The part of the way that the segment certainly made."""
        return REACH[self.loss]

    @property
    def tip(self) -> Point:
        """Where it is drawn to."""
        (x0, y0), (x1, y1) = self.begin, self.end
        return x0 + (x1 - x0) * self.reach, y0 + (y1 - y0) * self.reach


@dataclass(frozen=True)
class Band:
    """A state held, along a lifeline; `basis` is that of its entry."""

    x: float
    top: float
    bottom: float
    state: str
    basis: str
    title: str = ""


@dataclass(frozen=True)
class Tick:
    """The moment of a move: a line from the band outwards, stroked by its basis."""

    x0: float
    x1: float
    y: float
    basis: str


@dataclass(frozen=True)
class Box:
    """A rectangle for many segments, or for a colour of the legend; `kind` is a style class."""

    x: float
    y: float
    width: float
    height: float
    kind: str = ""
    fill: str = ""


@dataclass(frozen=True)
class Pin:
    """The number of a finding, in a circle of its severity's colour."""

    x: float
    y: float
    number: int
    severity: str
    title: str = ""


@dataclass(frozen=True)
class Fold:
    """A stretch of time that is not drawn to scale: both lifelines break."""

    y: float


@dataclass
class Drawing:
    """All shapes of one ladder, and the size of its page."""

    width: float
    height: float = 0.0
    title: str = ""
    description: str = ""
    lifelines: list[Tick] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    folds: list[Fold] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)


def meet(one: Sequence[Point], other: Sequence[Point]) -> bool:
    """Whether two convex shapes overlap; touching is not overlapping."""
    return not any(_parted(one, other, axis) for shape in (one, other) for axis in _axes(shape))


def _axes(shape: Sequence[Point]) -> list[Point]:
    pairs = zip(shape, [*shape[1:], shape[0]], strict=True)
    return [(y0 - y1, x1 - x0) for (x0, y0), (x1, y1) in pairs]


def _parted(one: Sequence[Point], other: Sequence[Point], axis: Point) -> bool:
    """Whether a line square to the axis lies between the two."""
    first, second = ([x * axis[0] + y * axis[1] for x, y in shape] for shape in (one, other))
    return max(first) <= min(second) or max(second) <= min(first)
