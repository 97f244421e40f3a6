"""Many cells at once; what compiled kernels make of them is in the tests of those."""

from __future__ import annotations

import numpy as np
import pytest

from tcptrace.cells import clear, move


def test_clear() -> None:
    """As many as told, from where told."""
    cells = np.arange(5)
    clear(cells.data, 1, 3)
    assert [0, 0, 0, 0, 4] == cells.tolist()


@pytest.mark.parametrize(("start", "count"), [(1, 2), (0, 4), (4, 0), (2, 0)])
def test_clear_sets_cells_to_zero(start: int, count: int) -> None:
    """Those, and no others."""
    cells = np.arange(1, 5)
    clear(cells.data, start, count)
    expected = [0 if start <= place < start + count else place + 1 for place in range(4)]
    assert expected == cells.tolist()


@pytest.mark.parametrize(("start", "count"), [(-1, 2), (3, 2), (5, 0), (0, 5), (2, -1)])
def test_clear_refuses_what_is_not_there(start: int, count: int) -> None:
    """Cells before the first or behind the last."""
    cells = np.arange(1, 5)
    with pytest.raises(IndexError):
        clear(cells.data, start, count)
    assert [1, 2, 3, 4] == cells.tolist()


def test_move() -> None:
    """Both places may have cells in common."""
    cells = np.arange(6)
    move(cells.data, 1, 2, 4)
    assert [0, 2, 3, 4, 5, 5] == cells.tolist()


@pytest.mark.parametrize(
    ("to", "at", "count"), [(-1, 0, 2), (0, -1, 2), (0, 3, 2), (3, 0, 2), (0, 1, -1)]
)
def test_move_refuses_what_is_not_there(to: int, at: int, count: int) -> None:
    """Neither from there nor to there."""
    cells = np.arange(4)
    with pytest.raises(IndexError):
        move(cells.data, to, at, count)
    assert [0, 1, 2, 3] == cells.tolist()
