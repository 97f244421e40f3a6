"""`clear`, `move`: many cells of `Rows` at once, as the C library does it.

Compiled kernels have them from `cells.pxd`, which is written by hand; what is here is an
interpreter's. Both check once that all the cells are there.
"""

from __future__ import annotations


def clear(cells: memoryview, at: int, count: int) -> None:
    """`count` cells from `at` on become 0; IndexError where not all of them are there."""
    if not 0 <= at <= at + count <= len(cells):
        raise IndexError(at)
    cells[at : at + count] = memoryview(bytes(8 * count)).cast(cells.format)  # type: ignore[call-overload]


def move(cells: memoryview, to: int, at: int, count: int) -> None:
    """`count` cells from `at` on go to `to`, which they may lie beside; IndexError as `clear`."""
    if count < 0 or not 0 <= min(to, at) <= max(to, at) <= len(cells) - count:
        raise IndexError(max(to, at))
    cells[to : to + count] = cells[at : at + count]
