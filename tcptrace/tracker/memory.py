"""`prefetch` and `clear`: what the processor does with memory better than a loop over cells.

What is kept of many connections does not fit in its caches, and the next segment is of any of
them: `prefetch` has it fetched before it is read. `memory.pxd` declares what compiled kernels call.
"""

from __future__ import annotations

from typing import Any


def prefetch(address: object) -> None:
    """Begin to fetch the memory at an address into the caches; an interpreter has no use for it."""


def clear(cells: Any, start: int, count: int) -> None:
    """Set `count` cells from `start` on to zero, all of which there must be."""
    if not 0 <= start <= start + count <= len(cells):
        raise IndexError(start)
    for cell in range(start, start + count):
        cells[cell] = 0
