"""`Judgement`: from the evidence of a group of connections to all that is said of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Matrix
from tcptrace.tcp.flags import RST, SYN
from tcptrace.tcp.timers import Profile
from tcptrace.tracker import facts, timing
from tcptrace.tracker.closing import Closing
from tcptrace.tracker.ending import Ending
from tcptrace.tracker.opening import Opening
from tcptrace.tracker.orientation import orientations, vantages
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Evidence, Slots, Tallies
from tcptrace.tracker.telling import ROWS_A_SIDE, Telling
from tcptrace.tracker.transitions import Connections, Endpoints, Transitions
from tcptrace.tracker.witness import Witness
from tcptrace.tracker.zeek import ZeekModel
from tcptrace.tracker.zeek_harvest import harvest
from tcptrace.tracker.zeek_rows import ZeekRows


@dataclass(frozen=True)
class Group:
    """Connections that are judged together; connection i has rows offsets[i] to offsets[i + 1]."""

    places: list[int]
    slots: Slots
    tallies: Tallies
    rows: Evidence
    offsets: Matrix
    zeek: ZeekRows
    histories: list[str]

    def rows_of(self, place: int) -> Evidence:
        """The evidence of one connection."""
        return self.rows.take(slice(int(self.offsets[place]), int(self.offsets[place + 1])))

    def home(self, place: int) -> int:
        """The place of the incarnation that it was begun after, -1 if that is not in the group."""
        return self.place_of.get(int(self.slots.after[place]), -1)

    @cached_property
    def place_of(self) -> dict[int, int]:
        """The place of each slot."""
        return {slot: place for place, slot in enumerate(self.places)}

    def take(self, kept: list[int]) -> Group:
        """The group of some of its connections."""
        spans = [self.rows.matrix[self.offsets[i] : self.offsets[i + 1]] for i in kept]
        offsets = np.zeros(len(kept) + 1, np.int64)
        np.cumsum([len(span) for span in spans], out=offsets[1:])
        which = np.array(kept, np.int64)
        return Group(
            [self.places[i] for i in kept],
            self.slots.take(which),
            self.tallies.take(np.stack([2 * which, 2 * which + 1], axis=1).reshape(-1)),
            Evidence(np.concatenate(spans)),
            offsets,
            self.zeek.take(which),
            [self.histories[i] for i in kept],
        )


def find_strays(group: Group) -> tuple[list[tuple[int, int]], list[int]]:
    """SYNs that opened nothing: (ordinals of each and of its home), and who else is in the group.

    A SYN with another ISN on a live connection is stray if it is neither answered nor repeated
    while its claimed sender goes on with the old connection (forged or old duplicates).
    """
    strays: list[tuple[int, int]] = []
    kept = []
    for place in range(len(group.places)):
        home = group.home(place)
        if home >= 0 and _is_stray(group, place, home):
            strays.append((int(group.slots.ordinal[place]), int(group.slots.ordinal[home])))
        else:
            kept.append(place)
    return strays, kept


def _is_stray(group: Group, place: int, home: int) -> bool:
    rows = group.rows_of(place)
    alone = len(rows) - int(rows.copy.sum()) == 1 and bool(rows.flags[0] & SYN)
    return alone and _goes_on(group, place, home)


def _is_duplicate(group: Group, place: int) -> bool:
    """Whether a SYN that was answered was none of its sender's: an old one from the network.

    It was not repeated, its answer drew nothing but RSTs, and its sender went on with another
    connection on the same four-tuple (RFC 9293 figure 8).
    """
    home = group.home(place)
    if home < 0 or not _goes_on(group, place, home):
        return False
    rows = group.rows_of(place)
    own = rows.take((rows.sender == 0) & (rows.copy == 0))
    syns = (own.flags & (SYN | RST)) == SYN
    return bool(syns.sum() == 1 and (own.flags[~syns] & RST).all() and not syns.all())


def _goes_on(group: Group, place: int, home: int) -> bool:
    """Whether the sender of a SYN speaks for the older connection after it."""
    if group.slots.newer[home] != group.places[place]:
        return False
    rows, old = group.rows_of(place), group.rows_of(home)
    same = all(
        getattr(group.slots, f"{part}_0")[place] == getattr(group.slots, f"{part}_0")[home]
        for part in ("hi", "lo", "port")
    )
    sender = 0 if same else 1
    went_on = (old.sender == sender) & (old.time > rows.time[0]) & (old.flags & RST == 0)
    return bool(went_on.any())


@dataclass(frozen=True)
class Verdict:
    """What is said of connections; `conn` is the ordinal of their beginning until it is settled.

    strays : pairs (ordinal of a stray SYN's own connection, ordinal of the one it strayed into).
    """

    connections: Connections
    endpoints: Endpoints
    transitions: Transitions
    histories: list[str]
    strays: list[tuple[int, int]]

    @classmethod
    def join(cls, verdicts: list[Verdict]) -> Verdict:
        """All of them, ordered by the connections' beginning."""
        return cls(
            Connections.concat([v.connections for v in verdicts]),
            Endpoints.concat([v.endpoints for v in verdicts]),
            Transitions.concat([v.transitions for v in verdicts]),
            [history for v in verdicts for history in v.histories],
            [stray for v in verdicts for stray in v.strays],
        )


class Judgement:
    """Judges groups in turn; what it learns of the hosts' distances serves later groups, too."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._distances: dict[tuple[int, int, int, int], int] = {}

    @staticmethod
    def zeek_rows(model: ZeekModel, slots: list[int]) -> tuple[ZeekRows, list[str]]:
        """Zeek's row for each slot, the one that speaks for it, and its history."""
        rows, histories = harvest(model, np.array(slots, np.int64).data)
        main = np.flatnonzero(rows.main == 1)
        return rows.take(main), [histories[place] for place in main.tolist()]

    def judge(self, groups: list[Group]) -> list[Verdict]:
        """Everything about groups of connections that have left the table together.

        A first pass measures how far each host is from the tap, over all of them; groups are small
        because the passes over one group's evidence should find it in the processor's cache.
        """
        measured = [self._measure(group) for group in groups]
        return [self._judge(group, sides, strays) for group, sides, strays in measured]

    def _measure(self, group: Group) -> tuple[Group, Sides, list[tuple[int, int]]]:
        strays, kept = find_strays(group)
        if strays:
            group = group.take(kept)
        sides = Sides.zeros(2 * len(group.slots))
        timing.measure(group.rows.cells, group.offsets.data, sides.cells, len(group.slots))
        self._learn_distances(group.slots, sides)
        return group, sides, strays

    def _judge(self, group: Group, sides: Sides, strays: list[tuple[int, int]]) -> Verdict:
        count = len(group.slots)
        rows, offsets = group.rows.cells, group.offsets.data
        until = np.ascontiguousarray(group.slots.left_at).data
        least = self._distances
        sides.turnaround[:] = [least.get(key, -1) for key in _paths(group.slots)]
        timing.date(rows, offsets, sides.cells, count)
        witness = Witness(rows, sides.cells)
        Opening(witness, rows, sides.cells).settle(offsets, count)
        Closing(witness, rows, sides.cells).settle(offsets, count, until)
        Ending(witness, rows, sides.cells, self._profile.cells()).settle(offsets, count)
        for place in np.flatnonzero(group.slots.after >= 0).tolist():
            sides.stateless[2 * place] |= _is_duplicate(group, place)
        moves = Transitions.zeros(2 * ROWS_A_SIDE * count)
        telling = Telling(witness, rows, sides.cells, self._profile)
        made = telling.tell(offsets, count, moves.cells, until)
        verdict = self._verdict(group, sides, moves.take(slice(made)))
        return replace(verdict, strays=strays)

    def _learn_distances(self, slots: Slots, sides: Sides) -> None:
        """A host is as far from the tap as its fastest answer to the same peer ever was."""
        least = self._distances
        for key, turnaround in zip(_paths(slots), sides.turnaround.tolist(), strict=True):
            if turnaround >= 0 and turnaround < least.get(key, turnaround + 1):
                least[key] = turnaround

    def _verdict(self, group: Group, sides: Sides, moves: Transitions) -> Verdict:
        swapped, orientation = orientations(group.slots, sides)
        ordinals = group.slots.ordinal.copy()
        endpoints = Endpoints.zeros(len(sides))
        facts.gather(
            group.rows.cells, group.offsets.data, sides.cells, endpoints.cells, len(ordinals)
        )
        _fill_tallies(endpoints, group.tallies, group.zeek)
        moves.role[:] ^= swapped[moves.conn]
        moves.conn[:] = ordinals[moves.conn]
        order = np.lexsort((np.arange(len(moves)), moves.role, moves.conn))
        endpoints.conn[:] = np.repeat(ordinals, 2)
        endpoints.role[:] = np.tile([0, 1], len(ordinals)) ^ np.repeat(swapped, 2)
        by_role = np.lexsort((endpoints.role, np.arange(len(endpoints)) // 2))
        connections = _connections(group, sides, swapped)
        connections.orientation[:] = orientation
        return Verdict(connections, endpoints.take(by_role), moves.take(order), group.histories, [])


def _paths(slots: Slots) -> list[tuple[int, int, int, int]]:
    """(a host, its peer) of both sides of each connection, in the order of `Sides`."""
    columns = [Slots.index(name) for name in ("hi_0", "lo_0", "hi_1", "lo_1")]
    paths: list[tuple[int, int, int, int]] = []
    for one_hi, one_lo, two_hi, two_lo in slots.matrix[:, columns].tolist():
        paths += ((one_hi, one_lo, two_hi, two_lo), (two_hi, two_lo, one_hi, one_lo))
    return paths


def _fill_tallies(endpoints: Endpoints, tallies: Tallies, zeek: ZeekRows) -> None:
    for name in (
        "segments",
        "payload",
        "retransmits",
        "reordered",
        "bad_checksums",
        "offloaded",
        "super_segments",
        "zero_windows",
        "gap",
        "last_packet",
        "last_time",
    ):
        getattr(endpoints, name)[:] = getattr(tallies, name)
    endpoints.duplicates[:] = tallies.copies
    endpoints.unseen[:] = tallies.unseen > 0
    for side in (0, 1):
        endpoints.zeek_bytes[side::2] = getattr(zeek, f"bytes_{side}")
        endpoints.zeek_packets[side::2] = getattr(zeek, f"packets_{side}")
        endpoints.missed_bytes[side::2] = getattr(zeek, f"missed_{side}")


def _connections(group: Group, sides: Sides, swapped: npt.NDArray[np.int64]) -> Connections:
    slots, zeek = group.slots, group.zeek
    made = Connections.zeros(len(slots))
    made.conn[:] = slots.ordinal
    for role, prefix in enumerate(("orig", "resp")):
        for part in ("hi", "lo", "port"):
            pair = [getattr(slots, f"{part}_{side}") for side in (0, 1)]
            getattr(made, f"{prefix}_{part}")[:] = np.where(swapped == role, pair[0], pair[1])
        near = np.where(swapped == role, sides.turnaround[0::2], sides.turnaround[1::2])
        getattr(made, f"rtt_{prefix}")[:] = near
    made.path[:], made.file[:], made.end_reason[:] = slots.path, slots.file, slots.end_reason
    made.time_start[:], made.time_end[:] = slots.time_start, slots.time_end
    made.first_packet[:], made.last_packet[:] = slots.packet_start, slots.packet_end
    made.mid_stream[:] = (sides.iss[0::2] < 0) & (sides.iss[1::2] < 0)
    made.one_sided[:] = _one_sided(sides)
    made.vantage[:] = vantages(made)
    made.conn_state[:], made.completeness[:] = zeek.conn_state, zeek.completeness
    made.zeek_swapped[:] = zeek.swapped ^ swapped
    return made


def _one_sided(sides: Sides) -> npt.NDArray[np.bool_]:
    """One endpoint never spoke, yet the other acknowledges what it must have sent."""
    spoke, una = sides.spoke.reshape(-1, 2), sides.una.reshape(-1, 2)
    unseen: npt.NDArray[np.bool_] = ((spoke == 0) & (una > 0)).any(axis=1)
    return unseen
