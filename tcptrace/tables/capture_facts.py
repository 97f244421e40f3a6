"""`CaptureFacts`: what a capture is, how well it was made, and what of it gave no segment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from tcptrace.decode.link_types import LINK_TYPE_NAMES
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.packets import Packets
from tcptrace.tables.seams import Seam, seams
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.transitions import Vantage

if TYPE_CHECKING:  # facts are gathered while pandas is still being imported
    import pandas as pd


@dataclass
class ClockSteps:
    """How often a file's packets go back in time: the largest step, ns, and where it was first."""

    count: int = 0
    largest: int = 0
    packet: int = 0
    time: int = 0
    first: dict[int, tuple[int, int]] = field(default_factory=dict, repr=False, compare=False)
    last: dict[int, int] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def join(cls, several: list[ClockSteps], numbers: list[int]) -> ClockSteps:
        """Of the pieces of a capture, which follow each other.

        numbers : what each piece's numbers of packets lack, where others read the file before
        """
        joined = cls()
        for each, number in zip(several, numbers, strict=True):
            joined._follow(each, number)
        return joined

    def _follow(self, later: ClockSteps, number: int) -> None:
        for file, (time, packet) in later.first.items():
            back = self.last.get(file, time) - time
            if back > 0:
                self._count(1, back, packet + number, time)
        if later.count:
            self._count(later.count, later.largest, later.packet + number, later.time)
        self.last.update(later.last)

    def watch(self, packets: Packets) -> None:
        """Take a batch; the time of a file's packet is held against the same file's one before."""
        if not len(packets):
            return
        first = self.last.get(int(packets.file[0]), int(packets.time[0]))
        before = np.concatenate([[first], packets.time[:-1]])
        same_file = np.ones(len(packets), np.bool_)
        same_file[1:] = packets.file[1:] == packets.file[:-1]
        back = before - packets.time
        places = np.flatnonzero((back > 0) & same_file)
        if len(places):
            packet, time = int(packets.number[places[0]]), int(packets.time[places[0]])
            self._count(len(places), int(back[places].max()), packet, time)
        self.first.setdefault(int(packets.file[0]), (int(packets.time[0]), int(packets.number[0])))
        self.last[int(packets.file[-1])] = int(packets.time[-1])

    def _count(self, count: int, largest: int, packet: int, time: int) -> None:
        """So many more, of which the first is that packet."""
        if not self.count:
            self.packet, self.time = packet, time
        self.count += count
        self.largest = max(self.largest, largest)


@dataclass
class Loss:
    """What the capture lost: octets and endpoints by the tracker, drops by the capturing program.

    `octets` were acknowledged but are in no packet; `endpoints` sent them. `dropped` is None
    where the file does not say.
    """

    octets: int = 0
    endpoints: int = 0
    dropped: int | None = None


class Learned(NamedTuple):
    """What connections say of the capture: how many have each Vantage, and as in `Loss`."""

    vantages: tuple[int, ...]
    octets: int
    endpoints: int

    @classmethod
    def of(cls, found: Reconstruction) -> Learned:
        """Of what a tracker found."""
        return cls(
            tuple(np.bincount(found.connections.vantage, minlength=len(Vantage)).tolist()),
            int(found.endpoints.missed_bytes.sum()),
            int(np.count_nonzero(found.endpoints.unseen)),
        )


@dataclass
class CaptureFacts:
    """One capture. Times are int64 ns since the epoch, None without packets.

    files : facts of each file, in the order given
    packets, segments : how many were read; what the decoder made of them
    link_types : names, the most common first
    vantage : where the tap stands for most connections, of schema's choices
    skipped : why packets gave no segment, reason → packets
    counters : what else the decoder met, name → how many
    evicted : connections that were let go to keep no more open than asked for
    interrupted : whether somebody broke the reading off
    vantages : how many connections have each vantage
    """

    files: list[FileFacts] = field(default_factory=list)
    skipped_files: list[str] = field(default_factory=list)
    packets: int = 0
    segments: int = 0
    start: int | None = None
    end: int | None = None
    link_types: list[str] = field(default_factory=list)
    vantage: str = Vantage.UNKNOWN.name.lower()
    loss: Loss = field(default_factory=Loss)
    skipped: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    clock: ClockSteps = field(default_factory=ClockSteps)
    evicted: int = 0
    interrupted: bool = False
    vantages: npt.NDArray[np.int64] | None = field(default=None, repr=False, compare=False)

    @property
    def span(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """Times of the earliest and the latest packet, UTC; None without packets."""
        if self.start is None or self.end is None:
            return None
        return _timestamp(self.start), _timestamp(self.end)

    @property
    def duration(self) -> pd.Timedelta:
        """From the earliest packet to the latest."""
        import pandas as pd

        return pd.Timedelta((self.end or 0) - (self.start or 0), unit="ns")

    @property
    def truncated(self) -> list[FileFacts]:
        """The files that end inside a packet or are damaged."""
        return [file for file in self.files if file.truncated_at is not None]

    @property
    def seams(self) -> list[Seam]:
        """Where files overlap, and where nothing was captured between them."""
        return seams(self.files)

    def take(self, packets: Packets) -> None:
        """Count a batch that goes to the decoder."""
        if not len(packets):
            return
        self.packets += len(packets)
        self.clock.watch(packets)
        first, last = int(packets.time.min()), int(packets.time.max())
        self.start = first if self.start is None else min(self.start, first)
        self.end = last if self.end is None else max(self.end, last)

    def take_files(self, files: list[FileFacts], whole: bool = True) -> None:
        """What the files say of themselves, once they have been read.

        If they were read as a whole, the capture lasted as long as they do, whatever a filter
        left of them: silence is silence only as long as someone listened.
        """
        self.files = list(files)
        if whole:
            first = [file.first_time for file in files if file.first_time is not None]
            last = [file.last_time for file in files if file.last_time is not None]
            self.start, self.end = min(first, default=None), max(last, default=None)
        met = Counter(number for file in files for number in sorted(file.link_types))
        self.link_types = [_link_type(number) for number, _ in met.most_common()]
        drops = [
            (interface.dropped or 0) + (interface.dropped_by_system or 0)
            for file in files
            for interface in file.interfaces
            if interface.dropped is not None or interface.dropped_by_system is not None
        ]
        self.loss.dropped = sum(drops) if drops else None

    def add_reconstruction(self, found: Reconstruction) -> None:
        """What the tracker learned about the capture itself, of all or of some more connections."""
        self.add_learned(Learned.of(found))

    def add_learned(self, learned: Learned) -> None:
        """The same, of what was found elsewhere."""
        met = np.array(learned.vantages, np.int64)
        self.vantages = met if self.vantages is None else self.vantages + met
        known = self.vantages.copy()
        known[Vantage.UNKNOWN] = 0
        if known.any():
            self.vantage = Vantage(int(known.argmax())).name.lower()
        self.loss.octets += learned.octets
        self.loss.endpoints += learned.endpoints

    def __str__(self) -> str:
        """What the capture is, in a line."""
        skipped = sum(self.skipped.values())
        return (
            f"{self.packets:,} packets in {len(self.files)} file{'s' * (len(self.files) != 1)}, "
            f"{self.segments:,} TCP segments, {skipped:,} other packets, {self.duration}"
        )


def _timestamp(time: int) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(time, unit="ns", tz="UTC")


def _link_type(number: int) -> str:
    return LINK_TYPE_NAMES.get(number, f"link type {number}")
