"""What surrounds a ladder: whose it is above, the findings and the legend below."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from tcptrace.tables.schema import STATES
from tcptrace.tables.wording import counted, span
from tcptrace.views.fates import IGNORED, LOST, Fate
from tcptrace.views.lettering import cut, printable, wrapped
from tcptrace.views.palette import STROKES, paint_of
from tcptrace.views.places import EDGE, WIDTH
from tcptrace.views.scene import Scene
from tcptrace.views.shapes import CELL, Arrow, Box, Drawing, Label, Piece, Pin, Tick

HEADER = 92.0  # where the ladder begins
LINE = 18.0
SIZE = 11.0
MOST_FINDINGS = 9
SAMPLE = 34.0  # how long a stroke of the legend is
ARROWS = {
    Fate.SENT: "segment",
    Fate.AGAIN: "again: sent before",
    Fate.LATE: "late: later octets came first",
    Fate.COPY: "copy made by the capture",
    Fate.UNSEEN: "not captured, yet acknowledged",
}
LOSSES = {
    LOST: "lost, as later segments prove",
    IGNORED: "lost or ignored, as later segments prove",
}
BASES = {
    "solid": "observed or confirmed",
    "dashed": "presumed or inferred",
    "dotted": "timer or assumed",
}


def add_header(drawing: Drawing, scene: Scene) -> None:
    """The title, when it was, how it ended, and the names of both sides."""
    orig, resp = scene.endpoints
    source = f"  {printable(scene.source)}" if scene.source else ""
    title = f"connection {scene.row.name}  {orig} → {resp}"
    drawing.title, drawing.description = title, "; ".join(_facts(scene))
    room = (WIDTH - 2 * EDGE) / CELL
    drawing.labels += [
        _label(EDGE, 26, cut(title + source, int(room / 14)), "title", 14.0),
        _label(EDGE, 46, cut(drawing.description, int(room / SIZE)), "dim"),
        _label(EDGE, 76, f"originator  {orig}", "head"),
        _label(WIDTH - EDGE, 76, f"{resp}  responder", "head", anchor="end"),
    ]


def _facts(scene: Scene) -> Iterator[str]:
    row = scene.row
    yield f"{row['ts_start'].strftime('%Y-%m-%d %H:%M:%S.%f')} UTC"
    closer = str(row["closer"])
    yield f"{row['close_kind']} by {closer}" if closer != "none" else "not closed"
    if scene.gone:
        yield f"without its packets: {printable(scene.gone)}"
        return
    known = [max(delay, 0) for delay in scene.delays]
    if any(known):
        yield f"one way {span(sum(known))}, from tap to originator {span(known[0])}"
    else:
        yield "one-way delay not known, arrows are level"
    yield "time runs down, not to scale"


def add_footer(drawing: Drawing, scene: Scene, top: float) -> None:
    """Findings and legend, from `top` down; sets the height of the page."""
    y = _add_findings(drawing, scene.anomalies, top)
    y = _Legend(drawing, y).add(scene)
    drawing.height = y + EDGE


def _add_findings(drawing: Drawing, anomalies: pd.DataFrame, top: float) -> float:
    y, x = top + LINE, EDGE + 24
    shown = anomalies.head(MOST_FINDINGS)
    told = zip(shown["severity"].astype(str), shown["headline"], strict=True)
    for number, (severity, headline) in enumerate(told, 1):
        drawing.pins.append(Pin(EDGE + 9, y - 4, number, severity))
        text = f"{severity}: {printable(headline)}"
        for line in wrapped(text, int((WIDTH - EDGE - x) / CELL / SIZE)):
            drawing.labels.append(_label(x, y, line))
            y += LINE
    if len(anomalies) > MOST_FINDINGS:
        more = counted(len(anomalies) - MOST_FINDINGS, "more finding")
        drawing.labels.append(_label(x, y, f"and {more}", "dim"))
        y += LINE
    return y + (LINE / 2 if len(anomalies) else 0)


class _Legend:
    """Samples and their words, one after the other, in as many lines as they need."""

    def __init__(self, drawing: Drawing, y: float) -> None:
        self.drawing, self.x, self.y = drawing, EDGE, y

    def add(self, scene: Scene) -> float:
        """What the drawing uses, and nothing else; where the legend ends."""
        drawing = self.drawing
        for state in (name for name in STATES if any(b.state == name for b in drawing.bands)):
            self._place(16, state)
            box = Box(self.x, self.y - 10, 14, 12, "chip", paint_of(state).fill)
            drawing.boxes.append(box)
            self._write(20, state)
        self._break()
        strokes = {STROKES[band.basis]: band.basis for band in drawing.bands}
        for stroke in (name for name in BASES if name in strokes):
            self._place(SAMPLE, BASES[stroke])
            drawing.ticks.append(Tick(self.x, self.x + SAMPLE, self.y - 4, strokes[stroke]))
            self._write(SAMPLE + 6, BASES[stroke])
        self._break()
        self._add_arrows()
        return self.y

    def _add_arrows(self) -> None:
        used = {arrow.fate for arrow in self.drawing.arrows}
        losses = {arrow.loss for arrow in self.drawing.arrows}
        for fate in (fate for fate in Fate if fate in used):
            self._sample(Arrow((0, 0), (0, 0), fate), ARROWS[fate])
        for loss in (loss for loss in LOSSES if loss in losses):
            self._sample(Arrow((0, 0), (0, 0), loss=loss), LOSSES[loss])

    def _sample(self, arrow: Arrow, words: str) -> None:
        self._place(SAMPLE, words)
        begin, end = (self.x, self.y - 4), (self.x + SAMPLE, self.y - 4)
        self.drawing.arrows.append(Arrow(begin, end, arrow.fate, arrow.loss))
        self._write(SAMPLE + 6, words)

    def _place(self, sample: float, words: str) -> None:
        """Begin a new line where this one has no room left."""
        if self.x + sample + 6 + len(words) * CELL * SIZE > WIDTH - EDGE:
            self._break()

    def _write(self, after: float, words: str) -> None:
        label = _label(self.x + after, self.y, words)
        self.drawing.labels.append(label)
        self.x += after + label.width + 18

    def _break(self) -> None:
        if self.x > EDGE:
            self.x, self.y = EDGE, self.y + LINE


def _label(
    x: float, y: float, text: str, kind: str = "", size: float = SIZE, *, anchor: str = "start"
) -> Label:
    return Label(x, y, (Piece(text, kind),), anchor, size=size)
