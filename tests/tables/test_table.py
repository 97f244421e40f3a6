"""Pins `Table`: one declaration gives the same dtypes whatever the rows, and finds what differs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.tables.table import NO_TIME, Column, Kind, Table

TABLE = Table(
    "visits",
    "one visit",
    (
        Column("visit", Kind.COUNT, "its number"),
        Column("ts", Kind.TIME, "when it began"),
        Column("stay", Kind.DURATION, "how long it took"),
        Column("guests", Kind.MAYBE, "how many came", "guests"),
        Column("paid", Kind.FLAG, "whether it was paid"),
        Column("mood", Kind.CHOICE, "how it went", choices=("bad", "good")),
        Column("place", Kind.NAME, "where"),
        Column("note", Kind.TEXT, "what was said"),
        Column("pages", Kind.NUMBERS, "pages of the guest book"),
    ),
    index="visit",
)


def visits(times: list[int]) -> pd.DataFrame:
    """As many rows as times, the other columns made from the row's place."""
    place = np.arange(len(times))
    return TABLE.frame(
        {
            "visit": place,
            "ts": np.array(times, np.int64),
            "stay": np.where(place % 2, NO_TIME, place),
            "guests": (place, place == 1),
            "paid": place == 0,
            "mood": place % 3 - 1,
            "place": (place % 2, ["here", "there"]),
            "note": [f"note {each}" for each in place],
            "pages": [[int(each)] * int(each) for each in place],
        }
    )


@given(st.lists(st.integers(min_value=NO_TIME, max_value=2**63 - 1), max_size=5))
def test_dtypes_do_not_depend_on_the_rows(times: list[int]) -> None:
    """No rows, missing values, any times: the dtypes are the declared ones."""
    assert [] == TABLE.faults(visits(times))
    assert [] == TABLE.faults(TABLE.empty())


def test_missing_values_are_missing() -> None:
    """NO_TIME becomes NaT, a masked count NA, a choice of -1 a missing category."""
    frame = visits([5, NO_TIME, 7])
    assert [False, True, False] == frame["ts"].isna().tolist()
    assert [False, True, False] == frame["guests"].isna().tolist()
    assert [True, False, False] == frame["mood"].isna().tolist()
    assert pd.Timestamp(5, unit="ns", tz="UTC") == frame["ts"].iloc[0]


def test_choices_are_ordered_as_declared() -> None:
    """A CHOICE sorts and compares in the declared order."""
    assert [False, False, True] == (visits([0, 0, 0])["mood"] > "bad").tolist()


def test_numbers_stay_lists_even_of_equal_length() -> None:
    """Lists of equal length do not become a matrix."""
    assert [[], [1], [2, 2]] == visits([0, 0, 0])["pages"].tolist()


def test_table_does_not_share_memory_with_what_it_was_made_from() -> None:
    """A table keeps no batch of the tracker alive and cannot be changed through it."""
    times = np.array([1, 2], np.int64)
    frame = TABLE.empty() if not len(times) else visits(list(times))
    times[:] = 0
    assert [1, 2] == frame["ts"].astype("int64").tolist()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda frame: frame.assign(ts=frame["ts"].dt.tz_localize(None)),
        lambda frame: frame.assign(guests=frame["guests"].astype("float64")),
        lambda frame: frame.assign(mood=frame["mood"].cat.as_unordered()),
        lambda frame: frame.assign(place=frame["place"].astype("object")),
        lambda frame: frame.drop(columns="paid"),
        lambda frame: frame[sorted(frame.columns)],
    ],
)
def test_another_dtype_or_order_is_a_fault(spoil) -> None:  # type: ignore[no-untyped-def]
    """A check that passes everything would pin nothing."""
    assert 1 == len(TABLE.faults(spoil(visits([1, 2]))))


def test_markdown_has_a_row_for_each_column() -> None:
    """README's table is the declaration: name, dtype, unit, meaning, choices."""
    lines = TABLE.markdown().splitlines()
    assert 2 + len(TABLE.columns) == len(lines)
    assert "| `mood` | category, ordered |  | how it went: `bad`, `good` |" in lines
    assert "| `guests` | Int64 | guests | how many came |" in lines
