"""`Blocks`: the octets of one stream that arrived above a hole; a stream without loss has none."""

from __future__ import annotations

MOST = 32


class Blocks:
    """At most `MOST` blocks [start, end), sorted, apart from each other.

    Where one more would be needed the two that lie nearest are taken for one, the hole between
    them for data: a hostile stream costs no more than that.
    """

    __slots__ = ("ends", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []

    def put(self, start: int, end: int) -> None:
        """Add the octets [start, end), joining every block that they touch."""
        low = sum(1 for other in self.ends if other < start)
        high = sum(1 for other in self.starts if other <= end)
        if high > low:
            start = min(start, self.starts[low])
            end = max(end, self.ends[high - 1])
        self.starts[low:high] = [start]
        self.ends[low:high] = [end]
        if len(self.starts) > MOST:
            self._join_nearest()

    def absorb(self, delivered: int) -> int:
        """Take out the blocks that `delivered` reaches; how far the stream is whole then."""
        while self.starts and self.starts[0] <= delivered:
            delivered = max(delivered, self.ends[0])
            del self.starts[0], self.ends[0]
        return delivered

    def stored(self) -> int:
        """How many octets the blocks hold."""
        return sum(self.ends) - sum(self.starts)

    def _join_nearest(self) -> None:
        holes = [start - end for start, end in zip(self.starts[1:], self.ends[:-1], strict=True)]
        nearest = holes.index(min(holes))
        del self.starts[nearest + 1], self.ends[nearest]
