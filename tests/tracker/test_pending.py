"""Pins where groups of connections that wait to be judged end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.tracker import pending as waiting
from tcptrace.tracker.pending import Pending

PAIRS = {(3, 4), (8, 9)}


@pytest.fixture(scope="module", autouse=True)
def small() -> object:
    """Groups of few."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting, "GROUP", 4)
        patch.setattr(waiting, "ROWS", 10)
        yield


def groups(rows: list[int], cuts: set[int]) -> list[list[int]]:
    """The groups of slots 0, 1, ..., each judged as soon as it is due, the rest at the end."""
    made = Pending(lambda one, two: (one, two) in PAIRS)
    found = []
    for first, last in zip([0, *sorted(cuts)], [*sorted(cuts), len(rows)], strict=True):
        made.add(np.arange(first, last), np.array(rows[first:last], np.int64))
        while made.is_due:
            found.append(made.group())
    while len(made):
        found.append(made.group())
    return found


def test_group_ends_with_its_number_of_connections() -> None:
    """Where they have few rows."""
    assert [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10]] == groups([1] * 11, set())


def test_group_ends_with_its_rows() -> None:
    """The connection that fills it is in it; one alone may have more than enough."""
    assert [[0, 1], [2], [3, 4], [5]] == groups([5, 5, 70, 9, 9, 0], set())


@given(st.lists(st.integers(0, 12), max_size=40), st.data())
def test_cuts_change_nothing(rows: list[int], data: st.DataObject) -> None:
    """Every slot is in one group, and groups are the same however slots come to wait."""
    cuts = data.draw(st.sets(st.integers(0, len(rows))))
    assert groups(rows, set()) == groups(rows, cuts)
    assert list(range(len(rows))) == [slot for group in groups(rows, cuts) for slot in group]
