"""`losses`: what a live capture lost and how late it is, in words, as far as the source knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcptrace.tables.wording import SECOND

if TYPE_CHECKING:
    from tcptrace.sources.live_source import Counters

LATE = SECOND
TENTH = SECOND // 10


def losses(counters: Counters) -> list[tuple[str, bool]]:
    """Each counter in words, and whether it is a bad sign."""
    told = []
    if counters.dropped is not None:
        told.append((f"{counters.dropped:,} dropped", counters.dropped > 0))
    if counters.dropped_by_interface is not None:
        lost = counters.dropped_by_interface
        told.append((f"{lost:,} dropped by interface", lost > 0))
    whole, tenths = divmod(counters.behind // TENTH, 10)
    told.append((f"{whole:,}.{tenths} s behind", counters.behind > LATE))
    for count, word in ((counters.evicted, "evicted"), (counters.forgotten, "forgotten")):
        told += [(f"{count:,} {word}", True)] * bool(count)
    return told
