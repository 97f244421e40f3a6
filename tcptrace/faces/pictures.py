"""Pictures on stdout or in a file: what forms there are, and that no terminal gets one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from tcptrace.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SVG: Final = "svg"
PICTURES: Final = (SVG, "png", "pdf")


def picture_form(asked: str | None, path: str | None) -> str | None:
    """The form asked for, else the one that the file's name says; None if that is no picture's."""
    form = asked or Path(path or "").suffix.lower().removeprefix(".")
    return form if form in PICTURES else None


def write_picture(figure: Figure, form: str, stream: IO[str]) -> None:
    """The picture's bytes; UsageError on a terminal."""
    if stream.isatty():
        raise UsageError("a picture is not for a terminal: add -o FILE.svg or a pipe")
    held = io.BytesIO()
    figure.savefig(held, format=form)
    stream.flush()
    stream.buffer.write(held.getbuffer())  # type: ignore[attr-defined]
