"""`Settling`: connections that have been judged, given on as soon as nothing can change their rows.

Three things could. A stray SYN that began before it and has yet to be judged would move its
number; a later incarnation of its four-tuple would end what is open of it; a timer that fires
after the capture's end does not count. So a connection waits for all of these, and what has ended
on both sides waits for none of them for long. A capture whose clock is set back by more than
connections linger may begin a later incarnation before its time: that one changes nothing then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Matrix
from tcptrace.tcp.states import Role, State
from tcptrace.tracker.incarnations import settle_incarnations
from tcptrace.tracker.slots import Slots
from tcptrace.tracker.tracker import Reconstruction, Tracker
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.verdict import Verdict

Mask = npt.NDArray[np.bool_]

_NONE, _OPEN, _OVER = 0, 1, 2  # what an endpoint's last state says of it
_ENDS = (State.CLOSED, State.LISTEN)
_BUCKETS = 1 << 22
_WITHIN = _BUCKETS - 1


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
        self._rest: _Left | None = None

    def settle(self, now: int, over: bool = False) -> Piece:
        """What has been settled since the last call, at the capture's time `now`, ns.

        over : the capture has ended, and `now` is its end
        """
        drained = self._tracker.drain()
        waiting = [self._waiting] if len(self._waiting.connections) else []
        told = Verdict.join(waiting + drained)
        strays = np.array([stray for stray, _ in told.strays], np.int64)
        told.strays.clear()
        self._strays = np.union1d(self._strays, strays)
        judged = np.concatenate([strays, *(each.connections.conn for each in drained)])
        del drained, waiting  # there is a copy
        left = self._left_when(over, judged)
        keys = told.connections.four_tuple.copy()
        settled = self._settled(told, keys, left, now)
        self._waiting = told.take(~settled)
        return self._piece(told.take(settled), keys[settled])

    def _left_when(self, over: bool, judged: Matrix) -> _Left:
        """What has yet to be judged: once the capture is over, of what had to be before."""
        if self._rest is None:
            left = _Left.of(self._tracker.table(), over)
        else:
            left = self._rest.without(judged)
        self._rest = left if over else None
        return left

    def _settled(self, told: Verdict, keys: Matrix, left: _Left, now: int) -> Mask:
        """Which connections nothing changes any more: all of a four-tuple's, or none of them."""
        ordinals = told.connections.conn
        waits = ordinals > self._first_that_may_stray(left)
        waits |= _among(keys, left.keys)
        if not left.over:
            waits |= _fires_later(told, now) | (_newest(keys, ordinals) & ~_ended(told))
        settled: Mask = ~np.isin(keys, keys[waits])
        return settled

    def _first_that_may_stray(self, left: _Left) -> int:
        """The ordinal of the first SYN that may yet prove to be a stray one."""
        alone = self._tracker.segments_of(left.again[:, 0].tolist()) <= 1
        return int(left.again[alone, 1].min(initial=np.iinfo(np.int64).max))

    def _piece(self, verdict: Verdict, keys: Matrix) -> Piece:
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


@dataclass(frozen=True)
class _Left:
    """Connections that have yet to be judged.

    ordinals : ascending; keys : of their four-tuples; again : slot and ordinal of those begun
    after another one; over : whether the capture is
    """

    ordinals: Matrix
    keys: Matrix
    again: Matrix
    over: bool

    @classmethod
    def of(cls, table: Slots, over: bool) -> _Left:
        """All that are in the table."""
        slots = np.flatnonzero(table.used)
        ordinals, keys = table.ordinal[slots], table.hash[slots]
        again = table.after[slots] >= 0
        order = np.argsort(ordinals)
        marked = np.stack([slots[again], ordinals[again]], axis=1)
        return cls(ordinals[order], keys[order], marked, over)

    def without(self, judged: Matrix) -> _Left:
        """The others, when these have been judged."""
        left = np.ones(len(self.ordinals), np.bool_)
        left[np.searchsorted(self.ordinals, judged)] = False
        again = ~np.isin(self.again[:, 1], judged)
        return _Left(self.ordinals[left], self.keys[left], self.again[again], self.over)


def _among(keys: Matrix, others: Matrix) -> Mask:
    """Which keys are among others; of many of these a bit tells most apart."""
    if not len(others):
        return np.zeros(len(keys), np.bool_)
    marked = np.zeros(_BUCKETS, np.bool_)
    marked[others & _WITHIN] = True
    found: Mask = marked[keys & _WITHIN]
    again = np.flatnonzero(found)
    marked[keys[again] & _WITHIN] = False
    alike = others[~marked[others & _WITHIN]]
    found[again] = np.isin(keys[again], alike)
    return found


class _Met:
    """How many connections of each four-tuple have been given on: eight octets for each."""

    def __init__(self) -> None:
        self._runs: list[Matrix] = []
        self._marked = np.zeros(_BUCKETS, np.bool_)  # of those that were met, and some others

    def count(self, keys: Matrix) -> Matrix:
        """Of each key."""
        found = np.zeros(len(keys), np.int64)
        again = np.flatnonzero(self._marked[keys & _WITHIN])
        asked = keys[again]
        for run in self._runs:
            found[again] += np.searchsorted(run, asked, "right") - np.searchsorted(run, asked)
        return found

    def add(self, keys: Matrix) -> None:
        """Once more for each key; runs of like length are joined, so that there are few."""
        self._marked[keys & _WITHIN] = True
        run = np.sort(keys)
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]))
        self._runs.append(run)


def _newest(keys: Matrix, ordinals: Matrix) -> Mask:
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
