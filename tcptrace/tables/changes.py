"""`changes`: which moves are new since an earlier look, which rest on something else, or are gone.

A move is the same one if the same endpoint enters the same state by the same event, for the same
n-th time; when it was, and what is known of that moment, may be told better from look to look.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.tracker.transitions import Transitions

Hashes = npt.NDArray[np.uint64]

_IDENTITY = ("conn", "role", "state", "event")
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads what it multiplies
_SHIFT = np.uint64(29)


class Change(IntEnum):
    """What has become of a move; the names are the words of the tables."""

    NONE = 0
    NEW = 1
    REVISED = 2
    TAKEN_BACK = 3


def changes(
    before: Transitions, after: Transitions
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """(Change of each row of `after`, NONE to REVISED; which rows of `before` are gone)."""
    old, new = _identities(before), _identities(after)
    known = np.isin(new, old)
    same = np.isin(_mixed(new, after.basis), _mixed(old, before.basis))
    change = np.where(same, int(Change.NONE), int(Change.REVISED))
    change[~known] = Change.NEW
    return change, ~np.isin(old, new)


def _identities(moves: Transitions) -> Hashes:
    hashes = np.zeros(len(moves), np.uint64)
    for name in _IDENTITY:
        hashes = _mixed(hashes, getattr(moves, name))
    again = pd.Series(hashes).groupby(hashes).cumcount().to_numpy(np.int64)
    return _mixed(hashes, again)


def _mixed(hashes: Hashes, values: npt.NDArray[Any]) -> Hashes:
    """Both in one number of 64 bits, modulo 2^64; equal ones are as good as certainly equal."""
    mixed: Hashes = (hashes ^ (values.astype(np.uint64) + _ODD)) * _ODD
    return mixed ^ (mixed >> _SHIFT)
