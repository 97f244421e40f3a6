"""`read`: a source all the way to a `Trace`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from tcptrace.ahead import ahead
from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Segments
from tcptrace.errors import UsageError
from tcptrace.sources.capture import Capture, open_capture
from tcptrace.sources.filter import Filter
from tcptrace.sources.naming import named_sources
from tcptrace.sources.packets import Packets
from tcptrace.sources.scapy_list import is_scapy_packets
from tcptrace.sources.streams import is_stream
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tcp.profile import Profile
from tcptrace.tcp.timers import profile as profile_of
from tcptrace.trace import Trace
from tcptrace.tracker.connections import ConnectionTable
from tcptrace.tracker.tracker import ENDED_LINGER, OPEN_LIMIT, Tracker

DEFAULT_PROFILE = "linux"


class Bar(Protocol):
    """What shows how far the reading has come."""

    def update(self, capture: Capture) -> None:
        """Show it."""


def read(
    source: Any,
    *,
    filter: str | None = None,
    profile: str | Profile | None = None,
    count: int | None = None,
    progress: bool | None = None,
) -> Trace:
    """Read a capture and rebuild the states of both endpoints of every connection in it.

    source : a path, a list of paths, a directory, a glob pattern, "-" for standard input, an
        open binary file, or a scapy PacketList
    filter : which packets to read, in tcpdump's language
    profile : timers of the silent states, by name or as `tcptrace.profile` made them; linux
    count : read at most so many packets
    progress : a bar on stderr; by default only where that is a terminal

    CaptureError for a source that cannot be read; UsageError for a filter, a profile or a count
    that makes no sense.
    """
    wanted = None if filter is None else Filter(filter)
    return Reading(source, wanted, checked_count(count), profile_named(profile)).trace(progress)


@dataclass
class Reading:
    """How a source is read: the same again for the table of segments."""

    source: Any
    filter: Filter | None
    count: int | None
    profile: Profile

    def trace(self, progress: bool | None) -> Trace:
        """Read everything once."""
        capture = open_capture(self.source)
        facts = CaptureFacts(skipped_files=list(capture.skipped_files))
        decoder, tracker = Decoder(), Tracker(profile=self.profile)
        with progress_bar(progress) as bar:
            for segments in ahead(self._decoded(capture, facts, decoder)):
                facts.segments += len(segments)
                tracker.feed(segments)
                bar.update(capture)
        found = tracker.finish()
        facts.skipped, facts.counters = decoder.skipped, decoder.counters
        facts.take_files(capture.files, whole=self.count is None)
        facts.take_reconstruction(found)
        return Trace(found, facts, self.profile, self.segments if self._is_lasting() else None)

    def segments(self) -> Iterator[Segments]:
        """The segments once more, told apart as the tracker did, but not judged again."""
        decoder = Decoder()
        table = ConnectionTable(OPEN_LIMIT, ENDED_LINGER, secrets.randbits(62))
        for packets in self._packets(open_capture(self.source)):
            segments = decoder.feed(packets)
            table.assign(segments.cells, len(segments))
            yield segments
            for slot in table.left():
                table.release(slot)

    def _decoded(
        self, capture: Capture, facts: CaptureFacts, decoder: Decoder
    ) -> Iterator[Segments]:
        for packets in self._packets(capture):
            facts.take(packets)
            yield decoder.feed(packets)

    def _packets(self, capture: Capture) -> Iterator[Packets]:
        """What the filter lets through, up to `count` packets, as tcpdump -c counts them."""
        left = self.count
        for read in capture:
            packets = read if self.filter is None else self.filter.apply(read)
            if left is None:
                yield packets
                continue
            yield packets.take(slice(left))
            left -= len(packets)
            if left <= 0:
                return

    def _is_lasting(self) -> bool:
        """Whether the source can be read again: files and lists of packets can, streams cannot."""
        sources = named_sources(self.source).sources
        return all(is_scapy_packets(each) or not is_stream(each) for each in sources)


class _NoBar:
    def update(self, capture: Capture) -> None:
        """Nothing to show."""


class _RichBar:
    """A bar by rich, on stderr: of bytes where the size is known, of packets elsewhere."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task = bar.add_task("reading", total=None)

    def update(self, capture: Capture) -> None:
        self._bar.update(self._task, completed=capture.bytes_read, total=capture.bytes_total)


class _Shown(AbstractContextManager[Bar]):
    def __init__(self, forced: bool) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TransferSpeedColumn,
        )

        sizes = (DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn())
        console = Console(stderr=True, force_terminal=True if forced else None)
        self._progress = Progress(
            TextColumn("reading"), BarColumn(), *sizes, console=console, transient=True
        )

    def __enter__(self) -> Bar:
        self._progress.start()
        return _RichBar(self._progress)

    def __exit__(self, *failure: object) -> None:
        self._progress.stop()


def progress_bar(progress: bool | None) -> AbstractContextManager[Bar]:
    """A bar on stderr if `progress` asks for one, or leaves it open and stderr is a terminal."""
    import sys

    shown = progress if progress is not None else sys.stderr is not None and sys.stderr.isatty()
    return _Shown(forced=progress is True) if shown else nullcontext(_NoBar())


def checked_count(count: int | None) -> int | None:
    """How many packets to read at most; UsageError if that is none at all."""
    if count is not None and count < 1:
        raise UsageError(f"count is {count}: read at least one packet")
    return count


def profile_named(profile: str | Profile | None) -> Profile:
    """The timers that a caller means; UsageError for a name that is none's."""
    if isinstance(profile, Profile):
        return profile
    return profile_of(DEFAULT_PROFILE if profile is None else profile)
