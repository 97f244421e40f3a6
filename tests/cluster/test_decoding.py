"""Pins what a worker makes of a piece: every row in one share, that of its two addresses."""

from __future__ import annotations

import numpy as np

from tcptrace.cluster.decoding import TOLD, Job, decode, summed
from tcptrace.decode.segments import Segments
from tests.cluster.traffic import CAPTURES

SHARES = 3


def test_every_row_is_in_one_share() -> None:
    """In the order of the piece, under the number of its file."""
    made = decode(Job((str(CAPTURES[0]),), (7,), None, SHARES))
    rows = [part.matrix() for share in range(SHARES) for part in made[share]]
    joined = np.concatenate(rows)
    told = made[TOLD]
    assert told.facts.segments == len(joined) > 0
    assert list(range(len(joined))) == sorted(joined[:, -1].tolist())
    assert {7} == set(joined[:, Segments.index("file")].tolist())


def test_both_directions_are_in_the_same_share() -> None:
    """A share has whole connections, whoever sent the segment."""
    made = decode(Job(tuple(map(str, CAPTURES)), tuple(range(len(CAPTURES))), None, SHARES))
    ends = [Segments.index(name) for name in ("src_hi", "src_lo", "dst_hi", "dst_lo")]
    shares: dict[frozenset[tuple[int, ...]], set[int]] = {}
    for share in range(SHARES):
        for part in made[share]:
            for source_hi, source_lo, hi, lo in part.matrix()[:, ends].tolist():
                pair = frozenset([(source_hi, source_lo), (hi, lo)])
                shares.setdefault(pair, set()).add(share)
    assert len(shares) > 1
    assert {1} == {len(found) for found in shares.values()}


def test_counters_are_added_up() -> None:
    """Every name that any of them has."""
    assert {"a": 3, "b": 0, "c": 5} == summed([{"a": 1, "b": 0}, {"a": 2, "c": 5}])
