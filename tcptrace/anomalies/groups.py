"""`Group`: connections that share a cause. Many at one service are one, so that no one is flooded.

Where one cause shows at more than `MOST_SERVICES` services of a host (a scan), the host's are
one group; where at more than that many hosts, the capture's are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.anomalies.evidence import PORTS, ROLES, Evidence
from tcptrace.tables.schema import SEVERITIES
from tcptrace.tables.wording import counted, endpoint
from tcptrace.tcp.states import Role
from tcptrace.tracker.transitions import Vantage

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

MOST_SERVICES = 20
MOST_PACKETS = 12
MOST_EXAMPLES = 10


@dataclass
class Group:
    """One cause: who, when, what shows it, and the values that its sentences have holes for.

    `members` are connections' numbers, the worst first. `subject` is the role of the endpoint
    that the detector found; `hosts` are the places in `Evidence.addresses` of the subjects, and
    `peers` of their peers.
    """

    members: Numbers
    subject: Role | None = None
    hosts: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    peers: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    ts: int = 0
    duration: int = 0
    packets: list[int] = field(default_factory=list)
    variant: str = ""
    severity: str = ""
    count: int = 0
    doubts: int = 0
    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class Hits:
    """Endpoints for which a detector's predicate holds, a row each; arrays of one length.

    endpoint : places in Evidence
    ts, duration : ns
    packets : columns of packet numbers, 0 for none
    variant, severity : text for each
    facts : columns of int64 that sentences have holes for, of the worst connection
    """

    endpoint: Numbers
    ts: Numbers
    duration: Numbers
    packets: list[Numbers]
    variant: npt.NDArray[np.object_]
    severity: Numbers
    facts: dict[str, Numbers]


def by_service(seen: Evidence, hits: Hits, total: Mask | None = None) -> Iterator[Group]:
    """The hits as groups; `total` marks the endpoints among which they were looked for."""
    if not len(hits.endpoint):
        return
    if not seen.told:
        yield Group(members=hits.endpoint // ROLES)
        return
    services, names = _services(seen, hits.endpoint)
    role = seen.role[hits.endpoint]
    variants, _ = pd.factorize(hits.variant)
    keys = (services * ROLES + role) * (int(variants.max()) + 1) + variants
    codes, _ = pd.factorize(keys)
    order = np.lexsort((-hits.duration, codes))
    among = {} if total is None else _totals(seen, total)
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    shared = _shared(seen, hits, order, starts)
    for rows, common in zip(np.split(order, starts[1:]), shared, strict=True):
        yield _group(seen, hits, rows, common, names[int(services[rows[0]])], among)


class _Shared(NamedTuple):
    """The earliest moment of a group, its worst severity, and what all of it may be wrong by."""

    ts: int
    severity: int
    doubts: int


def _shared(seen: Evidence, hits: Hits, order: Numbers, starts: Numbers) -> list[_Shared]:
    """Of each group, in one pass: rows in order, of which a group's begin at one of the starts."""
    columns = (
        np.minimum.reduceat(hits.ts[order], starts),
        np.maximum.reduceat(hits.severity[order], starts),
        np.bitwise_and.reduceat(seen.doubts[hits.endpoint[order]], starts),
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [_Shared(*row) for row in rows]


def of_capture(seen: Evidence, count: int, variant: str = "", **values: int | str) -> Group:
    """A finding about the capture as a whole, which no connection is named for."""
    start = seen.facts.start if seen.facts.start is not None else seen.end
    return Group(
        members=np.zeros(0, np.int64),
        ts=start,
        duration=max(seen.end - start, 0),
        variant=variant,
        count=count,
        values={"n": count, **values},
    )


def _group(
    seen: Evidence, hits: Hits, rows: Numbers, shared: _Shared, place: str, among: dict[int, int]
) -> Group:
    """One group; `among` is how many connections each service has that were looked at."""
    ends = hits.endpoint[rows]
    worst = int(rows[0])
    group = Group(
        members=ends // ROLES,
        subject=Role(int(seen.role[ends[0]])),
        hosts=_distinct(seen.addresses.places[ends]),
        peers=_distinct(seen.addresses.places[ends ^ 1]),
        ts=shared.ts,
        duration=int(hits.duration[worst]),
        packets=_packets(hits, rows),
        variant=str(hits.variant[worst]),
        severity=SEVERITIES[shared.severity],
        count=len(rows),
        doubts=shared.doubts,
    )
    group.values = {
        **_names(seen, int(ends[0])),
        **{name: int(column[worst]) for name, column in hits.facts.items()},
        "place": place,
        "conn": seen.name(int(ends[0]) // ROLES),
        "n": len(rows),
        "longest": group.duration,
        "shortest": int(hits.duration[rows[-1]]),
        "packets": _packets(hits, rows[:1]),
        "total": max(len(ends), among.get(int(_service(seen, ends[:1])[0]), 0)),
    }
    return group


def _names(seen: Evidence, end: int) -> dict[str, Any]:
    """X is the endpoint that was found, Y its peer."""
    x_host, y_host = _address(seen, end), _address(seen, end ^ 1)
    x, y = endpoint(x_host, int(seen.port[end])), endpoint(y_host, int(seen.port[end ^ 1]))
    service = "sport" if seen.role[end] == Role.RESPONDER else "dport"  # as x's ss(8) has it
    return {
        "tap": _tap(
            Vantage(int(seen.found.connections.vantage[end // ROLES])), int(seen.role[end]), x, y
        ),
        "sockets": f"{service} = :{int(seen.port[end | 1])}",
        "x": x,
        "y": y,
        "x_host": x_host,
        "y_host": y_host,
        "x_port": int(seen.port[end]),
        "y_port": int(seen.port[end ^ 1]),
        "x_role": Role(int(seen.role[end])).name.lower(),
        "y_role": Role(int(seen.role[end ^ 1])).name.lower(),
    }


def _tap(vantage: Vantage, role: int, x: str, y: str) -> str:
    """Where the tap stands, in a sentence: what was lost before it was never seen."""
    if vantage is Vantage.UNKNOWN:
        return "Where the tap stands is not known."
    if vantage is Vantage.MIDDLE:
        return "The tap stands on the path between the two."
    beside = x if (vantage is Vantage.ORIGINATOR) == (role == Role.ORIGINATOR) else y
    return f"The tap stands beside {beside}."


def _address(seen: Evidence, end: int) -> str:
    return seen.addresses.names[int(seen.addresses.places[end])]


def _packets(hits: Hits, rows: Numbers) -> list[int]:
    """Packets of the worst connections, in order, each once."""
    some = rows[:MOST_PACKETS]
    numbers = np.stack([column[some] for column in hits.packets], axis=1).reshape(-1)
    kept = list(dict.fromkeys(int(number) for number in numbers if number))[:MOST_PACKETS]
    return sorted(kept)


def _distinct(places: Numbers) -> Numbers:
    return places if len(places) == 1 else np.unique(places)


def _service(seen: Evidence, ends: Numbers) -> Numbers:
    """A number for the service that each endpoint's connection is with: host and port."""
    found: Numbers = seen.addresses.places[ends | 1] * PORTS + seen.port[ends | 1]
    return found


def _totals(seen: Evidence, total: Mask) -> dict[int, int]:
    """How many connections each service has an endpoint marked in."""
    ends = np.flatnonzero(total[::ROLES] | total[1::ROLES]) * ROLES
    services, counts = np.unique(_service(seen, ends), return_counts=True)
    return dict(zip(services.tolist(), counts.tolist(), strict=True))


def _services(seen: Evidence, ends: Numbers) -> tuple[Numbers, dict[int, str]]:
    """A number for the service of each hit and the numbers' names; coarser where there are many."""
    responder = ends | 1
    host, port = seen.addresses.places[responder], seen.port[responder]
    services = _service(seen, ends)
    per_host = pd.Series(services).groupby(host).transform("nunique").to_numpy()
    scanned = per_host > MOST_SERVICES
    services = np.where(scanned, -2 - host, services)
    hosts = len(np.unique(host))
    if hosts > MOST_SERVICES and len(np.unique(services)) > MOST_SERVICES * MOST_SERVICES:
        return np.full(len(ends), -1), {-1: counted(hosts, "host")}
    names = {}
    for service, first in zip(*np.unique(services, return_index=True), strict=True):
        name = seen.addresses.names[int(host[first])]
        if service < 0:
            names[int(service)] = f"{int(per_host[first]):,} ports of {name}"
        else:
            names[int(service)] = endpoint(name, int(port[first]))
    return services, names
