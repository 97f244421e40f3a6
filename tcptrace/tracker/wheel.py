"""`Wheel`: where in its window a timer fired, by what else the two hosts were seen to fire.

Linux fires a long timer only at multiples of its level's granularity, counted in jiffies: all
timers of a kernel that are as long fire at the same phase (kernel/time/timer.c:calc_index). A
segment that was repeated after a long silence shows that phase.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from tcptrace.columns import Matrix
from tcptrace.decode.segments import Kind
from tcptrace.tcp.profile import MILLISECOND, NEVER, SECOND, Profile
from tcptrace.tcp.states import Event, State
from tcptrace.tracker.distances import forget_first
from tcptrace.tracker.groups import Group
from tcptrace.tracker.repeats import repeats
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Evidence, Slots
from tcptrace.tracker.transitions import Basis, Transitions

MOST_PAIRS = 100_000
FIRINGS_A_PAIR = 16
LOOK_BACK = 64
MOST_REPEATS = 256
COARSE = 2  # the least level whose phase matters: below it windows are 40 ms wide
AT_ONCE = 10 * MILLISECOND
NEAR = 2 * MILLISECOND  # a side so close to the tap loses nothing before it
AGREE = 12 * MILLISECOND
CLOCKS_AGREE_FOR = 600 * SECOND  # then the host's clock may have drifted from the capture's
UNBROKEN = 2.7  # a gap that is longer than so many of the one before hides a lost repeat

Pair = tuple[int, int, int, int]


class Firing(NamedTuple):
    """A timer was seen to fire: when, ns, and the least level of the wheel that it can be on."""

    moment: int
    level: int


class Wheel:
    """What is known of each host's timers, by its connections with one peer.

    Of the pairs met first, beyond `MOST_PAIRS` / `share`, nothing.
    """

    def __init__(self, profile: Profile, share: int = 1) -> None:
        self._profile = profile
        self._most = max(1, MOST_PAIRS // share)
        self._fired: dict[Pair, deque[Firing]] = {}
        timers = {
            State.FIN_WAIT_2: profile.fin_wait_2_timer(),
            State.TIME_WAIT: profile.time_wait,
            State.SYN_RCVD: profile.syn_ack_wait().earliest,
        }
        levels = {state: profile.level(timer) for state, timer in timers.items()}
        self._levels = {state: level for state, level in levels.items() if level >= COARSE}
        self._found = np.zeros(MOST_REPEATS, np.int64)
        self._least = min(self._levels.values(), default=NEVER)

    def learn(self, group: Group, sides: Sides) -> None:
        """Note what fired in a group of connections whose segments are dated."""
        if not self._profile.tick or self._least == NEVER:
            return
        for row in self._repeats(group).tolist():
            conn = int(np.searchsorted(group.offsets, row, "right")) - 1
            side = int(group.rows.sender[row])
            place = 2 * conn + side
            near = 0 <= int(sides.turnaround[place]) <= NEAR
            answers_for = int(max(sides.turnaround[place], 0) + 2 * sides.jitter[place])
            if _silence(group.rows, row) < AT_ONCE + answers_for:
                continue
            level = self._profile.sure_level(_wait(group.rows, int(group.offsets[conn]), row, near))
            if level >= self._least:
                self._note(_pair(group.slots, conn, side), Firing(int(group.rows.sent[row]), level))

    def _repeats(self, group: Group) -> Matrix:
        """Segments that repeat octets and that a long timer may have sent, the last of a group."""
        after = self._profile.least_wait(self._least)
        many = repeats(group.rows.cells, group.offsets.data, len(group), after, self._found.data)
        if many <= MOST_REPEATS:
            return self._found[:many]
        return np.roll(self._found, -(many % MOST_REPEATS))

    def _note(self, pair: Pair, firing: Firing) -> None:
        self._fired.setdefault(pair, deque(maxlen=FIRINGS_A_PAIR)).append(firing)
        forget_first(self._fired, self._most)

    def place(self, moves: Transitions, group: Group) -> None:
        """Put each end by a timer, `moves` of the group, to where that host's timers fire."""
        if not self._fired:
            return
        timed = (moves.basis == Basis.TIMER) | (moves.basis == Basis.INFERRED)
        ends = timed & (moves.state == State.CLOSED) & np.isin(moves.event, _TIMEOUTS)
        for row in np.flatnonzero(ends).tolist():
            self._put(moves, row, group)

    def _put(self, moves: Transitions, row: int, group: Group) -> None:
        level = self._levels.get(_left(moves, row), 0)
        early, late = int(moves.earliest[row]), int(moves.latest[row])
        period = self._profile.granularity(level)
        if not level or early == NEVER or late - early > period + 4 * self._profile.tick:
            return
        conn, side = int(moves.conn[row]), int(moves.role[row])
        for end in (side, 1 - side):  # the peer may be on the same kernel, and guesses are equal
            fired = self._phase(_pair(group.slots, conn, end), level, early)
            moment = early + (fired - early) % period
            if fired != NEVER and moment <= late:
                moves.time[row] = moment
                return

    def _phase(self, pair: Pair, level: int, near: int) -> int:
        """A moment at which the host's timers of a level fired, one that others agree with."""
        period = self._profile.granularity(level)
        known = [
            firing.moment
            for firing in self._fired.get(pair, ())
            if firing.level >= level and abs(firing.moment - near) < CLOCKS_AGREE_FOR
        ]
        if not known:
            return NEVER
        votes = [sum(_apart(one, two, period) < AGREE for two in known) for one in known]
        return known[votes.index(max(votes))]


_TIMEOUTS = (Event.TIMEOUT_2MSL, Event.TIMEOUT_FIN_WAIT_2, Event.TIMEOUT_RETRANSMISSION)


def _apart(one: int, two: int, period: int) -> int:
    """How far two phases are from each other."""
    return abs((one - two + period // 2) % period - period // 2)


def _left(moves: Transitions, row: int) -> State:
    """The state that the move of a row leaves."""
    before = row - 1
    while before >= 0 and moves.basis[before] == Basis.RETRACTED:
        before -= 1
    same = before >= 0 and (moves.conn[before], moves.role[before]) == (
        moves.conn[row],
        moves.role[row],
    )
    return State(int(moves.state[before])) if same else State.CLOSED


def _pair(slots: Slots, conn: int, side: int) -> Pair:
    """The address of a side, then its peer's."""
    own, peer = (
        (int(getattr(slots, f"hi_{end}")[conn]), int(getattr(slots, f"lo_{end}")[conn]))
        for end in (side, 1 - side)
    )
    return (*own, *peer)


def _silence(rows: Evidence, row: int) -> int:
    """How long before a segment nothing of its connection had passed the tap, ns."""
    return int(rows.time[row] - rows.time[row - 1])


def _wait(rows: Evidence, first: int, row: int, near: bool) -> int:
    """How long the timer ran at the least that sent a segment again, ns; 0: not known.

    It began when the octets had last been sent or others were last acknowledged. Repeats that
    were lost before the tap would make it look longer; near the tap none is.
    """
    since = max(first, row - LOOK_BACK)
    part = rows.take(slice(since, row))
    own = (part.sender == rows.sender[row]) & (part.kind == Kind.SEGMENT) & (part.copy == 0)
    octets = (part.end > part.begin) | (part.probe != 0)
    same = np.flatnonzero(own & (part.begin == rows.begin[row]) & octets)
    if not len(same):
        return 0
    sent = part.sent[same].tolist()
    wait: int = int(rows.sent[row]) - sent[-1]
    whole = near or _numbered_on(rows, since + int(same[-1]), row, int(own[same[-1] :].sum()))
    if not whole and (len(sent) < 2 or wait > UNBROKEN * (sent[-1] - sent[-2])):
        return 0
    acked = np.where(own, NEVER, part.acked)
    before, after = acked[: same[-1]], acked[same[-1] :]
    if len(before) and after.max() > before.max():
        return _silence(rows, row)
    return wait


def _numbered_on(rows: Evidence, before: int, row: int, sent: int) -> bool:
    """Whether the tap missed none of what a side sent between two of its segments (IPv4)."""
    one, two = int(rows.ip_id[before]), int(rows.ip_id[row])
    return one > 0 and two > 0 and (two - one) & 0xFFFF == sent
