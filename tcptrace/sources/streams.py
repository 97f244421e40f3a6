"""Byte streams that a capture can come from: a file, a pipe, an open file object."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tcptrace.errors import CaptureError, UsageError
from tcptrace.sources.window import Stream

STDIN = "-"


class CountedStream:
    """A stream that tells `on_bytes` how many bytes each reading brought."""

    def __init__(self, stream: Stream, source: str, on_bytes: Callable[[int], None]) -> None:
        self._stream = stream
        self._source = source
        self._on_bytes = on_bytes
        self._position = 0

    def readinto(self, view: memoryview, /) -> int:
        """As `Stream.readinto`; CaptureError if it cannot be read on, or is closed."""
        try:
            got = self._stream.readinto(view)
        except UsageError:
            raise
        except (OSError, EOFError, ValueError) as error:
            raise CaptureError(self._source, _reason(error), self._position) from None
        self._position += got
        self._on_bytes(got)
        return got

    def close(self) -> None:
        """Close the stream below."""
        self._stream.close()


class ObjectStream:
    """An open binary file object; it belongs to the caller and is not closed."""

    def __init__(self, file: Any) -> None:
        if isinstance(file, io.TextIOBase):
            raise UsageError("a capture is read from a file that was opened in binary mode")
        self._file = file
        # `read` of a buffered file waits until all it was asked for is there; `read1` does not.
        self._read: Callable[[int], bytes | None] = getattr(file, "read1", None) or file.read

    def readinto(self, view: memoryview, /) -> int:
        """As `Stream.readinto`; waits where the file is in non-blocking mode."""
        octets = self._read(len(view))
        while octets is None:
            select.select([self._file], [], [])
            octets = self._read(len(view))
        if isinstance(octets, str):
            raise UsageError("a capture is read from a file that was opened in binary mode")
        view[: len(octets)] = octets
        return len(octets)

    def close(self) -> None:
        """Nothing: who opened the file closes it."""


def open_stream(source: str | Any) -> Stream:
    """The bytes of a path, of standard input ("-"), or of an open binary file.

    CaptureError where the path is missing, may not be read, or is a directory.
    """
    if source == STDIN:
        if sys.stdin is None:
            raise CaptureError(name_of(source), "is closed")
        return ObjectStream(sys.stdin.buffer)
    if not isinstance(source, str):
        return ObjectStream(source)
    try:
        return io.FileIO(source)
    except (OSError, ValueError) as error:
        raise CaptureError(source, _reason(error)) from None


def open_part(path: str, begin: int, end: int | None) -> Stream:
    """The bytes of a file from one offset up to another (None: up to its end).

    CaptureError as `open_stream`.
    """
    try:
        return _Part(path, begin, end)
    except (OSError, ValueError) as error:
        raise CaptureError(path, _reason(error)) from None


class _Part(io.FileIO):
    def __init__(self, path: str, begin: int, end: int | None) -> None:
        super().__init__(path)
        self.seek(begin)
        self._left = sys.maxsize if end is None else end - begin

    def readinto(self, view: Any, /) -> int:
        """As `Stream.readinto`."""
        got = super().readinto(view[: self._left])
        self._left -= got
        return got


def is_stream(source: Any) -> bool:
    """Whether a source can be read only once: a pipe, standard input, an object."""
    return not isinstance(source, str) or source == STDIN or _is_pipe(source)


def name_of(source: str | Any) -> str:
    """What to call a source in messages and facts."""
    if source == STDIN:
        return "standard input"
    if isinstance(source, str):
        return source
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else type(source).__name__


def _is_pipe(path: str) -> bool:
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def size_of(source: str | Any) -> int | None:
    """Bytes of a regular file as it lies on disk; None for pipes and file objects."""
    if isinstance(source, str) and source != STDIN and Path(source).is_file():
        return os.stat(source).st_size
    return None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
