"""`progress_bar`: how far the reading has come, on stderr; nothing off a terminal.

rich is imported where a bar is shown.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tcptrace.sources.capture import Capture


class Bar(Protocol):
    """What shows how far the reading has come."""

    def update(self, capture: Capture, packets: int, connections: int) -> None:
        """Show it: bytes as the capture counts them, packets and connections so far."""


class _NoBar:
    def update(self, capture: Capture, packets: int, connections: int) -> None:
        """Nothing to show."""


class _Shown(AbstractContextManager[Bar]):
    """A bar by rich: of bytes, packets a second, connections, and the time that is left.

    Where the size is not known, as of a pipe, the bar only moves, and no time is left.
    """

    def __init__(self, forced: bool) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        told = TextColumn("{task.fields[told]}")
        columns = (BarColumn(None), DownloadColumn(), told, TimeElapsedColumn())
        console = Console(stderr=True, force_terminal=True if forced else None)
        self._shown: Any = Progress(
            *columns, TextColumn("left"), TimeRemainingColumn(), console=console, transient=True
        )

    def __enter__(self) -> Bar:
        self._task = self._shown.add_task("reading", total=None, told="")
        self._shown.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._shown.stop()

    def update(self, capture: Capture, packets: int, connections: int) -> None:
        """What was read so far; the rate is that since the start."""
        seconds = self._shown.tasks[0].elapsed or 0
        rate = packets / seconds if seconds else 0
        told = f"{rate:,.0f} packets/s  {connections:,} connections"
        done, total = capture.bytes_read, capture.bytes_total
        self._shown.update(self._task, completed=done, total=total, told=told)


def progress_bar(progress: bool | None) -> AbstractContextManager[Bar]:
    """A bar on stderr if `progress` asks for one, or leaves it open and stderr is a terminal."""
    shown = progress if progress is not None else sys.stderr is not None and sys.stderr.isatty()
    return _Shown(forced=progress is True) if shown else nullcontext(_NoBar())
