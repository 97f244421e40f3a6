"""`story`: what happened to one connection, line by line, and why each move is believed or not.

Unlike the timeline it tells the moves that were taken back, and what the capture leaves open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge

import numpy as np

from tcptrace.tables.addresses import address
from tcptrace.tables.closes import end_reasons
from tcptrace.tables.schema import EVENTS
from tcptrace.tables.wording import MICROSECOND, SECOND, endpoint, span
from tcptrace.tcp.states import Event, Role, State
from tcptrace.tracker.reasons import WORDS, Reason
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.transitions import (
    Basis,
    Connections,
    EndReason,
    Orientation,
    Transitions,
    Vantage,
)

_KNOWN_BY = {
    Orientation.SYN: "it sent the SYN",
    Orientation.SYNACK: "it was sent a SYN,ACK",
    Orientation.PORT: "the ports suggest it",
    Orientation.FIRST_PACKET: "it sent the first packet seen; nothing better is known",
}
_TAP = {
    Vantage.UNKNOWN: "Where the tap stands is not known.",
    Vantage.ORIGINATOR: "The tap stands beside the originator.",
    Vantage.MIDDLE: "The tap stands on the path between the two.",
    Vantage.RESPONDER: "The tap stands beside the responder.",
}
_ENDED = {
    EndReason.CLOSED: "The connection was closed.",
    EndReason.RESET: "The connection was reset.",
    EndReason.TIMER: "A timer ended the connection.",
    EndReason.PORT_REUSED: "A new connection took over the same addresses and ports.",
    EndReason.IDLE: "Nothing was heard for so long that the connection was given up.",
    EndReason.CAPTURE_END: "The connection was still open when the capture ended.",
    EndReason.EVICTED: "There were too many connections at once: this one was no longer followed.",
}


_OF_A_MOVE = (
    *("state", "event", "basis", "time", "earliest", "latest"),
    *("packet", "confirmed_by", "reason"),
)


class Story(list[str]):
    """Lines of a story; printed one below the other."""

    def __str__(self) -> str:
        return "\n".join(self)

    __repr__ = __str__


@dataclass(frozen=True)
class Move:
    """One move and the state it left; `left` is None for an endpoint's first."""

    role: Role
    left: State | None
    entered: State
    event: Event
    basis: Basis
    time: int
    earliest: int
    latest: int
    packet: int
    confirmed_by: int
    reason: int


def story(found: Reconstruction, conn: int, until: int) -> Story:
    """The story of one connection of a capture that ended at `until`, ns.

    Times are counted from its first packet.
    """
    row = found.connections.take(slice(conn, conn + 1))
    own = found.transitions.conn
    first, end = np.searchsorted(own, conn, "left"), np.searchsorted(own, conn, "right")
    moves = list(moves_of(found.transitions.take(slice(int(first), int(end)))))
    begin = int(row.time_start[0])
    return Story(
        [
            *_opening(row),
            *(_told(move, begin) for move in moves),
            *_open_ends(moves, begin, until),
            _ENDED[EndReason(int(end_reasons(found, until)[conn]))],
        ]
    )


def moves_of(rows: Transitions) -> Iterator[Move]:
    """The moves of both endpoints in order of time, each endpoint's in its own order."""
    sides = [_side(rows.take(rows.role == role), role) for role in Role]
    return merge(*sides, key=lambda move: move.time)


def _side(rows: Transitions, role: Role) -> Iterator[Move]:
    state: State | None = None
    columns = [getattr(rows, name).tolist() for name in _OF_A_MOVE]
    for cells in zip(*columns, strict=True):
        entered, event, basis = State(cells[0]), Event(cells[1]), Basis(cells[2])
        yield Move(role, state, entered, event, basis, *cells[3:])
        if basis is not Basis.RETRACTED:
            state = entered


def _opening(row: Connections) -> Iterator[str]:
    orig = endpoint(address(int(row.orig_hi[0]), int(row.orig_lo[0])), int(row.orig_port[0]))
    resp = endpoint(address(int(row.resp_hi[0]), int(row.resp_lo[0])), int(row.resp_port[0]))
    known_by = _KNOWN_BY[Orientation(int(row.orientation[0]))]
    yield f"{orig} is the originator ({known_by}), {resp} the responder."
    yield _TAP[Vantage(int(row.vantage[0]))]
    if row.incarnation[0]:
        yield f"These addresses and ports had been in use before: incarnation {row.incarnation[0]}."
    if row.mid_stream[0]:
        yield "The connection is older than the capture: its beginning was not seen."
    if row.one_sided[0]:
        yield "Only one direction was captured: what the silent endpoint did is deduced."


def _told(move: Move, begin: int) -> str:
    taken_back = move.basis is Basis.RETRACTED
    arrow = (
        f"{move.left.name} → {move.entered.name}" if move.left is not None else move.entered.name
    )
    head = f"{_relative(move.time - begin):>12}  {move.role.name.lower():<10}"
    cause = EVENTS[move.event] + (f", packet {move.packet}" if move.packet else "")
    words = WORDS[Reason(move.reason)]
    why = f" ({words})" if words and move.basis not in _SAYS_WHY else ""
    exact = move.latest == move.earliest or move.basis in (Basis.ASSUMED, Basis.RETRACTED)
    known = "" if exact else f", to {span(move.latest - move.earliest)}"
    return (
        f"{head}  {'not ' * taken_back}{arrow} by {cause}; {_BASES[move.basis](move)}{why}{known}."
    )


def _proved(move: Move, by_packet: str, otherwise: str) -> str:
    return f"{by_packet} {move.confirmed_by}" if move.confirmed_by else otherwise


_SAYS_WHY = (Basis.OBSERVED, Basis.TIMER, Basis.ASSUMED)  # the basis itself is the reason

_BASES: dict[Basis, Callable[[Move], str]] = {
    Basis.OBSERVED: lambda move: "observed in its own segment",
    Basis.CONFIRMED: lambda move: _proved(move, "presumed, then proved by packet", "proved"),
    Basis.PRESUMED: lambda move: "presumed, neither proved nor contradicted later",
    Basis.INFERRED: lambda move: _proved(
        move, "inferred from packet", "inferred from what followed"
    ),
    Basis.TIMER: lambda move: "predicted by the profile's timers, no packet shows it",
    Basis.ASSUMED: lambda move: "assumed to have been so before",
    Basis.RETRACTED: lambda move: _proved(
        move, "presumed, then taken back because of packet", "taken back"
    ),
}


def _open_ends(moves: list[Move], begin: int, end: int) -> Iterator[str]:
    """What nothing in the capture settles: states that it does not see left."""
    for role in Role:
        seen = [m for m in moves if m.role is role and m.basis is not Basis.RETRACTED]
        seen = [m for m in seen if m.basis is not Basis.TIMER or m.time <= end]
        if seen and seen[-1].entered not in (State.CLOSED, State.LISTEN):
            yield (
                f"Left open: no packet shows the {role.name.lower()} leaving "
                f"{seen[-1].entered.name}, which it entered at {_relative(seen[-1].time - begin)}, "
                f"{span(max(end - seen[-1].time, 0))} before the capture's end."
            )


def _relative(ns: int) -> str:
    """Seconds since the first packet, to the microsecond."""
    sign = "-" if ns < 0 else ""
    return f"{sign}{abs(ns) // SECOND}.{abs(ns) % SECOND // MICROSECOND:06d}"
