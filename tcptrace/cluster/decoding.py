"""Files to segments, on a worker: what it learned of the files, and each share's rows.

A piece is what one worker decodes: a file, a stretch of one, or files that overlap in time. A
share is some of the parts of all traffic (`tracker.slots.PARTS`): the rows of two addresses are
all in one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tcptrace.columns import Matrix
from tcptrace.decode.decoder import Decoder
from tcptrace.decode.fragments import Fragments
from tcptrace.decode.segments import Segments
from tcptrace.packed import Packed
from tcptrace.sources.capture import Capture, open_capture
from tcptrace.sources.filter import Filter
from tcptrace.sources.stretches import FileStretch, Stretch
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tracker.four_tuples import FourTuples

TOLD = "told"

# What no table but `segments` and nothing in the tracker looks at.
_UNUSED = (
    *("dont_fragment", "sack_permitted", "icmp_hi", "icmp_lo"),
    *(f"sack_{place}_{edge}" for place in (3, 4) for edge in ("left", "right")),
    *("slot", "sender", "opens", "copy"),
)
_ZERO = [Segments.index(name) for name in _UNUSED]
_CLOCK = Segments.index("clock")
_AT_ONCE = 8192  # rows are packed together


@dataclass(frozen=True)
class Job:
    """What is to be decoded: paths in the order of the files' numbers, and how.

    stretch : which part of the only path, instead of all of it
    unfinished : datagrams of which earlier pieces held some fragments
    """

    paths: tuple[str, ...]
    files: tuple[int, ...]
    filter: str | None
    shares: int
    stretch: Stretch | None = None
    unfinished: dict[int, Fragments] | None = None

    def reaching(self, later: Job) -> Job:
        """The stretch of this one and that of a later one as one."""
        if self.stretch is None or later.stretch is None:
            return self
        return replace(self, stretch=Stretch(self.stretch.begin, later.stretch.end))

    def capture(self) -> Capture | FileStretch:
        """What is to be iterated for the packets; CaptureError for a file that cannot be read."""
        if self.stretch is None:
            return open_capture(list(self.paths))
        return FileStretch(self.paths[0], self.stretch)


class Share:
    """The rows of one share, in order; the last column is the row's place in its piece."""

    def __init__(self) -> None:
        self._loose: list[Matrix] = []
        self._count = 0
        self._packed: list[Packed] = []

    def add(self, rows: Matrix, places: Matrix) -> None:
        """Take some more."""
        self._loose.append(np.concatenate([rows, places[:, None]], axis=1))
        self._count += len(rows)
        if self._count >= _AT_ONCE:
            self.closed()

    def closed(self) -> list[Packed]:
        """All of them."""
        if self._loose:
            self._packed.append(Packed.of(np.concatenate(self._loose)))
        self._loose, self._count = [], 0
        return self._packed


@dataclass
class Told:
    """What is known of a piece once it is decoded.

    first : time of its first packet, None without packets; begun : of its first segment; clock :
    the latest time of a segment
    """

    files: tuple[int, ...]
    facts: CaptureFacts = field(default_factory=CaptureFacts)
    first: int | None = None
    begun: int | None = None
    last: int | None = None
    clock: int = 0
    unfinished: dict[int, Fragments] = field(default_factory=dict)

    @property
    def packets(self) -> int:
        """How many were read, whatever a filter left of them."""
        return sum(file.packets for file in self.facts.files)

    @property
    def is_damaged(self) -> bool:
        """Whether reading ended before the bytes did."""
        return any(file.damage for file in self.facts.files)

    @property
    def is_cut(self) -> bool:
        """Whether the bytes end within a record."""
        return not self.is_damaged and bool(self.facts.truncated)

    @property
    def has_fragments(self) -> bool:
        """Whether fragments of earlier pieces could have found others here."""
        return self.facts.counters["ip-fragments"] > 0


def decode(job: Job) -> dict[Any, Any]:
    """`Told` under TOLD; under each share's number its rows, and their places among the piece's.

    CaptureError for a file that cannot be read.
    """
    capture, decoder = job.capture(), Decoder(job.unfinished)
    told = Told(job.files)
    shares = [Share() for _ in range(job.shares)]
    for segments in _segments(capture, decoder, job, told):
        number = _share_of(segments, job.shares)
        for each in np.unique(number).tolist():
            where = np.flatnonzero(number == each)
            shares[each].add(segments.matrix[where], where + told.facts.segments)
        told.facts.segments += len(segments)
    told.facts.skipped, told.facts.counters = decoder.skipped, decoder.counters
    told.facts.take_files(capture.files)
    told.last, told.unfinished = told.facts.end, decoder.unfinished()
    return {TOLD: told} | {each: share.closed() for each, share in enumerate(shares)}


def _segments(
    capture: Capture | FileStretch, decoder: Decoder, job: Job, told: Told
) -> Iterator[Segments]:
    """The batches of segments, what is not needed zeroed; `clock` is how far it is before time."""
    wanted = None if job.filter is None else Filter(job.filter)
    numbers = np.array(job.files, np.int64)
    for read in capture:
        if told.first is None and len(read):
            told.first = int(read.time[0])
        packets = read if wanted is None else wanted.apply(read)
        packets.file[:] = numbers[packets.file]
        told.facts.take(packets)
        segments = decoder.feed(packets)
        if len(segments):
            clocks = np.maximum(np.maximum.accumulate(segments.time), told.clock)
            told.clock = int(clocks[-1])
            told.begun = int(segments.time[0]) if told.begun is None else told.begun
            segments.matrix[:, _ZERO] = 0
            segments.matrix[:, _CLOCK] = clocks - segments.time
            yield segments


def _share_of(segments: Segments, shares: int) -> Matrix:
    tuples = FourTuples(0)
    tuples.look(segments.cells, segments.cells)
    found: Matrix = tuples.parts(len(segments)) % shares
    return found


def summed(counts: list[dict[str, int]]) -> dict[str, int]:
    """Counters by name, added up; every name that any of them has."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)
