"""What a ladder shows, top to bottom: `Rung`s, and a `Run` for many segments that move nothing.

A move stands on the segment that shows or causes it; one without a segment (a timer, what came
before the capture) has a rung of its own. In long connections the opening, the close, the findings
and what went wrong are shown; the rest is summed up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from tcptrace.tables.schema import ROLES
from tcptrace.tables.wording import octets
from tcptrace.tcp import flags
from tcptrace.views.fates import Fate, Unseen
from tcptrace.views.numbering import Numbers, Truths
from tcptrace.views.scene import Scene

NAMES = {flags.LETTERS[getattr(flags, name)]: name for name in
         ("SYN", "FIN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE")}  # fmt: skip
MOVING = "[SFR]"
TOLD = ("packet", "kind", "flags", "ack", "payload", "icmp_type", "icmp_code")
UNCAUSED = ("inferred", "timer", "assumed")  # their packet, if any, is proof and not cause
MOST = 40  # rungs kept for what moves or is found; more in one connection, the middle ones go
MOST_ODD = 8  # rungs kept for what was only lost, late, not captured or sent again
PROOFS = 4  # packets of one finding that are kept
ODD, QUIET = 3, 9  # ranks: from here on what did not go well, and what is not worth a rung


@dataclass(frozen=True)
class Move:
    """An endpoint's entry into a state; `role` is a place in ROLES, times are ns."""

    role: int
    state: str
    basis: str
    event: str
    time: int
    earliest: int | None = None
    latest: int | None = None


@dataclass
class Rung:
    """A segment, or a move without one.

    time : the tap's for a segment, ns since the epoch
    sender : a place in ROLES; -1 for none
    loss : fates.LOST, fates.IGNORED, or an empty string
    findings : their numbers, from 1
    """

    time: int
    packet: int | None = None
    sender: int = -1
    label: str = ""
    fate: Fate = Fate.SENT
    loss: str = ""
    is_error: bool = False
    moves: list[Move] = field(default_factory=list)
    findings: list[int] = field(default_factory=list)

    def entered(self, role: int) -> list[Move]:
        """The moves of one side, in order."""
        return [move for move in self.moves if move.role == role]


@dataclass(frozen=True)
class Run:
    """Many segments in a row that move nothing. sent: octets by role; times are ns."""

    time: int
    last: int
    packet: int
    segments: int
    sent: tuple[int, int]
    again: int
    lost: int
    unseen: int
    silence: int


@dataclass(frozen=True)
class Choice:
    """How much is shown: rungs of either kind, and quiet segments in a row."""

    most: int = MOST
    most_odd: int = MOST_ODD
    longest_run: int = 3


WHOLE = Choice(1 << 62, 1 << 62, 1 << 62)


def rungs(scene: Scene, choice: Choice) -> list[Rung | Run]:
    """What the ladder of a connection shows, from top to bottom."""
    return list(_Rungs(scene).shown(choice))


def finding_of(scene: Scene) -> dict[int, list[int]]:
    """The findings, numbered from 1, whose evidence each row of the segments is."""
    packets = scene.segments["packet"].to_numpy(np.int64)
    found: dict[int, list[int]] = {}
    told = zip(scene.anomalies["packets"], scene.anomalies["ts"], strict=True)
    for number, (proofs, moment) in enumerate(told, 1):
        kept = [*proofs[: PROOFS - 1], *proofs[PROOFS - 1 :][-1:]]
        rows = np.flatnonzero(np.isin(packets, kept)).tolist()
        if not rows and len(packets) and not pd.isna(moment):
            rows = [int(np.argmin(np.abs(scene.numbers.time - moment.value)))]
        for row in rows[:PROOFS]:
            found.setdefault(row, []).append(number)
    return found


class _Rungs:
    """The rows of one connection, ordered by time, with what is known of each."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.times = scene.numbers.time
        self.order = np.argsort(self.times, kind="stable")
        self.findings = finding_of(scene)
        self.moves: dict[int, list[Move]] = {}
        self.alone: list[Rung] = []
        self._place_moves()
        unseen: dict[int, list[Unseen]] = {}
        for each in scene.fates.unseen:
            unseen.setdefault(each.row, []).append(each)
        self.unseen = unseen

    def shown(self, choice: Choice) -> Iterator[Rung | Run]:
        """Rungs and runs in the order of time."""
        kept = self._kept(choice)
        alone = sorted(self.alone, key=lambda rung: rung.time)
        places = np.searchsorted(self.times[self.order], [rung.time for rung in alone])
        stops = sorted({*np.flatnonzero(kept[self.order]).tolist(), *places.tolist()})
        waiting, begin = list(zip(places.tolist(), alone, strict=True)), 0
        for stop in [*stops, len(self.order)]:
            yield from self._quiet(self.order[begin:stop], choice.longest_run)
            while waiting and waiting[0][0] == stop:
                yield waiting.pop(0)[1]
            begin = stop
            if stop < len(self.order) and kept[self.order[stop]]:
                yield from self._rungs_of(int(self.order[stop]))
                begin += 1

    def _quiet(self, rows: Numbers, longest: int) -> Iterator[Rung | Run]:
        if len(rows) > longest:
            yield self._run(rows)
            return
        for row in rows:
            yield from self._rungs_of(int(row))

    def _run(self, rows: Numbers) -> Run:
        scene, times = self.scene, self.times[rows]
        payload = scene.segments["payload"].to_numpy(np.int64)[rows]
        sender = scene.numbers.sender[rows]
        orig, resp = (int(payload[sender == role].sum()) for role in range(len(ROLES)))
        hidden = [each for row in rows if row in self.unseen for each in self.unseen[row]]
        return Run(
            time=int(times[0]),
            last=int(times[-1]),
            packet=int(scene.segments["packet"].iloc[int(rows[0])]),
            segments=len(rows),
            sent=(orig, resp),
            again=int(scene.fates.again[rows].sum()),
            lost=int(scene.fates.lost[rows].sum()),
            unseen=sum(each.octets for each in hidden),
            silence=int(np.diff(times).max(initial=0)),
        )

    def _rungs_of(self, row: int) -> Iterator[Rung]:
        """A segment, after what it shows not to have been captured."""
        fates, time = self.scene.fates, int(self.times[row])
        for each in self.unseen.get(row, ()):
            label = f"seq={each.seq} {octets(each.octets)} not captured"
            yield Rung(time, None, each.sender, label, Fate.UNSEEN)
        cells = {name: column[row] for name, column in self.columns.items()}
        yield Rung(
            time,
            int(cells["packet"]),
            int(self.scene.numbers.sender[row]),
            self._label(row, cells),
            fates.of(row),
            fates.loss_of(row),
            is_error=cells["kind"] == "icmp_error",
            moves=self.moves.get(row, []),
            findings=self.findings.get(row, []),
        )

    @cached_property
    def columns(self) -> dict[str, Any]:
        """What a rung tells of a segment; NumPy's rows are reached quicker than pandas'."""
        return {name: self.scene.segments[name].to_numpy(object) for name in TOLD}

    def _label(self, row: int, cells: dict[str, Any]) -> str:
        """`FIN,ACK seq=301 ack=1 20 B`."""
        if cells["kind"] == "icmp_error":
            return f"ICMP error {cells['icmp_type']}/{cells['icmp_code']}"
        letters = str(cells["flags"])
        names = ",".join(name for letter, name in NAMES.items() if letter in letters)
        pieces = [names or "no flags", f"seq={self.scene.numbers.seq[row]}"]
        if "A" in letters and not pd.isna(cells["ack"]):
            pieces.append(f"ack={self.scene.numbers.ack[row]}")
        if cells["payload"]:
            pieces.append(octets(int(cells["payload"])))
        return " ".join(pieces)

    def _kept(self, choice: Choice) -> Truths:
        """Which rows are worth a rung: by rank, and of one rank those nearest to either end."""
        rank = self._ranks()
        worth = np.flatnonzero(rank < QUIET)
        edge = np.minimum(worth, len(rank) - 1 - worth)
        ranked = worth[np.lexsort((edge, rank[worth]))]
        odd = rank[ranked] >= ODD
        kept = np.zeros(len(rank), np.bool_)
        kept[ranked[~odd][: choice.most]] = True
        kept[ranked[odd][: choice.most_odd]] = True
        return kept

    def _ranks(self) -> Numbers:
        scene, fates = self.scene, self.scene.fates
        letters = scene.segments["flags"].astype(str)
        moving = letters.str.contains(MOVING).to_numpy(bool)
        rank = np.full(len(moving), QUIET, np.int64)
        rank[fates.again | fates.late] = ODD + 1
        rank[fates.lost | fates.ignored] = ODD
        rank[list(self.unseen)] = ODD
        rank[moving | (scene.segments["kind"] != "segment").to_numpy(bool)] = 2
        rank[fates.copy] = QUIET
        rank[list(self.findings)] = 1
        rank[list(self.moves)] = 0
        return rank

    def _place_moves(self) -> None:
        packets = self.scene.segments["packet"].to_numpy(np.int64)
        bare: dict[int, Rung] = {}
        for row in self.scene.timeline.to_dict("records"):
            move = _move(row)
            packet = None if row["basis"] in UNCAUSED or pd.isna(row["packet"]) else row["packet"]
            here: Numbers = np.flatnonzero(packets == (packet or -1))
            if len(here):
                nearest = int(here[np.argmin(np.abs(self.times[here] - move.time))])
                self.moves.setdefault(nearest, []).append(move)
            elif packet is None:
                self.alone.append(Rung(move.time, moves=[move]))
            elif packet in bare:  # the segments are not at hand
                bare[packet].moves.append(move)
            else:
                bare[packet] = Rung(move.time, int(packet), moves=[move])
        self.alone += bare.values()


def _move(row: dict[Any, Any]) -> Move:
    def bound(name: str) -> int | None:
        return None if pd.isna(row[name]) else int(row[name].value)

    return Move(
        ROLES.index(str(row["role"])),
        str(row["state"]),
        str(row["basis"]),
        str(row["event"]),
        int(row["start"].value),
        bound("earliest"),
        bound("latest"),
    )
