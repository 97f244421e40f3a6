"""`open_capture`: whatever a user names, as one capture that gives batches of `Packets`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tcptrace.errors import CaptureError
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.formats import open_window
from tcptrace.sources.naming import named_sources
from tcptrace.sources.packets import Packets
from tcptrace.sources.scapy_list import is_scapy_packets, packets_of
from tcptrace.sources.streams import CountedStream, is_stream, name_of, open_stream, size_of
from tcptrace.sources.time_order import Span, in_time_order
from tcptrace.sources.window import CHUNK

_MANY = 32
_SMALL_CHUNK = 1 << 16


class Capture:
    """One capture, of one or more files; iterate it for batches of at most 8192 packets.

    `files` are the facts of each file in the order given, complete when the iteration is;
    `skipped_files` names what was in a directory and is no capture. `bytes_total` is the size
    on disk of all files together (None where one is a pipe), `bytes_read` how much of it was
    read. Iterating again reads files again; a pipe can be read once.
    """

    def __init__(self, sources: list[Any], on_bytes: Callable[[int], None] | None) -> None:
        self._sources = sources
        self._on_bytes = on_bytes
        self.skipped_files: list[str] = []
        self.bytes_read = 0
        self.files = [self._begin(source) for source in sources]

    @property
    def bytes_total(self) -> int | None:
        """Bytes on disk of all files; None where one has no size, being a pipe."""
        sizes = [facts.size for facts in self.files if facts.size is not None]
        return sum(sizes) if len(sizes) == len(self.files) else None

    def __iter__(self) -> Iterator[Packets]:
        self.bytes_read = 0
        self.files[:] = [self._begin(source) for source in self._sources]
        if len(self._sources) == 1:
            return self._read(0, 0)
        return in_time_order([self._span(file) for file in range(len(self._sources))])

    def _begin(self, source: Any) -> FileFacts:
        return FileFacts(name_of(source), size=size_of(source))

    def _span(self, file: int) -> Span:
        source = self._sources[file]
        read = partial(self._read, file)
        if is_stream(source):
            # A pipe cannot be read twice: it takes part from the beginning.
            return Span(None, file, self.files[file].path, read)
        return Span(_first_time(source), file, self.files[file].path, read)

    def _read(self, file: int, already_open: int) -> Iterator[Packets]:
        source, facts = self._sources[file], self.files[file]
        chunk = CHUNK if already_open < _MANY else _SMALL_CHUNK
        yield from _read_file(source, facts, file, chunk, self._count_bytes)

    def _count_bytes(self, count: int) -> None:
        self.bytes_read += count
        if self._on_bytes is not None:
            self._on_bytes(count)


def open_capture(source: Any, *, on_bytes: Callable[[int], None] | None = None) -> Capture:
    """The capture that `source` names; its packets are read when it is iterated.

    `source` is a path, a glob pattern, a directory (its captures, sorted by name), "-" for
    standard input, an open binary file, a scapy PacketList, or a list of these. `on_bytes` is
    called with how many bytes each reading from disk brought. CaptureError, here and while
    iterating, names the file, the byte and what was expected there; UsageError for a source
    of another kind.
    """
    named = named_sources(source)
    kept, skipped = [], []
    for each in named.sources:
        if is_stream(each):
            kept.append(each)
            continue
        try:
            _examine(each)
            kept.append(each)
        except CaptureError:
            if each not in named.optional:
                raise
            skipped.append(each)
    if not kept:
        raise CaptureError(name_of(source), "expected at least one capture file in it")
    capture = Capture(kept, on_bytes)
    capture.skipped_files = skipped
    return capture


def _examine(path: str) -> None:
    """CaptureError unless the file can be read and begins as a capture does."""
    stream = open_stream(path)
    try:
        open_window(stream, FileFacts(path), _SMALL_CHUNK)
    finally:
        stream.close()


def _read_file(
    source: Any,
    facts: FileFacts,
    file: int,
    chunk: int,
    on_bytes: Callable[[int], None],
) -> Iterator[Packets]:
    if is_scapy_packets(source):
        yield from packets_of(source, facts, file)
        return
    stream = CountedStream(open_stream(source), facts.path, on_bytes)
    try:
        window, read = open_window(stream, facts, chunk)
        yield from read(window, facts, file)
        if facts.damage and facts.truncated_at is None:
            facts.truncated_at = window.position
    finally:
        stream.close()


def _first_time(path: str) -> int | None:
    """Time of the first packet of a file, ns since the epoch; None if it has none."""
    batches = _read_file(path, FileFacts(path), 0, _SMALL_CHUNK, lambda count: None)
    first = next(batches, None)
    return None if first is None else int(first.time[0])
