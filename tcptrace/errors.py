"""Every exception that tcptrace raises.

    TcptraceError
    ├── CaptureError    this source cannot be read: which file, at which byte, what was expected
    └── UsageError      the caller's mistake: an unknown option, column, state, profile or filter

Damaged packets and surprising segments are data (rows, counters), never exceptions.
"""

from __future__ import annotations


class TcptraceError(Exception):
    """The root of the tree; catch it to catch everything tcptrace raises on purpose."""


class CaptureError(TcptraceError):
    """A source that cannot be read, with the file, the byte offset and what was expected there."""

    def __init__(self, source: str, expected: str, offset: int | None = None) -> None:
        self.source = source
        self.offset = offset
        self.expected = expected
        where = "" if offset is None else f" at byte {offset}"
        super().__init__(f"{source}{where}: {expected}")


class UsageError(TcptraceError, ValueError):
    """The caller asked for something that does not exist or does not fit."""
