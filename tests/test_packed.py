"""Pins `Packed`: rows come back as they were, and take what their values need."""

from __future__ import annotations

import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.packed import Packed

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


@given(st.lists(st.tuples(INT64, st.integers(-5, 5), st.just(7)), max_size=9))
def test_rows_come_back(rows: list[tuple[int, int, int]]) -> None:
    """Whatever the numbers, and after a journey."""
    matrix = np.array(rows, np.int64).reshape(-1, 3)
    found = pickle.loads(pickle.dumps(Packed.of(matrix))).matrix()
    assert matrix.dtype == found.dtype
    assert matrix.tolist() == found.tolist()


def test_columns_are_as_narrow_as_they_can() -> None:
    """One octet for 256 numbers that lie together, wherever; none where all are equal."""
    matrix = np.full((1000, 3), 1 << 60, np.int64)
    matrix[:, 1] += np.arange(1000) % 256
    matrix[:, 2] += np.arange(1000)
    sizes = [0 if beyond is None else beyond.nbytes for beyond in Packed.of(matrix).beyond]
    assert [0, 1000, 2000] == sizes
