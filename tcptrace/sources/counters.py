"""`Counters`: what a live capture took in, what was lost on the way, and how late it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Counters:
    """Counts since the capture began; `None` where the source cannot know.

    received : packets that passed the filter and were taken in
    dropped : packets that passed it and that the kernel had no room for
    dropped_by_interface : packets that the network card or its driver lost, of any kind
    behind : how long the newest packet taken in had waited, ns; 0 where none waits
    evicted : connections let go before their end, to bound memory
    forgotten : connections whose rows were given up, to bound memory
    """

    received: int = 0
    dropped: int | None = None
    dropped_by_interface: int | None = None
    behind: int = 0
    evicted: int = 0
    forgotten: int = 0
