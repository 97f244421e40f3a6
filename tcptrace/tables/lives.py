"""`Lives`: each socket's stay in a state as arrays, listeners included.

A stay is [start, end): whoever asks for its end gets the next state. CLOSED is no socket.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.tables.table import NO_TIME
from tcptrace.tcp.states import Event, State

Numbers = npt.NDArray[np.int64]

NEVER = np.iinfo(np.int64).max
"""The end of a stay that nothing ends."""
NO_ROW = -1
"""The row of a listener, which belongs to no connection."""

_SERVICE = ["host", "port"]


@dataclass(frozen=True)
class Lives:
    """Stays, one a place in each array: int64, times in ns since the epoch.

    host : place of the address in the timeline's categories
    port : the socket's port
    row : the timeline's row, NO_ROW for a listener
    """

    host: Numbers
    port: Numbers
    state: Numbers
    start: Numbers
    end: Numbers
    row: Numbers

    @classmethod
    def of(cls, timeline: pd.DataFrame) -> Lives:
        """Of a whole timeline; its columns are those of `schema.TIMELINE`."""
        start, end = _ns(timeline["start"]), _ns(timeline["end"])
        state = _numbers(timeline["state"].cat.codes)
        kept = (state != State.CLOSED) & (state != State.LISTEN)
        connected = cls(
            _numbers(timeline["ip"].cat.codes),
            _numbers(timeline["port"]),
            state,
            start,
            np.where(end == NO_TIME, NEVER, end),
            np.arange(len(timeline)),
        ).take(kept)
        return _joined(connected, _listeners(timeline, state, start))

    def take(self, which: Any) -> Lives:
        """The chosen ones, by a mask or by places."""
        return Lives(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    def at(self, moment: int) -> Lives:
        """Those that are there at a moment, ns since the epoch."""
        return self.take((self.start <= moment) & (moment < self.end))

    def __len__(self) -> int:
        return len(self.host)


def _listeners(timeline: pd.DataFrame, state: Numbers, start: Numbers) -> Lives:
    """One stay in LISTEN for each service, from the first SYN that it took on.

    The timeline has a row in LISTEN for each connection; the listener is one socket, and stays
    while its children live. A SYN that is answered by RST shows that it has gone, the next one
    that it takes on that it is back.
    """
    told = pd.DataFrame(
        {
            "host": _numbers(timeline["ip"].cat.codes),
            "port": _numbers(timeline["port"]),
            "start": start,
            "listens": state == State.LISTEN,
        }
    )
    told = told[told["listens"] | _refusals(timeline, state)]
    told = told.sort_values([*_SERVICE, "start"], kind="stable")
    told = told[told["listens"] != told.groupby(_SERVICE)["listens"].shift()]
    told["end"] = told.groupby(_SERVICE)["start"].shift(-1, fill_value=NEVER)
    told = told[told["listens"]].assign(state=int(State.LISTEN), row=NO_ROW)
    return Lives(*(_numbers(told[name]) for name in Lives.__dataclass_fields__))


def _refusals(timeline: pd.DataFrame, state: Numbers) -> npt.NDArray[np.bool_]:
    """Which rows begin an endpoint with a RST of its own: nobody was listening."""
    conn = _numbers(timeline["conn"])
    role = _numbers(timeline["role"].cat.codes)
    goes_on = np.zeros(len(timeline), np.bool_)
    goes_on[1:] = (conn[1:] == conn[:-1]) & (role[1:] == role[:-1])
    reset = _numbers(timeline["event"].cat.codes) == Event.SND_RST
    refused: npt.NDArray[np.bool_] = (state == State.CLOSED) & reset & ~goes_on
    return refused


def _joined(first: Lives, second: Lives) -> Lives:
    pairs = ((getattr(first, name), getattr(second, name)) for name in first.__dataclass_fields__)
    return Lives(*(np.concatenate(pair) for pair in pairs))


def _numbers(column: pd.Series[Any]) -> Numbers:
    return np.asarray(column, np.int64)


def _ns(times: pd.Series[Any]) -> Numbers:
    return times.to_numpy("datetime64[ns]").view(np.int64)
