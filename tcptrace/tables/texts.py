"""Columns of text, made of what costs less than a str a row: words and their places, or octets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

try:
    import pyarrow as pa  # type: ignore[import-untyped]
except ImportError:  # an extra; pandas keeps text without it too
    pa = None


@dataclass(frozen=True)
class Words(Sequence[str]):
    """A sequence of few distinct texts: the i-th is `words[places[i]]`."""

    places: npt.NDArray[np.int64]
    words: Sequence[str]

    @classmethod
    def same(cls, word: str, count: int) -> Words:
        """The same text so many times."""
        return cls(np.zeros(count, np.int64), [word])

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Words: ...
    def __getitem__(self, place: int | slice) -> str | Words:
        if isinstance(place, slice):
            return Words(self.places[place], self.words)
        return self.words[int(self.places[place])]


Texts = Sequence[str] | npt.NDArray[np.bytes_]
"""A str each; an array of octets is ASCII."""


def texts(values: Texts, dtype: Any) -> Any:
    """The values as pandas keeps them under a dtype of its strings."""
    if pa is not None and getattr(dtype, "storage", "") == "pyarrow":
        return dtype.__from_arrow__(_arrow(values))
    cells = values.astype(str).tolist() if isinstance(values, np.ndarray) else list(values)
    return pd.array(cells, dtype=dtype)


def _arrow(values: Texts) -> Any:
    if isinstance(values, Words):
        return pa.array(list(values.words), pa.large_string()).take(pa.array(values.places))
    if isinstance(values, np.ndarray):
        return pa.array(values).cast(pa.large_string())
    return pa.array(values, pa.large_string(), from_pandas=True)
