"""Where text goes: colour only on a terminal, and nothing of a capture is read as markup."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING

from tcptrace.views.lettering import printable as printable
from tcptrace.views.palette import STATES

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

IN_ASCII = "tcptrace-in-ascii"
ASCII = {
    "─": "-", "│": "|", "▶": ">", "◀": "<", "→": ">", "←": "<", "…": "+", "µ": "u", "·": "-",
    "═": "=", "╌": ":", "✗": "x", "┊": ":",
}  # fmt: skip
STYLES = {
    "critical": "bold white on red", "warning": "bold yellow", "notice": "cyan", "info": "dim",
    **{state.name: f"{paint.ink} on {paint.fill}" for state, paint in STATES.items()},
    "rst": "red", "timeout": "yellow", "reduced": "dim",
}  # fmt: skip


def console(stream: IO[str]) -> Console:
    """A console whose `print` takes text as it is: no markup, no emoji, no highlighting.

    Off a terminal lines are 80 wide unless COLUMNS says otherwise. A broken pipe is left to `main`.
    """
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain(file=stream, markup=False, emoji=False, highlight=False, soft_wrap=False)


def print_parts(
    parts: Callable[[int], Iterable[RenderableType]], stream: IO[str], *, in_ascii: bool = False
) -> None:
    """Print what `parts` makes for a width, as it comes; off a terminal without trailing blanks.

    in_ascii : lines and arrows in ASCII, what has no such form spelt out
    """
    out = console(stream)
    for part in parts(out.width):
        if stream.isatty() and not in_ascii:
            out.print(part)
            continue
        with out.capture() as held:
            out.print(part)
        told = held.get()
        if not stream.isatty():
            told = "\n".join(line.rstrip() for line in told.split("\n"))
        stream.write(spelt_in_ascii(told) if in_ascii else told)
    stream.flush()


def spelt_in_ascii(text: str) -> str:
    """The text with lines and arrows in ASCII, and what has no such form spelt out."""
    codecs.register_error(IN_ASCII, _in_ascii)
    return text.encode("ascii", IN_ASCII).decode()


def take_any_alphabet(stream: IO[str]) -> None:
    """Let a stream of a small alphabet take every text: lines and arrows in ASCII, the rest spelt.

    Streams that cannot be changed, such as those of tests, stay as they are.
    """
    codecs.register_error(IN_ASCII, _in_ascii)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=IN_ASCII)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    spelt = (ASCII.get(c) or c.encode("ascii", "backslashreplace").decode() for c in text)
    return "".join(spelt), error.end


def note(text: str) -> None:
    """One line on stderr, for what is not data."""
    print(printable(text), file=sys.stderr, flush=True)
