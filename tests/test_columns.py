"""Pins `Rows`: what every batch that crosses the floors can do."""

from __future__ import annotations

import pickle
from typing import ClassVar

import numpy as np
import pytest

from tcptrace.columns import Chosen, Rows, one_of


class Pairs(Rows):
    """Two columns, enough to tell rows from columns."""

    COLUMNS: ClassVar[dict[str, str]] = {"left": "the first", "right": "the second"}


class Triples(Rows):
    """A second subclass, whose places must not be those of the first."""

    COLUMNS: ClassVar[dict[str, str]] = {"right": "r", "middle": "m", "left": "l"}


def pairs(*rows: tuple[int, int]) -> Pairs:
    return Pairs(np.array(rows, np.int64))


def test_column_is_read_by_its_name() -> None:
    """A declared name is a column of the matrix, in row order."""
    assert [1, 3] == pairs((1, 2), (3, 4)).left.tolist()
    assert [2, 4] == pairs((1, 2), (3, 4)).right.tolist()


def test_column_is_a_view() -> None:
    """Writing to a column writes to the batch."""
    batch = pairs((1, 2))
    batch.left[0] = 9
    assert 9 == batch.matrix[0, 0]


def test_unknown_column_is_an_attribute_error() -> None:
    """A misspelt column is named together with its batch."""
    with pytest.raises(AttributeError, match="Pairs has no column 'up'"):
        _ = pairs((1, 2)).up


def test_index_of_an_undeclared_name() -> None:
    """A kernel that asks for an undeclared column fails at import."""
    with pytest.raises(KeyError):
        Pairs.index("up")


def test_subclasses_keep_their_own_places() -> None:
    """The cache of places belongs to one subclass each."""
    assert (0, 1) == (Pairs.index("left"), Pairs.index("right"))
    assert (2, 0) == (Triples.index("left"), Triples.index("right"))
    assert (2, 3) == (Pairs.width(), Triples.width())


def test_cells_are_row_by_row_and_writable() -> None:
    """A kernel finds row i, column k at `i * width + k` and may fill it in place."""
    batch = Pairs.zeros(2)
    cells = batch.cells
    cells[1 * Pairs.width() + Pairs.index("right")] = 7
    assert 7 == batch.right[1]
    assert cells.itemsize == 8


def test_cells_of_an_empty_batch() -> None:
    """No rows give a buffer of no cells."""
    assert 0 == len(Pairs.zeros(0).cells)


def test_matrix_is_made_contiguous() -> None:
    """A strided matrix is copied, since a kernel walks it flat."""
    strided = np.arange(8, dtype=np.int64).reshape(2, 4)[:, ::2]
    batch = Pairs(strided)
    assert [0, 2, 4, 6] == list(batch.cells)


def test_concat_of_nothing_and_of_several() -> None:
    """Batches follow each other; none at all is the empty batch."""
    assert 0 == len(Pairs.concat([]))
    joined = Pairs.concat([pairs((1, 2)), Pairs.zeros(0), pairs((3, 4), (5, 6))])
    assert [[1, 2], [3, 4], [5, 6]] == joined.matrix.tolist()


def test_take_by_mask_slice_and_order() -> None:
    """Rows are picked by mask, by slice and by index, and stay of their kind."""
    batch = pairs((1, 2), (3, 4), (5, 6))
    assert [3, 5] == batch.take(batch.left > 1).left.tolist()
    assert [1, 3] == batch.take(slice(0, 2)).left.tolist()
    assert [5, 1] == batch.take(np.array([2, 0])).left.tolist()
    assert isinstance(batch.take(slice(0, 0)), Pairs)


def test_rows_travel_to_other_processes() -> None:
    """With their type and all that they hold."""
    found = pickle.loads(pickle.dumps(pairs((1, 2), (3, 4))))
    assert (Pairs, [[1, 2], [3, 4]]) == (type(found), found.matrix.tolist())


def test_chosen_columns_lie_side_by_side() -> None:
    """Of the rows that the mask chooses, each column copied once."""
    rows = pairs((1, 10), (2, 20), (3, 30))
    chosen = Chosen(rows, np.array([True, False, True]))
    assert (2, [10, 30]) == (len(chosen), chosen.right.tolist())
    assert chosen.right is chosen.right and chosen.right.flags.contiguous
    with pytest.raises(AttributeError, match="no column 'middle'"):
        _ = chosen.middle


def test_gathered_rows_are_those_of_the_batches_in_the_order_asked() -> None:
    """By column and as a whole; what was written to a column in between stays."""
    gathered = Pairs.gather([pairs((1, 10), (2, 20)), pairs((3, 30))], np.array([2, 0, 1]))
    assert (3, [30, 10, 20]) == (len(gathered), gathered.right.tolist())
    assert gathered.right.flags.contiguous
    gathered.left[:] = [7, 8, 9]
    assert [7, 8, 9] == gathered.left.tolist()
    assert [[7, 30], [8, 10], [9, 20]] == gathered.matrix.tolist()
    gathered.left[0] = 6
    assert [[6, 30]] == gathered.take(slice(1)).matrix.tolist()
    assert 3 == len(gathered)


def test_gathered_rows_without_batches_are_none() -> None:
    """And have their columns, and can be pickled."""
    gathered = Pairs.gather([], np.zeros(0, np.int64))
    assert (0, []) == (len(gathered), gathered.left.tolist())
    assert (0, 2) == pickle.loads(pickle.dumps(gathered)).matrix.shape


def test_chosen_rows_travel_to_other_processes() -> None:
    """A reconstruction that was asked for a table has some when a worker hands it on."""
    chosen = Chosen(pairs((1, 10), (2, 20)), np.array([False, True]))
    assert [2] == chosen.left.tolist()
    found = pickle.loads(pickle.dumps(chosen))
    assert (1, [20]) == (len(found), found.right.tolist())


def test_few_values_are_told_from_others() -> None:
    """In any shape."""
    assert [[True, False], [True, False]] == one_of(np.array([[1, 2], [3, 4]]), (3, 1)).tolist()
    assert [] == one_of(np.zeros(0, np.int64), (1,)).tolist()
