"""`Score`: how often a timeline says what the kernels recorded, in four figures.

exact    endpoints whose whole sequence of states is the kernel's; an endpoint that no kernel had
         counts as one more that is wrong
on time  exact, and each move within TOLERANCE_NS of the kernel's
claims   rows whose basis is a proof, of endpoints that a kernel had: those that name a state which
         the kernel recorded there. A wrong proof is worse than a wrong guess
bounds   rows with a packet behind them, of exact endpoints: those whose [earliest, latest] holds
         the kernel's moment

An endpoint is one socket's life under one four-tuple. States of a moment (a transit) may be told or
not. What the timeline says of the time behind the last look is nobody's claim.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

import pandas as pd

TOLERANCE_NS = 50_000_000
SLACK_NS = 1_000_000  # the kernel's own delay between a packet and the move it makes
PROOFS = {"observed", "confirmed"}
WITH_PACKET = PROOFS | {"presumed", "inferred"}
NO_CONNECTION = {"CLOSED", "LISTEN"}
ENDPOINT = ("ip", "port", "peer_ip", "peer_port")

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Row:
    """One row of a timeline; times are ns since the epoch."""

    state: str
    start: int
    basis: str
    earliest: int
    latest: int
    packet: int  # 0: none


@dataclass(frozen=True)
class Moment:
    """One state of a record, which began in [earliest, latest]."""

    state: str
    earliest: int
    latest: int
    transit: bool = False

    def off(self, at: int) -> int:
        """How many ns a time is outside."""
        return max(self.earliest - at, at - self.latest, 0)


@dataclass
class Score:
    """Counts that add up over captures, and a line for each endpoint that is not exact or late."""

    endpoints: int = 0
    exact: int = 0
    on_time: int = 0
    phantoms: int = 0
    claims: int = 0
    claims_true: int = 0
    bounds: int = 0
    bounds_true: int = 0
    widths: list[int] = field(default_factory=list)
    outside: list[tuple[Key, Row]] = field(
        default_factory=list
    )  # rows whose bounds miss the moment
    faults: list[str] = field(default_factory=list)

    def __add__(self, other: Score) -> Score:
        names = [f.name for f in fields(self)]
        return Score(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def share(self, name: str) -> float:
        """`exact`, `on_time`, `claims` or `bounds`, from 0 to 1; 1 where nothing was to be told."""
        if name in ("exact", "on_time"):
            return _ratio(getattr(self, name), self.endpoints + self.phantoms)
        return _ratio(getattr(self, f"{name}_true"), getattr(self, name))


def score(facts: dict[str, Any], timeline: pd.DataFrame, since: int = 0) -> Score:
    """The score of a timeline against a record; `since` is when the capture began, if cut."""
    total = Score()
    told = _lives_told(timeline, facts["until"])
    for key, recorded in _lives_recorded(facts, since).items():
        rows = told.pop(key, [])
        total += _claims_of(key, recorded, rows)
        lives = [life for life in (_opened(life) for life in rows) if life]
        for truth, life in _paired(recorded, lives):
            total += _judged(key, truth, life, since) if truth else _phantoms(key, [life])
    for key, rows in told.items():
        total += _phantoms(key, [life for life in (_opened(life) for life in rows) if life])
    return total


def _judged(key: Key, truth: list[Moment], life: list[Row], since: int) -> Score:
    """One endpoint: its sequence, its times, its bounds."""
    if not [moment for moment in truth if moment.state not in NO_CONNECTION] and not life:
        return Score()
    pairs = _aligned(truth, life)
    if pairs is None:
        return Score(endpoints=1, faults=[f"{_named(key)}: {_difference(truth, life)}"])
    timed = [(m, row) for m, row in pairs if not m.transit and m.earliest >= since]
    late = [
        f"{m.state} {(row.start - m.earliest) / 1e6:+.1f} ms"
        for m, row in timed
        if m.off(row.start) > TOLERANCE_NS
    ]
    faults = [f"{_named(key)}: late: {', '.join(late)}"] if late else []
    made = Score(endpoints=1, exact=1, on_time=not late, faults=faults)
    return made + _bounds_of(key, pairs, since)


def _bounds_of(key: Key, pairs: list[tuple[Moment, Row]], since: int) -> Score:
    made = Score()
    for moment, row in pairs:
        if moment.state in NO_CONNECTION or row.basis not in WITH_PACKET or moment.earliest < since:
            continue
        early, late = row.earliest - SLACK_NS, row.latest + SLACK_NS
        held = early <= moment.latest and moment.earliest <= late
        missed = [] if held else [(key, row)]
        faults = [f"{_named(key)}: bounds of {row.state} {row.basis} miss it" for _, row in missed]
        width = row.latest - row.earliest
        made += Score(bounds=1, bounds_true=held, widths=[width], outside=missed, faults=faults)
    return made


def _claims_of(key: Key, recorded: list[list[Moment]], lives: list[list[Row]]) -> Score:
    known = NO_CONNECTION | {moment.state for life in recorded for moment in life}
    proved = [row for life in lives for row in life if row.basis in PROOFS]
    wrong = [row for row in proved if row.state not in known]
    faults = [f"{_named(key)}: {row.state} is said to be {row.basis}" for row in wrong]
    return Score(claims=len(proved), claims_true=len(proved) - len(wrong), faults=faults)


def _phantoms(key: Key, lives: list[list[Row]]) -> Score:
    faults = [f"{_named(key)}: no kernel had {' '.join(r.state for r in life)}" for life in lives]
    return Score(phantoms=len(lives), faults=faults)


def _aligned(truth: list[Moment], life: list[Row]) -> list[tuple[Moment, Row]] | None:
    """Each row with its moment, transits left out where they are not told; None if they differ."""
    if not truth:
        return None if life else []
    first, others = truth[0], truth[1:]
    if life and life[0].state == first.state:
        rest = _aligned(others, life[1:])
        if rest is not None:
            return [(first, life[0]), *rest]
    return _aligned(others, life) if first.transit else None


def _paired(
    recorded: list[list[Moment]], lives: list[list[Row]]
) -> list[tuple[list[Moment], list[Row]]]:
    """Recorded and told lives, those that begin nearest to each other first; nothing beside."""
    near = [
        (abs(life[0].start - truth[0].earliest), one, other)
        for one, truth in enumerate(recorded)
        for other, life in enumerate(lives)
        if truth
    ]
    pairs: dict[int, int] = {}
    for _, one, other in sorted(near):
        if one not in pairs and other not in pairs.values():
            pairs[one] = other
    told = [lives[pairs[one]] if one in pairs else [] for one in range(len(recorded))]
    alone = [life for other, life in enumerate(lives) if other not in pairs.values()]
    return [*zip(recorded, told, strict=True), *(([], life) for life in alone)]


def _opened(life: list[Row]) -> list[Row]:
    """Without the CLOSED and LISTEN before a connection, and without a state told twice running."""
    first = next((n for n, row in enumerate(life) if row.state not in NO_CONNECTION), len(life))
    rows = life[first:]
    return [row for n, row in enumerate(rows) if n == 0 or rows[n - 1].state != row.state]


def _lives_recorded(facts: dict[str, Any], since: int) -> dict[Key, list[list[Moment]]]:
    """Each endpoint's lives in the order of time; what was over when the capture began is not."""
    lives: dict[Key, list[list[Moment]]] = {}
    for endpoint in facts["endpoints"]:
        steps = [
            Moment(s["state"], s["earliest"], s["latest"], s["transit"]) for s in endpoint["states"]
        ]
        before = [step for step in steps if step.earliest < since]
        life = before[-1:] + steps[len(before) :]
        key = tuple(endpoint[name] for name in ENDPOINT)
        if life and not (before and before[-1].state == "CLOSED"):
            lives.setdefault(key, []).append(life)
    return lives


def _lives_told(timeline: pd.DataFrame, until: int) -> dict[Key, list[list[Row]]]:
    """Each endpoint's rows up to the last look, a connection at a time."""
    moments = (_nanoseconds(timeline, name) for name in ("start", "earliest", "latest"))
    columns = [timeline[name].astype(str) for name in ("state", "basis", "ip", "peer_ip")]
    numbers = [timeline[name] for name in ("conn", "port", "peer_port")]
    packets = timeline["packet"].fillna(0)
    lives: dict[Key, dict[int, list[Row]]] = {}
    for start, low, high, state, basis, ip, peer, conn, port, peer_port, packet in zip(
        *moments, *columns, *numbers, packets, strict=True
    ):
        by_connection = lives.setdefault((ip, int(port), peer, int(peer_port)), {})
        life = by_connection.setdefault(int(conn), [])
        if start <= until:
            life.append(Row(state, start, basis, low, high, int(packet)))
    return {key: list(rows.values()) for key, rows in lives.items()}


def _nanoseconds(timeline: pd.DataFrame, name: str) -> Iterable[int]:
    """A column of times as ns; a bound that is not there is the start."""
    filled = timeline[name].fillna(timeline["start"])
    return [int(value) for value in filled.astype("datetime64[ns, UTC]").astype("int64")]


def _difference(truth: list[Moment], life: list[Row]) -> str:
    recorded = " ".join(f"({m.state})" if m.transit else m.state for m in truth)
    return f"recorded {recorded or 'nothing'}; told {' '.join(r.state for r in life) or 'nothing'}"


def _named(key: Key) -> str:
    ip, port, peer_ip, peer_port = key
    return f"{ip} {port} > {peer_ip} {peer_port}"


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
