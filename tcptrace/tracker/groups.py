"""`Group`: connections that are judged together, with their evidence; and the stray SYNs in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tcptrace.columns import Matrix
from tcptrace.tcp.flags import RST, SYN
from tcptrace.tracker.slots import Evidence, Slots


class Stray(NamedTuple):
    """A SYN that opened nothing: ordinals of its own connection and of the one it strayed into.

    side : which side of that one its claimed sender is; copies : made of it by the capture.
    """

    ordinal: int
    home: int
    side: int
    copies: int


@dataclass(frozen=True)
class Group:
    """Connections of one group; connection i has the rows offsets[i] to offsets[i + 1].

    places : the slot of each in the connection table.
    """

    places: list[int]
    slots: Slots
    rows: Evidence
    offsets: Matrix

    def __len__(self) -> int:
        return len(self.places)

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

    @cached_property
    def again(self) -> list[int]:
        """The places of those that were begun after another one of the group."""
        after = np.flatnonzero(self.slots.after >= 0).tolist()
        return [place for place in after if self.home(place) >= 0]

    def take(self, kept: list[int]) -> Group:
        """The group of some of its connections."""
        spans = [self.rows.matrix[self.offsets[i] : self.offsets[i + 1]] for i in kept]
        offsets = np.zeros(len(kept) + 1, np.int64)
        np.cumsum([len(span) for span in spans], out=offsets[1:])
        return Group(
            [self.places[i] for i in kept],
            self.slots.take(np.array(kept, np.int64)),
            Evidence(np.concatenate(spans)),
            offsets,
        )


def without_strays(group: Group) -> tuple[Group, list[Stray]]:
    """The group without the SYNs that opened nothing, and those.

    A SYN with another ISN on a live connection is stray if it is neither answered nor repeated
    while its claimed sender goes on with the old connection (forged or old duplicates).
    """
    places = [place for place in group.again if _is_stray(group, place, group.home(place))]
    if not places:
        return group, []
    strays = [_stray(group, place, group.home(place)) for place in places]
    return group.take([place for place in range(len(group)) if place not in places]), strays


def _stray(group: Group, place: int, home: int) -> Stray:
    ordinals = group.slots.ordinal
    copies = int(group.rows_of(place).copy.sum())
    return Stray(int(ordinals[place]), int(ordinals[home]), _side_of(group, place, home), copies)


def _is_stray(group: Group, place: int, home: int) -> bool:
    rows = group.rows_of(place)
    alone = len(rows) - int(rows.copy.sum()) == 1 and bool(rows.flags[0] & SYN)
    return alone and _goes_on(group, place, home)


def is_duplicate(group: Group, place: int) -> bool:
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
    sender = _side_of(group, place, home)
    went_on = (old.sender == sender) & (old.time > rows.time[0]) & (old.flags & RST == 0)
    return bool(went_on.any())


def _side_of(group: Group, place: int, home: int) -> int:
    """Which side of the older connection the first sender of the later one is."""
    slots = group.slots
    parts = [getattr(slots, f"{part}_0") for part in ("hi", "lo", "port")]
    return 0 if all(part[place] == part[home] for part in parts) else 1
