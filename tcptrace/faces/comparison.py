"""What `column operator value` means for each kind of column of a table.

Missing cells satisfy no comparison but `== null`. A name that only has an `orig_` and a `resp_`
column (`state`, `port`, `bytes`) means either side, as in tshark's `tcp.port == 80`.
"""

from __future__ import annotations

import operator as op
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.errors import UsageError
from tcptrace.faces.quantities import parse_duration, parse_time
from tcptrace.tcp.states import State, parse_state

Mask = npt.NDArray[np.bool_]
Value = tuple[str, bool]  # the text, and whether it was quoted: a quoted word is no column
Numbers = tuple[npt.NDArray[np.int64], Mask]  # what is compared, and where there is something

ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "==": op.eq, "!=": op.ne, "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge,
}  # fmt: skip
NULL = {"null", "na", "nan", "nat"}
ADDRESS = "ip"


def columns_called(frame: pd.DataFrame, name: str) -> list[str]:
    """The columns a name stands for: itself, the columns of both sides, or none."""
    if name in frame.columns:
        return [name]
    sides = [f"orig_{name}", f"resp_{name}"]
    return sides if all(side in frame.columns for side in sides) else []


def mask(frame: pd.DataFrame, names: Sequence[str], operator: str, values: list[Value]) -> Mask:
    """Which rows hold the comparison for one of the columns and values; UsageError if none can."""
    positive = "==" if operator == "!=" else operator
    found = np.zeros(len(frame), np.bool_)
    present = np.ones(len(frame), np.bool_)
    for name in names:
        for value in values:
            found |= _one(frame, name, positive, value)
        present &= frame[name].notna().to_numpy(np.bool_)
    if operator != "!=":
        return found
    missing = any(value[0].lower() in NULL and not value[1] for value in values)
    return ~found & (present | missing)


def _one(frame: pd.DataFrame, name: str, operator: str, value: Value) -> Mask:
    column, (text, quoted) = frame[name], value
    if operator == "==" and not quoted and text.lower() in NULL:
        return np.asarray(column.isna(), np.bool_)
    if operator == "contains":
        return _contains(column, text)
    numbers = _numbers(column)
    if not quoted and text in frame.columns:
        return _against(numbers, operator, _same_kind(column, frame[text]))
    if numbers is not None and _ordered(column):
        right = _number(column, text)
        return numbers[1] & np.asarray(ORDER[operator](numbers[0], right), np.bool_)
    if operator != "==":
        raise UsageError(f"{name} has no order: only ==, !=, in and contains fit")
    return _equal_text(column, text)


def _against(left: Numbers | None, operator: str, right: Numbers | None) -> Mask:
    if left is None or right is None:
        raise UsageError("these two columns cannot be compared with each other")
    return left[1] & right[1] & np.asarray(ORDER[operator](left[0], right[0]), np.bool_)


def _same_kind(left: pd.Series[Any], right: pd.Series[Any]) -> Numbers | None:
    alike = _kind(left) == _kind(right) and (
        _kind(left) != "category" or list(left.cat.categories) == list(right.cat.categories)
    )
    return _numbers(right) if alike else None


def _kind(column: pd.Series[Any]) -> str:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "category"
    for kind, test in KINDS.items():
        if test(column):
            return kind
    return "text"


KINDS: dict[str, Callable[[Any], bool]] = {
    "flag": pd.api.types.is_bool_dtype,
    "number": pd.api.types.is_integer_dtype,
    "time": pd.api.types.is_datetime64_any_dtype,
    "duration": pd.api.types.is_timedelta64_dtype,
}


def _numbers(column: pd.Series[Any]) -> Numbers | None:
    """A column as int64 to compare: codes, counts or nanoseconds; None for text and lists."""
    kind, present = _kind(column), np.asarray(column.notna(), np.bool_)
    if kind == "category":
        return np.asarray(column.cat.codes, np.int64), present
    if kind in ("flag", "number"):
        return column.to_numpy(np.int64, na_value=0), present
    if kind in ("time", "duration"):
        unit = "datetime64[ns]" if kind == "time" else "timedelta64[ns]"
        return column.to_numpy(unit).view(np.int64), present
    return None


def _ordered(column: pd.Series[Any]) -> bool:
    return _kind(column) != "category" or bool(column.cat.ordered)


def _number(column: pd.Series[Any], text: str) -> int:
    """The value a text stands for in a column; UsageError with what would fit."""
    kind = _kind(column)
    if kind == "time":
        return parse_time(text)
    if kind == "duration":
        return parse_duration(text)
    if kind == "flag" and text.lower() in ("true", "false"):
        return int(text.lower() == "true")
    if kind == "category":
        return _code(column, text)
    try:
        return int(text, 0)
    except ValueError:
        raise UsageError(f"{column.name} holds {kind}s, {text!r} is none") from None


def _code(column: pd.Series[Any], text: str) -> int:
    words = [str(word) for word in column.cat.categories]
    if words and set(words) <= set(State.__members__):
        text = parse_state(text).name
    if text not in words:
        raise UsageError(f"{column.name} is one of {', '.join(words)}, not {text!r}")
    return words.index(text)


def _equal_text(column: pd.Series[Any], text: str) -> Mask:
    """Equality of words; an address column takes an address or a network in any spelling."""
    if str(column.name).split("_")[-1] == ADDRESS:
        return _looked_up(column, _address_test(text))
    if _kind(column) == "category":
        return _looked_up(column, lambda word: word == text)
    if any(isinstance(cell, (list, tuple, np.ndarray)) for cell in column.head(1)):
        raise UsageError(f"{column.name} holds lists: only contains fits")
    return np.asarray(column.astype("string").eq(text).fillna(False), np.bool_)


def _looked_up(column: pd.Series[Any], test: Callable[[str], bool]) -> Mask:
    """A test made once for each distinct word of a column."""
    category = column.astype("category")
    hits = np.array([test(str(word)) for word in category.cat.categories] + [False], np.bool_)
    return hits[np.asarray(category.cat.codes, np.int64)]


def _address_test(text: str) -> Callable[[str], bool]:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise UsageError(f"{text!r} is no address and no network such as 10.0.0.0/8") from None

    def holds(word: str) -> bool:
        try:
            return ip_address(word) in network
        except ValueError:
            return False

    return holds


def _contains(column: pd.Series[Any], text: str) -> Mask:
    """A list that holds the value, or a text that holds the words, whatever their case."""
    kind = _kind(column)
    if kind in KINDS:
        raise UsageError(f"{column.name} holds {kind}s: contains fits texts and lists")
    if kind == "category":
        return _looked_up(column, lambda word: text.lower() in word.lower())
    return np.array([_holds(cell, text) for cell in column], np.bool_)


def _holds(cell: Any, text: str) -> bool:
    if isinstance(cell, (list, tuple, np.ndarray)):
        return text in {str(item) for item in cell}
    return isinstance(cell, str) and text.lower() in cell.lower()
