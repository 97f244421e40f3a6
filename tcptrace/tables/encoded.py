"""A table as values and lines of JSON and CSV, a column at a time.

Machine forms: times and durations are text as `exact_words` says; counts are integers; what is
missing is null, in CSV an empty field. Lists and truth values are JSON in CSV too.

Texts are joined from words that are encoded already, of many rows at once: a category is encoded
once, and no cell costs a call.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from json.encoder import encode_basestring
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from tcptrace.tables.exact import exact_words

CHUNK = 10_000  # rows that are words at a time

Form = Callable[["pd.Series[Any]"], list[str]]
"""The words of a part of a column."""


def json_lines(table: pd.DataFrame, first: str = "") -> Iterator[str]:
    """The rows as objects of JSON, each in a line: some lines at a time, with their ends.

    The names are those of the columns; `first` begins each object.
    """
    names = [f"{encode_basestring(str(name))}: " for name in table.columns]
    before = [*(f"{{{first}{name}" for name in names[:1]), *(f", {name}" for name in names[1:])]
    return _texts(table, [json_form(table[name]) for name in table.columns], before, "}\n")


def json_array(table: pd.DataFrame) -> Iterator[str]:
    """The rows as one array of JSON, an object a line, in parts."""
    between = "[\n"
    for lines in json_lines(table):
        yield between + lines[:-1].replace("\n", ",\n")  # no word has a line's end in it
        between = ",\n"
    yield "[]\n" if between == "[\n" else "\n]\n"


def csv_lines(table: pd.DataFrame, separator: str) -> Iterator[str]:
    """The rows as the csv module writes them: some lines at a time, with their ends."""
    forms = [csv_form(table[name], separator) for name in table.columns]
    before = [separator if place else "" for place in range(len(forms))]
    return _texts(table, forms if len(forms) > 1 else [*map(_alone, forms)], before, "\n")


def machine_cells(column: pd.Series[Any]) -> list[Any]:
    """A column as Python values that JSON can hold: str, int, bool, list of int or str, None."""
    if column.dtype.kind in "mM":
        return exact_words(column)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return category_form(column, list, None)(column)
    if column.dtype == object:
        return [_plain(value) for value in column]
    if column.hasnans:
        return column.astype(object).where(column.notna(), None).tolist()
    return column.tolist()


def json_form(column: pd.Series[Any]) -> Form:
    """How the parts of a column are in JSON."""
    if column.dtype.kind in "mM":
        return lambda part: exact_words(part, "null", '"')
    if isinstance(column.dtype, pd.CategoricalDtype):
        return category_form(column, lambda words: map(encode_basestring, words), "null")
    return _form_of_few(column, "null") or (lambda part: [*map(_json, machine_cells(part))])


def csv_form(column: pd.Series[Any], separator: str) -> Form:
    """How the parts of a column are as fields of CSV, in quotes where they must be."""
    if column.dtype.kind in "mM":
        return lambda part: exact_words(part, "")
    if isinstance(column.dtype, pd.CategoricalDtype):
        return category_form(column, lambda words: _quoted(words, separator), "")
    if column.dtype == object:
        return lambda part: _quoted(map(_field, machine_cells(part)), separator)
    return _form_of_few(column, "") or (lambda part: _quoted(machine_cells(part), separator))


def category_form(
    column: pd.Series[Any], form: Callable[[Sequence[str]], Iterable[str]], missing: Any
) -> Callable[[pd.Series[Any]], list[Any]]:
    """The cells of a categorical column, the form of each category in use made only once."""
    used = [code for code in pd.unique(column.cat.codes).tolist() if code >= 0]
    words = [str(word) for word in column.cat.categories[used].tolist()]
    known = {**dict(zip(used, form(words), strict=True)), -1: missing}
    return lambda part: [known[code] for code in part.cat.codes.tolist()]


def _form_of_few(column: pd.Series[Any], missing: str) -> Form | None:
    """Of truth values and integers, which JSON and CSV have alike; None of any other."""
    if column.dtype == np.bool_:
        return lambda part: ["true" if cell else "false" for cell in part.tolist()]
    if pd.api.types.is_integer_dtype(column.dtype):
        return lambda part: _digits(part, missing)
    return None


def _digits(column: pd.Series[Any], missing: str) -> list[str]:
    """Integers in digits; most of a column are there more than once."""
    absent = np.flatnonzero(column.isna().to_numpy()).tolist()
    numbers = column.fillna(0) if absent else column
    places, distinct = pd.factorize(numbers.to_numpy(column.dtype.type))
    known = list(map(str, distinct.tolist()))
    digits = [known[place] for place in places.tolist()]
    for place in absent:
        digits[place] = missing
    return digits


def _texts(
    table: pd.DataFrame, forms: Sequence[Form], before: Sequence[str], end: str
) -> Iterator[str]:
    """The rows of a chunk as one text: before each cell of a column its text, then the end."""
    step = 2 * len(forms) + 1
    for start in range(0, len(table), CHUNK):
        part = table.iloc[start : start + CHUNK]
        pieces = [end] * (step * len(part))
        for place, (name, form) in enumerate(zip(part.columns, forms, strict=True)):
            pieces[2 * place :: step] = [before[place]] * len(part)
            pieces[2 * place + 1 :: step] = form(part[name])
        yield "".join(pieces)


def _alone(form: Form) -> Form:
    """Fields with no neighbours: an empty line would be no row."""
    return lambda part: [word or '""' for word in form(part)]


def _quoted(cells: Iterable[Any], separator: str) -> list[str]:
    """The cells as the csv module writes them: it calls for each line, one of two fields here."""
    lines: list[str] = []
    sink = SimpleNamespace(write=lines.append)
    writer = csv.writer(sink, delimiter=separator, lineterminator="\n")
    writer.writerows(zip(cells, repeat(None)))
    return [line[:-2] for line in lines]


def _field(cell: Any) -> str | None:
    return None if cell is None else _json(cell)


def _json(cell: Any) -> str:
    if isinstance(cell, str):
        return encode_basestring(cell)
    return "null" if cell is None else json.dumps(cell, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """The value without NumPy's types; lists item by item."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
