"""`read`: a source all the way to a `Trace`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tcptrace.ahead import ahead, import_beside
from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Segments
from tcptrace.errors import UsageError
from tcptrace.interrupt import Interrupt
from tcptrace.progress import progress_bar
from tcptrace.sources.capture import Capture, open_capture
from tcptrace.sources.filter import Filter
from tcptrace.sources.naming import named_sources
from tcptrace.sources.packets import Packets
from tcptrace.sources.scapy_list import is_scapy_packets
from tcptrace.sources.streams import is_stream
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tcp.profile import Profile
from tcptrace.tcp.timers import profile as profile_of
from tcptrace.tracker.connections import ConnectionTable
from tcptrace.tracker.tracker import ENDED_LINGER, OPEN_LIMIT, Tracker

if TYPE_CHECKING:
    from tcptrace.trace import Trace

DEFAULT_PROFILE = "linux"


def read(
    source: Any,
    *,
    filter: str | None = None,
    profile: str | Profile | None = None,
    count: int | None = None,
    progress: bool | None = None,
    max_connections: int | None = None,
) -> Trace:
    """Read a capture and rebuild the states of both endpoints of every connection in it.

    source : a path, a list of paths, a directory, a glob pattern, "-" for standard input, an
        open binary file, or a scapy PacketList
    filter : which packets to read, in tcpdump's language
    profile : timers of the silent states, by name or as `tcptrace.profile` made them; linux
    count : read at most so many packets
    progress : a bar on stderr; by default only where that is a terminal
    max_connections : keep at most so many open at once (`tracker.OPEN_LIMIT`); of more, those
        that have been silent longest go, ended ones first, and `capture.evicted` counts them

    CaptureError for a source that cannot be read; UsageError for a filter, a profile or a number
    that makes no sense.
    """
    return Reading.of(source, filter, profile, count, max_connections).trace(progress)


class Decoded(NamedTuple):
    """A batch of segments, with how many packets had been read by then, and their latest time."""

    segments: Segments
    packets: int
    end: int | None


@dataclass
class Reading:
    """How a source is read: the same again for the table of segments."""

    source: Any
    filter: Filter | None
    count: int | None
    profile: Profile
    open_limit: int = OPEN_LIMIT

    @classmethod
    def of(
        cls,
        source: Any,
        filter: str | None,
        profile: str | Profile | None,
        count: int | None,
        max_connections: int | None,
    ) -> Reading:
        """As `read` takes them, and with its errors."""
        return cls(
            source,
            None if filter is None else Filter(filter),
            checked_count(count),
            profile_named(profile),
            checked_count(max_connections, "max_connections", "keep at least one connection")
            or OPEN_LIMIT,
        )

    def trace(self, progress: bool | None, interrupt: Interrupt | None = None) -> Trace:
        """Read everything once; with `interrupt`, up to a Ctrl-C.

        What tables are made of, pandas above all, is imported beside the reading.
        """
        import_beside("tcptrace.trace")
        feeding = Feeding(self, progress, interrupt)
        for _ in feeding:
            pass
        found = feeding.tracker.finish()
        facts = feeding.finish()
        facts.add_reconstruction(found)
        facts.evicted = feeding.tracker.evicted
        from tcptrace.trace import Trace

        return Trace(found, facts, self.profile, self._reread(facts))

    def _reread(self, facts: CaptureFacts) -> Callable[[], Iterator[Segments]] | None:
        """How to have the segments once more; None if the source cannot be read again."""
        if not self._is_lasting():
            return None
        return replace(self, count=facts.packets).segments if facts.interrupted else self.segments

    def segments(self) -> Iterator[Segments]:
        """The segments once more, told apart as the tracker did, but not judged again."""
        decoder = Decoder()
        table = ConnectionTable(self.open_limit, ENDED_LINGER, secrets.randbits(62))
        for packets in self.packets(open_capture(self.source)):
            segments = decoder.feed(packets)
            table.assign(segments.cells, len(segments))
            yield segments
            table.release(table.left())

    def packets(self, capture: Capture) -> Iterator[Packets]:
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


class Feeding:
    """One reading of a source into a tracker; iterate it for the segments, each batch once fed."""

    def __init__(
        self, reading: Reading, progress: bool | None, interrupt: Interrupt | None = None
    ) -> None:
        self._reading = reading
        self._progress = progress
        self._interrupt = interrupt
        self._capture = open_capture(reading.source)
        self._decoder = Decoder()
        self.facts = CaptureFacts(skipped_files=list(self._capture.skipped_files))
        self.tracker = Tracker(reading.profile, reading.open_limit)

    def __iter__(self) -> Iterator[Segments]:
        with self._interrupt or nullcontext(), progress_bar(self._progress) as bar:
            for segments in self._batches():
                self.tracker.feed(segments)
                bar.update(self._capture, self.facts.packets, self.tracker.born)
                yield segments

    def finish(self) -> CaptureFacts:
        """The facts, now that everything has been read or somebody broke the reading off."""
        facts = self.facts
        facts.skipped, facts.counters = self._decoder.skipped, self._decoder.counters
        whole = self._reading.count is None and not facts.interrupted
        facts.take_files(self._capture.files, whole)
        return facts

    def _batches(self) -> Iterator[Segments]:
        """The segments, up to an interrupt; the facts are then those of what was given."""
        batches: Iterator[Decoded] = ahead(self._decoded())
        interrupt, facts = self._interrupt, self.facts
        last = Decoded(Segments.zeros(0), 0, None)
        for last in batches if interrupt is None else interrupt.until(batches):
            facts.segments += len(last.segments)
            yield last.segments
        if interrupt is not None and interrupt.asked:
            facts.interrupted, facts.packets, facts.end = True, last.packets, last.end

    def _decoded(self) -> Iterator[Decoded]:
        for packets in self._reading.packets(self._capture):
            self.facts.take(packets)
            yield Decoded(self._decoder.feed(packets), self.facts.packets, self.facts.end)


def checked_count(
    count: int | None, name: str = "count", advice: str = "read at least one packet"
) -> int | None:
    """How many there may be at most; UsageError if that is none at all."""
    if count is not None and count < 1:
        raise UsageError(f"{name} is {count}: {advice}")
    return count


def profile_named(profile: str | Profile | None) -> Profile:
    """The timers that a caller means; UsageError for a name that is none's."""
    if isinstance(profile, Profile):
        return profile
    return profile_of(DEFAULT_PROFILE if profile is None else profile)
