"""`Judgement`: from the evidence of groups of connections to the moves of all their endpoints."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tcptrace.tcp.timers import Profile
from tcptrace.tracker import dating, facts, timing
from tcptrace.tracker.closing import Closing
from tcptrace.tracker.distances import Distances
from tcptrace.tracker.ending import Ending
from tcptrace.tracker.groups import Group, is_duplicate, without_strays
from tcptrace.tracker.opening import Opening
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Slots
from tcptrace.tracker.telling import ROWS_A_SIDE, Telling
from tcptrace.tracker.transitions import Endpoints, Transitions
from tcptrace.tracker.verdict import Judged
from tcptrace.tracker.wheel import Wheel
from tcptrace.tracker.witness import Witness
from tcptrace.tracker.workroom import Workroom


class Judgement:
    """Judges groups in turn; what it learns of two hosts serves their later connections, too."""

    def __init__(self, profile: Profile, share: int = 1) -> None:
        """`share` judgements divide among them what may be remembered.

        begun : when the capture began, ns; to be set before anything is judged
        """
        self.begun = 0
        self._profile = profile
        self._distances = Distances(share)
        self._wheel = Wheel(profile, share)

    def judge(self, groups: list[Group], room: Workroom) -> tuple[Judged, list[int]]:
        """Everything about groups of connections that have left the table together; their slots.

        A first pass measures how far each host is from the tap, over all of them; groups are small
        because the passes over one group's evidence should find it in the processor's cache.
        """
        kept = [without_strays(group) for group in groups]
        groups = [group for group, _ in kept]
        slots = Slots.concat([group.slots for group in groups])
        sides, endpoints = room.sides(2 * len(slots)), Endpoints.zeros(2 * len(slots))
        spans = _spans(groups)
        for group, span in zip(groups, spans, strict=True):
            own = sides.take(span)
            timing.measure(group.rows.cells, group.offsets.data, own.cells, len(group))
        self._distances.settle(slots, sides)
        told = 0
        for group, span in zip(groups, spans, strict=True):
            moves = self._judge(group, sides.take(span), endpoints.take(span), room, told)
            moves.conn[:] += span.start // 2
            told += len(moves)
        strays = [pair for _, pairs in kept for pair in pairs]
        judged = Judged(slots, sides, endpoints, Transitions(room.told(told)), strays)
        return judged, [place for group in groups for place in group.places]

    def _judge(
        self, group: Group, sides: Sides, endpoints: Endpoints, room: Workroom, told: int
    ) -> Transitions:
        """One group: its sides and endpoints are filled, its moves told behind those told."""
        count = len(group)
        rows, offsets = group.rows.cells, group.offsets.data
        until = np.ascontiguousarray(group.slots.left_at).data
        dating.date(rows, offsets, sides.cells, count)
        self._wheel.learn(group, sides)
        witness = Witness(rows, sides.cells)
        Opening(witness, self.begun).settle(offsets, count)
        Closing(witness).settle(offsets, count, until)
        Ending(witness, self._profile.cells()).settle(offsets, count)
        for place in group.again:
            sides.stateless[2 * place] |= is_duplicate(group, place)
        most = room.moves(told, 2 * ROWS_A_SIDE * count + witness.how_many_taken_back())
        telling = Telling(witness, self._profile)
        made = telling.tell(offsets, count, most.cells, until)
        facts.gather(rows, offsets, sides.cells, endpoints.cells, count)
        moves = most.take(slice(made))
        self._wheel.place(moves, group)
        return moves


def _spans(groups: list[Group]) -> list[slice]:
    """Where each group's endpoints are among those of all."""
    ends = np.cumsum([0, *(2 * len(group) for group in groups)]).tolist()
    return [slice(begin, end) for begin, end in pairwise(ends)]
