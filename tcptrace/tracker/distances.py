"""`Distances`: how long each host takes to answer a peer, as the tap sees it, at its fastest."""

from __future__ import annotations

from itertools import islice
from typing import Any

from tcptrace.tracker.paths import Paths
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Slots

MOST = 400_000


class Distances:
    """A host is as far from the tap as its fastest answer to the same peer ever was.

    That of the pairs met first is forgotten where there are more than `MOST` / `share`.
    """

    def __init__(self, share: int = 1) -> None:
        self._paths = Paths(max(1, MOST // share))

    def settle(self, slots: Slots, sides: Sides) -> None:
        """Learn from each side's turnaround (ns; -1 unknown), then make it the least known."""
        self._paths.settle(slots.cells, sides.cells, len(slots))


def forget_first(known: dict[Any, Any], most: int) -> None:
    """Keep the `most` that came last: of hosts there is no end."""
    for key in [*islice(known, max(0, len(known) - most))]:
        del known[key]
