"""What became of each segment: sent anew, sent again, late, lost, or a copy made by the capture.

Lost is only what later segments prove lost behind the tap: a receiver that goes on asking for the
octets (RFC 2018), or a FIN of which only a later copy moved its receiver. A SYN or an ACK may have
been ignored as well: a full queue, or a host that held still, looks the same from outside. What its
receiver acknowledged although no packet of the capture holds it is not captured: another thing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd

from tcptrace.tables.schema import ROLES
from tcptrace.tables.wording import MILLISECOND
from tcptrace.tcp import sequence
from tcptrace.views.numbering import Numbering, Numbers, Truths

COPY_WITHIN = 50 * MILLISECOND  # as tracker.evidence tells copies from segments sent again
COPY_AT_ONCE = MILLISECOND
LOST, IGNORED = "lost", "lost or ignored"
FARTHEST = 1 << 30  # octets; a number farther from its neighbours than any window is nonsense
LOST_IF_LATE = ("rcv SYN,ACK", "rcv FIN")  # moves that no receiver of the segment puts off
CAUSES = {"rcv SYN": "S", "rcv SYN,ACK": "SA", "rcv FIN": "F"}
ACKS = {"rcv ACK of SYN": "S", "rcv ACK of FIN": "F"}


class Fate(Enum):
    """How a segment came to pass the tap."""

    SENT = "sent"
    AGAIN = "sent again"
    LATE = "late: its octets follow later ones"
    COPY = "a copy made by the capture"
    UNSEEN = "not captured"


@dataclass(frozen=True)
class Unseen:
    """Octets that were acknowledged and never captured, found out by the segment in `row`."""

    row: int
    sender: int
    seq: int
    octets: int


@dataclass(frozen=True)
class Fates:
    """A row each segment: `again`, `late`, `copy` exclude each other; so do `lost`, `ignored`.

    lost : proved lost behind the tap
    ignored : proved lost behind the tap or ignored by its receiver
    """

    again: Truths
    late: Truths
    copy: Truths
    lost: Truths
    ignored: Truths
    unseen: list[Unseen] = field(default_factory=list)

    def of(self, row: int) -> Fate:
        """The fate of one segment."""
        for fate, told in (
            (Fate.COPY, self.copy),
            (Fate.AGAIN, self.again),
            (Fate.LATE, self.late),
        ):
            if told[row]:
                return fate
        return Fate.SENT

    def loss_of(self, row: int) -> str:
        """LOST, IGNORED, or an empty string."""
        return LOST if self.lost[row] else IGNORED if self.ignored[row] else ""


def fates(
    segments: pd.DataFrame, numbers: Numbering, timeline: pd.DataFrame, delays: tuple[int, int]
) -> Fates:
    """Of the segments of one connection; `delays` are those between the tap and either side, ns."""
    copy = copies(segments)
    resets = segments["flags"].astype(str).str.contains("R").to_numpy(bool)
    again, late = np.zeros(len(copy), bool), np.zeros(len(copy), bool)
    unseen: list[Unseen] = []
    for sender in range(len(ROLES)):
        rows = np.flatnonzero((numbers.sender == sender) & numbers.is_segment & ~copy & ~resets)
        if len(rows):
            rows = rows[_near(numbers.seq[rows])]
            side = _Side(rows, numbers.seq[rows], numbers.end[rows])
            again[rows], late[rows] = side.repeats()
            unseen += side.never_seen(numbers, sender)
    lost, ignored = np.zeros(len(copy), bool), np.zeros(len(copy), bool)
    for event, row in _never_taken_in(segments, numbers, timeline, ~copy):
        (lost if event in LOST_IF_LATE else ignored)[row] = True
    for is_open, row in _asked_for_again(segments, numbers, again, delays):
        (lost if is_open else ignored)[row] = True
    found = sorted(unseen, key=lambda each: each.row)
    return Fates(again, late, copy, lost, ignored & ~lost, found)


def copies(segments: pd.DataFrame) -> Truths:
    """The packets that the capture holds a second time, by what the table says of them."""
    same = ["role", "kind", "seq", "ack", "flags", "payload", "tsval", "ip_id"]
    groups = segments.groupby(same, observed=True, dropna=False, sort=False)
    gap = groups["ts"].diff().to_numpy("timedelta64[ns]").view(np.int64)
    other_hops = groups["ttl"].diff().fillna(0).to_numpy() != 0
    numbered = segments["ip_id"].fillna(0).to_numpy(np.int64) > 0
    near = (np.abs(gap) <= COPY_WITHIN) & (gap != np.iinfo(np.int64).min)
    sure = numbered | other_hops | (np.abs(gap) < COPY_AT_ONCE)
    found: Truths = near & sure & (segments["kind"] == "segment").to_numpy(bool)
    return found


def _near(seq: Numbers) -> Truths:
    """Which numbers are no nonsense: near the one before or the one after, or alone."""
    far = np.abs(np.diff(seq)) >= FARTHEST
    edge = np.array([len(seq) > 1])
    return np.asarray(~(np.concatenate([edge, far]) & np.concatenate([far, edge])), np.bool_)


class _Side:
    """One side's segments in the order of the capture, and the holes between them.

    rows : their places in the table; start, end : their first octet and the one after the last
    """

    def __init__(self, rows: Numbers, start: Numbers, end: Numbers) -> None:
        self.rows, self.start, self.end = rows, start, end
        self.reached = np.maximum(np.maximum.accumulate(end), start[0])
        self.before = np.concatenate([start[:1], self.reached[:-1]])
        self.holes: list[tuple[int, int, int]] = []  # from, to, row that showed it

    def repeats(self) -> tuple[Truths, Truths]:
        """Which segments bring octets that passed before, and which fill a hole; notes holes."""
        again, late = np.zeros(len(self.rows), bool), np.zeros(len(self.rows), bool)
        back = (self.start < self.before) & (self.end > self.start)
        for at in np.flatnonzero(back | (self.start > self.before)):
            start, end = int(self.start[at]), int(self.end[at])
            if not back[at]:
                self.holes.append((int(self.before[at]), start, int(self.rows[at])))
            elif self._fill(start, end):
                late[at] = True
            else:
                again[at] = True
        return again, late

    def never_seen(self, numbers: Numbering, sender: int) -> Iterator[Unseen]:
        """The holes that remain although the peer acknowledged what belongs there."""
        acks = np.flatnonzero((numbers.sender == 1 - sender) & (numbers.ack >= 0))
        acked = int(numbers.ack[acks].max(initial=0))
        for start, end, row in self.holes:
            if acked >= end and end - start < FARTHEST:
                yield Unseen(row, sender, start, end - start)
        reached = int(self.reached[-1])
        if reached < acked < reached + FARTHEST:
            row = int(acks[numbers.ack[acks] > reached][0])
            yield Unseen(row, sender, reached, acked - reached)

    def _fill(self, start: int, end: int) -> bool:
        """Take octets out of the holes; whether any belonged there."""
        at = bisect_right(self.holes, start, key=lambda hole: hole[0])
        at -= at > 0 and self.holes[at - 1][1] > start
        filled = False
        while at < len(self.holes) and self.holes[at][0] < end:
            low, high, row = self.holes.pop(at)
            rest = [(low, start, row), (end, high, row)]
            parts = [part for part in rest if part[0] < part[1]]
            self.holes[at:at] = parts
            at += len(parts)
            filled = True
        return filled


def _never_taken_in(
    segments: pd.DataFrame, numbers: Numbering, timeline: pd.DataFrame, kept: Truths
) -> list[tuple[str, int]]:
    """Segments that would have moved their receiver, where a later one did; with the event."""
    letters = segments["flags"].astype(str).to_numpy()
    packets = segments["packet"].to_numpy(np.int64)
    caused = timeline[
        timeline["basis"].isin(("confirmed", "presumed")) & timeline["packet"].notna()
    ]
    found: list[tuple[str, int]] = []
    for role, event, packet in zip(
        caused["role"].cat.codes, caused["event"].astype(str), caused["packet"], strict=True
    ):
        sent = (numbers.sender == 1 - role) & kept & numbers.is_segment
        causes = np.flatnonzero(sent & (packets == packet))
        if len(causes):
            earlier = np.flatnonzero(sent[: causes[-1]])
            alike = _alike(numbers, letters, event, (role, int(causes[-1])), earlier)
            found += [(event, int(row)) for row in earlier[alike]]
    return found


def _alike(
    numbers: Numbering, letters: Any, event: str, cause: tuple[int, int], rows: Numbers
) -> Truths:
    """Which of the peer's `rows` would have been the same event as the row that caused it."""
    role, row = cause
    if event in CAUSES:
        bits = np.array([_has(letters[each], CAUSES[event]) for each in rows], np.bool_)
        return np.asarray(bits & (numbers.end[rows] == numbers.end[row]))
    if event not in ACKS:
        return np.zeros(len(rows), bool)
    bits = np.array([ACKS[event] in text for text in letters], bool) & (numbers.sender == role)
    asking = np.flatnonzero(bits[:row])
    if not len(asking):
        return np.zeros(len(rows), bool)
    plain = np.array(["R" not in letters[each] for each in rows], bool)
    return np.asarray(plain & (rows > asking[0]) & (numbers.ack[rows] >= numbers.end[asking[0]]))


def _has(letters: str, wanted: str) -> bool:
    """Whether the control bits that open or close are these; S alone is no SYN,ACK."""
    return all(c in letters for c in wanted) and (wanted != "S" or "A" not in letters)


def _asked_for_again(
    segments: pd.DataFrame, numbers: Numbering, again: Truths, delays: tuple[int, int]
) -> list[tuple[bool, int]]:
    """Segments sent again because their receiver, later, still had not got them.

    With each, whether the receiver was past its handshake: before, it may ignore them.
    """
    answers = [_Answers(segments, numbers, role, 2 * delays[role]) for role in range(len(ROLES))]
    counts = numbers.is_segment & (numbers.length > 0) & (numbers.sender >= 0)
    rows = pd.Series(np.flatnonzero(counts))
    first = rows.groupby([numbers.sender[rows], numbers.seq[rows]]).shift()
    found: list[tuple[bool, int]] = []
    for row, before in zip(rows[again[rows]], first[again[rows]], strict=True):
        receiver = answers[1 - int(numbers.sender[row])]
        if not pd.isna(before) and receiver.lacked(int(before), int(row)):
            found.append((receiver.is_open(int(row)), int(before)))
    return found


class _Answers:
    """One side's acknowledgements, in the order of the capture.

    round_trip : from the tap to that side and back, ns; negative if not known
    """

    LOOKED_AT = 8  # answers after a repeated segment that may own up to having had it twice

    def __init__(
        self, segments: pd.DataFrame, numbers: Numbering, role: int, round_trip: int
    ) -> None:
        self.rows = np.flatnonzero((numbers.sender == role) & (numbers.ack >= 0))
        self.numbers, self.round_trip = numbers, round_trip
        self.sack = segments["sack"].to_numpy()
        self.letters = segments["flags"].astype(str).to_numpy()
        self.raw_ack = segments["ack"].fillna(0).to_numpy(np.int64)

    def lacked(self, first: int, again: int) -> bool:
        """Whether the segment in row `first` had not arrived when that in `again` was sent."""
        place = int(np.searchsorted(self.rows, again))
        answer = self._before(again)
        if answer < first:
            return False
        seq, end = int(self.numbers.seq[first]), int(self.numbers.end[first])
        ack, blocks = int(self.numbers.ack[answer]), self._blocks(answer)
        if ack > seq or any(left <= seq < right for left, right in blocks):
            return False
        waited = int(self.numbers.time[answer] - self.numbers.time[first])
        asked = ack == seq and 0 <= self.round_trip < waited
        return (asked or any(left >= end for left, _ in blocks)) and not self._had_twice(place, seq)

    def is_open(self, again: int) -> bool:
        """Whether the last answer before row `again` was no part of the handshake."""
        return "S" not in self.letters[self._before(again)]

    def _before(self, row: int) -> int:
        """The last answer before a row; -1 if there is none."""
        place = int(np.searchsorted(self.rows, row))
        return int(self.rows[place - 1]) if place else -1

    def _had_twice(self, place: int, seq: int) -> bool:
        """Whether an answer that follows reports the octet as a duplicate (RFC 2883)."""
        for row in self.rows[place : place + self.LOOKED_AT]:
            blocks = self._blocks(int(row))[:1]
            ack = int(self.numbers.ack[row])
            if any(left <= seq < right <= ack for left, right in blocks):
                return True
        return False

    def _blocks(self, row: int) -> list[tuple[int, int]]:
        ack, raw = int(self.numbers.ack[row]), int(self.raw_ack[row])
        edges = [ack + sequence.diff(int(edge), raw) for edge in self.sack[row]]
        return list(zip(edges[::2], edges[1::2], strict=True))
