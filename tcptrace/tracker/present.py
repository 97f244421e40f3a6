"""`Present`: what is known at a moment of a live capture, of connections told for good and open."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Matrix
from tcptrace.tracker.incarnations import settle_incarnations
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.verdict import Verdict


class Present:
    """The verdicts at hand: of connections that are over the last `recent`, of the others all.

    A connection is named by its ordinal: how many had begun before it. It never changes.
    """

    def __init__(self, recent: int) -> None:
        self._recent = recent
        self._told: list[Verdict] = []
        self._open = Verdict.join([])

    def take(self, told: list[Verdict], judged: list[Verdict]) -> Matrix:
        """What was told for good, and judged as of now, since the last time; their ordinals.

        A connection that is in both is told for good.
        """
        final, fresh = Verdict.join(told), Verdict.join(judged)
        over = _ordinals(final)
        fresh = _without(fresh, over)
        stray = np.array([one for one, _ in fresh.strays], np.int64)
        replaced = np.concatenate([over, fresh.connections.conn, stray])
        self._open = Verdict.join([_without(self._open, replaced), fresh])
        self._told.append(final)
        self._give_up()
        return np.concatenate([final.connections.conn, fresh.connections.conn])

    def reconstruction(self) -> tuple[Reconstruction, Matrix]:
        """All that is at hand, and the ordinal of each connection of it."""
        verdict = Verdict.join([*self._told, self._open])
        ordinals = np.sort(verdict.connections.conn)
        for rows in (verdict.connections, verdict.endpoints, verdict.transitions):
            rows.conn[:] = np.searchsorted(ordinals, rows.conn)
        verdict.strays.clear()  # they have been left out; what `numbers` says is of no use here
        settled, numbers = settle_incarnations(verdict)
        found = Reconstruction(
            settled.connections, settled.endpoints, settled.transitions, settled.histories, numbers
        )
        return found, ordinals

    def _give_up(self) -> None:
        over = sum(len(verdict.connections) for verdict in self._told) - self._recent
        while self._told and over >= len(self._told[0].connections):
            over -= len(self._told.pop(0).connections)


def _ordinals(verdict: Verdict) -> Matrix:
    """Of all connections that a verdict is about, the stray ones included."""
    strays = np.array([one for one, _ in verdict.strays], np.int64)
    return np.concatenate([verdict.connections.conn, strays])


def _without(verdict: Verdict, ordinals: Matrix) -> Verdict:
    """The verdict without some connections."""
    if not len(ordinals):
        return verdict

    def others(rows: Matrix) -> npt.NDArray[np.bool_]:
        return ~np.isin(rows, ordinals)

    kept = others(verdict.connections.conn)
    return Verdict(
        verdict.connections.take(kept),
        verdict.endpoints.take(others(verdict.endpoints.conn)),
        verdict.transitions.take(others(verdict.transitions.conn)),
        [verdict.histories[place] for place in np.flatnonzero(kept).tolist()],
        [pair for pair in verdict.strays if pair[0] not in ordinals],
    )
