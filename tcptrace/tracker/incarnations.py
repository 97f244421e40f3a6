"""Connections of one four-tuple, one after the other: their numbers, and how the older one ended.

A SYN that opens a new incarnation ends what was left of the older one at both hosts (RFC 9293
section 3.6.1; Linux tcp_timewait_state_process, tcp_twsk_unique).
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Matrix
from tcptrace.tcp.states import Event, Role, State
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.transitions import Basis, Connections, Endpoints, EndReason, Transitions
from tcptrace.tracker.verdict import Verdict

_ENDS = ("hi", "lo", "port")

Numbered = TypeVar("Numbered", Endpoints, Transitions)


def settle_incarnations(verdicts: list[Verdict]) -> tuple[Verdict, Matrix]:
    """One verdict with conn from 0 in order of beginning, and the conn of each ordinal."""
    connections = Connections.concat([each.connections for each in verdicts])
    order = np.argsort(connections.conn, kind="stable")
    strays = [pair for each in verdicts for pair in each.strays]
    numbers = _numbers(connections.conn[order], strays)
    connections = connections.take(order)
    connections.conn[:] = np.arange(len(connections))
    endpoints = _numbered(Endpoints, [each.endpoints for each in verdicts], numbers)
    moves = _numbered(Transitions, [each.transitions for each in verdicts], numbers)
    moves = _replace_older(connections, moves)
    connections.four_tuple[:] = 0
    histories = [history for each in verdicts for history in each.histories]
    settled = [histories[place] for place in order.tolist()]
    return Verdict(connections, endpoints, moves, settled, []), numbers


def _numbers(ordinals: Matrix, strays: list[tuple[int, int]]) -> Matrix:
    """The conn of each ordinal, -1 for those of no connection; `ordinals` ascend."""
    born = max([int(ordinals[-1]) + 1 if len(ordinals) else 0, *(one + 1 for one, _ in strays)])
    numbers = np.full(born, -1, np.int64)
    numbers[ordinals] = np.arange(len(ordinals))
    for stray, home in strays:
        numbers[stray] = numbers[home]
    return numbers


def _numbered(kind: type[Numbered], batches: list[Numbered], numbers: Matrix) -> Numbered:
    """The rows with conn as `numbers` has it, by conn and role, else in the order given."""
    batches = batches or [kind.zeros(0)]
    conn = numbers[np.concatenate([batch.conn for batch in batches])]
    role = np.concatenate([batch.role for batch in batches])
    order = np.argsort(len(Role) * conn + role, kind="stable")
    numbered = kind.gather(batches, order)
    numbered.conn[:] = conn[order]
    return numbered


def _again(connections: Connections) -> list[tuple[int, int]]:
    """Pairs (older, newer) of connections of one four-tuple that follow each other."""
    keys = connections.four_tuple
    order = np.argsort(keys, kind="stable")  # they are in order of beginning
    same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    pairs = zip(order[same].tolist(), order[same + 1].tolist(), strict=True)
    return [pair for pair in pairs if _ends(connections, pair[0]) == _ends(connections, pair[1])]


def _ends(connections: Connections, place: int) -> set[tuple[int, ...]]:
    """Address and port of both ends."""
    return {
        tuple(int(getattr(connections, f"{prefix}_{part}")[place]) for part in _ENDS)
        for prefix in ("orig", "resp")
    }


def _replace_older(connections: Connections, moves: Transitions) -> Transitions:
    again = _again(connections)
    if not again:
        return moves
    starts = np.searchsorted(moves.conn, np.arange(len(connections) + 1))
    dropped = np.zeros(len(moves), np.bool_)
    added: list[Matrix] = []
    for older, newer in again:
        connections.incarnation[newer] = connections.incarnation[older] + 1
        flipped = int(
            connections.orig_port[older] != connections.orig_port[newer]
            or connections.orig_lo[older] != connections.orig_lo[newer]
        )
        outlived = [_outlives(moves, starts, older, newer, role, flipped) for role in (0, 1)]
        if connections.end_reason[older] != EndReason.EVICTED:  # nobody watched it until then
            connections.end_reason[older] = (
                connections.end_reason[newer] if any(outlived) else EndReason.PORT_REUSED
            )
        for role in (0, 1):
            opening = _opening(moves, starts, newer, role ^ flipped)
            if opening is not None and not outlived[role]:
                row = _replaced(moves, starts, older, role, opening, dropped)
                added += [] if row is None else [row]
    batches = [moves.take(~dropped) if dropped.any() else moves]
    if added:
        batches.append(Transitions(np.stack(added)))
    return _numbered(Transitions, batches, np.arange(len(connections))) if added else batches[0]


def _of(moves: Transitions, starts: Matrix, conn: int, role: int) -> list[int]:
    """The moves of one endpoint that stand."""
    span = range(int(starts[conn]), int(starts[conn + 1]))
    standing = [row for row in span if moves.basis[row] != Basis.RETRACTED]
    return [row for row in standing if moves.role[row] == role]


def _outlives(
    moves: Transitions, starts: Matrix, older: int, newer: int, role: int, flipped: int
) -> bool:
    """Whether an endpoint was done with the newer incarnation and went on with the older one.

    So it is with an old duplicate SYN that the listener answered (RFC 9293 figure 8).
    """
    later = _of(moves, starts, newer, role ^ flipped)
    known = [row for row in _of(moves, starts, older, role) if moves.basis[row] != Basis.TIMER]
    if not later or not known or moves.state[later[-1]] != State.CLOSED:
        return False
    done = moves.basis[later[-1]] != Basis.TIMER
    return bool(done and moves.time[known[-1]] > moves.time[later[-1]])


def _opening(moves: Transitions, starts: Matrix, conn: int, role: int) -> Matrix | None:
    """The row by which an endpoint of the new incarnation came to be; None if it never was."""
    for row in _of(moves, starts, conn, role):
        if moves.state[row] in (State.SYN_SENT, State.SYN_RCVD):
            found: Matrix = moves.matrix[row]
            return found
    return None


def _replaced(
    moves: Transitions,
    starts: Matrix,
    conn: int,
    role: int,
    opening: Matrix,
    dropped: npt.NDArray[np.bool_],
) -> Matrix | None:
    """The row that closes an older endpoint, unless it was closed by then.

    A RST that an endpoint sends after the SYN of its next incarnation comes from SYN_SENT, which
    answers an ACK of the old numbers (RFC 9293 section 3.5.1): the older one was gone before.
    """
    rows = _of(moves, starts, conn, role)
    moment = int(opening[Transitions.index("time")])
    reborn = opening[Transitions.index("state")] == State.SYN_SENT
    late = [
        row
        for row in rows
        if (moves.time[row] >= moment and moves.basis[row] == Basis.TIMER)
        or (reborn and moves.latest[row] >= moment and moves.event[row] == Event.SND_RST)
    ]
    dropped[late] = True
    left = [row for row in rows if row not in late]
    if not left or moves.state[left[-1]] in (State.CLOSED, State.LISTEN):
        return None
    row = opening.copy()
    row[Transitions.index("conn")], row[Transitions.index("role")] = conn, role
    row[Transitions.index("state")] = State.CLOSED
    row[Transitions.index("event")] = Event.REPLACED
    row[Transitions.index("reason")] = Reason.NEW_INCARNATION
    row[Transitions.index("time")] = max(moment, int(moves.time[left[-1]]))
    row[Transitions.index("latest")] = max(
        row[Transitions.index("latest")], row[Transitions.index("time")]
    )
    row[Transitions.index("basis")] = Basis.INFERRED
    since = min(int(moves.earliest[left[-1]]), moment)
    vanished = reborn and moves.state[left[-1]] != State.TIME_WAIT  # at any time since
    early = Transitions.index("earliest")  # of a SYN whose copies may have been lost: long ago
    row[early] = since if vanished else max(row[early], since)
    return row
