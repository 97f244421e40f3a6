"""`Wish`: what a line of `tcptrace live` asks for, and the source that it means."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tcptrace.errors import UsageError

if TYPE_CHECKING:
    from tcptrace.sources.live_source import LiveSource

STDIN = "-"
KIBIBYTE = 1 << 10


@dataclass(frozen=True)
class Wish:
    """The options of `tcptrace live`; `buffer` in KiB, `interval` in seconds."""

    file: str | None = None
    interface: str | None = None
    replay: float | None = None
    filter: str | None = None
    count: int | None = None
    profile: str = "linux"
    settings: tuple[str, ...] = ()
    form: str | None = None
    once: bool = False
    interval: float = 1.0
    buffer: int = 64 << 10
    user: str | None = None
    quiet: bool = False
    verbose: bool = False

    @property
    def name(self) -> str:
        """What is listened to, for people."""
        if self.file is None:
            return self.interface or first_interface()
        return "standard input" if self.file == STDIN else self.file

    def source(self) -> LiveSource:
        """The interface, pipe or file that is meant, opened; UsageError if it is not clear which.

        CaptureError where it cannot be opened.
        """
        if self.file is None:
            if self.replay is not None:
                raise UsageError("--replay needs a FILE")
            return self._interface()
        if self.interface is not None:
            raise UsageError(f"give either -i {self.interface} or {self.file}")
        from tcptrace.sources.piped import Piped
        from tcptrace.sources.streams import is_stream

        if not is_stream(self.file) or self.replay is not None:
            return self._paced(self.file)
        if self.file == STDIN and sys.stdin is not None and sys.stdin.isatty():
            raise UsageError("standard input is a terminal: pipe a capture into it")
        return Piped(self.file)

    def _interface(self) -> LiveSource:
        from tcptrace.sources.interface import Interface

        return Interface(self.name, self.filter, self.buffer * KIBIBYTE)

    def _paced(self, file: str) -> LiveSource:
        from tcptrace.sources.paced import Paced

        if self.replay is None:
            raise UsageError(
                f"to follow {file} at its own pace add --replay 1x; to read it: tcptrace {file}"
            )
        return Paced(file, self.replay)


def first_interface() -> str:
    """The first interface that is up and leads out, as tcpdump picks it; else the loopback."""
    from tcptrace.sources.interface import ANY, interfaces

    up = [name for name, is_up in interfaces() if is_up and name != ANY]
    return next((name for name in up if name != "lo"), "lo")
