"""One large pcap file in stretches, each read by itself: where to cut it, and how to read them.

Nothing in a pcap file tells where records begin but the record before: `find_borders` guesses,
for payload may look like records (a capture of somebody who fetches a capture). What proves a
guess is the stretch before: if that began at a record, and its last record ends where the guess
is, then a record begins there (`FileStretch.is_whole`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tcptrace.sources import walking
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.packets import Packets
from tcptrace.sources.pcap import MAGICS, record_walk
from tcptrace.sources.reading import read_records
from tcptrace.sources.records import RecordWalk
from tcptrace.sources.streams import CountedStream, open_part, size_of
from tcptrace.sources.window import Window

_HEAD = 1 << 16  # bytes read for the file's header and first records
_LOOKED_AT = 1 << 20  # bytes in which a border is looked for
_CHAIN = 32  # records that follow each other from a border
_SHORTEST_CHAIN = 3  # where no more fit
_FARTHEST = 5 * 366 * 86_400 * 1_000_000_000  # ns that a capture's times lie from its first


class Stretch(NamedTuple):
    """The records of a file that begin from `begin` on, before `end` (None: up to the file's end).

    Offsets in bytes; `begin` is where a record begins or is guessed to.
    """

    begin: int
    end: int | None


def stretches(path: str, every: int) -> list[Stretch]:
    """A file in stretches of about so many bytes; none if it cannot be cut, or is not longer.

    Only plain pcap files can: where blocks or compressed bytes begin is not to be guessed.
    """
    borders = find_borders(path, every)
    if len(borders) < 2:
        return []
    return [Stretch(*each) for each in zip(borders, [*borders[1:], None], strict=True)]


def find_borders(path: str, every: int) -> list[int]:
    """The offset of a pcap file's first record, then one after each `every` bytes, as guessed.

    Empty for another format. CaptureError as `open_capture` for a header that makes no sense.
    """
    facts = FileFacts(path, size=size_of(path))
    window = _open(path, 0, None, _HEAD)
    try:
        if not window.need(4) or window.peek(4) not in MAGICS:
            return []
        walk = record_walk(window, facts, 0)
        window.need(_HEAD)
        first = window.position
        guess = _Guess(walk, window.octets[window.start : window.end])
    finally:
        window.close()
    borders = [first]
    for begin in range(first + every, facts.size or 0, every):
        if begin > borders[-1]:
            octets = _looked_at(path, begin)
            at = guess.border(octets, is_last=begin + len(octets) == facts.size)
            borders += [] if at is None else [begin + at]
    return borders


class _Guess:
    """Tells records from other bytes by what follows them, and by the time of the first."""

    def __init__(self, walk: RecordWalk, first: memoryview) -> None:
        self._walk = walk
        self._rows = np.zeros((_CHAIN, Packets.width()), np.int64)
        self._one = self._rows[:1].reshape(-1).data
        self._many = self._rows.reshape(-1).data
        self._time: int | None = None
        if walk.walk(first, 0, len(first), self._one):
            self._time = int(Packets(self._rows).time[0])
        walk.invalid_times = 0

    def border(self, octets: memoryview, is_last: bool) -> int | None:
        """Where the first record begins that is whole; None if there is none.

        is_last : whether the file ends where `octets` do
        """
        for at in range(len(octets) if self._time is not None else 0):
            if self._walk.walk(octets, at, len(octets), self._one) and self._makes_sense(1):
                rows = self._walk.walk(octets, at, len(octets), self._many)
                ended = self._walk.status == walking.MORE and (is_last or rows >= _SHORTEST_CHAIN)
                if self._makes_sense(rows) and (rows == _CHAIN or ended):
                    return at
        return None

    def _makes_sense(self, rows: int) -> bool:
        packets, odd = Packets(self._rows[:rows]), self._walk.invalid_times
        self._walk.invalid_times = 0
        near = np.abs(packets.time - (self._time or 0)) < _FARTHEST
        return not odd and bool((near & (packets.captured <= packets.length)).all())


class FileStretch:
    """One stretch of a pcap file; iterate it for batches of at most 8192 packets.

    Packets are numbered from 1. `files` are the facts of the one file, as far as the stretch goes,
    complete when the iteration is.
    """

    def __init__(self, path: str, stretch: Stretch) -> None:
        self._path = path
        self._stretch = stretch
        self.files = [FileFacts(path, size=size_of(path))]

    def __iter__(self) -> Iterator[Packets]:
        begin, end = self._stretch
        (facts,) = self.files
        head = _open(self._path, 0, None, _HEAD)
        try:
            walk = record_walk(head, facts, 0)
        finally:
            head.close()
        window = _open(self._path, begin, end)
        try:
            yield from read_records(window, walk, facts, within=begin > head.position)
        finally:
            window.close()


def _open(path: str, begin: int, end: int | None, chunk: int | None = None) -> Window:
    stream = CountedStream(open_part(path, begin, end), path, lambda count: None)
    return Window(stream, begin=begin) if chunk is None else Window(stream, chunk, begin)


def _looked_at(path: str, begin: int) -> memoryview:
    window = _open(path, begin, begin + _LOOKED_AT, _LOOKED_AT)
    try:
        window.need(_LOOKED_AT)
        return window.octets[window.start : window.end]
    finally:
        window.close()
