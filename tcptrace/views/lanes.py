"""`Lanes`: which connections a swimlane shows, and each stay of their endpoints as a bar.

Only the picked connections are walked, so that a capture of any size is drawn at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.errors import UsageError
from tcptrace.tables.schema import ROLES, SEVERITIES
from tcptrace.tables.table import NO_TIME
from tcptrace.tables.wording import counted, endpoint
from tcptrace.tcp.states import Role, State

Numbers = npt.NDArray[np.int64]

MOST = 30
"""As many connections as still can be read on one page."""
RESETS = ("snd RST", "rcv RST")
OVER = (State.CLOSED.name, State.TIME_WAIT.name)
"""Where nothing more is to come: a minute of TIME_WAIT would leave no room for what was before."""
_MOVE = ("conn", "role", "state", "basis", "event", "start", "end")


@dataclass(frozen=True)
class Bar:
    """A stay of one endpoint; `end` is None if the capture does not see it left. Times in ns."""

    lane: int
    state: str
    basis: str
    event: str
    start: int
    end: int | None

    @property
    def is_closed(self) -> bool:
        return self.state == State.CLOSED.name

    @property
    def by_reset(self) -> bool:
        """Whether it begins by a reset."""
        return self.event in RESETS


@dataclass(frozen=True)
class Pin:
    """A finding about one endpoint: when it began, and how bad it is."""

    lane: int
    time: int
    severity: str


@dataclass(frozen=True)
class Lanes:
    """Two lanes a connection, the originator's first; lane 2n is the n-th connection's.

    conns : the numbers of the connections, in order of their first packets
    names : address and port of each lane's endpoint
    codes : the codes of each connection's anomalies
    zero, end : ns, the first packet of any, and the last one or the end of the last stay that is
        neither in TIME_WAIT nor beyond the capture
    """

    conns: list[int]
    names: list[str]
    codes: list[str]
    bars: list[Bar]
    pins: list[Pin]
    zero: int
    end: int
    caption: str

    @property
    def begin(self) -> int:
        """The first moment of any bar: a SYN leaves before the tap sees it."""
        return min([self.zero, *(bar.start for bar in self.bars if bar.basis != "assumed")])


def lanes(
    tables: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
    until: int,
    conns: Iterable[int] | None = None,
    most: int = MOST,
) -> Lanes:
    """The lanes of the `most` connections that matter: the worst findings first, then time.

    tables : connections, timeline and anomalies of a trace
    until : when the capture ended, ns
    conns : the numbers of those that are asked for, instead of all

    UsageError for connections that are not there, or if there is none to draw.
    """
    connections, timeline, anomalies = tables
    asked = connections if conns is None else connections.loc[_checked(conns, len(connections))]
    rows = asked.iloc[matter_most(asked, anomalies, most)]
    if not len(rows):
        raise UsageError("there is nothing to draw: no connection")
    picked = rows.index.to_numpy(np.int64)
    places = {int(conn): place for place, conn in enumerate(picked)}
    bars = _bars(timeline[timeline["conn"].isin(picked)], places)
    last = int(rows["ts_end"].max().value)
    stays = [bar for bar in bars if bar.state not in OVER]
    seen = [until if bar.end is None else min(bar.end, until) for bar in stays]
    return Lanes(
        conns=[int(conn) for conn in picked],
        names=[name for row in rows.to_dict("records") for name in _names(row)],
        codes=[str(codes) for codes in rows["anomalies"]],
        bars=bars,
        pins=list(_pins(anomalies, places)),
        zero=int(rows["ts_start"].min().value),
        end=max([last, *seen]),
        caption=_caption(asked, rows),
    )


def matter_most(connections: pd.DataFrame, anomalies: pd.DataFrame, most: int) -> Numbers:
    """Places of the connections with the worst findings, then of the earliest; in order of time."""
    if most < 1:
        raise UsageError(f"{most} connections cannot be drawn: give at least 1")
    codes = anomalies["severity"].cat.codes.to_numpy()
    severity = pd.Series(codes, index=anomalies["code"].astype(str).to_numpy(object))
    worst = severity.groupby(level=0).max().to_dict()
    first_codes = (str(codes).partition(",")[0] for codes in connections["anomalies"])
    rank = np.array([worst.get(code, -1) for code in first_codes], np.int64)  # the worst is first
    begin = connections["ts_start"].to_numpy("datetime64[ns]")
    chosen = np.lexsort((begin, -rank))[:most]
    ordered: Numbers = chosen[np.lexsort((chosen, begin[chosen]))]
    return ordered


def _caption(asked: pd.DataFrame, shown: pd.DataFrame) -> str:
    """How many there are and, if not all of them are shown, which."""
    whole = counted(len(asked), "connection")
    if len(shown) == len(asked):
        return whole
    found = int((shown["anomalies"] != "").sum())
    chosen = f"{found} with findings, then the earliest" if found else "the earliest"
    chosen = "those with the worst findings" if found == len(shown) else chosen
    return f"{len(shown)} of {whole}: {chosen}"


def _checked(conns: Iterable[int], count: int) -> Numbers:
    conns = list(conns)
    missing = [conn for conn in conns if not 0 <= conn < count]
    if missing:
        numbers = f"they are 0 to {count - 1}" if count else "there are none"
        raise UsageError(f"no connection {missing[0]}: {numbers}")
    return np.unique(np.array(conns, np.int64))


def _bars(moves: pd.DataFrame, places: dict[int, int]) -> list[Bar]:
    cells = [moves[name] for name in _MOVE]
    return [
        Bar(
            places[conn] * len(Role) + ROLES.index(role),
            state,
            basis,
            event,
            start.value,
            None if end.value == NO_TIME else end.value,
        )
        for conn, role, state, basis, event, start, end in zip(*cells, strict=True)
    ]


def _pins(anomalies: pd.DataFrame, places: dict[int, int]) -> Iterable[Pin]:
    """Findings about one of the connections, on the lane of the side that is charged."""
    own = anomalies[anomalies["conn"].isin(list(places)).to_numpy(bool)]
    for row in own.to_dict("records"):
        severity = str(row["severity"])
        if severity != SEVERITIES[0]:
            side = ROLES.index(row["charged"]) if row["charged"] in ROLES else 0
            yield Pin(places[int(row["conn"])] * len(Role) + side, row["ts"].value, severity)


def _names(row: dict[Any, Any]) -> tuple[str, str]:
    return (
        endpoint(str(row["orig_ip"]), row["orig_port"]),
        endpoint(str(row["resp_ip"]), row["resp_port"]),
    )
