"""What the kernels that walk records share with those who call them: why a walk stopped."""

from __future__ import annotations

from typing import Protocol

# `status` of a walk: it needs more bytes; the rows are full; something is damaged; a pcapng block
# came that its caller must take; a block is to be passed over that reaches beyond the bytes.
MORE, FULL, DAMAGED, BLOCK, SKIP = range(5)

# Times outside ±2^62 ns (years 1823 to 2116) are clamped, so that differences never overflow.
LATEST_TIME = (1 << 62) - 1


class Walk(Protocol):
    """Where a walk over the records of one file stands.

    `wrong` says in words what was expected where it stopped as DAMAGED; `length` is the block's
    length where it stopped at SKIP.
    """

    position: int
    status: int
    length: int
    wrong: str
    invalid_times: int
    clamped_times: int
    untimed: int

    def walk(self, data: memoryview, start: int, end: int, cells: memoryview) -> int:
        """How many rows of `cells` were written from `data[start:end]`."""
