"""What a capture tells about itself beside its packets: `FileFacts` and `InterfaceFacts`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from tcptrace.sources.packets import Packets


@dataclass
class InterfaceFacts:
    """One interface of a file, as pcapng's IDB and ISB blocks tell it; `None` where they do not.

    `received` and `dropped` are the capturing program's own counters (`isb_ifrecv`,
    `isb_ifdrop`), `dropped_by_system` the operating system's (`isb_osdrop`); `fcs_bits` is the
    length of the frame check sequence at the end of each packet.
    """

    link_type: int
    snap_length: int = 0
    name: str | None = None
    description: str | None = None
    filter: str | None = None
    system: str | None = None
    fcs_bits: int | None = None
    received: int | None = None
    dropped: int | None = None
    dropped_by_system: int | None = None


@dataclass
class FileFacts:
    """One file of a capture; counts and times grow while its packets are read.

    `first_time` and `last_time` are the earliest and the latest packet's, ns since the epoch.
    `truncated_at` is the byte (of the uncompressed file) where the first record begins that is
    not whole; `damage` says in words what ended the reading early, or is empty. Packets counted
    in `invalid_times` have a fraction of a second or more beside their seconds, `clamped_times`
    lie outside the years 1823 to 2116, `untimed` have the time of the packet before them.
    """

    path: str
    format: str = ""
    compression: str = ""
    size: int | None = None
    packets: int = 0
    first_time: int | None = None
    last_time: int | None = None
    link_types: set[int] = field(default_factory=set)
    interfaces: list[InterfaceFacts] = field(default_factory=list)
    truncated_at: int | None = None
    damage: str = ""
    invalid_times: int = 0
    clamped_times: int = 0
    untimed: int = 0

    @classmethod
    def join(cls, stretches: list[FileFacts]) -> FileFacts:
        """Of one file that was read in stretches, in their order."""
        firsts = [each.first_time for each in stretches if each.first_time is not None]
        lasts = [each.last_time for each in stretches if each.last_time is not None]
        return replace(
            stretches[0],
            packets=sum(each.packets for each in stretches),
            first_time=min(firsts, default=None),
            last_time=max(lasts, default=None),
            link_types=set().union(*(each.link_types for each in stretches)),
            truncated_at=stretches[-1].truncated_at,
            damage=stretches[-1].damage,
            invalid_times=sum(each.invalid_times for each in stretches),
            clamped_times=sum(each.clamped_times for each in stretches),
            untimed=sum(each.untimed for each in stretches),
        )

    def count(self, batch: Packets) -> None:
        """Take a batch just read into packets, span and link types."""
        earliest, latest = int(batch.time.min()), int(batch.time.max())
        self.packets += len(batch)
        self.first_time = earliest if self.first_time is None else min(self.first_time, earliest)
        self.last_time = latest if self.last_time is None else max(self.last_time, latest)
        first = int(batch.link_type[0])
        if (batch.link_type == first).all():
            self.link_types.add(first)
        else:
            self.link_types.update(np.unique(batch.link_type).tolist())
