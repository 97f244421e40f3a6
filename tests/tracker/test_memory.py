"""Pins what an interpreter has instead of C's memory: rows by their range, and no prefetching."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tcptrace.tracker.memory import brief_of, low_32, prefetch, row_of


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


@pytest.mark.parametrize(
    "value", [0, 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, -1, 5 << 40, -(1 << 62)]
)
def test_low_32_is_what_a_cell_of_32_bits_holds(value: int) -> None:
    """As NumPy cuts a number."""
    assert np.array([value]).astype(np.int32)[0] == low_32(value)
