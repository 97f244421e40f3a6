"""Who ended a connection first, by what, and why it is over: read off the endpoints' moves.

The moves know it better than packet times do: of two FINs the one that began the close is its
sender's FIN_WAIT_1, and where both endpoints were in FIN_WAIT_1 the close was simultaneous,
whatever order a tap far away saw (RFC 9293 section 3.6, figures 12 and 13).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Chosen, one_of
from tcptrace.tables.schema import CLOSE_KINDS, CLOSERS
from tcptrace.tcp.states import Event, Role, State
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.transitions import EndReason

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_NEVER = np.iinfo(np.int64).max
_ENDED = (State.CLOSED, State.LISTEN, State.TIME_WAIT)
_RESETS = (Event.SND_RST, Event.RCV_RST)
_TIMEOUTS = (Event.TIMEOUT_RETRANSMISSION, Event.TIMEOUT_FIN_WAIT_2)
_LOST = (*_TIMEOUTS, Event.RCV_ICMP_ERROR)
_BOTH, _NONE = CLOSERS.index("both"), CLOSERS.index("none")
_FIN, _NO_CLOSE = CLOSE_KINDS.index("fin"), CLOSE_KINDS.index("none")


@dataclass(frozen=True)
class Closes:
    """Per connection: places in CLOSERS and in CLOSE_KINDS."""

    closer: Numbers
    kind: Numbers

    @classmethod
    def of(cls, found: Reconstruction, until: int) -> Closes:
        """From the moves that stand at `until`, ns."""
        moves, connections = found.standing(until), len(found.connections)
        ended = (moves.state == State.CLOSED) | (moves.state == State.LISTEN)
        sent, received = moves.event == Event.SND_RST, moves.event == Event.RCV_RST
        fin = _first(moves, moves.event == Event.SND_FIN, connections)
        reset = np.minimum(
            _first(moves, ended & sent, connections),
            _first(moves, ended & received, connections)[:, ::-1],
        )
        timeout = _first(moves, ended & one_of(moves.event, _TIMEOUTS), connections)
        times = np.stack([fin, reset, timeout])
        earliest = np.minimum(times[:, :, 0], times[:, :, 1])  # of a pair sooner than along an axis
        kind = earliest.argmin(axis=0)
        kind[earliest.min(axis=0, initial=_NEVER) == _NEVER] = _NO_CLOSE
        chosen = times[np.minimum(kind, 2), np.arange(connections)]
        by_time = (chosen[:, 1] < chosen[:, 0]).astype(np.int64)
        closer = np.where(kind == _FIN, _by_fin(moves, connections), by_time)
        return cls(np.where(kind == _NO_CLOSE, _NONE, closer), kind)


def end_reasons(found: Reconstruction, until: int) -> Numbers:
    """Why each connection is over, EndReason: what its endpoints' last moves say, if they ended.

    An endpoint has ended in CLOSED, in LISTEN and, having nothing more to do, in TIME_WAIT. Where
    one has not, the tracker's reason for letting go of the connection stands.
    """
    count = len(found.connections)
    moves = found.standing(until)
    last = np.full((count, len(Role)), -1, np.int64)
    last[moves.conn, moves.role] = np.arange(len(moves))  # of equal places, the last row stays
    none = last < 0
    state = np.where(none, State.CLOSED, moves.state[last] if len(moves) else State.CLOSED)
    event = np.where(none, -1, moves.event[last] if len(moves) else -1)
    ended = _both(one_of(state, _ENDED)) & ~_both(none)
    reason = np.full(count, int(EndReason.CLOSED))
    reason[_either(one_of(event, _LOST))] = EndReason.TIMER
    reason[_either(event == Event.REPLACED)] = EndReason.PORT_REUSED
    reason[_either(one_of(event, _RESETS))] = EndReason.RESET
    return np.where(ended, reason, found.connections.end_reason)


def _first(moves: Chosen, which: Mask, connections: int) -> Numbers:
    """The earliest time of the chosen moves, by connection and role; _NEVER without any."""
    first = np.full(connections * len(Role), _NEVER)
    np.minimum.at(first, (moves.conn * len(Role) + moves.role)[which], moves.time[which])
    return first.reshape(-1, len(Role))


def _both(ends: Mask) -> Mask:
    return ends[:, Role.ORIGINATOR] & ends[:, Role.RESPONDER]


def _either(ends: Mask) -> Mask:
    return ends[:, Role.ORIGINATOR] | ends[:, Role.RESPONDER]


def _by_fin(moves: Chosen, connections: int) -> Numbers:
    """Who closed actively, as far as a FIN tells: FIN_WAIT_1 is the closer's, LAST_ACK is not."""
    closed_by = np.zeros((connections, len(Role)), np.bool_)
    sent_fin = moves.event == Event.SND_FIN
    passive = sent_fin & (moves.state == State.LAST_ACK)
    closed_by[moves.conn[passive], 1 - moves.role[passive]] = True
    active = sent_fin & (moves.state == State.FIN_WAIT_1)
    closed_by[moves.conn[active], moves.role[active]] = True
    by_responder_alone = closed_by[:, Role.RESPONDER] & ~closed_by[:, Role.ORIGINATOR]
    return np.where(_both(closed_by), _BOTH, by_responder_alone).astype(np.int64)
