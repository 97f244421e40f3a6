"""`Window`: the stretch of a byte stream that is in memory, moved forward by its reader.

Batches keep a view of the buffer they were read from, so a buffer is filled once and then
left alone: when it is full, the bytes not yet used move to a new one. A buffer grows only
by bytes that really came, never by what a length field promises.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

CHUNK = 1 << 22


class Stream(Protocol):
    """Something that bytes come from."""

    def readinto(self, view: memoryview, /) -> int:
        """Fill the front of `view` with what is there, at least one byte; 0 at the end."""

    def close(self) -> None:
        """Give back the file descriptor, if there is one."""


class Window:
    """The bytes `octets[start:end]` are in memory; `position` is the stream offset of `start`."""

    def __init__(self, stream: Stream, chunk: int = CHUNK, begin: int = 0) -> None:
        """`begin` is the offset of the stream's first byte in what it is part of."""
        self.octets = _buffer(chunk)
        self.start = 0
        self.end = 0
        self.finished = False
        self._stream = stream
        self._chunk = chunk
        self._moved = begin

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def position(self) -> int:
        """How many bytes of the stream were used."""
        return self._moved + self.start

    def fill(self) -> bool:
        """Read once more, whatever is there; False at the end of the stream."""
        if self.finished:
            return False
        if self.end == len(self.octets):
            self._renew()
        got = self._stream.readinto(self.octets[self.end :])
        self.end += got
        self.finished = got == 0
        return not self.finished

    def need(self, count: int) -> bool:
        """Read until `count` bytes are there; False if the stream ends before."""
        while len(self) < count:
            if not self.fill():
                return False
        return True

    def peek(self, count: int) -> bytes:
        """Up to `count` bytes that are in memory, left where they are."""
        return bytes(self.octets[self.start : min(self.end, self.start + count)])

    def skip(self, count: int) -> bool:
        """Go on by `count` bytes without keeping them; False if the stream ends before."""
        while len(self) < count:
            count -= len(self)
            self.start = self.end
            if not self.fill():
                return False
        self.start += count
        return True

    def close(self) -> None:
        """Close the stream below."""
        self._stream.close()

    def _renew(self) -> None:
        left = len(self)
        size = self._chunk if left <= self._chunk // 2 else 2 * left
        octets = _buffer(size)
        octets[:left] = self.octets[self.start : self.end]
        self._moved += self.start
        self.octets, self.start, self.end = octets, 0, left


def _buffer(size: int) -> memoryview:
    """Writable memory that is not cleared first: nothing behind `end` is ever looked at."""
    return np.empty(size, np.uint8).data
