"""`Distances`: how long each host takes to answer a peer, as the tap sees it, at its fastest."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from tcptrace.columns import Matrix
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Slots

MOST = 400_000
_ENDS = ("hi_0", "lo_0", "hi_1", "lo_1")


class Distances:
    """A host is as far from the tap as its fastest answer to the same peer ever was.

    That of the pairs met first is forgotten where there are more than `MOST` / `share`.
    """

    def __init__(self, share: int = 1) -> None:
        self._most = max(1, MOST // share)
        self._least: dict[bytes, int] = {}  # by the octets of a path: hashed faster than a tuple

    def settle(self, slots: Slots, sides: Sides) -> None:
        """Learn from each side's turnaround (ns; -1 unknown), then make it the least known."""
        paths = _paths(slots)
        places, which = distinct(paths)
        raw = paths[places].tobytes()
        size = paths.itemsize * len(_ENDS)
        keys = [raw[first : first + size] for first in range(0, len(raw), size)]
        never = np.iinfo(np.int64).max
        fastest = np.full(len(places), never)
        known = sides.turnaround >= 0
        np.minimum.at(fastest, which[known], sides.turnaround[known])
        for place, (key, turnaround) in enumerate(zip(keys, fastest.tolist(), strict=True)):
            turnaround = min(turnaround, self._least.get(key, never))
            if turnaround < never:
                self._least[key] = turnaround
            fastest[place] = turnaround
        forget_first(self._least, self._most)
        sides.turnaround[:] = np.where(fastest < never, fastest, -1)[which]


def forget_first(known: dict[Any, Any], most: int) -> None:
    """Keep the `most` that came last: of hosts there is no end."""
    for key in [*islice(known, max(0, len(known) - most))]:
        del known[key]


def _paths(slots: Slots) -> Matrix:
    """(a host, its peer) of both sides of each connection, in the order of `Sides`."""
    ends = slots.matrix[:, [Slots.index(name) for name in _ENDS]]
    return np.stack([ends, ends[:, [2, 3, 0, 1]]], axis=1).reshape(-1, len(_ENDS))


def distinct(rows: Matrix) -> tuple[Matrix, Matrix]:
    """(places of one row of each kind, the kind of each row), whole rows compared."""
    if not len(rows):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.lexsort(rows.T)
    new = np.ones(len(rows), np.bool_)
    new[1:] = (rows[order[1:]] != rows[order[:-1]]).any(axis=1)
    kinds = np.empty(len(rows), np.int64)
    kinds[order] = np.cumsum(new) - 1
    return order[new], kinds
