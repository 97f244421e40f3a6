"""`Current`: what is to be said now of connections that are still in the tracker's table.

A connection is judged for good when it has left the table. Here it is judged as if the capture
ended now, from a copy of its evidence: the tracker's own course is not touched, so that a live
capture ends with the same tables as a file. Connections are due when a segment of theirs passed,
when one of their timers runs out, and, while they are silent, ever more seldom.
"""

from __future__ import annotations

import numpy as np

from tcptrace.columns import Matrix
from tcptrace.decode.segments import Segments
from tcptrace.tcp.timers import Profile
from tcptrace.tracker.judgement import Judgement
from tcptrace.tracker.slots import grown
from tcptrace.tracker.tracker import Tracker
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.verdict import Verdict

SECOND = 1_000_000_000
NEVER = np.iinfo(np.int64).max
PATIENCE = 2  # a silent connection is judged again after 1/PATIENCE of its silence


class Current:
    """Which connections of a tracker are due, and what is said of them now."""

    def __init__(self, tracker: Tracker, profile: Profile) -> None:
        self._tracker = tracker
        self._judgement = Judgement(profile)
        self._due: Matrix = np.zeros((0, 1), np.int64)

    def touch(self, segments: Segments) -> None:
        """The connections of a batch that the tracker was fed are due at once."""
        slots = np.unique(segments.slot)
        self._grow()
        self._due[slots[slots >= 0]] = 0

    def due(self, now: int) -> list[int]:
        """The slots that are to be judged at `now`, incarnations of a four-tuple side by side."""
        slots = self._tracker.table()
        self._grow()
        due = (slots.used != 0) & (self._due[: len(slots), 0] <= now)
        places = np.flatnonzero(due)
        for neighbour in ("older", "newer"):
            others = getattr(slots, neighbour)[places]
            due[others[others >= 0]] = True
        places = np.flatnonzero(due & (slots.used != 0))
        home = np.where(slots.older[places] >= 0, slots.older[places], places)
        order = np.lexsort((slots.ordinal[places], home))
        chosen: list[int] = places[order].tolist()
        return chosen

    def judge(self, slots: list[int], now: int) -> Verdict:
        """What is said of the connections in these slots, were the capture to end at `now`.

        A slot that has been given back since it was due is left out.
        """
        used = self._tracker.table().used
        slots = [slot for slot in slots if used[slot]]
        verdict = self._tracker.judge_now(slots, now, self._judgement)
        self._schedule(slots, verdict, now)
        return verdict

    def _schedule(self, slots: list[int], verdict: Verdict, now: int) -> None:
        table = self._tracker.table().take(np.array(slots, np.int64))
        silence = np.maximum(now - table.time_end, 0)
        due = now + np.maximum(silence // PATIENCE, SECOND)
        moves = verdict.transitions
        ahead = (moves.basis == Basis.TIMER) & (moves.time > now)
        order = np.argsort(table.ordinal)
        places = order[np.searchsorted(table.ordinal[order], moves.conn[ahead])]
        np.minimum.at(due, places, moves.time[ahead])
        self._due[slots, 0] = due

    def _grow(self) -> None:
        count = len(self._tracker.table())
        if len(self._due) < count:
            self._due = grown(self._due, count)
