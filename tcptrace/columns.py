"""`Rows`: a batch of equal-length int64 columns in one matrix, the shape that crosses the floors.

One matrix, row by row in memory, because a compiled loop reads one row at a time and because
a single buffer is all that a kernel has to be handed. A subclass declares its columns once,
name → meaning, in `COLUMNS`; a kernel asks for a column's place with `index` at import.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.int64]


class Rows:
    """`len(rows)` rows of int64; `rows.name` is a column, `rows.cells` the flat memoryview."""

    COLUMNS: ClassVar[dict[str, str]] = {}
    _later: _Later | None = None

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = np.ascontiguousarray(matrix, np.int64).reshape(-1, self.width())

    @classmethod
    def width(cls) -> int:
        """How many columns a row has."""
        return len(cls.COLUMNS)

    @classmethod
    def index(cls, name: str) -> int:
        """The place of a column in a row; KeyError for a name that is not declared."""
        return cls._places()[name]

    @classmethod
    def _places(cls) -> dict[str, int]:
        places: dict[str, int] | None = cls.__dict__.get("_PLACES")
        if places is None:
            places = {name: place for place, name in enumerate(cls.COLUMNS)}
            cls._PLACES = places  # type: ignore[attr-defined]
        return places

    @classmethod
    def zeros(cls, count: int) -> Self:
        """A batch of `count` rows, all zero."""
        return cls(np.zeros((count, cls.width()), np.int64))

    @classmethod
    def concat(cls, batches: list[Self]) -> Self:
        """The rows of several batches, one after the other; of a single one, itself."""
        if not batches:
            return cls.zeros(0)
        if len(batches) == 1:  # a copy of a large one is not cheap
            return batches[0]
        return cls(np.concatenate([batch.matrix for batch in batches]))

    @classmethod
    def gather(cls, batches: list[Self], order: Matrix) -> Self:
        """The rows of several batches in an order of their joined rows.

        A column is copied when it is asked for, its numbers side by side, and the rest of the
        rows once something else is: large ones are mostly read column by column.
        """
        gathered = cls.__new__(cls)
        gathered._later = _Later([batch.matrix for batch in batches], order)
        return gathered

    @property
    def cells(self) -> memoryview:
        """The flat buffer for a kernel: row i, column k is `cells[i * width + k]`."""
        return self.matrix.reshape(-1).data

    def take(self, which: slice | Matrix | npt.NDArray[np.bool_]) -> Self:
        """The rows picked by a slice, an index array or a mask."""
        return type(self)(self.matrix[which])

    def __len__(self) -> int:
        return len(self.matrix if self._later is None else self._later.order)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.matrix,)  # for pickle, which asks an empty one for its columns

    def __getattr__(self, name: str) -> Matrix:
        if name == "matrix":
            return self._whole()
        try:
            place = type(self)._places()[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no column {name!r}") from None
        return self.matrix[:, place] if self._later is None else self._later.column(place)

    def _whole(self) -> Matrix:
        """The matrix of gathered rows, from now on."""
        assert self._later is not None
        self.matrix = self._later.matrix(self.width())
        self._later = None
        return self.matrix


class _Later:
    """Rows that have yet to be gathered, and the columns that were."""

    def __init__(self, parts: list[Matrix], order: Matrix) -> None:
        self.order = order
        self._parts = parts
        self._columns: dict[int, Matrix] = {}

    def column(self, place: int) -> Matrix:
        """A column; what is written to it stays."""
        if place not in self._columns:
            parts = [part[:, place] for part in self._parts] or [np.zeros(0, np.int64)]
            self._columns[place] = np.concatenate(parts)[self.order]
        return self._columns[place]

    def matrix(self, width: int) -> Matrix:
        """All columns, those that were gathered as they are by now."""
        where = np.empty(len(self.order), np.int64)
        where[self.order] = np.arange(len(self.order))
        gathered = np.empty((len(self.order), width), np.int64)
        first = 0
        for part in self._parts:
            gathered[where[first : first + len(part)]] = part
            first += len(part)
        for place, column in self._columns.items():
            gathered[:, place] = column
        return gathered


class Chosen:
    """Columns of the rows that a mask chooses, for work that goes column by column.

    Each is copied when it is first asked for, its numbers side by side in memory.
    """

    def __init__(self, rows: Rows, which: npt.NDArray[np.bool_]) -> None:
        self._rows = rows
        self._which = which

    def __len__(self) -> int:
        return int(np.count_nonzero(self._which))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._rows, self._which)  # for pickle: an empty one has no columns

    def __getattr__(self, name: str) -> Matrix:
        column: Matrix = getattr(self._rows, name)[self._which]
        setattr(self, name, column)
        return column


def one_of(values: Matrix, some: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Whether each value is one of a few, which `np.isin` takes longer for."""
    found = np.zeros(values.shape, np.bool_)
    for each in some:
        found |= values == each
    return found
