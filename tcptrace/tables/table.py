"""`Table` and `Column`: what a DataFrame of ours consists of, how to make one and check one.

A column has a `Kind`, and the kind decides the dtype, whether there are rows or not. Read
`schema` for the tables themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.tables.texts import texts

NO_TIME = np.iinfo(np.int64).min  # what pandas reads as NaT, for times and for durations


class Kind(Enum):
    """What the values of a column are, and the dtype by which users know them."""

    TIME = "datetime64[ns, UTC]"
    DURATION = "timedelta64[ns]"
    COUNT = "int64"
    MAYBE = "Int64"
    FLAG = "bool"
    CHOICE = "category, ordered"
    NAME = "category"
    TEXT = "string"
    NUMBERS = "object"


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, unit and meaning; `choices` are those of a CHOICE, in order."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    choices: tuple[str, ...] = ()

    @cached_property
    def dtype(self) -> Any:
        """The pandas dtype; a NAME's categories are those of the capture, so they are left out."""
        return _DTYPES[self.kind](self)

    def holds(self, dtype: Any) -> bool:
        """Whether a dtype is this column's."""
        if self.kind is Kind.NAME:
            return isinstance(dtype, pd.CategoricalDtype) and not dtype.ordered
        return bool(dtype == self.dtype)

    def series(self, values: Any) -> Any:
        """The values as pandas keeps them.

        TIME and DURATION take int64 ns with NO_TIME for none; MAYBE takes a pair of int64 and
        the mask of what is missing; CHOICE takes the places of `choices`, -1 for none; NAME
        takes a pair of places and names, or their `categories`; TEXT takes what `texts` does; the
        others take what they are.
        """
        return _MAKERS[self.kind](values, self)


@dataclass(frozen=True)
class Table:
    """One DataFrame's columns; `index` names the column that is its index, if one is."""

    name: str
    row: str
    columns: tuple[Column, ...]
    index: str = ""
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    def frame(self, values: Mapping[str, Any]) -> pd.DataFrame:
        """A DataFrame from one value per column, as `Column.series` takes them."""
        made = {column.name: column.series(values[column.name]) for column in self.columns}
        frame = pd.DataFrame(made, copy=False)
        return frame.set_index(self.index) if self.index else frame

    def empty(self) -> pd.DataFrame:
        """The DataFrame without rows, of the same dtypes as any other."""
        return self.frame({column.name: _NOTHING[column.kind] for column in self.columns})

    def faults(self, frame: pd.DataFrame) -> list[str]:
        """What is wrong with a DataFrame that should be this table; an empty list if nothing."""
        flat = frame.reset_index() if self.index else frame
        expected = [column.name for column in self.columns]
        if list(flat.columns) != expected:
            return [f"columns {list(flat.columns)} for {expected}"]
        return [
            f"{column.name} is {flat[column.name].dtype}, not {column.dtype}"
            for column in self.columns
            if not column.holds(flat[column.name].dtype)
        ]

    def markdown(self) -> str:
        """The columns as a Markdown table, for README."""
        lines = ["| column | dtype | unit | meaning |", "|---|---|---|---|"]
        for column in self.columns:
            meaning = column.meaning
            if column.choices:
                meaning += ": " + ", ".join(f"`{choice}`" for choice in column.choices)
            cells = (f"`{column.name}`", column.kind.value, column.unit, meaning)
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"


def _time(values: npt.NDArray[np.int64], column: Column) -> Any:
    return pd.DatetimeIndex(_owned(values).view("M8[ns]")).tz_localize("UTC").array


def _duration(values: npt.NDArray[np.int64], column: Column) -> Any:
    return pd.TimedeltaIndex(_owned(values).view("m8[ns]")).array


def _maybe(values: tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]], column: Column) -> Any:
    numbers, missing = values
    return pd.arrays.IntegerArray(_owned(numbers), np.array(missing, np.bool_))


def _choice(values: npt.NDArray[np.int64], column: Column) -> Any:
    return pd.Categorical.from_codes(
        np.asarray(values, np.int64).astype(np.int8), dtype=column.dtype
    )


def _name(
    values: tuple[npt.NDArray[np.int64], Sequence[str] | pd.CategoricalDtype], column: Column
) -> Any:
    places, names = values
    dtype = names if isinstance(names, pd.CategoricalDtype) else categories(names)
    return pd.Categorical.from_codes(np.asarray(places, np.int64), dtype=dtype)


def categories(names: Sequence[str]) -> pd.CategoricalDtype:
    """The dtype of a NAME whose cells are these names, each of which is there once."""
    return pd.CategoricalDtype(pd.Index(texts(names, pd.api.types.pandas_dtype("str"))))


def _numbers(values: Sequence[list[int]], column: Column) -> Any:
    kept = np.empty(len(values), object)
    for place, numbers in enumerate(values):
        kept[place] = list(numbers)
    return kept


def _owned(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A contiguous copy, so that a table never holds on to the matrix it came from."""
    return np.array(values, np.int64)


_DTYPES: dict[Kind, Callable[[Column], Any]] = {
    Kind.TIME: lambda column: pd.DatetimeTZDtype("ns", "UTC"),
    Kind.DURATION: lambda column: np.dtype("m8[ns]"),
    Kind.COUNT: lambda column: np.dtype(np.int64),
    Kind.MAYBE: lambda column: pd.Int64Dtype(),
    Kind.FLAG: lambda column: np.dtype(np.bool_),
    Kind.CHOICE: lambda column: pd.CategoricalDtype(list(column.choices), ordered=True),
    Kind.NAME: lambda column: pd.CategoricalDtype(),
    Kind.TEXT: lambda column: pd.StringDtype(),
    Kind.NUMBERS: lambda column: np.dtype(object),
}

_MAKERS: dict[Kind, Callable[[Any, Column], Any]] = {
    Kind.TIME: _time,
    Kind.DURATION: _duration,
    Kind.COUNT: lambda values, column: _owned(values),
    Kind.MAYBE: _maybe,
    Kind.FLAG: lambda values, column: np.array(values, np.bool_),
    Kind.CHOICE: _choice,
    Kind.NAME: _name,
    Kind.TEXT: lambda values, column: texts(values, column.dtype),
    Kind.NUMBERS: _numbers,
}

_NO_NUMBERS = np.zeros(0, np.int64)

_NOTHING: dict[Kind, Any] = {
    Kind.TIME: _NO_NUMBERS,
    Kind.DURATION: _NO_NUMBERS,
    Kind.COUNT: _NO_NUMBERS,
    Kind.MAYBE: (_NO_NUMBERS, np.zeros(0, np.bool_)),
    Kind.FLAG: _NO_NUMBERS,
    Kind.CHOICE: _NO_NUMBERS,
    Kind.NAME: (_NO_NUMBERS, []),
    Kind.TEXT: [],
    Kind.NUMBERS: [],
}
