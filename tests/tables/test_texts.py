"""Pins columns of text: whatever they are made of, the values and the dtype are the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.tables.texts import Texts, Words, texts

TOLD = ["", "b", "", "ab"]
FORMS = [
    TOLD,
    Words(np.array([1, 0, 1, 2]), ["b", "", "ab"]),
    np.array([each.encode() for each in TOLD]),
]


@pytest.mark.parametrize("values", FORMS)
@pytest.mark.parametrize("storage", ["python", "pyarrow"])
def test_every_form_gives_the_same_column(values: Texts, storage: str) -> None:
    """With pyarrow and without."""
    if storage == "pyarrow":
        pytest.importorskip("pyarrow")
    dtype = pd.StringDtype(storage)
    made = texts(values, dtype)
    assert dtype == made.dtype
    assert TOLD == list(made)


@given(st.lists(st.text()))
def test_any_text(told: list[str]) -> None:
    """Lists are what pandas itself makes of them."""
    assert list(pd.array(told, dtype=pd.StringDtype())) == list(texts(told, pd.StringDtype()))


def test_words_are_a_sequence() -> None:
    """One by one, in part, and from the end."""
    words = Words(np.array([1, 0, 1, 2]), ["b", "", "ab"])
    assert TOLD == list(words)
    assert (TOLD[-1], TOLD[1:3]) == (words[-1], list(words[1:3]))
    assert ["x", "x"] == list(Words.same("x", 2))
    assert [] == list(Words.same("x", 0))
