"""`Kept`: of connections that come piece by piece, what detectors look at, in little memory.

No finding is final before the capture's end: one more connection at a service changes its count,
its sentences and its place. So connections are kept, but no more of them than the columns named
here, each as narrow as a piece's values let it be.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Matrix, Rows
from tcptrace.packed import Packed
from tcptrace.tcp.states import Role
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.transitions import Connections, Endpoints, Transitions

COLUMNS: dict[type[Rows], tuple[str, ...]] = {
    Connections: (
        *("orig_hi", "orig_lo", "orig_port", "resp_hi", "resp_lo", "resp_port", "incarnation"),
        *("time_start", "time_end", "end_reason", "vantage", "mid_stream", "one_sided"),
        *("rtt_orig", "rtt_resp", "first_packet"),
    ),
    Endpoints: (
        *("segments", "payload", "last_time", "last_packet", "gap", "unacked", "unseen"),
        *("syn_count", "syn_time", "syn_packet", "syn_last_time", "syn_last_packet"),
        *("syn_answered", "acks_ignored", "established", "icmp"),
        *("fin_count", "fin_time", "fin_packet", "fin_last_time", "fin_last_packet"),
        *("fin_acked_time", "fin_acked_packet"),
        *("half_close_packet", "half_close_payload", "half_close_acked"),
        *("rst_count", "rst_time", "rst_packet", "rst_form"),
        *("missed_bytes", "duplicates", "reordered", "bad_checksums"),
        *("offloaded", "super_segments"),
    ),
    Transitions: ("conn", "role", "time", "state", "event", "basis"),
}


class KeptRows:
    """Rows of one table, of all pieces; a column is made int64 when it is asked for."""

    def __init__(self, kind: type[Rows], parts: list[Packed], order: Matrix) -> None:
        """`order` are the places of the rows in the parts, one part after the other."""
        self._kind = kind
        self._parts = parts
        self._order = order

    def __len__(self) -> int:
        return len(self._order)

    def __getattr__(self, name: str) -> Matrix:
        if name not in COLUMNS[self._kind]:
            raise AttributeError(f"{self._kind.__name__} are kept without {name!r}")
        place = COLUMNS[self._kind].index(name)
        return np.concatenate([part.column(place) for part in self._parts])[self._order]

    def take(self, which: npt.NDArray[np.bool_]) -> KeptRows:
        """The rows picked by a mask."""
        return KeptRows(self._kind, self._parts, self._order[which])


class Kept:
    """Takes pieces of connections in any order; every number from 0 comes once."""

    def __init__(self) -> None:
        self._numbers: list[Matrix] = []
        self._parts: dict[type[Rows], list[Packed]] = {kind: [] for kind in COLUMNS}

    def add(self, found: Reconstruction, conns: Matrix) -> None:
        """A piece, whose connections have these numbers."""
        if not len(conns):
            return
        self._numbers.append(conns)
        moves = found.transitions
        numbered = Transitions(moves.matrix.copy())
        numbered.conn[:] = conns[moves.conn]
        for rows in (found.connections, found.endpoints, numbered):
            places = [rows.index(name) for name in COLUMNS[type(rows)]]
            self._parts[type(rows)].append(Packed.of(rows.matrix[:, places]))

    def found(self) -> Reconstruction:
        """All of them as detectors want them: in the order of their numbers."""
        numbers = np.concatenate([np.zeros(0, np.int64), *self._numbers])
        order = np.argsort(numbers)
        ends = (order[:, None] * len(Role) + np.arange(len(Role))).reshape(-1)
        moves = self._rows(Transitions, np.arange(sum(p.count for p in self._parts[Transitions])))
        tables: Any = (  # they are asked for columns, as the tables themselves are
            self._rows(Connections, order),
            self._rows(Endpoints, ends),
            self._rows(Transitions, np.argsort(moves.conn, kind="stable")),
        )
        connections, endpoints, transitions = tables
        return Reconstruction(connections, endpoints, transitions, [], np.sort(numbers))

    def _rows(self, kind: type[Rows], order: Matrix) -> KeptRows:
        none = Packed.of(np.zeros((0, len(COLUMNS[kind])), np.int64))
        return KeptRows(kind, self._parts[kind] or [none], order)
