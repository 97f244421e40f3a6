"""Pins which keys are called repeated, newest, met."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.tracker import keys as keying
from tcptrace.tracker.keys import Met, among, newest, repeated

FEW = st.lists(st.integers(0, 12).map(lambda one: one << 20), max_size=30)


@pytest.mark.parametrize("many", [0, 1, 5_000])
def test_keys_that_are_among_others(many: int) -> None:
    """Also where another has the same lower bits, and where there are no others."""
    keys = np.array([1, 1 << 40, 5, (1 << 62) + 1, 7])
    others = np.array([1 + (1 << 20), 1 << 40, (1 << 62) + 1])
    others = np.concatenate([np.arange(10_000, 10_000 + many), others])
    assert [False, True, False, True, False] == among(keys, others).tolist()
    assert not among(keys, others[:0]).any()


@given(FEW)
def test_repeated_are_those_that_occur_again(keys: list[int]) -> None:
    """As a count of each says."""
    assert [keys.count(key) > 1 for key in keys] == repeated(np.array(keys, np.int64)).tolist()


@given(FEW)
def test_newest_is_the_last_of_its_key(keys: list[int]) -> None:
    """Whatever order they stand in."""
    ordinals = np.random.default_rng(len(keys)).permutation(len(keys))
    last = {key: max(o for k, o in zip(keys, ordinals, strict=True) if k == key) for key in keys}
    said = newest(np.array(keys, np.int64), ordinals)
    assert [last[k] == o for k, o in zip(keys, ordinals, strict=True)] == said.tolist()


@given(st.lists(FEW, max_size=6))
def test_met_are_counted_with_few_buckets_or_many(batches: list[list[int]]) -> None:
    """Keys whose lower bits are alike are told apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keying, "_BUCKETS", 4)
        met, before = Met(), list[int]()
        for batch in batches:
            keys = np.array(batch, np.int64)
            assert [before.count(key) for key in batch] == met.count(keys).tolist()
            met.add(keys)
            before += batch
