"""A column as text for eyes: shorter than what programs read, which `tables.encoded` makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tcptrace.faces.terminal import printable
from tcptrace.tables.encoded import category_form, machine_cells
from tcptrace.tables.wording import span

# How much of YYYY-MM-DDThh:mm:ss.nnnnnnnnn is the date with its T, and all up to microseconds.
DATE, MICROSECOND = 11, 26


def text_form(column: pd.Series[Any]) -> Callable[[pd.Series[Any]], list[str]]:
    """How the parts of a column read for eyes, as `text_cells` says; one form for all parts."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return partial(_text_times, start=DATE if only_day(column) else 0)
    if pd.api.types.is_timedelta64_dtype(column):
        return _text_durations
    if isinstance(column.dtype, pd.CategoricalDtype):
        return category_form(column, lambda words: map(printable, words), "")
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
