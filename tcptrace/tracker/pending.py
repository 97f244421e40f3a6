"""`Pending`: connections that have left the table and wait to be judged, parted into groups.

Where one group ends hangs on the connections alone, in the order of their leaving, so that how a
capture is cut into batches changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tcptrace.columns import Matrix

GROUP = 1024  # connections of a group at most: what is done once for each is spread over them
ROWS = 8192  # rows of evidence, after which a group ends: the passes over them find them in cache


class Pending:
    """Slots of one part.

    are_pair : whether one slot's connection came after the other's on the same four-tuple: these
        are judged together, lest a SYN be taken for a stray one
    """

    def __init__(self, are_pair: Callable[[int, int], bool]) -> None:
        self._are_pair = are_pair
        self._slots: Matrix = np.zeros(0, np.int64)
        self._ends: Matrix = np.zeros(0, np.int64)  # of the rows of evidence, one after the other

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, slots: Matrix, rows: Matrix) -> None:
        """These have left, too, each with so many rows of evidence."""
        begun = self._ends[-1] if len(self) else 0
        self._slots = np.concatenate([self._slots, slots])
        self._ends = np.concatenate([self._ends, begun + np.cumsum(rows)])

    @property
    def is_due(self) -> bool:
        """Whether a group is complete, and the connection after it known."""
        return self._size() < len(self)

    def group(self) -> list[int]:
        """The next connections to be judged, in the order of their leaving."""
        size = self._size()
        if size < len(self):
            size += self._are_pair(int(self._slots[size - 1]), int(self._slots[size]))
        taken: list[int] = self._slots[:size].tolist()
        self._ends = self._ends[size:] - self._ends[size - 1]
        self._slots = self._slots[size:]
        return taken

    def _size(self) -> int:
        """How many connections the next group has, but for a pair."""
        full = int(np.searchsorted(self._ends[:GROUP], ROWS)) + 1
        return min(full, GROUP, len(self))
