"""`Verdict`: what is said of connections that were judged, and how it is put into its tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Matrix
from tcptrace.tracker.groups import Stray
from tcptrace.tracker.orientation import orientations, vantages
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Slots, Tallies
from tcptrace.tracker.transitions import Connections, Endpoints, Transitions
from tcptrace.tracker.zeek_rows import ZeekRows

_TALLIED = (
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
)


@dataclass(frozen=True)
class Counted:
    """What was counted of connections while they were open, one row a connection.

    tallies : two rows a connection; zeek, histories : Zeek's row and its history.
    """

    tallies: Tallies
    zeek: ZeekRows
    histories: list[str]


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
        """All of them, one after the other."""
        return cls(
            Connections.concat([v.connections for v in verdicts]),
            Endpoints.concat([v.endpoints for v in verdicts]),
            Transitions.concat([v.transitions for v in verdicts]),
            [history for v in verdicts for history in v.histories],
            [stray for v in verdicts for stray in v.strays],
        )

    def take(self, which: npt.NDArray[np.bool_]) -> Verdict:
        """What is said of the chosen connections; strays stay. Endpoints stand two by two."""
        if which.all():
            return self
        order = np.argsort(self.connections.conn)
        place = order[np.searchsorted(self.connections.conn[order], self.transitions.conn)]
        return Verdict(
            self.connections.take(which),
            self.endpoints.take(np.repeat(which, 2)),
            self.transitions.take(which[place]),
            [self.histories[chosen] for chosen in np.flatnonzero(which).tolist()],
            self.strays,
        )


@dataclass(frozen=True)
class Judged:
    """Connections as the kernels leave them: side 0 and 1 by who spoke first, conn by place.

    sides : in the room where they were judged, until others are.
    """

    slots: Slots
    sides: Sides
    endpoints: Endpoints
    moves: Transitions
    strays: list[Stray]

    def verdict(self, counted: Counted) -> Verdict:
        """The tables: originator and responder instead of sides, ordinals instead of places.

        Rows stay in the order of sides; they are ordered once, when incarnations are settled.
        """
        swapped, orientation = orientations(self.slots, self.sides)
        ordinals, moves, endpoints = self.slots.ordinal.copy(), self.moves, self.endpoints
        _fill_tallies(endpoints, counted)
        self._count_strays()
        moves.role[:] ^= swapped[moves.conn]
        moves.conn[:] = ordinals[moves.conn]
        endpoints.conn[:] = np.repeat(ordinals, 2)
        endpoints.role[:] = np.tile([0, 1], len(ordinals)) ^ np.repeat(swapped, 2)
        connections = self._connections(swapped, counted.zeek)
        connections.orientation[:] = orientation
        return Verdict(
            connections,
            endpoints,
            moves,
            counted.histories,
            [(stray.ordinal, stray.home) for stray in self.strays],
        )

    def _count_strays(self) -> None:
        """A stray SYN is a segment of the connection that it strayed into."""
        for stray in self.strays:
            for place in np.flatnonzero(self.slots.ordinal == stray.home).tolist():
                self.endpoints.segments[2 * place + stray.side] += 1
                self.endpoints.duplicates[2 * place + stray.side] += stray.copies

    def _connections(self, swapped: Matrix, zeek: ZeekRows) -> Connections:
        slots, sides = self.slots, self.sides
        made = Connections.zeros(len(slots))
        made.conn[:] = slots.ordinal
        for role, prefix in enumerate(("orig", "resp")):
            for part in ("hi", "lo", "port"):
                pair = [getattr(slots, f"{part}_{side}") for side in (0, 1)]
                getattr(made, f"{prefix}_{part}")[:] = np.where(swapped == role, pair[0], pair[1])
            near = np.where(swapped == role, sides.turnaround[0::2], sides.turnaround[1::2])
            getattr(made, f"rtt_{prefix}")[:] = near
        made.four_tuple[:] = slots.hash
        made.path[:], made.file[:], made.end_reason[:] = slots.path, slots.file, slots.end_reason
        made.time_start[:], made.time_end[:] = slots.time_start, slots.time_end
        made.first_packet[:], made.last_packet[:] = slots.packet_start, slots.packet_end
        opens = (sides.iss >= 0) | (sides.active == 1)
        made.mid_stream[:] = ~opens.reshape(-1, 2).any(axis=1)
        made.one_sided[:] = _one_sided(sides)
        made.vantage[:] = vantages(made)
        made.conn_state[:], made.completeness[:] = zeek.conn_state, zeek.completeness
        made.zeek_swapped[:] = zeek.swapped ^ swapped
        return made


def _fill_tallies(endpoints: Endpoints, counted: Counted) -> None:
    for name in _TALLIED:
        getattr(endpoints, name)[:] = getattr(counted.tallies, name)
    endpoints.duplicates[:] = counted.tallies.copies
    endpoints.unseen[:] = counted.tallies.unseen > 0
    for side in (0, 1):
        endpoints.zeek_bytes[side::2] = getattr(counted.zeek, f"bytes_{side}")
        endpoints.zeek_packets[side::2] = getattr(counted.zeek, f"packets_{side}")
        endpoints.missed_bytes[side::2] = getattr(counted.zeek, f"missed_{side}")


def _one_sided(sides: Sides) -> npt.NDArray[np.bool_]:
    """One endpoint never spoke, yet the other acknowledges what it must have sent."""
    spoke, una = sides.spoke.reshape(-1, 2), sides.una.reshape(-1, 2)
    unseen: npt.NDArray[np.bool_] = ((spoke == 0) & (una > 0)).any(axis=1)
    return unseen
