"""`Ladder`: one connection drawn, as SVG and as text.

The way there: `scene` (the rows), `fates` (what became of each segment), `rungs` (what is shown);
then `marks` and `layout` place shapes that `svg` writes, or `lines` sets the text.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from pathlib import Path

from tcptrace.errors import UsageError
from tcptrace.views.layout import drawing_of
from tcptrace.views.lettering import wrapped
from tcptrace.views.lines import legend, lines
from tcptrace.views.rungs import WHOLE, Choice, rungs
from tcptrace.views.scene import Scene
from tcptrace.views.svg import svg

FEW = Choice(longest_run=40)
MANY = Choice(longest_run=6)


class Ladder(str):
    """The SVG document, as text; a notebook shows it as a picture."""

    caption: str

    def save(self, path: str | Path) -> Path:
        """Write the SVG document; UsageError if that cannot be done."""
        try:
            Path(path).write_text(self, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or error}") from None
        return Path(path)

    def _repr_svg_(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """As an image of its own, whose styles and page's styles do not mix."""
        data = b64encode(self.encode()).decode()
        return f'<img alt="{escape(self.caption)}" src="data:image/svg+xml;base64,{data}">'


def ladder(scene: Scene, *, whole: bool = False) -> Ladder:
    """The ladder of a connection; `whole` leaves no segment out."""
    few = len(scene.segments) <= FEW.longest_run
    items = rungs(scene, WHOLE if whole else FEW if few else MANY)
    drawing = drawing_of(scene, items)
    drawn = Ladder(svg(drawing))
    drawn.caption = drawing.title
    return drawn


def text_of(scene: Scene, width: int = 80, *, whole: bool = False) -> str:
    """The ladder in lines of text, for a terminal or a log."""
    told = ["".join(text for text, _ in line).rstrip() for line in lines(scene, width, whole=whole)]
    words = [line for each in legend(scene, whole=whole) for line in wrapped(each, width)]
    return "\n".join([*told, *words])
