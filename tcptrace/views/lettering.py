"""Text of a capture made safe and measured: it may hold control characters, markup, wide letters.

Widths are counted in cells of a fixed-width font; a wide letter of East Asia takes two.
"""

from __future__ import annotations

from datetime import UTC, datetime
from unicodedata import combining, east_asian_width

from tcptrace.tables.wording import MICROSECOND, SECOND

ELLIPSIS = "…"


def printable(text: str) -> str:
    """The text with what cannot be seen spelt out: no capture drives a terminal or breaks XML."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def offset(ns: int) -> str:
    """Seconds since a moment, to the microsecond, cut: `0.005229`, `-0.000001`."""
    whole, rest = divmod(abs(ns), SECOND)
    return f"{'-' if ns < 0 else ''}{whole}.{rest // MICROSECOND:06d}"


def utc(time: int) -> str:
    """A moment, ns since the epoch, to the microsecond, cut: `2026-11-25 04:12:33.463128 UTC`."""
    seconds, rest = divmod(time, SECOND)
    day = datetime.fromtimestamp(seconds, UTC)
    return f"{day:%Y-%m-%d %H:%M:%S}.{rest // MICROSECOND:06d} UTC"


def cells(text: str) -> int:
    """How many cells of a fixed-width font a text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells(c) for c in text)


def cut(text: str, room: int) -> str:
    """The text, its end replaced by an ellipsis if it takes more than `room` cells."""
    if cells(text) <= room:
        return text
    kept, used = [], cells(ELLIPSIS)
    for c in text:
        used += _cells(c)
        if used > room:
            break
        kept.append(c)
    return "".join(kept) + ELLIPSIS


def wrapped(text: str, room: int) -> list[str]:
    """The text in lines of at most `room` cells, broken at blanks; a longer word is cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if cells(longer) <= room or not lines[-1]:
            lines[-1] = cut(longer, room)
        else:
            lines.append(cut(word, room))
    return lines


def _cells(c: str) -> int:
    if combining(c):
        return 0
    return 2 if east_asian_width(c) in "WF" else 1
