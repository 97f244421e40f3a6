"""`Settling`: connections that have been judged, given on as soon as nothing can change their rows.

Three things could. A stray SYN that began before it and has yet to be judged would move its
number; a later incarnation of its four-tuple would end what is open of it; a timer that fires
after the capture's end does not count. So a connection waits for all of these, and what has ended
on both sides waits for none of them for long. A capture whose clock is set back by more than
connections linger may begin a later incarnation before its time: that one changes nothing then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tcptrace.columns import Matrix, one_of
from tcptrace.tcp.states import Role, State
from tcptrace.tracker.incarnations import settle_incarnations
from tcptrace.tracker.keys import Mask, Met, among, newest, repeated
from tcptrace.tracker.slots import Slots
from tcptrace.tracker.tracker import Reconstruction, Tracker
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.verdict import Verdict

ENOUGH = 16_384  # connections of a piece: more are parted, for memory that is in cache is fast
_SPARSE = 32  # of so many ordinals one is in a piece: a table of all is no larger than the piece
_NONE, _OPEN, _OVER = 0, 1, 2  # what an endpoint's last state says of it
_ENDS = (State.CLOSED, State.LISTEN)
_NEVER = np.iinfo(np.int64).min


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
        self._waiting: list[_Told] = []
        self._strays: Matrix = np.zeros(0, np.int64)
        self._met = Met()
        self._rest: _Left | None = None

    @property
    def waiting(self) -> int:
        """How many connections have been judged, but were not settled the last time."""
        return sum(len(each.keys) for each in self._waiting)

    def settle(self, now: int, over: bool = False) -> Iterator[Piece]:
        """What has been settled since the last call, at the capture's time `now`, ns.

        over : the capture has ended, and `now` is its end

        To be iterated to its end before the next call. There is always one, be it empty.
        """
        drained = [_Told.of(verdict) for verdict in self._tracker.drain()]
        told = [*self._waiting, *drained, _Told.of(Verdict.join([]))]
        strays = np.array([one for each in drained for one, _ in each.verdict.strays], np.int64)
        self._strays = np.union1d(self._strays, strays)
        judged = np.concatenate([strays, *(each.ordinals for each in drained)])
        keys = np.concatenate([each.keys for each in told])
        left = self._left_when(over, judged, keys)
        settled = self._settled(told, keys, left, now)
        self._waiting = []
        yield from self._pieces(told, settled, settled & repeated(keys))

    def _left_when(self, over: bool, judged: Matrix, keys: Matrix) -> _Left:
        """What has yet to be judged: once the capture is over, of what had to be before."""
        if self._rest is not None:
            self._rest = self._rest.without(judged)
            return self._rest
        left = _Left.of(self._tracker.table())
        if over:
            self._rest = left = left.shared(keys)
        return left

    def _settled(self, told: list[_Told], keys: Matrix, left: _Left, now: int) -> Mask:
        """Which connections nothing changes any more: all of a four-tuple's, or none of them."""
        ordinals = np.concatenate([each.ordinals for each in told])
        waits = ordinals > self._first_that_may_stray(left)
        waits |= among(keys, left.keys)
        if self._rest is None:
            waits |= np.concatenate([each.fires for each in told]) > now
            ended = np.concatenate([each.ended for each in told])
            waits |= newest(keys, ordinals) & ~ended
        settled: Mask = ~among(keys, keys[waits])
        return settled

    def _first_that_may_stray(self, left: _Left) -> int:
        """The ordinal of the first SYN that may yet prove to be a stray one."""
        alone = self._tracker.segments_of(left.again[:, 0].tolist()) <= 1
        return int(left.again[alone, 1].min(initial=np.iinfo(np.int64).max))

    def _pieces(self, told: list[_Told], settled: Mask, together: Mask) -> Iterator[Piece]:
        """What is settled, some thousands at a time, the connections of a four-tuple together."""
        gathered: list[Verdict] = []
        kept: list[Verdict] = []
        first = count = 0
        for each in _taken(told):
            given, joint = (one[first : first + len(each.keys)] for one in (settled, together))
            first += len(each.keys)
            if not given.all():
                self._waiting.append(each.take(~given))
            if joint.any():
                kept.append(each.verdict.take(joint))
            if given.any():
                gathered.append(each.verdict.take(given & ~joint))
                count += len(gathered[-1].connections)
            if count >= ENOUGH:
                yield self._piece(gathered)
                gathered, count = [], 0
        yield self._piece([*gathered, *kept, Verdict.join([])])

    def _piece(self, verdicts: list[Verdict]) -> Piece:
        """Of all that is said of them; the verdicts are used up."""
        began = np.concatenate([each.connections.conn for each in verdicts])
        ordinals = np.sort(began)
        keys = np.concatenate([each.connections.four_tuple for each in verdicts])
        for each in verdicts:
            each.strays.clear()
            for rows in (each.connections, each.endpoints, each.transitions):
                rows.conn[:] = _near_zero(ordinals, rows.conn)
        settled, numbers = settle_incarnations(verdicts)
        settled.connections.incarnation[:] += self._met.count(keys[np.argsort(began)])
        self._met.add(keys)
        found = Reconstruction(
            settled.connections, settled.endpoints, settled.transitions, settled.histories, numbers
        )
        return Piece(found, ordinals - np.searchsorted(self._strays, ordinals))


@dataclass(frozen=True)
class _Told:
    """What is said of some connections: their ordinals, and the keys of their four-tuples."""

    verdict: Verdict
    ordinals: Matrix
    keys: Matrix

    @classmethod
    def of(cls, verdict: Verdict) -> _Told:
        """Told of what has just been judged."""
        said = verdict.connections
        return cls(verdict, said.conn.copy(), said.four_tuple.copy())

    def take(self, which: Mask) -> _Told:
        """Of the chosen connections."""
        return self if which.all() else _Told.of(self.verdict.take(which))

    @cached_property
    def fires(self) -> Matrix:
        """ns: when the last timer of each does that a move comes from."""
        moves, fires = self.verdict.transitions, np.full(len(self.keys), _NEVER)
        timer = moves.basis == Basis.TIMER
        np.maximum.at(fires, self._place[timer], moves.time[timer])
        return fires

    @cached_property
    def ended(self) -> Mask:
        """Whether each endpoint is known to be gone, as far as it is known at all."""
        moves, last = self.verdict.transitions, np.full((len(self.keys), len(Role)), _NONE)
        stands = moves.basis != Basis.RETRACTED
        said = np.where(one_of(moves.state, _ENDS), _OVER, _OPEN)
        last[self._place[stands], moves.role[stands]] = said[stands]
        ended: Mask = (last != _OPEN).all(axis=1) & (last == _OVER).any(axis=1)
        return ended

    @cached_property
    def _place(self) -> Matrix:
        """Of each move's connection."""
        order = np.argsort(self.ordinals)
        found = np.searchsorted(self.ordinals, self.verdict.transitions.conn, sorter=order)
        place: Matrix = order[found]
        return place


def _near_zero(ordinals: Matrix, conns: Matrix) -> Matrix:
    """Numbers for some of ascending ordinals, in their order, of which none is far above 0."""
    if len(ordinals) and ordinals[-1] - ordinals[0] <= _SPARSE * len(ordinals):
        numbers: Matrix = conns - ordinals[0]
        return numbers
    return np.searchsorted(ordinals, conns)


def _taken(told: list[_Told]) -> Iterator[_Told]:
    """Each of them, given up by the list."""
    told.reverse()
    while told:
        yield told.pop()


@dataclass(frozen=True)
class _Left:
    """Connections that have yet to be judged.

    keys : of their four-tuples; ordinals; again : slot and ordinal of those begun after another
    """

    ordinals: Matrix
    keys: Matrix
    again: Matrix

    @classmethod
    def of(cls, table: Slots) -> _Left:
        """All that are in the table."""
        slots = np.flatnonzero(table.used)
        ordinals, keys = table.ordinal[slots], table.hash[slots]
        again = table.after[slots] >= 0
        return cls(ordinals, keys, np.stack([slots[again], ordinals[again]], axis=1))

    def shared(self, told: Matrix) -> _Left:
        """Those whose four-tuple is also another's: of what is left, or of these keys."""
        more = repeated(np.concatenate([self.keys, told]))[: len(self.keys)]
        return _Left(self.ordinals[more], self.keys[more], self.again)

    def without(self, judged: Matrix) -> _Left:
        """The others, when these have been judged."""
        left = ~np.isin(self.ordinals, judged)
        again = ~np.isin(self.again[:, 1], judged)
        return _Left(self.ordinals[left], self.keys[left], self.again[again])
