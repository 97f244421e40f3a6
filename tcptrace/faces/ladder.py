"""A connection's ladder in a terminal: the lines of `views.lines` in the palette's colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tcptrace.faces.terminal import STYLES
from tcptrace.tcp.states import State
from tcptrace.views.palette import paint_of

if TYPE_CHECKING:
    from rich.text import Text

    from tcptrace.views.scene import Scene

FATES = {
    "dim": "dim",
    "again": "bold dark_orange",
    "late": "magenta",
    "copy": "dim",
    "unseen": "dim",
    "lost": "bold red",
}
BARS = {f"in {state}": paint_of(state).fill for state in State.__members__}


def ladder(scene: Scene, width: int, *, whole: bool = False) -> Iterator[Text]:
    """The lines from top to bottom, `width` columns wide; `whole` leaves no segment out."""
    from rich.text import Text

    from tcptrace.views.lines import lines

    for line in lines(scene, width, whole=whole):
        text = Text(no_wrap=True)
        for words, kind in line:
            _append(text, words, kind)
        yield text


def _append(text: Text, words: str, kind: str) -> None:
    """Add words; the blanks before a state's name stay uncoloured."""
    style = STYLES.get(kind) or FATES.get(kind) or BARS.get(kind, "")
    name = words.lstrip()
    text.append(words[: len(words) - len(name)])
    text.append(name, style)
