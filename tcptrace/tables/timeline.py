"""The table `timeline`: one row a state interval of one endpoint, in the endpoint's own order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.tables.connections import addresses
from tcptrace.tables.schema import BASES, TIMELINE
from tcptrace.tables.table import NO_TIME
from tcptrace.tcp.states import Role
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.transitions import Basis, Connections, Transitions

Numbers = npt.NDArray[np.int64]

_BASIS_PLACES = np.array(
    [BASES.index(basis.name.lower()) if basis.name.lower() in BASES else -1 for basis in Basis]
)


def timeline(found: Reconstruction) -> pd.DataFrame:
    """The table of a reconstruction; moves that were taken back are not in it."""
    moves = found.transitions.take(found.transitions.basis != Basis.RETRACTED)
    start = _in_order(moves)
    end = ends(moves, start)
    open_end = end == NO_TIME
    values = {
        "conn": moves.conn,
        "role": moves.role,
        **_endpoints(moves, found.connections),
        "state": moves.state,
        "start": start,
        "end": end,
        "duration": np.where(open_end, NO_TIME, np.where(open_end, 0, end) - start),
        "event": moves.event,
        "basis": _BASIS_PLACES[moves.basis],
        "packet": (moves.packet, moves.packet == 0),
        "confirmed_by": (moves.confirmed_by, moves.confirmed_by == 0),
        "earliest": np.where(moves.earliest > 0, moves.earliest, NO_TIME),
        "latest": moves.latest,
    }
    return TIMELINE.frame(values)


def ends(moves: Transitions, start: Numbers) -> Numbers:
    """When each state was left: the endpoint's next entry; NO_TIME for its last row."""
    end = np.full(len(moves), NO_TIME, np.int64)
    if len(moves):
        endpoint = moves.conn * len(Role) + moves.role
        goes_on = endpoint[1:] == endpoint[:-1]
        end[:-1][goes_on] = start[1:][goes_on]
    return end


def _in_order(moves: Transitions) -> Numbers:
    """Each endpoint's entries, none before the one that it follows: a clock may step back."""
    endpoint = moves.conn * len(Role) + moves.role
    back = (endpoint[1:] == endpoint[:-1]) & (moves.time[1:] < moves.time[:-1])
    if not back.any():
        return moves.time
    return pd.Series(moves.time).groupby(endpoint).cummax().to_numpy(np.int64)


def _endpoints(moves: Transitions, rows: Connections) -> dict[str, Any]:
    """Address and port of each move's endpoint and of its peer."""
    originators, responders, names = addresses(rows)
    ours = moves.role == Role.ORIGINATOR
    originator, responder = originators[moves.conn], responders[moves.conn]
    orig_port, resp_port = rows.orig_port[moves.conn], rows.resp_port[moves.conn]
    return {
        "ip": (np.where(ours, originator, responder), names),
        "port": np.where(ours, orig_port, resp_port),
        "peer_ip": (np.where(ours, responder, originator), names),
        "peer_port": np.where(ours, resp_port, orig_port),
    }
