"""Memory at C speed: a row's cells after one check of their range, and what is read next.

`memory.pxd` declares what compiled kernels call; beside it stands what an interpreter has instead.
"""

from __future__ import annotations

from tcptrace.tcp import sequence


def prefetch(address: object) -> None:
    """Begin to fetch the memory at an address into the processor's caches; changes nothing.

    What is kept of many connections does not fit in them, and the next segment is of any. An
    interpreter has no use for it.
    """


def row_of(cells: memoryview, at: int, width: int) -> memoryview:
    """The `width` cells from `at` on, of 64 bits; IndexError where not all of them are there.

    Compiled, a pointer: both ends are checked once and not every cell for itself, for a kernel's
    columns are places below the width. It holds until the buffer grows, which no kernel does to
    one that it was handed.
    """
    return _within(cells, at, width)


def brief_of(cells: memoryview, at: int, width: int) -> memoryview:
    """The same of cells of 32 bits."""
    return _within(cells, at, width)


def _within(cells: memoryview, at: int, width: int) -> memoryview:
    if at < 0 or width < 1 or at + width > len(cells):
        raise IndexError(at)
    return cells[at : at + width]


def low_32(value: int) -> int:
    """The lower 32 bits of a number, as a cell of 32 bits holds them: signed."""
    return sequence.diff(value, 0)
