"""Times and durations as text that keeps each nanosecond, a column at a time.

The digits of many cells are laid side by side in one array of octets: a record is as wide as the
longest, what it has too much is NUL and is dropped from the whole at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Numbers = npt.NDArray[np.int64]

SECOND = 1_000_000_000  # ns
THREE_DIGITS = np.array([f"{number:03d}" for number in range(1000)], "S3")


def exact_words(column: pd.Series[Any], missing: Any = None, quote: str = "") -> list[Any]:
    """A column of times or durations in ns as words, each between two quotes; `missing` has none.

    Times are ISO 8601 in UTC with nine decimals and `Z`; durations are seconds with nine decimals.
    """
    ns: Numbers = column.astype("int64").to_numpy().astype(np.int64, copy=False)
    places, heads, rest = _moments(ns) if column.dtype.kind == "M" else _spans(ns)
    tail = f"Z{quote}" if column.dtype.kind == "M" else quote
    words = _joined([f"{quote}{head}." for head in heads], places, rest, tail)
    for place in np.flatnonzero(column.isna().to_numpy()).tolist():
        words[place] = missing
    return words


def _moments(ns: Numbers) -> tuple[npt.NDArray[np.intp], list[str], Numbers]:
    """Which whole second each is of, those in ISO 8601, and the ns beyond; a second is many's."""
    whole, rest = np.divmod(ns, SECOND)
    places, seconds = pd.factorize(whole)
    return places, np.datetime_as_string(seconds.view("M8[s]")).tolist(), rest


def _spans(ns: Numbers) -> tuple[npt.NDArray[np.intp], list[str], Numbers]:
    """Which signed count of seconds each has, those in digits, and the ns beyond."""
    whole, rest = np.divmod(np.abs(ns), SECOND)
    places, counts = pd.factorize(np.where(ns < 0, ~whole, whole))  # ~0 is -1: less than nothing
    return places, [f"-{~count}" if count < 0 else str(count) for count in counts.tolist()], rest


def _joined(heads: list[str], places: npt.NDArray[np.intp], rest: Numbers, tail: str) -> list[Any]:
    """Of each cell its head, nine digits of the rest, and the tail."""
    starts, end = np.array(heads, "S"), f"{tail}\n".encode()
    digits = ["high", "middle", "low"]
    layout = [("head", starts.dtype), *((name, "S3") for name in digits), ("end", f"S{len(end)}")]
    octets = np.empty(len(places), layout)
    octets["head"], octets["end"] = starts[places], end
    for name, unit in zip(digits, (1_000_000, 1000, 1), strict=True):
        octets[name] = THREE_DIGITS[rest // unit % 1000]
    return octets.tobytes().translate(None, b"\0").decode().split("\n")[:-1]
