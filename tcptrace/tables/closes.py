"""Who ended a connection first, and by what: read off the two endpoints' moves.

The moves know it better than packet times do: of two FINs the one that began the close is its
sender's FIN_WAIT_1, and where both endpoints were in FIN_WAIT_1 the close was simultaneous,
whatever order a tap far away saw (RFC 9293 section 3.6, figures 12 and 13).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tcptrace.tables.schema import CLOSE_KINDS, CLOSERS
from tcptrace.tcp.states import Event, Role, State
from tcptrace.tracker.transitions import Basis, Transitions

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_NEVER = np.iinfo(np.int64).max
_TIMEOUTS = (Event.TIMEOUT_RETRANSMISSION, Event.TIMEOUT_FIN_WAIT_2)
_BOTH, _NONE = CLOSERS.index("both"), CLOSERS.index("none")
_FIN, _NO_CLOSE = CLOSE_KINDS.index("fin"), CLOSE_KINDS.index("none")


@dataclass(frozen=True)
class Closes:
    """Per connection: places in CLOSERS and in CLOSE_KINDS."""

    closer: Numbers
    kind: Numbers

    @classmethod
    def of(cls, moves: Transitions, connections: int, until: int) -> Closes:
        """From the moves of `connections` connections, as far as they came before `until`, ns."""
        moves = moves.take((moves.basis != Basis.RETRACTED) & (moves.time <= until))
        ended = (moves.state == State.CLOSED) | (moves.state == State.LISTEN)
        sent, received = moves.event == Event.SND_RST, moves.event == Event.RCV_RST
        fin = _first(moves, moves.event == Event.SND_FIN, connections)
        reset = np.minimum(
            _first(moves, ended & sent, connections),
            _first(moves, ended & received, connections)[:, ::-1],
        )
        timeout = _first(moves, ended & np.isin(moves.event, _TIMEOUTS), connections)
        times = np.stack([fin, reset, timeout], axis=1)
        earliest = times.min(axis=2)
        kind = earliest.argmin(axis=1)
        kind[earliest.min(axis=1, initial=_NEVER) == _NEVER] = _NO_CLOSE
        by_time = times.argmin(axis=2)[np.arange(connections), np.minimum(kind, 2)]
        closer = np.where(kind == _FIN, _by_fin(moves, connections), by_time)
        return cls(np.where(kind == _NO_CLOSE, _NONE, closer), kind)


def _first(moves: Transitions, which: Mask, connections: int) -> Numbers:
    """The earliest time of the chosen moves, by connection and role; _NEVER without any."""
    first = np.full((connections, len(Role)), _NEVER)
    np.minimum.at(first, (moves.conn[which], moves.role[which]), moves.time[which])
    return first


def _by_fin(moves: Transitions, connections: int) -> Numbers:
    """Who closed actively, as far as a FIN tells: FIN_WAIT_1 is the closer's, LAST_ACK is not."""
    closed_by = np.zeros((connections, len(Role)), np.bool_)
    sent_fin = moves.event == Event.SND_FIN
    passive = sent_fin & (moves.state == State.LAST_ACK)
    closed_by[moves.conn[passive], 1 - moves.role[passive]] = True
    active = sent_fin & (moves.state == State.FIN_WAIT_1)
    closed_by[moves.conn[active], moves.role[active]] = True
    both = closed_by.all(axis=1)
    return np.where(both, _BOTH, closed_by.argmax(axis=1)).astype(np.int64)
