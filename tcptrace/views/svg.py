"""A laid-out ladder as SVG: one element a shape, colours by class, text as text.

No scripts, no references to anything outside or inside, so that it can stand in a page, in an
`img` or alone. It paints its own page, light or dark as the reader's system asks.
"""

from __future__ import annotations

from math import hypot
from xml.etree import ElementTree as xml

from tcptrace.views.fates import Fate
from tcptrace.views.lettering import printable
from tcptrace.views.palette import SEVERITIES, STROKES, paint_of
from tcptrace.views.places import LEFT, RIGHT
from tcptrace.views.shapes import Arrow, Band, Box, Drawing, Fold, Label, Pin, Point, Tick

DASHES = {"solid": "", "dashed": "6 4", "dotted": "1.5 3.5"}
STRENGTHS = {"solid": "1", "dashed": "0.85", "dotted": "0.5"}
FATES = {Fate.COPY: "3 3", Fate.UNSEEN: "1.5 3.5"}
HEAD = 8.0
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"

LIGHT = {
    ".page": "fill: #ffffff",
    "text": "fill: #1f2328; stroke: #ffffff",
    ".dim": "fill: #59636e",
    ".again": "fill: #9a3412",
    ".lost": "fill: #a40e26",
    ".late": "fill: #6b21a8",
    ".way": "stroke: #59636e",
    ".way.again, .head.again": "stroke: #c2410c",
    ".way.late, .head.late": "stroke: #7e22ce",
    ".tick, .cross, .break": "stroke: #1f2328",
    ".lifeline": "stroke: #d0d7de",
    ".run": "fill: #f6f8fa; stroke: #d0d7de",
    ".outline": "stroke: #1f2328",
    ".tip": "fill: #59636e",
    ".tip.again": "fill: #c2410c",
    ".tip.late": "fill: #7e22ce",
    ".gap": "fill: #ffffff",
}
DARK = {
    ".page": "fill: #0d1117",
    "text": "fill: #e6edf3; stroke: #0d1117",
    ".dim": "fill: #9198a1",
    ".again": "fill: #ffa657",
    ".lost": "fill: #ff8182",
    ".late": "fill: #d2a8ff",
    ".way": "stroke: #9198a1",
    ".way.again, .head.again": "stroke: #ffa657",
    ".way.late, .head.late": "stroke: #d2a8ff",
    ".tick, .cross, .break": "stroke: #e6edf3",
    ".lifeline": "stroke: #3d444d",
    ".run": "fill: #151b23; stroke: #3d444d",
    ".outline": "stroke: #e6edf3",
    ".tip": "fill: #9198a1",
    ".tip.again": "fill: #ffa657",
    ".tip.late": "fill: #d2a8ff",
    ".gap": "fill: #0d1117",
}
ALWAYS = {
    "text": f"font-family: {FONT}; stroke-width: 3; stroke-linejoin: round; paint-order: stroke",
    ".title, .flags, .state, .head": "font-weight: bold",
    ".unseen": "font-style: italic",
    ".way": "fill: none; stroke-width: 1.3",
    ".tick": "stroke-width: 1.2",
    ".cross": "stroke-width: 2",
    ".break": "stroke-width: 1.2",
    ".outline": "fill: none; stroke-width: 1",
    ".number": "stroke: none; font-weight: bold",
}


def svg(drawing: Drawing) -> str:
    """The drawing as a whole SVG document."""
    root = xml.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
    root.set("class", "tcptrace-ladder")
    root.set("viewBox", f"0 0 {_n(drawing.width)} {_n(drawing.height)}")
    root.set("width", _n(drawing.width))
    root.set("height", _n(drawing.height))
    xml.SubElement(root, "title").text = printable(drawing.title)
    xml.SubElement(root, "desc").text = printable(drawing.description)
    xml.SubElement(root, "style").text = style_sheet()
    page = xml.SubElement(root, "rect", width=_n(drawing.width), height=_n(drawing.height))
    page.set("class", "page")
    paper = _Paper(root, drawing)
    paper.draw()
    for child in root:
        child.tail = "\n"
    root.text = "\n"
    return xml.tostring(root, encoding="unicode") + "\n"


def style_sheet() -> str:
    """The classes, all below the drawing's own; dark where the reader's system asks for it."""
    dark = f"@media (prefers-color-scheme: dark) {{\n{_rules(DARK)}\n}}"
    return f"\n{_rules(ALWAYS)}\n{_rules(LIGHT)}\n{dark}\n"


def _rules(rules: dict[str, str]) -> str:
    lines = []
    for names, rule in rules.items():
        scoped = ", ".join(f".tcptrace-ladder {name}" for name in names.split(", "))
        lines.append(f"{scoped} {{ {rule} }}")
    return "\n".join(lines)


class _Paper:
    """The element that shapes are drawn into, those below first."""

    def __init__(self, root: xml.Element, drawing: Drawing) -> None:
        self.root, self.drawing = root, drawing

    def draw(self) -> None:
        """Everything, in the order of what hides what."""
        drawing = self.drawing
        bottom = max((band.bottom for band in drawing.bands), default=0)
        for tick in drawing.lifelines:
            self._line("lifeline", (tick.x0, tick.y), (tick.x1, bottom))
        for box in drawing.boxes:
            self._box(box)
        for band in drawing.bands:
            self._band(band)
        for tick in drawing.ticks:
            self._tick(tick)
        for fold in drawing.folds:
            self._fold(fold)
        for arrow in drawing.arrows:
            self._arrow(arrow)
        for label in drawing.labels:
            self._label(label)
        for pin in drawing.pins:
            self._pin(pin)

    def _band(self, band: Band) -> None:
        stroke = STROKES[band.basis]
        width, height = 12.0, band.bottom - band.top
        corner = (band.x, band.top)
        fill = self._rect("state-band", corner, (width, height), fill=paint_of(band.state).fill)
        fill.set("fill-opacity", STRENGTHS[stroke])
        _titled(fill, band.title)
        edge = self._rect("outline", corner, (width, height))
        edge.set("stroke-dasharray", DASHES[stroke] or "none")

    def _box(self, box: Box) -> None:
        kind = "outline chip" if box.kind == "chip" else box.kind
        drawn = self._rect(kind, (box.x, box.y), (box.width, box.height))
        if box.fill:
            drawn.set("style", f"fill: {box.fill}")
        drawn.set("rx", "6" if box.kind == "run" else "2")

    def _tick(self, tick: Tick) -> None:
        dash = DASHES[STROKES.get(tick.basis, "solid")]
        line = self._line("tick", (tick.x0, tick.y), (tick.x1, tick.y))
        if dash:
            line.set("stroke-dasharray", dash)

    def _fold(self, fold: Fold) -> None:
        """Both lifelines broken by two slanted strokes."""
        for x in (LEFT, RIGHT):
            y = fold.y
            gap = f"{_n(x - 12)},{_n(y + 4)} {_n(x + 12)},{_n(y - 4)} "
            gap += f"{_n(x + 12)},{_n(y)} {_n(x - 12)},{_n(y + 8)}"
            xml.SubElement(self.root, "polygon", {"class": "gap", "points": gap})
            for down in (0, 4):
                self._line("break", (x - 12, y + 4 + down), (x + 12, y - 4 + down))

    def _arrow(self, arrow: Arrow) -> None:
        kind = arrow.fate.name.lower()
        (x0, y0), (x1, y1) = arrow.begin, arrow.tip
        length = hypot(x1 - x0, y1 - y0) or 1.0
        dx, dy = (x1 - x0) / length, (y1 - y0) / length
        neck = (x1, y1) if arrow.loss else (x1 - HEAD * dx, y1 - HEAD * dy)
        line = self._line(f"way {kind}", arrow.begin, neck)
        if arrow.fate in FATES:
            line.set("stroke-dasharray", FATES[arrow.fate])
        _titled(line, arrow.title)
        if arrow.loss:
            for turn in (-5, 5):
                self._line("cross", (x1 - 5, y1 - turn), (x1 + 5, y1 + turn))
            return
        half = HEAD * 0.42
        points = [
            (x1, y1),
            (neck[0] - half * dy, neck[1] + half * dx),
            (neck[0] + half * dy, neck[1] - half * dx),
        ]
        told = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        xml.SubElement(self.root, "polygon", {"class": f"tip {kind}", "points": told})

    def _label(self, label: Label) -> None:
        shift = {"start": label.lead, "end": -label.lead, "middle": 0.0}[label.anchor]
        text = xml.SubElement(self.root, "text", x=_n(label.x + shift), y=_n(label.y))
        text.set("font-size", _n(label.size))
        text.set("xml:space", "preserve")
        if label.anchor != "start":
            text.set("text-anchor", label.anchor)
        if label.angle:
            text.set("transform", f"rotate({_n(label.angle)} {_n(label.x)} {_n(label.y)})")
        for piece in label.pieces:
            part = xml.SubElement(text, "tspan")
            if piece.kind:
                part.set("class", piece.kind)
            part.text = printable(piece.text)

    def _pin(self, pin: Pin) -> None:
        paint = SEVERITIES[pin.severity]
        circle = xml.SubElement(self.root, "circle", cx=_n(pin.x), cy=_n(pin.y), r="7")
        circle.set("class", "outline")
        circle.set("style", f"fill: {paint.fill}")
        _titled(circle, pin.title)
        number = xml.SubElement(self.root, "text", x=_n(pin.x), y=_n(pin.y + 3.5))
        number.set("class", "number")
        number.set("style", f"fill: {paint.ink}")
        number.set("font-size", "10")
        number.set("text-anchor", "middle")
        number.text = str(pin.number)

    def _rect(self, kind: str, corner: Point, size: Point, *, fill: str = "") -> xml.Element:
        (x, y), (width, height) = corner, size
        rect = xml.SubElement(self.root, "rect", x=_n(x), y=_n(y), width=_n(width))
        rect.set("height", _n(height))
        rect.set("class", kind)
        if fill:
            rect.set("fill", fill)
        return rect

    def _line(self, kind: str, begin: Point, end: Point) -> xml.Element:
        line = xml.SubElement(self.root, "line", x1=_n(begin[0]), y1=_n(begin[1]))
        line.set("x2", _n(end[0]))
        line.set("y2", _n(end[1]))
        line.set("class", kind)
        return line


def _titled(element: xml.Element, text: str) -> None:
    """What a reader is told who points at it."""
    if text:
        xml.SubElement(element, "title").text = printable(text)


def _n(number: float) -> str:
    """A length without needless digits."""
    return f"{number:.1f}".rstrip("0").rstrip(".")
