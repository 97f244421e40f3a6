"""`Standings`: where every endpoint of a live capture stands, and which connections matter most.

First those that findings are about, the gravest first; then those with an endpoint on its way from
one state to another, the longest waiting first; then the open ones, the latest to move first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tcptrace.tables.schema import SEVERITIES
from tcptrace.tcp.states import Role, State

if TYPE_CHECKING:
    from tcptrace.look import Look

Numbers = npt.NDArray[np.int64]

AT_REST = (State.CLOSED, State.LISTEN, State.TIME_WAIT, State.ESTABLISHED)
NORMAL = SEVERITIES.index("info")
OVER = (State.CLOSED, State.LISTEN)


@dataclass(frozen=True)
class Standings:
    """Each endpoint's state now, since when (ns), its Basis; int64 (connections, 2), -1 for none.

    gravest : of each connection the gravest severity of its findings, place in SEVERITIES; -1
        where there is nothing but what is normal
    codes : of each connection with findings their codes
    """

    state: Numbers
    since: Numbers
    basis: Numbers
    gravest: Numbers
    codes: dict[int, list[str]]

    @classmethod
    def of(cls, look: Look) -> Standings:
        """From the last move of each endpoint."""
        moves, count = look.moves, len(look.ordinals)
        place = np.searchsorted(look.ordinals, moves.conn), moves.role
        state, since, basis = (np.full((count, len(Role)), -1, np.int64) for _ in range(3))
        state[place], since[place], basis[place] = moves.state, moves.time, moves.basis
        table, members = look.known.table, look.known.members
        grades = table["severity"].cat.codes.to_numpy(np.int64)
        told = np.isin(members[:, 1], look.ordinals) & (grades[members[:, 0]] > NORMAL)
        members = members[told]
        whose, severity = np.searchsorted(look.ordinals, members[:, 1]), grades[members[:, 0]]
        gravest = np.full(count, -1, np.int64)
        np.maximum.at(gravest, whose, severity)
        codes: dict[int, list[str]] = {}
        for place, row in zip(whose.tolist(), members[:, 0].tolist(), strict=True):
            codes.setdefault(place, []).append(str(table["code"].iloc[row]))
        return cls(state, since, basis, gravest, codes)

    def first(self, most: int) -> list[int]:
        """The places of the connections that matter most, at most so many."""
        on_the_way = ~np.isin(self.state, AT_REST) & (self.state >= 0)
        over = np.isin(self.state, OVER) | (self.state < 0)
        waiting = np.where(on_the_way, self.since, np.iinfo(np.int64).max).min(axis=1)
        rank = np.select([on_the_way.any(axis=1), ~over.all(axis=1)], [0, 1], 2)
        latest = self.since.max(axis=1)
        within = np.where(rank == 0, waiting, -latest)
        order = np.lexsort((within, rank, -self.gravest))
        wanted = order[(rank[order] < 2) | (self.gravest[order] >= 0)]
        chosen: list[int] = wanted[:most].tolist()
        return chosen

    def population(self) -> dict[State, tuple[int, int]]:
        """How many originators and how many responders are in each state that anyone is in."""
        counts = {state: (self.state == state).sum(axis=0).tolist() for state in State}
        return {state: (count[0], count[1]) for state, count in counts.items() if any(count)}
