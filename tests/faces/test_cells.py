"""Cells for files and cells for eyes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tcptrace.faces.cells import (
    csv_cells,
    is_number,
    machine_cells,
    only_day,
    shortened,
    text_cells,
)

NANOSECONDS = [1_764_042_149_123_456_789, np.iinfo(np.int64).min, 0]
TIMES = pd.Series(pd.DatetimeIndex(np.array(NANOSECONDS, "M8[ns]")).tz_localize("UTC"), name="ts")
SPANS = pd.Series(np.array([1, np.iinfo(np.int64).min, 90_000_000_000], "m8[ns]"), name="duration")
MAYBE = pd.Series([2**53 + 1, None, 0], dtype="Int64", name="packet")
LISTS = pd.Series([[1, 2], np.array([3]), []], dtype=object, name="packets")
WORDS = pd.Series(pd.Categorical(["fin", None, "rst"]), name="close_kind")
FLAGS = pd.Series([True, False, True], name="is_final")


def test_times_are_iso_8601_with_nanoseconds_in_utc() -> None:
    """No digit is lost, and the zone is said."""
    expected = ["2025-11-25T03:42:29.123456789Z", None, "1970-01-01T00:00:00.000000000Z"]
    assert expected == machine_cells(TIMES)


def test_durations_are_decimal_seconds_as_text() -> None:
    """Text, so that no reader of JSON rounds them to a double."""
    assert ["0.000000001", None, "90.000000000"] == machine_cells(SPANS)


def test_counts_stay_whole() -> None:
    """A missing count makes no float of its neighbours."""
    assert [9_007_199_254_740_993, None, 0] == machine_cells(MAYBE)
    assert [int, type(None), int] == [type(cell) for cell in machine_cells(MAYBE)]


def test_words_flags_and_lists() -> None:
    """Plain Python values, whatever pandas holds them in."""
    assert ["fin", None, "rst"] == machine_cells(WORDS)
    assert [True, False, True] == machine_cells(FLAGS)
    assert [[1, 2], [3], []] == machine_cells(LISTS)


def test_csv_writes_lists_and_flags_as_json() -> None:
    """What is missing is None, which the csv module writes as an empty field."""
    assert ["[1, 2]", "[3]", "[]"] == csv_cells(LISTS)
    assert ["true", "false", "true"] == csv_cells(FLAGS)
    assert ["fin", None, "rst"] == csv_cells(WORDS)
    assert [9_007_199_254_740_993, None, 0] == csv_cells(MAYBE)


def test_times_for_eyes() -> None:
    """The time of day where all is of one day, else the date as well."""
    assert ["03:42:29.123456", ""] == text_cells(TIMES.head(2))
    assert "2025-11-25" == only_day(TIMES.head(2))
    assert ["2025-11-25 03:42:29.123456", "", "1970-01-01 00:00:00.000000"] == text_cells(TIMES)
    assert only_day(TIMES) is None and only_day(TIMES.head(0)) is None


def test_other_cells_for_eyes() -> None:
    """Durations with their unit, lists cut, blanks for what is missing."""
    assert ["1 ns", "", "1 m 30 s"] == text_cells(SPANS)
    assert ["yes", "no", "yes"] == text_cells(FLAGS)
    assert ["1,2", "3", ""] == text_cells(LISTS)
    assert ["fin", "", "rst"] == text_cells(WORDS)
    assert "1,2,3,4 +96" == shortened(range(1, 101))


def test_what_stands_flush_right() -> None:
    """Counts and durations line up by their last figure; truth values are words."""
    assert [True, True] == [is_number(column) for column in (SPANS, MAYBE)]
    assert [False] * 4 == [is_number(column) for column in (TIMES, WORDS, FLAGS, LISTS)]
