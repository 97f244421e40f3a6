"""`Present`: what is known at a moment of a live capture, of connections told for good and open."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Matrix
from tcptrace.tracker.incarnations import settle_incarnations
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.verdict import Verdict


class Present:
    """The verdicts at hand, of connections told for good and of those still in the table.

    A connection is named by its ordinal: how many had begun before it. It never changes.
    """

    def __init__(self) -> None:
        self._told = Verdict.join([])
        self._open = Verdict.join([])

    def __len__(self) -> int:
        """How many connections are at hand."""
        return len(self._told.connections) + len(self._open.connections)

    def take(self, told: list[Verdict], judged: list[Verdict]) -> Matrix:
        """What was told for good, and judged as of now, since the last time; their ordinals.

        A connection that is in both is told for good; one that proved a stray SYN is none any more.
        """
        final, fresh = Verdict.join(told), Verdict.join(judged)
        over = _ordinals(final)
        fresh = _without(fresh, over)
        replaced = np.concatenate([over, _ordinals(fresh)])
        self._open = Verdict.join([_without(self._open, replaced), fresh])
        self._told = Verdict.join([_without(self._told, over), final])
        return replaced

    def reconstruction(self) -> tuple[Reconstruction, Matrix]:
        """All that is at hand, and the ordinal of each connection of it."""
        verdict = Verdict.join([self._told, self._open])
        ordinals = np.sort(verdict.connections.conn)
        for rows in (verdict.connections, verdict.endpoints, verdict.transitions):
            rows.conn[:] = np.searchsorted(ordinals, rows.conn)
        verdict.strays.clear()  # they are left out; what `numbers` says is of no use here
        settled, numbers = settle_incarnations([verdict])
        found = Reconstruction(
            settled.connections, settled.endpoints, settled.transitions, settled.histories, numbers
        )
        return found, ordinals

    def give_up(self, ordinals: Matrix) -> None:
        """Have these connections at hand no longer; one that is judged again comes back."""
        self._told = _without(self._told, ordinals)
        self._open = _without(self._open, ordinals)


def _ordinals(verdict: Verdict) -> Matrix:
    """Of all connections that a verdict is about, the stray ones included."""
    strays = np.array([one for one, _ in verdict.strays], np.int64)
    return np.concatenate([verdict.connections.conn, strays])


def _without(verdict: Verdict, ordinals: Matrix) -> Verdict:
    """The verdict without some connections."""
    kept = _others(verdict.connections.conn, ordinals)
    if kept.all():
        return verdict
    return Verdict(
        verdict.connections.take(kept),
        verdict.endpoints.take(_others(verdict.endpoints.conn, ordinals)),
        verdict.transitions.take(_others(verdict.transitions.conn, ordinals)),
        [verdict.histories[place] for place in np.flatnonzero(kept).tolist()],
        verdict.strays,
    )


def _others(conns: Matrix, ordinals: Matrix) -> npt.NDArray[np.bool_]:
    return ~np.isin(conns, ordinals, kind="sort")
