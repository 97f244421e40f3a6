"""`Tracker`: feed it segments in batches of any size, finish it, and take what it knows.

Live and whole-file use run this same code. Connections that have left the table are judged in
groups, in the order of their leaving; how a capture is cut into batches changes none of them
(`tracker.pending`). Groups are of one part each, so that neither does who tracks which parts.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from tcptrace.ahead import Behind, Beside
from tcptrace.columns import Chosen, Matrix
from tcptrace.decode.segments import Segments
from tcptrace.tcp.timers import Profile
from tcptrace.tcp.timers import profile as named_profile
from tcptrace.tracker.connections import ConnectionTable
from tcptrace.tracker.groups import Group
from tcptrace.tracker.incarnations import settle_incarnations
from tcptrace.tracker.judgement import Judgement
from tcptrace.tracker.pending import GROUP, Pending
from tcptrace.tracker.resting import RestingLog
from tcptrace.tracker.slots import PARTS, Slots, Tallies
from tcptrace.tracker.tallying import Tallying
from tcptrace.tracker.transitions import Basis, Connections, Endpoints, EndReason, Transitions
from tcptrace.tracker.verdict import Counted, Verdict
from tcptrace.tracker.workroom import Workroom
from tcptrace.tracker.zeek import ZeekModel
from tcptrace.tracker.zeek_harvest import harvest

OPEN_LIMIT = 2_000_000
ENDED_LINGER = 300_000_000_000
QUIET = 1_000_000_000  # ns, until what is kept of a silent connection may be packed away
REST_AFTER = 20_000  # segments, until such are looked for again
AT_ONCE = 4  # parts judged before others have a say at the end of the capture
TOGETHER = 4  # groups at the end of the capture: what they know of hosts' distances is shared


@dataclass(frozen=True)
class Reconstruction:
    """All that the tracker says of a capture; conn numbers agree between the tables.

    numbers : conn of the n-th connection that was begun (`Segments.opens`); a SYN that proved to
        be a stray one counts for the connection that it strayed into.
    """

    connections: Connections
    endpoints: Endpoints
    transitions: Transitions
    histories: list[str]
    numbers: Matrix
    _stood: dict[int, Chosen] = field(default_factory=dict, repr=False, compare=False)

    def standing(self, until: int) -> Chosen:
        """The moves that were not taken back, without those that timers predict for after `until`.

        until : ns. What a packet causes stands, even if the endpoint took it in after that.
        """
        if until not in self._stood:
            self._stood.clear()
            self._stood[until] = Chosen(self.transitions, self.stands(until))
        return self._stood[until]

    def stands(self, until: int) -> npt.NDArray[np.bool_]:
        """Which moves these are."""
        moves = self.transitions
        predicted = (moves.basis == Basis.TIMER) & (moves.time > until)
        stands: npt.NDArray[np.bool_] = (moves.basis != Basis.RETRACTED) & ~predicted
        return stands


@dataclass
class _Part:
    """What is at hand of a part: slots that wait to be judged, and what was learned of hosts."""

    judgement: Judgement
    pending: Pending


class Tracker:
    """Rebuilds every connection of a capture from its segments.

    profile : the timers that end silent states; `tcptrace.tcp.timers.profile`.
    open_limit : connections kept open at once; beyond it the oldest idle one is evicted.
    begun : when the capture began, ns; else it begins with the first segment.
    evicted : how many were, of those that have been judged.
    born : how many connections have begun.
    """

    def __init__(
        self,
        profile: Profile | None = None,
        open_limit: int = OPEN_LIMIT,
        begun: int | None = None,
    ) -> None:
        self._table = ConnectionTable(open_limit, ENDED_LINGER, secrets.randbits(62))
        self._log = RestingLog()
        self._tallying = Tallying()
        self._zeek = ZeekModel()
        self._profile = profile or named_profile("linux")
        self._counting = Behind()
        self._beside = Beside()
        self._rooms = [Workroom() for _ in range(Beside.LANES)]
        self._parts: dict[int, _Part] = {}
        self._verdicts: list[Verdict] = []
        self._forgotten = self._since = 0
        self._turns: Iterator[bool] = iter(())
        self.evicted = self.born = self._released = 0
        self._begun = begun

    def feed(self, segments: Segments, clocks: Matrix | None = None) -> None:
        """Take in a batch in capture order; fills the columns that are the tracker's.

        clocks : int64, a row each: the latest time of any segment so far, ns, where other
            trackers are fed the rest of the capture
        """
        count = len(segments)
        if self._begun is None and count:
            self._begun = int(segments.time[0])
        self._table.assign(segments.cells, count, clocks)
        self.born = self._table.born
        capacity = len(self._table.matrix())
        self._log.add(segments.cells, count, capacity)
        self._counting.do(partial(self._count, segments, capacity))
        self._rest(segments)
        due = [part for part in self._take_left() if part.pending.is_due]
        while due:
            self._judge([(part, [part.pending.group()]) for part in due])
            due = [part for part in due if part.pending.is_due]

    def _rest(self, segments: Segments) -> None:
        """Pack away what is kept of quiet connections, now and then: looking for them costs."""
        self._since += len(segments)
        if self._since < max(REST_AFTER, len(self._table.matrix()) // 4):
            return
        self._since = 0
        if not self._log.is_crowded():
            return
        table, quiet = self.table(), int(segments.clock[-1]) - QUIET
        self._log.pack(np.flatnonzero((table.used == 1) & (table.time_end <= quiet)).data)

    def _count(self, segments: Segments, capacity: int) -> None:
        self._tallying.add(segments.cells, len(segments), capacity)
        self._zeek.feed(segments.cells, len(segments))

    def finish(self, until: int = 0) -> Reconstruction:
        """The capture is over: judge what is still open and give everything.

        until : the latest time of any segment, ns, where other trackers have seen a later one
        """
        self.end(until)
        while self.judge_more():
            pass
        verdict, numbers = settle_incarnations(self._verdicts)
        return Reconstruction(
            verdict.connections, verdict.endpoints, verdict.transitions, verdict.histories, numbers
        )

    def end(self, until: int = 0) -> None:
        """The capture is over: what is still open leaves, and has yet to be judged."""
        self._table.end_all(until)
        self._take_left()
        self._turns = self._in_turns()

    def judge_more(self) -> bool:
        """After `end`, judge some of what is left; False if nothing was."""
        return next(self._turns, False)

    def _in_turns(self) -> Iterator[bool]:
        while waiting := [part for part in self._parts.values() if len(part.pending)]:
            for first in range(0, len(waiting), AT_ONCE):  # in turns: what began together
                self._judge([(part, self._last_groups(part)) for part in waiting[first:][:AT_ONCE]])
                yield True

    def _last_groups(self, part: _Part) -> list[list[int]]:
        return [part.pending.group() for _ in range(TOGETHER) if len(part.pending)]

    @property
    def held(self) -> int:
        """How many are in the table: open, or waiting to be judged."""
        return self.born - self._released

    @property
    def undrained(self) -> int:
        """Of how many connections something was said for good since the last `drain`."""
        return sum(len(verdict.connections) for verdict in self._verdicts)

    def drain(self) -> list[Verdict]:
        """What was said for good since the last time; none of it is in the reconstruction."""
        drained, self._verdicts = self._verdicts, []
        self._forgotten += len(drained)
        return drained

    def segments_of(self, slots: list[int]) -> Matrix:
        """How many segments of these slots were counted, the capture's copies left out."""
        self._counting.wait()
        sent: Matrix = Tallies(self._tallying.of(slots)).segments.reshape(-1, 2).sum(axis=1)
        return sent

    def table(self) -> Slots:
        """The slots of the connection table; valid until the next batch."""
        return Slots(self._table.matrix())

    def judge_now(self, slots: list[int], now: int, judgement: Judgement) -> Verdict:
        """What would be said of connections in the table, were the capture to end at `now`, ns.

        Nothing changes but the `judgement` that is asked, which must not be the tracker's own.
        """
        parts = [slots[start : start + GROUP] for start in range(0, len(slots), GROUP)]
        room = self._rooms[0]
        groups = self._groups(parts, room, keep=True)
        for group in groups:
            still_open = group.slots.used == 1
            group.slots.left_at[still_open] = now
            group.slots.end_reason[still_open] = EndReason.CAPTURE_END
        judgement.begun = self._begun or 0
        judged, kept = judgement.judge(groups, room)
        return judged.verdict(self._counted(kept))

    def told(self, since: int) -> list[Verdict]:
        """What was said for good of connections that have left, from the `since`-th time on."""
        return self._verdicts[max(0, since - self._forgotten) :]

    def forget(self, keep: int) -> int:
        """Give up what was said longest ago, so that about `keep` connections are left; how many.

        They are not in the reconstruction any more.
        """
        over = sum(len(verdict.connections) for verdict in self._verdicts) - keep
        given_up = 0
        while self._verdicts and over - given_up >= len(self._verdicts[0].connections):
            given_up += len(self._verdicts.pop(0).connections)
            self._forgotten += 1
        return given_up

    def _take_left(self) -> list[_Part]:
        """Let those that have left wait to be judged; the parts that they are of."""
        left: Matrix = self._table.left()
        if not len(left):
            return []
        parts = self._table.matrix()[left, Slots.index("part")]
        rows: Any = self._log.rows_of(left)
        met = np.unique(parts).tolist()
        for part in met:
            if part not in self._parts:
                judgement = Judgement(self._profile, PARTS)
                judgement.begun = self._begun or 0
                self._parts[part] = _Part(judgement, Pending(partial(_are_pair, self._table)))
            own = parts == part
            self._parts[part].pending.add(left[own], rows[own])
        return [self._parts[part] for part in met]

    def _judge(self, asked: list[tuple[_Part, list[list[int]]]]) -> None:
        """Judge groups of each of these parts, two parts at a time."""
        self._counting.wait()
        pieces = [partial(self._verdict, part.judgement, groups) for part, groups in asked]
        for verdict in self._beside.do(pieces):
            self._verdicts.append(verdict)
            self.evicted += int((verdict.connections.end_reason == EndReason.EVICTED).sum())
        for group in chain.from_iterable(groups for _, groups in asked):
            self._table.release(np.array(group, np.int64))
            self._zeek.release(group)
            self._released += len(group)

    def _verdict(self, judgement: Judgement, groups: list[list[int]], lane: int) -> Verdict:
        room = self._rooms[lane]
        judged, slots = judgement.judge(self._groups(groups, room), room)
        return judged.verdict(self._counted(slots))

    def _groups(self, groups: list[list[int]], room: Workroom, keep: bool = False) -> list[Group]:
        table: Matrix = self._table.matrix()
        asked = np.array([slot for slots in groups for slot in slots], np.int64)
        offsets: Any = self._log.offsets(asked)
        rows = room.evidence(int(offsets[-1]))
        self._log.collect(asked.data, rows.cells, keep)
        made, first = [], 0
        for slots in groups:
            own = offsets[first : first + len(slots) + 1]
            evidence = rows.take(slice(int(own[0]), int(own[-1])))
            made.append(Group(slots, Slots(table[slots]), evidence, own - own[0]))
            first += len(slots)
        return made

    def _counted(self, slots: list[int]) -> Counted:
        """What was counted of these slots, and Zeek's row for each: the one that speaks for it."""
        self._counting.wait()
        rows, histories = harvest(self._zeek, np.array(slots, np.int64).data)
        main = np.flatnonzero(rows.main == 1)
        tallies = Tallies(self._tallying.of(slots))
        return Counted(tallies, rows.take(main), [histories[place] for place in main.tolist()])


def _are_pair(table: ConnectionTable, one: int, two: int) -> bool:
    """Whether the incarnation in the second slot was begun after the one in the first."""
    return int(table.matrix()[two, Slots.index("after")]) == one
