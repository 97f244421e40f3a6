"""`Picture`: a matplotlib figure that stands alone, shows itself in a notebook, and can be altered.

It is made without pyplot, so nothing of it stays behind in the process; its SVG keeps text as text
and is the same for the same picture.
"""

from __future__ import annotations

import io
from base64 import b64encode
from html import escape
from typing import Any

import matplotlib
from matplotlib.figure import Figure

STYLE: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "tcptrace"}
SVG = "svg"


class Picture(Figure):
    """A figure of `width` by `height` inches, laid out so that nothing is clipped."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), layout="constrained")

    def settle(self) -> None:
        """Lay everything out now, once: with a legend outside, the layout drifts each time."""
        self.draw_without_rendering()
        self.set_layout_engine("none")

    def savefig(self, fname: Any, **kwargs: Any) -> None:
        """As `Figure.savefig`: to a path or a file, in the form that suffix or `format` says."""
        form = kwargs.get("format") or str(fname).rpartition(".")[2]
        if form.lower() == SVG:
            kwargs = {"metadata": {"Date": None, "Creator": "tcptrace"}, **kwargs}
        with matplotlib.rc_context(STYLE):
            super().savefig(fname, **kwargs)

    def svg(self) -> str:
        """The SVG element, to be put into a page: no XML declaration, no JavaScript."""
        stream = io.StringIO()
        self.savefig(stream, format=SVG)
        text = stream.getvalue()
        return text[text.index("<svg") :]

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        """As an image, so that a narrow page shows all of it, smaller, and no part of it alone."""
        data = b64encode(self.svg().encode()).decode()
        words = escape(" ".join(axes.get_title() for axes in self.axes))
        source = f"data:image/svg+xml;base64,{data}"
        return f'<img alt="{words}" style="max-width: 100%" src="{source}">'
