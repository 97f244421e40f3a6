"""Four-tuples by their keys (hashes of the connection table): which occur again, and where."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Matrix

Mask = npt.NDArray[np.bool_]

_BUCKETS = 1 << 22
_ROOM = 4  # buckets for each key, at least


def among(keys: Matrix, others: Matrix) -> Mask:
    """Which keys are among others; of many of these a bit tells most apart."""
    if not len(others):
        return np.zeros(len(keys), np.bool_)
    marked = np.zeros(_BUCKETS, np.bool_)
    marked[others & (_BUCKETS - 1)] = True
    found: Mask = marked[keys & (_BUCKETS - 1)]
    again = np.flatnonzero(found)
    marked[keys[again] & (_BUCKETS - 1)] = False
    alike = others[~marked[others & (_BUCKETS - 1)]]
    found[again] = np.isin(keys[again], alike)
    return found


def repeated(keys: Matrix) -> Mask:
    """Those that occur more than once."""
    order = np.argsort(keys)
    alike = keys[order[1:]] == keys[order[:-1]]
    found = np.zeros(len(keys), np.bool_)
    found[order[1:][alike]] = found[order[:-1][alike]] = True
    return found


def newest(keys: Matrix, ordinals: Matrix) -> Mask:
    """The last connection of each four-tuple."""
    places = np.flatnonzero(repeated(keys))
    order = places[np.lexsort((ordinals[places], keys[places]))]
    found = np.ones(len(keys), np.bool_)
    found[order[:-1]] = keys[order[1:]] != keys[order[:-1]]
    return found


class Met:
    """How many connections of each four-tuple have been given on: eight octets for each."""

    def __init__(self) -> None:
        self._runs: list[Matrix] = []
        self._marked = np.zeros(_BUCKETS, np.bool_)  # of those that were met, and some others

    def count(self, keys: Matrix) -> Matrix:
        """Of each key."""
        found = np.zeros(len(keys), np.int64)
        again = np.flatnonzero(self._marked[keys & (len(self._marked) - 1)])
        asked = keys[again]
        for run in self._runs:
            found[again] += np.searchsorted(run, asked, "right") - np.searchsorted(run, asked)
        return found

    def add(self, keys: Matrix) -> None:
        """Once more for each key; runs of like length are joined, so that there are few."""
        run = np.sort(keys)
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]))
        self._runs.append(run)
        if len(self._marked) < _ROOM * sum(map(len, self._runs)):
            self._marked = np.zeros(2 * len(self._marked), np.bool_)
            for each in self._runs:
                self._mark(each)
        self._mark(keys)

    def _mark(self, keys: Matrix) -> None:
        self._marked[keys & (len(self._marked) - 1)] = True
