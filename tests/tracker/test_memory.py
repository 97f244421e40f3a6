"""Pins `prefetch` and `clear` as an interpreter runs them."""

from __future__ import annotations

import numpy as np
import pytest

from tcptrace.tracker.memory import clear, prefetch


def test_prefetch_changes_nothing() -> None:
    """Whatever it is given."""
    cells = np.arange(3)
    assert prefetch(cells.data) is None
    assert [0, 1, 2] == cells.tolist()


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
