"""Times and durations as exact text."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tcptrace.tables.exact import exact_words

LEAST, MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
NS = [0, 1, -1, 999_999_999, 1_000_000_000, -1_000_000_000, -1_500_000_000, LEAST + 1, MOST, LEAST]


def test_times_are_what_numpy_says_of_each() -> None:
    """Before 1970 and at both ends of what 64 bits hold; the same second may come again."""
    times = np.array(NS * 2, "M8[ns]")
    column = pd.Series(pd.DatetimeIndex(times).tz_localize("UTC"))
    expected = [f"{word}Z" for word in np.datetime_as_string(times, unit="ns")]
    assert [None if "NaT" in word else word for word in expected] == exact_words(column)


def test_durations_have_a_sign_and_nine_decimals() -> None:
    """Less than nothing reads as less, below a second too."""
    words = exact_words(pd.Series(np.array(NS, "m8[ns]")))
    assert ["0.000000000", "0.000000001", "-0.000000001", "0.999999999"] == words[:4]
    assert ["1.000000000", "-1.000000000", "-1.500000000"] == words[4:7]
    assert ["-9223372036.854775807", "9223372036.854775807", None] == words[7:]


def test_what_is_missing_is_in_no_quotes() -> None:
    """null is no text."""
    column = pd.Series(np.array([90_000_000_000, LEAST], "m8[ns]"))
    assert ['"90.000000000"', "null"] == exact_words(column, "null", '"')


def test_of_no_cells_there_are_no_words() -> None:
    """Of either kind."""
    empty = np.array([], np.int64)
    assert [[], []] == [exact_words(pd.Series(empty.view(kind))) for kind in ("M8[ns]", "m8[ns]")]
