"""Many cells at once; what compiled kernels make of them is in the tests of those."""

from __future__ import annotations

import numpy as np

from tcptrace.cells import clear_cells, move_cells


def test_clear() -> None:
    """As many as told, from where told."""
    cells = np.arange(5)
    clear_cells(cells.data[1:], 3)
    assert [0, 0, 0, 0, 4] == cells.tolist()


def test_move() -> None:
    """Both places may have cells in common."""
    cells = np.arange(6)
    move_cells(cells.data[1:], cells.data[2:], 4)
    assert [0, 2, 3, 4, 5, 5] == cells.tolist()
