"""A column as the values that a file or a person reads.

Machine forms: times are ISO 8601 in UTC with nine decimals and `Z`; durations are seconds with
nine decimals, as text, so that no reader rounds them; counts are integers; what is missing is
null. Text forms are shorter and are for eyes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tcptrace.faces.terminal import printable
from tcptrace.tables.export import plain
from tcptrace.tables.wording import span

# How much of YYYY-MM-DDThh:mm:ss.nnnnnnnnn is the date with its T, and all up to microseconds.
DATE, MICROSECOND = 11, 26


def machine_cells(column: pd.Series[Any]) -> list[Any]:
    """A column as Python values that JSON can hold: str, int, bool, list of int or str, None."""
    if column.dtype.kind in "mM":
        column = plain(column.to_frame())[column.name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _of_categories([str(word) for word in column.cat.categories], None, column)
    if column.dtype == object:
        return [_plain(value) for value in column]
    if column.hasnans:
        return column.astype(object).where(column.notna(), None).tolist()
    return column.tolist()


def csv_cells(column: pd.Series[Any]) -> list[Any]:
    """A column as CSV fields: lists and truth values in JSON, None (an empty field) for none."""
    cells = machine_cells(column)
    if column.dtype != object and column.dtype != np.bool_:
        return cells
    return [None if cell is None else json.dumps(cell, ensure_ascii=False) for cell in cells]


def text_form(column: pd.Series[Any]) -> Callable[[pd.Series[Any]], list[str]]:
    """How the parts of a column read for eyes, as `text_cells` says; one form for all parts."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return partial(_text_times, start=DATE if only_day(column) else 0)
    if pd.api.types.is_timedelta64_dtype(column):
        return _text_durations
    if isinstance(column.dtype, pd.CategoricalDtype):
        words = [printable(str(word)) for word in column.cat.categories]
        return partial(_of_categories, words, "")
    return lambda part: [_words(value) for value in machine_cells(part)]


def text_cells(column: pd.Series[Any]) -> list[str]:
    """A column for eyes: the time of day if all lie on one day, durations with their unit."""
    return text_form(column)(column)


def is_number(column: pd.Series[Any]) -> bool:
    """Whether a column reads better flush right."""
    number = pd.api.types.is_integer_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return number or pd.api.types.is_timedelta64_dtype(column)


def only_day(column: pd.Series[Any]) -> str | None:
    """The UTC date that all times of a column share, `2026-11-25`; None if there is no one day."""
    days = {stamp[: DATE - 1] for stamp in _stamps(column) if stamp}
    return days.pop() if len(days) == 1 else None


def _stamps(column: pd.Series[Any]) -> list[str | None]:
    times = column.to_numpy("datetime64[ns]")
    stamps = np.datetime_as_string(times, unit="ns").tolist()
    return [None if stamp == "NaT" else stamp for stamp in stamps]


def _text_durations(column: pd.Series[Any]) -> list[str]:
    sizes = column.to_numpy("timedelta64[ns]").view(np.int64).tolist()
    there = column.notna().tolist()
    return [span(ns) if present else "" for ns, present in zip(sizes, there, strict=True)]


def _text_times(column: pd.Series[Any], start: int) -> list[str]:
    return [
        stamp[start:MICROSECOND].replace("T", " ") if stamp else "" for stamp in _stamps(column)
    ]


def _plain(value: Any) -> Any:
    """The value without NumPy's types; lists item by item."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _of_categories(words: Sequence[str], missing: str | None, column: pd.Series[Any]) -> list[Any]:
    """The words of a categorical column, each category made only once."""
    known = [*words, missing]  # a missing cell's code is -1
    return [known[code] for code in column.cat.codes.tolist()]


def _words(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return printable(shortened(value))
    return {None: "", True: "yes", False: "no"}[value]


def shortened(items: Sequence[Any], most: int = 4) -> str:
    """A list for eyes: the first few, then how many more."""
    more = f" +{len(items) - most}" if len(items) > most else ""
    return ",".join(str(item) for item in items[:most]) + more
