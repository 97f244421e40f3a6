"""A connection laid out as a ladder: two lifelines, an arrow a segment, states down both margins.

Read `marks` first: it says how far down each moment stands. Here the shapes get their places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import atan2, cos, degrees, radians, sin
from typing import NamedTuple

from tcptrace.tables.wording import octets, span
from tcptrace.views.fates import Fate
from tcptrace.views.frame import HEADER, add_footer, add_header
from tcptrace.views.lettering import cut, offset
from tcptrace.views.marks import (
    ARRIVES,
    ENDS,
    LINE,
    RUN,
    RUN_HEIGHT,
    Mark,
    marks_of,
    settle,
    unit_of,
)
from tcptrace.views.places import LEFT, MARGIN, MIDDLE, RIGHT, WIDTH
from tcptrace.views.rungs import Move, Run, Rung
from tcptrace.views.scene import Scene
from tcptrace.views.shapes import (
    Arrow,
    Band,
    Box,
    Drawing,
    Fold,
    Label,
    Piece,
    Pin,
    Point,
    Tick,
    meet,
)

BAND = 12.0
LIFELINES = (LEFT, RIGHT)
OUTWARDS = (-1, 1)
INWARDS = (1, -1)
PIN = 19.0  # room for one pin
LONGEST_LABEL = 88  # cells
ROUNDS = 60  # of making room; each moves what is in the way by PUSH
PUSH = 6.0
ERROR_RISE = 12.0


def drawing_of(scene: Scene, items: Sequence[Rung | Run]) -> Drawing:
    """The ladder of a connection, laid out on a page `WIDTH` wide."""
    marks = marks_of(items, scene.delays, _shown_end(scene))
    unit = unit_of(marks, scene.delays)
    body = _Body(scene, marks)
    for _ in range(ROUNDS):
        bottom = settle(marks, HEADER, unit)
        if not body.make_room():
            break
    drawing = Drawing(WIDTH)
    add_header(drawing, scene)
    body.draw(drawing, bottom)
    add_footer(drawing, scene, bottom + 34)
    return drawing


def _shown_end(scene: Scene) -> int:
    """The capture's end, if it leaves an endpoint in a state that is not CLOSED; else 0."""
    starts = scene.timeline["start"].to_numpy("datetime64[ns]").view("int64")
    seen = scene.timeline[(starts <= scene.end) | (scene.timeline["basis"] != "timer").to_numpy()]
    last = seen.groupby("role", observed=True)["state"].last().astype(str)
    return scene.end if (last != "CLOSED").any() else 0


class _Body:
    """What lies between header and footer, from settled marks."""

    def __init__(self, scene: Scene, marks: Sequence[Mark]) -> None:
        self.scene, self.marks = scene, marks
        self.order = {id(mark): place for place, mark in enumerate(marks)}
        self.arrivals = {id(mark.item): mark for mark in marks if mark.kind == ARRIVES}
        self.severities = scene.anomalies["severity"].astype(str).tolist()
        self.headlines = scene.anomalies["headline"].tolist()

    def make_room(self) -> bool:
        """Push down each mark whose words meet others'; whether there were any."""
        placed = [_Placed.of(mark, label) for mark in self.marks for label in self._words(mark)]
        placed.sort(key=lambda each: each.top)
        pushed = set()
        for place, one in enumerate(placed):
            for other in islice(placed, place + 1, None):
                if other.top >= one.bottom:
                    break
                if one.meets(other):
                    pushed.add(max(one.mark, other.mark, key=lambda each: self.order[id(each)]))
        for mark in pushed:
            mark.push += PUSH
        return bool(pushed)

    def draw(self, drawing: Drawing, bottom: float) -> None:
        """Add everything to the drawing; bands end at `bottom`."""
        bottom += LINE
        for x in LIFELINES:
            drawing.lifelines.append(Tick(x, x, HEADER - 8, "observed"))
        self._add_bands(drawing, bottom)
        for mark in self.marks:
            drawing.labels += self._words(mark)
            if mark.idle:
                drawing.folds.append(Fold(mark.idle_y))
            if mark.kind == ENDS:
                drawing.ticks.append(Tick(LEFT, RIGHT, mark.y, "end"))
            if mark.kind == RUN:
                box = Box(LEFT + 16, mark.y, RIGHT - LEFT - 32, RUN_HEIGHT, "run")
                drawing.boxes.append(box)
            if isinstance(mark.item, Rung) and mark.has_words:
                drawing.arrows.append(self._arrow(mark))
                drawing.pins += self._pins(mark)

    def _add_bands(self, drawing: Drawing, bottom: float) -> None:
        for side in (0, 1):
            entries = [
                (move, mark.y + LINE * place)
                for mark in self.marks
                for place, move in enumerate(move for move in mark.moves if move.role == side)
            ]
            tops = [*(y for _, y in entries), bottom]
            for (move, top), end in zip(entries, tops[1:], strict=True):
                x = LIFELINES[side]
                told = self._told(move)
                drawing.bands.append(
                    Band(x - BAND / 2, top, max(end, top), move.state, move.basis, told)
                )
                outer = x + OUTWARDS[side] * BAND / 2
                drawing.ticks.append(
                    Tick(outer, outer + OUTWARDS[side] * (MARGIN - 24), top, move.basis)
                )
                drawing.labels.append(self._name(move, side, top))

    def _name(self, move: Move, side: int, top: float) -> Label:
        x = LIFELINES[side] + OUTWARDS[side] * (BAND / 2 + 6)
        pieces = (
            Piece(move.state, "state"),
            Piece("  " + offset(move.time - self.scene.start), "dim"),
        )
        if side == 0:
            pieces = (Piece(pieces[1].text.strip() + "  ", "dim"), pieces[0])
        return Label(x, top + 12, pieces, ("end", "start")[side])

    def _told(self, move: Move) -> str:
        bounds = ""
        if move.earliest is not None and move.latest is not None and move.basis != "assumed":
            bounds = f", to {span(move.latest - move.earliest)}"
        when = offset(move.time - self.scene.start)
        return f"{move.state} at {when} by {move.event}: {move.basis}{bounds}"

    def _words(self, mark: Mark) -> Iterator[Label]:
        """The labels of a mark that stand between the lifelines."""
        if mark.idle:
            yield Label(
                MIDDLE, mark.idle_y + 4, (Piece(f"idle {span(mark.idle)}", "idle"),), "middle"
            )
        if mark.kind == ENDS:
            when = offset(self.scene.end - self.scene.start)
            yield Label(MIDDLE, mark.y - 4, (Piece(f"the capture ends, {when}", "dim"),), "middle")
        if mark.kind == RUN and isinstance(mark.item, Run):
            for line, text in enumerate(run_lines(mark.item)):
                piece = Piece(cut(text, LONGEST_LABEL), "" if not line else "dim")
                yield Label(MIDDLE, mark.y + 19 + line * 16, (piece,), "middle")
        if isinstance(mark.item, Rung) and mark.has_words:
            yield self._label(mark, mark.item)

    def _label(self, mark: Mark, rung: Rung) -> Label:
        (x, y), angle = self._origin(mark)
        return Label(
            x,
            y,
            tuple(self._pieces(rung)),
            ("start", "end")[mark.side],
            angle,
            lead=PIN * len(rung.findings),
        )

    def _pieces(self, rung: Rung) -> Iterator[Piece]:
        if rung.packet is not None:
            yield Piece(f"{rung.packet}  {offset(rung.time - self.scene.start)}  ", "dim")
        flags, _, rest = cut(rung.label, LONGEST_LABEL - 40).partition(" ")
        yield Piece(flags, "unseen" if rung.fate is Fate.UNSEEN else "flags")
        yield Piece(" " + rest, "unseen" if rung.fate is Fate.UNSEEN else "")
        if rung.fate in SAID:
            yield Piece(f"  {SAID[rung.fate]}", rung.fate.name.lower())
        if rung.loss:
            yield Piece(f"  {rung.loss}", "lost")

    def _origin(self, mark: Mark) -> tuple[tuple[float, float], float]:
        """Where the words of an arrow begin, a little above it, and how they are turned."""
        arrow = self._arrow(mark)
        (x0, y0), (x1, y1) = arrow.begin, arrow.end
        if mark.kind == ARRIVES:
            x0, y0, x1, y1 = x1, y1, x0, y0
        angle = degrees(atan2(y1 - y0, x1 - x0))
        if mark.side == 1:
            angle += 180 if angle < 0 else -180
        slope = (y1 - y0) / (x1 - x0)
        x = x0 + INWARDS[mark.side] * 6
        return (x, y0 + slope * (x - x0) - 4), angle

    def _arrow(self, mark: Mark) -> Arrow:
        rung = mark.item
        assert isinstance(rung, Rung)
        inner = [LIFELINES[side] + INWARDS[side] * BAND / 2 for side in (0, 1)]
        title = f"{rung.label}: {rung.fate.value}" + (f", {rung.loss}" if rung.loss else "")
        if rung.is_error:
            end = (inner[mark.side], mark.y)
            return Arrow((MIDDLE, mark.y - ERROR_RISE), end, title=title)
        arrival = self.arrivals[id(rung)]
        begin, end = (inner[mark.side], mark.y), (inner[1 - mark.side], arrival.y)
        return Arrow(begin, end, rung.fate, rung.loss, title)

    def _pins(self, mark: Mark) -> Iterator[Pin]:
        assert isinstance(mark.item, Rung)
        (x, y), angle = self._origin(mark)
        for place, number in enumerate(mark.item.findings):
            along = INWARDS[mark.side] * (PIN * place + 8)
            turn = radians(angle)
            yield Pin(
                x + along * cos(turn) + 4 * sin(turn),
                y + along * sin(turn) - 4 * cos(turn),
                number,
                self.severities[number - 1],
                self.headlines[number - 1],
            )


class _Placed(NamedTuple):
    """The words of a mark, and the upright box around them."""

    mark: Mark
    corners: list[Point]
    left: float
    right: float
    top: float
    bottom: float

    @classmethod
    def of(cls, mark: Mark, label: Label) -> _Placed:
        corners = label.corners
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return cls(mark, corners, min(xs), max(xs), min(ys), max(ys))

    def meets(self, other: _Placed) -> bool:
        """Whether the words of another mark lie upon these."""
        if other.mark is self.mark or other.left >= self.right or other.right <= self.left:
            return False
        return meet(self.corners, other.corners)


SAID = {Fate.AGAIN: "again", Fate.LATE: "late", Fate.COPY: "copy"}


def run_lines(run: Run) -> Iterator[str]:
    """What a run is told in: how much, and on a second line what was odd, if anything was."""
    told = f"{run.segments:,} segments"
    for sent, arrow in zip(run.sent, "→←", strict=True):
        told += f"  {arrow} {octets(sent)}" if sent else ""
    yield f"{told}  in {span(run.last - run.time)}"
    odd = [
        f"{run.again:,} sent again" if run.again else "",
        f"{run.lost:,} lost" if run.lost else "",
        f"{octets(run.unseen)} not captured" if run.unseen else "",
        f"longest silence {span(run.silence)}" if run.silence else "",
    ]
    yield ", ".join(each for each in odd if each)
