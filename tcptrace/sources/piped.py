"""`Piped`: a capture that comes through a pipe while it is made, as `tcpdump -U -w -` does."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterator

from tcptrace.errors import CaptureError
from tcptrace.sources.capture import open_capture
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.live_source import Counters
from tcptrace.sources.packets import Packets
from tcptrace.sources.streams import STDIN, name_of


class Stopped(Exception):
    """Raised inside a reading that was told to end; nobody outside sees it."""


class _Pipe:
    """A file descriptor that is waited for together with the wish to stop; a binary file object.

    `name` is what messages call it.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        self.name = name
        self._descriptor = descriptor
        self._woken, self._waking = os.pipe()

    def read(self, count: int = -1) -> bytes:
        """What is there, at least an octet; nothing at the end."""
        ready = select.select([self._descriptor, self._woken], [], [])[0]
        if self._woken in ready:
            raise Stopped
        return os.read(self._descriptor, count)

    def wake(self) -> None:
        """End a reading that waits."""
        os.write(self._waking, b"\0")

    def close(self) -> None:
        """Close it, and what waking takes."""
        os.close(self._descriptor)
        os.close(self._woken)
        os.close(self._waking)


class Piped:
    """The packets of standard input, or of the named pipe at `path`, as they come.

    What time it is there is told from the packets: another machine's clock may have made them.
    """

    def __init__(self, path: str = STDIN) -> None:
        name = name_of(path)
        self._pipe = _Pipe(_descriptor(path, name), name)
        self.facts = FileFacts(name)
        self._counters = Counters()
        self._least: int | None = None
        self._latest = 0

    def batches(self) -> Iterator[Packets]:
        """Packets as they come; CaptureError where they are no capture."""
        capture = open_capture(self._pipe)
        try:
            for packets in capture:
                self.facts = capture.files[0]
                self._counters.received += len(packets)
                self._note_clock(packets)
                yield packets
        except Stopped:
            return
        finally:
            self.facts = capture.files[0]

    def now(self) -> int:
        """The packets' own clock, as far ahead as the shortest way of a packet tells."""
        if self._least is None:
            return time.time_ns()
        return max(time.time_ns() - self._least, self._latest)

    def counters(self) -> Counters:
        """What came through; what the other end of the pipe lost is not known here."""
        return self._counters

    def stop(self) -> None:
        """No more packets."""
        self._pipe.wake()

    def close(self) -> None:
        """Give the descriptors back that were opened here."""
        self._pipe.close()

    def _note_clock(self, packets: Packets) -> None:
        self._latest = max(self._latest, int(packets.time.max()))
        late = time.time_ns() - self._latest
        self._least = late if self._least is None else min(self._least, late)
        self._counters.behind = late - self._least


def _descriptor(path: str, name: str) -> int:
    """One of our own, which `_Pipe` closes; CaptureError where there is nothing to read."""
    try:
        if path != STDIN:
            return os.open(path, os.O_RDONLY)
        if sys.stdin is None or sys.stdin.closed:
            raise CaptureError(name, "is closed")
        return os.dup(sys.stdin.fileno())
    except OSError as error:
        raise CaptureError(name, error.strerror or str(error)) from None
