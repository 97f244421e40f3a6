"""The table `sockets`: what `ss -tan` would have shown on each host at an instant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tcptrace.errors import UsageError
from tcptrace.tables.lives import NO_ROW, Lives
from tcptrace.tables.schema import BASES, SOCKETS
from tcptrace.tables.table import NO_TIME
from tcptrace.tcp.states import State
from tcptrace.tracker.transitions import Basis


def sockets(timeline: pd.DataFrame, at: Any) -> pd.DataFrame:
    """The sockets of a timeline at a moment, by host, listeners first; `schema.SOCKETS`.

    at : as `moment` takes it

    What no packet shows is in it as in the timeline: timers end silent states by the profile,
    and a service that took a SYN on is assumed to listen from then on.
    """
    instant = moment(at)
    lives = Lives.of(timeline).at(instant)
    lives = lives.take(np.lexsort((lives.row, lives.state != State.LISTEN, lives.host)))
    listens = lives.row == NO_ROW
    names = timeline["ip"].cat.categories
    basis = _codes(timeline, "basis", lives.row)
    values = {
        "ip": (lives.host, names),
        "port": lives.port,
        "peer_ip": (_codes(timeline, "peer_ip", lives.row), timeline["peer_ip"].cat.categories),
        "peer_port": (_numbers(timeline, "peer_port", lives.row), listens),
        "state": lives.state,
        "since": lives.start,
        "age": instant - lives.start,
        "basis": np.where(listens, BASES.index(Basis.ASSUMED.name.lower()), basis),
        "conn": (_numbers(timeline, "conn", lives.row), listens),
        "role": _codes(timeline, "role", lives.row),
    }
    return SOCKETS.frame(values)


def moment(at: Any) -> int:
    """ns since the epoch of a moment: a Timestamp, a datetime, ISO 8601 text, or ns as an int.

    Without a zone it is UTC. UsageError for what is no moment.
    """
    try:
        stamp = pd.Timestamp(at)
        stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp
        ns = int(stamp.as_unit("ns").value)
    except (ValueError, TypeError, OverflowError, AttributeError):
        ns = NO_TIME
    if ns == NO_TIME:
        raise UsageError(f"{at!r} is no time such as 2026-11-25T03:42:29.5Z")
    return ns


def _codes(timeline: pd.DataFrame, column: str, rows: Any) -> Any:
    """Places of a categorical column's cells; -1 for NO_ROW."""
    codes = timeline[column].cat.codes.to_numpy(np.int64)
    return np.append(codes, -1)[rows]  # NO_ROW is the last place


def _numbers(timeline: pd.DataFrame, column: str, rows: Any) -> Any:
    """Numbers of an integer column; 0 for NO_ROW."""
    return np.append(timeline[column].to_numpy(np.int64), 0)[rows]
