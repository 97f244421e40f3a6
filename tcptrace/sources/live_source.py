"""`LiveSource`: what a source offers that gives packets as they come, and the clock it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from tcptrace.sources.counters import Counters
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.packets import Packets


class LiveSource(Protocol):
    """An interface, a pipe, or a file at its own pace."""

    facts: FileFacts

    def batches(self) -> Iterator[Packets]:
        """Packets as they come; ends at the source's end, or soon after `stop`.

        CaptureError where it breaks off, after everything that came before.
        """

    def now(self) -> int:
        """The time it is in the source: ns since the epoch by the clock that stamps packets."""

    def counters(self) -> Counters:
        """What was taken in and lost so far, and how long the newest packet waited."""

    def stop(self) -> None:
        """End the iteration of `batches`; may be called from another thread."""

    def close(self) -> None:
        """Give back what the system holds for it."""
