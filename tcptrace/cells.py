"""`clear_cells`, `move_cells`: many cells of `Rows` at once, as the C library does it.

Compiled kernels, for whom `cells.pxd` is written by hand, pass the address of the first cell. What
is here is an interpreter's, which passes the cells from the first on.
"""

from __future__ import annotations


def clear_cells(cells: memoryview, count: int) -> None:
    """The first `count` cells become 0."""
    cells[:count] = memoryview(bytes(8 * count)).cast(cells.format)  # type: ignore[call-overload]


def move_cells(to: memoryview, cells: memoryview, count: int) -> None:
    """The first `count` cells, which may lie where they go to, go there."""
    to[:count] = cells[:count]
