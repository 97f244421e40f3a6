"""`Settling`: connections that have been judged, given on as soon as nothing can change their rows.

Three things could. A stray SYN that began before it and has yet to be judged would move its
number; a later incarnation of its four-tuple would end what is open of it; a timer that fires
after the capture's end does not count. So a connection waits for all of these, and what has ended
on both sides waits for none of them for long. A capture whose clock is set back by more than
connections linger may begin a later incarnation before its time: that one changes nothing then.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Chosen, Matrix
from tcptrace.tcp.states import Role, State
from tcptrace.tracker.incarnations import settle_incarnations
from tcptrace.tracker.tracker import Reconstruction, Tracker
from tcptrace.tracker.transitions import Basis, Connections
from tcptrace.tracker.verdict import Verdict

Mask = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]

_NONE, _OPEN, _OVER = 0, 1, 2  # what an endpoint's last state says of it
_ENDS = (State.CLOSED, State.LISTEN)
_MIX = np.uint64(0xBF58476D1CE4E5B9)  # of splitmix64
_HALF = np.uint64(32)
_BUCKETS = np.uint64(1 << 20)


@dataclass(frozen=True)
class Piece:
    """Connections whose rows are final: `found` counts them from 0, `conns` are their numbers."""

    found: Reconstruction
    conns: Matrix

    def __len__(self) -> int:
        return len(self.conns)


class Settling:
    """Takes what a tracker says for good, and gives it on in pieces, each in order of beginning."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._waiting = Verdict.join([])
        self._strays: Matrix = np.zeros(0, np.int64)
        self._met = _Met()
        self._seed = np.uint64(secrets.randbits(64))

    def settle(self, now: int, over: bool = False) -> Piece:
        """What has been settled since the last call, at the capture's time `now`, ns.

        over : the capture has ended, and `now` is its end
        """
        told = Verdict.join([self._waiting, *self._tracker.drain()])
        self._strays = np.union1d(self._strays, [stray for stray, _ in told.strays])
        told.strays.clear()
        keys = self._keys(told.connections, ("orig", "resp"), "{side}_{part}")
        settled = self._settled(told, keys, now, over)
        self._waiting = told.take(~settled)
        return self._piece(told.take(settled), keys[settled])

    def _settled(self, told: Verdict, keys: Keys, now: int, over: bool) -> Mask:
        """Which connections nothing changes any more: all of a four-tuple's, or none of them."""
        table = self._tracker.table()
        places = np.flatnonzero(table.used)
        open_ones = Chosen(table, table.used != 0)
        ordinals = told.connections.conn
        waits = ordinals > self._first_that_may_stray(places, open_ones)
        waits |= _among(keys, self._keys(open_ones, ("0", "1"), "{part}_{side}"))
        if not over:
            waits |= _fires_later(told, now) | (_newest(keys, ordinals) & ~_ended(told))
        settled: Mask = ~np.isin(keys, keys[waits])
        return settled

    def _first_that_may_stray(self, places: Matrix, open_ones: Chosen) -> int:
        """The ordinal of the first SYN that may yet prove to be a stray one."""
        again = open_ones.after >= 0
        alone = self._tracker.segments_of(places[again].tolist()) <= 1
        return int(open_ones.ordinal[again][alone].min(initial=np.iinfo(np.int64).max))

    def _keys(self, rows: Connections | Chosen, sides: tuple[str, str], name: str) -> Keys:
        """A number for each row's four-tuple, the same whichever end comes first.

        Of two four-tuples in a billion billion it may be the same. The seed is drawn anew for each
        run, so that nobody can look for such.
        """
        keys = np.zeros(len(rows), np.uint64)
        for side in sides:
            end = np.full(len(rows), self._seed)
            for part in ("hi", "lo", "port"):
                value = getattr(rows, name.format(side=side, part=part)).astype(np.uint64)
                end = (end ^ value) * _MIX
                end ^= end >> _HALF
            keys += end * _MIX
        return keys

    def _piece(self, verdict: Verdict, keys: Keys) -> Piece:
        ordinals = np.sort(verdict.connections.conn)
        for rows in (verdict.connections, verdict.endpoints, verdict.transitions):
            rows.conn[:] = np.searchsorted(ordinals, rows.conn)
        place = np.argsort(verdict.connections.conn)
        settled, numbers = settle_incarnations([verdict])
        settled.connections.incarnation[:] += self._met.count(keys[place])
        self._met.add(keys)
        found = Reconstruction(
            settled.connections, settled.endpoints, settled.transitions, settled.histories, numbers
        )
        return Piece(found, ordinals - np.searchsorted(self._strays, ordinals))


def _among(keys: Keys, others: Keys) -> Mask:
    """Which keys are among others; of many of these a bit tells most apart."""
    marked = np.zeros(int(_BUCKETS), np.bool_)
    marked[keys % _BUCKETS] = True
    return np.isin(keys, others[marked[others % _BUCKETS]])


class _Met:
    """How many connections of each four-tuple have been given on: eight octets for each."""

    def __init__(self) -> None:
        self._runs: list[Keys] = []

    def count(self, keys: Keys) -> Matrix:
        """Of each key."""
        found = np.zeros(len(keys), np.int64)
        for run in self._runs:
            found += np.searchsorted(run, keys, "right") - np.searchsorted(run, keys, "left")
        return found

    def add(self, keys: Keys) -> None:
        """Once more for each key; runs of like length are joined, so that there are few."""
        run = np.sort(keys)
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]))
        self._runs.append(run)


def _newest(keys: Keys, ordinals: Matrix) -> Mask:
    """The last connection of each four-tuple."""
    order = np.lexsort((ordinals, keys))
    newest = np.ones(len(keys), np.bool_)
    newest[order[:-1]] = keys[order[1:]] != keys[order[:-1]]
    return newest


def _fires_later(told: Verdict, now: int) -> Mask:
    """Connections with a timer that fires after `now`."""
    moves = told.transitions
    late = moves.conn[(moves.basis == Basis.TIMER) & (moves.time > now)]
    return np.isin(told.connections.conn, late)


def _ended(told: Verdict) -> Mask:
    """Connections of which each endpoint is known to be gone, as far as it is known at all."""
    moves = told.transitions.take(told.transitions.basis != Basis.RETRACTED)
    order = np.argsort(told.connections.conn)
    place = order[np.searchsorted(told.connections.conn[order], moves.conn)]
    last = np.full((len(told.connections), len(Role)), _NONE)
    last[place, moves.role] = np.where(np.isin(moves.state, _ENDS), _OVER, _OPEN)
    ended: Mask = (last != _OPEN).all(axis=1) & (last == _OVER).any(axis=1)
    return ended
