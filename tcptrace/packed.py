"""`Packed`: int64 rows in as few octets as their values need, to travel from worker to worker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Matrix

_NARROW = (np.uint8, np.uint16, np.uint32)


@dataclass(frozen=True)
class Packed:
    """`count` rows, a column each: its least value, and what each row has beyond it.

    A column of one value has no rows at all.
    """

    count: int
    least: list[int]
    beyond: list[npt.NDArray[np.unsignedinteger] | Matrix | None]

    @classmethod
    def of(cls, matrix: Matrix) -> Packed:
        """The rows of an int64 matrix."""
        if not len(matrix):
            return cls(0, [0] * matrix.shape[1], [None] * matrix.shape[1])
        least, most = matrix.min(axis=0).tolist(), matrix.max(axis=0).tolist()
        spans = zip(least, most, strict=True)
        beyond = [_column(matrix[:, place], *span) for place, span in enumerate(spans)]
        kept = [0 if _is_whole(*span) else span[0] for span in zip(least, most, strict=True)]
        return cls(len(matrix), kept, beyond)

    def matrix(self) -> Matrix:
        """The rows as they were."""
        rows = np.empty((self.count, len(self.least)), np.int64)
        for place in range(len(self.least)):
            rows[:, place] = self.column(place)
        return rows

    def column(self, place: int) -> Matrix:
        """One column as it was."""
        beyond, least = self.beyond[place], self.least[place]
        if beyond is None:
            return np.full(self.count, least, np.int64)
        return beyond.astype(np.int64) + least


def _is_whole(least: int, most: int) -> bool:
    """Whether the column stays as it is: the span is no int64, or wide."""
    return most - least > np.iinfo(_NARROW[-1]).max


def _column(
    values: Matrix, least: int, most: int
) -> npt.NDArray[np.unsignedinteger] | Matrix | None:
    if least == most:
        return None
    if _is_whole(least, most):
        return values.copy()
    kind = next(kind for kind in _NARROW if most - least <= np.iinfo(kind).max)
    narrow: npt.NDArray[np.unsignedinteger] = (values - least).astype(kind)
    return narrow
