"""`LiveSource`: what a source offers that gives packets as they come; `Counters`: how it fared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tcptrace.sources.facts import FileFacts
from tcptrace.sources.packets import Packets


@dataclass
class Counters:
    """Counts since the capture began; `None` where the source cannot know.

    received : packets that passed the filter and were taken in
    dropped : packets that passed it and that the kernel had no room for
    dropped_by_interface : packets that the network card or its driver lost, of any kind
    behind : how long the newest packet taken in had waited, ns; 0 where none waits
    evicted : connections let go before their end, to bound memory
    forgotten : connections whose rows were given up, to bound memory
    """

    received: int = 0
    dropped: int | None = None
    dropped_by_interface: int | None = None
    behind: int = 0
    evicted: int = 0
    forgotten: int = 0


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
