"""`Paced`: a file whose packets come at the pace at which they came once, or a multiple of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from tcptrace.errors import UsageError
from tcptrace.sources.capture import open_capture
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.live_source import Counters
from tcptrace.sources.naming import named_sources
from tcptrace.sources.packets import Packets

NANOSECONDS = 1_000_000_000
_LONGEST_SLEEP = 0.05


class Paced:
    """The packets of a capture, each when it is due; `speed` times as fast as they were.

    UsageError for a speed that is none; CaptureError for a source that is no capture.
    """

    def __init__(self, source: Any, speed: float) -> None:
        if not 0 < speed < float("inf"):
            raise UsageError(f"speed is {speed}: it must be more than 0")
        self._capture = open_capture(source)
        self._speed = speed
        self._stopping = threading.Event()
        self._start: int | None = None
        self._began = 0
        self._latest = 0
        self._over = False
        self._counters = Counters()
        self.facts = FileFacts(", ".join(str(each) for each in named_sources(source).sources))

    def batches(self) -> Iterator[Packets]:
        """The packets in the order of the capture, those that are due at a time together."""
        for packets in self._capture:
            due = np.maximum(np.maximum.accumulate(packets.time), self._latest)
            self._latest = int(due[-1])
            if self._start is None:
                self._start, self._began = int(due[0]), time.monotonic_ns()
            sent = 0
            while sent < len(packets) and not self._stopping.is_set():
                until = int(np.searchsorted(due, self.now(), "right"))
                if until > sent:
                    self._count(packets.take(slice(sent, until)), int(due[until - 1]))
                    yield packets.take(slice(sent, until))
                    sent = until
                else:
                    self._sleep(int(due[sent]))
            if self._stopping.is_set():
                return
        self._over = True

    def now(self) -> int:
        """The time it is in the capture."""
        if self._start is None:
            return 0
        now = self._start + int((time.monotonic_ns() - self._began) * self._speed)
        return min(now, self._latest) if self._over else now

    def counters(self) -> Counters:
        """What was given so far, and how late the last of it was."""
        return self._counters

    def stop(self) -> None:
        """No more packets."""
        self._stopping.set()

    def close(self) -> None:
        """Nothing: the files are closed when they have been read."""

    def _count(self, packets: Packets, due: int) -> None:
        self.facts.count(packets)
        self._counters.received += len(packets)
        self._counters.behind = int(max(0, self.now() - due) / self._speed)

    def _sleep(self, due: int) -> None:
        wait = (due - self.now()) / self._speed / NANOSECONDS
        self._stopping.wait(min(max(wait, 0.0), _LONGEST_SLEEP))
