"""Cells for eyes."""

from __future__ import annotations

from tcptrace.faces.cells import (
    is_number,
    only_day,
    shortened,
    text_cells,
)
from tests.tables.columns import FLAGS, LISTS, MAYBE, SPANS, TIMES, WORDS


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
