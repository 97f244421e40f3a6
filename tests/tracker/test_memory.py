"""Pins what an interpreter has instead of C's memory: rows by their range, and no prefetching."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tcptrace.tracker.memory import brief_of, clear, prefetch, row_of


def test_prefetch_changes_nothing() -> None:
    """Whatever it is given."""
    cells = np.arange(3)
    assert prefetch(cells.data) is None
    assert [0, 1, 2] == cells.tolist()


@pytest.mark.parametrize("of", [row_of, brief_of])
def test_row_is_the_cells_themselves(of: Callable[[memoryview, int, int], memoryview]) -> None:
    """What is written to it is written to them."""
    cells = np.arange(6)
    row = of(cells.data, 2, 4)
    row[1] = 7
    assert [0, 1, 2, 7, 4, 5] == cells.tolist()
    assert [2, 7, 4, 5] == row.tolist()


@pytest.mark.parametrize("of", [row_of, brief_of])
@pytest.mark.parametrize(("at", "width"), [(3, 4), (-1, 4), (7, 1), (6, 0), (2, 0), (0, -1)])
def test_row_that_is_not_all_there(
    of: Callable[[memoryview, int, int], memoryview], at: int, width: int
) -> None:
    """No cell of it is to be had."""
    with pytest.raises(IndexError):
        of(np.arange(6).data, at, width)


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
