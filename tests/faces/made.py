"""A trace made by hand: the faces are tested without reading a capture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from tcptrace.sources.facts import FileFacts
from tcptrace.tables.capture_facts import CaptureFacts, Loss
from tcptrace.tables.schema import TABLES
from tcptrace.tables.table import Column, Kind
from tcptrace.views.ladder import ladder
from tcptrace.views.scene import Scene

START = 1_764_042_149_123_456_789  # 2025-11-25T03:42:29.123456789Z
SECOND = 1_000_000_000
NO_TIME = np.iinfo(np.int64).min


def _name(cells: list[Any], column: Column) -> Any:
    names = sorted({cell for cell in cells if cell is not None})
    return [names.index(cell) if cell is not None else -1 for cell in cells], names


MAKERS: dict[Kind, Callable[[list[Any], Column], Any]] = {
    Kind.TIME: lambda cells, column: np.array(
        [NO_TIME if c is None else c for c in cells], np.int64
    ),
    Kind.DURATION: lambda cells, column: np.array(
        [NO_TIME if c is None else c for c in cells], np.int64
    ),
    Kind.COUNT: lambda cells, column: np.array(cells, np.int64),
    Kind.MAYBE: lambda cells, column: (
        np.array([c or 0 for c in cells], np.int64),
        np.array([c is None for c in cells], np.bool_),
    ),
    Kind.FLAG: lambda cells, column: np.array(cells, np.bool_),
    Kind.CHOICE: lambda cells, column: np.array(
        [column.choices.index(c) if c is not None else -1 for c in cells], np.int64
    ),
    Kind.NAME: _name,
    Kind.TEXT: lambda cells, column: cells,
    Kind.NUMBERS: lambda cells, column: cells,
}
PLAIN: dict[Kind, Any] = {
    Kind.TIME: START, Kind.DURATION: SECOND, Kind.COUNT: 0, Kind.MAYBE: None, Kind.FLAG: True,
    Kind.NAME: "10.0.0.1", Kind.TEXT: "", Kind.NUMBERS: [],
}  # fmt: skip


def table(name: str, *rows: Mapping[str, Any]) -> pd.DataFrame:
    """A table of ours with these rows; columns that a row leaves out get a plain value."""
    columns = TABLES[name].columns
    if not rows:
        return TABLES[name].empty()
    values = {}
    for column in columns:
        plain = column.choices[0] if column.kind is Kind.CHOICE else PLAIN[column.kind]
        values[column.name] = MAKERS[column.kind](
            [row.get(column.name, plain) for row in rows], column
        )
    return TABLES[name].frame(values)


CONNECTIONS = (
    {
        "conn": 0, "orig_ip": "10.0.0.9", "orig_port": 51234, "resp_ip": "10.0.0.5",
        "resp_port": 8080, "orig_state": "FIN_WAIT_2", "resp_state": "CLOSE_WAIT",
        "closer": "originator", "close_kind": "fin", "end_reason": "capture_end",
        "is_final": False, "duration": 580 * SECOND, "anomalies": "fin-wait-2-stalled",
        "vantage": "originator", "orig_bytes": 300, "resp_bytes": 20_000,
    },
    {
        "conn": 1, "orig_ip": "10.0.0.9", "orig_port": 51235, "resp_ip": "2001:db8::5",
        "resp_port": 443, "orig_state": "CLOSED", "resp_state": "CLOSED", "closer": "responder",
        "close_kind": "rst", "end_reason": "reset", "duration": 1_500_000, "ts_start": START + 1,
        "vantage": "originator", "orig_missed_bytes": 1448,
    },
    {
        "conn": 2, "orig_ip": "192.168.1.7", "orig_port": 40000, "resp_ip": "10.0.0.5",
        "resp_port": 80, "orig_state": "TIME_WAIT", "resp_state": "CLOSED",
        "closer": "originator", "close_kind": "fin", "end_reason": "closed",
        "duration": 12 * SECOND, "vantage": "originator",
    },
)  # fmt: skip
ENDPOINT = {"conn": 0, "ip": "10.0.0.9", "port": 51234, "peer_ip": "10.0.0.5", "peer_port": 8080}
PEER = {
    "conn": 0, "role": "responder", "ip": "10.0.0.5", "port": 8080, "peer_ip": "10.0.0.9",
    "peer_port": 51234,
}  # fmt: skip


def entry(
    side: Mapping[str, Any], state: str, at: int, stay: int | None, **rest: Any
) -> dict[str, Any]:
    """A row of the timeline: a state entered `at` ns after the start, kept for `stay` ns."""
    start = START + at
    end = None if stay is None else start + stay
    bounds = {"earliest": start, "latest": start}
    return {**side, "state": state, "start": start, "end": end, "duration": stay, **bounds, **rest}


MS = 1_000_000
TIMELINE = (
    entry(ENDPOINT, "SYN_SENT", 0, MS, packet=1, basis="observed"),
    entry(ENDPOINT, "ESTABLISHED", MS, 2 * MS, packet=2, basis="confirmed", confirmed_by=3),
    entry(ENDPOINT, "FIN_WAIT_1", 3 * MS, MS, packet=9, basis="observed"),
    entry(ENDPOINT, "FIN_WAIT_2", 4 * MS, 60 * SECOND, packet=10, basis="presumed"),
    entry(ENDPOINT, "CLOSED", 4 * MS + 60 * SECOND, None, basis="timer"),
    entry(PEER, "LISTEN", 0, MS // 2, basis="assumed"),
    entry(PEER, "SYN_RCVD", MS // 2, MS, packet=1, basis="confirmed", confirmed_by=2),
    entry(PEER, "ESTABLISHED", MS * 3 // 2, 2 * MS, packet=3, basis="confirmed", confirmed_by=4),
    entry(PEER, "CLOSE_WAIT", MS * 7 // 2, None, packet=9, basis="confirmed", confirmed_by=10),
)


def segment(packet: int, role: str, flags: str, at: int, **rest: Any) -> dict[str, Any]:
    """A row of segments, `at` ns after the start."""
    there, back = ("10.0.0.9", 51234), ("10.0.0.5", 8080)
    if role == "responder":
        there, back = back, there
    ends = {"src_ip": there[0], "src_port": there[1], "dst_ip": back[0], "dst_port": back[1]}
    return {
        "conn": 0, "packet": packet, "ts": START + at, "role": role, "flags": flags, **ends, **rest,
    }  # fmt: skip


SEGMENTS = (
    segment(1, "originator", "S", 0, seq=1000),
    segment(2, "responder", "SA", MS, seq=4_294_967_295, ack=1001),
    segment(3, "originator", "A", MS, seq=1001, ack=0),
    segment(4, "originator", "PA", 2 * MS, seq=1001, ack=0, payload=300),
    segment(5, "responder", "A", 2 * MS, seq=0, ack=1301, payload=1448),
    segment(6, "responder", "A", 2 * MS, seq=1448, ack=1301, payload=1448),
    segment(7, "responder", "A", 2 * MS, seq=2896, ack=1301, payload=1448),
    segment(8, "originator", "A", 2 * MS, seq=1301, ack=4344),
    segment(9, "originator", "FA", 3 * MS, seq=1301, ack=4344),
    segment(10, "responder", "A", 4 * MS, seq=4344, ack=1302),
)
ANOMALIES = (
    {
        "conn": 2, "code": "half-close-in-use", "severity": "info", "host": "10.0.0.5:80",
        "headline": "Half-closed and in use.", "count": 1, "examples": [2], "packets": [77],
    },
    {
        "conn": 0, "code": "fin-wait-2-stalled", "severity": "warning", "host": "10.0.0.5:8080",
        "headline": "10.0.0.9 closed first and has waited 9 m 40 s for 10.0.0.5:8080 to close.",
        "why": "Its FIN was acknowledged in packet 10; the peer never sent its own FIN.",
        "ruled_out": "No gap of the capture touches the close [see limits].",
        "advice": "Look for a missing close() on 10.0.0.5.", "limits": "", "count": 1,
        "examples": [0], "packets": [9, 10],
    },
    {
        "conn": None, "code": "capture-loss", "severity": "notice", "charged": "capture",
        "confidence": "reduced", "host": None, "headline": "1,448 B were acknowledged unseen.",
        "count": 1, "examples": [1], "packets": [20],
    },
)  # fmt: skip


@dataclass
class MadeTrace:
    """A trace by hand with the attributes that the faces read."""

    connections: pd.DataFrame = field(default_factory=lambda: table("connections", *CONNECTIONS))
    timeline: pd.DataFrame = field(default_factory=lambda: table("timeline", *TIMELINE))
    segments: pd.DataFrame = field(default_factory=lambda: table("segments", *SEGMENTS))
    anomalies: pd.DataFrame = field(default_factory=lambda: table("anomalies", *ANOMALIES))
    capture: CaptureFacts = field(
        default_factory=lambda: CaptureFacts(
            files=[FileFacts("office.pcapng")],
            packets=120,
            segments=110,
            start=START,
            end=START + 600 * SECOND,
            link_types=["Ethernet"],
            loss=Loss(octets=1448, endpoints=1),
            skipped={"not TCP": 10},
        )
    )

    def connection(self, number: int) -> Any:
        """One connection as a user holds it."""
        of = lambda rows: rows[rows["conn"] == number]  # noqa: E731
        scene = Scene(
            self.connections.iloc[number], of(self.timeline), of(self.segments),
            of(self.anomalies), START + 600 * SECOND, "office.pcapng",
        )  # fmt: skip
        return SimpleNamespace(
            timeline=scene.timeline, segments=scene.segments, anomalies=scene.anomalies,
            scene=scene, ladder=partial(ladder, scene),
            story=lambda: ["Packet 1: the originator opens.", "Packet 9: it closes."],
        )  # fmt: skip


@dataclass
class MadeStream:
    """The same trace as a stream of one part."""

    trace: MadeTrace

    @property
    def capture(self) -> CaptureFacts:
        return self.trace.capture

    @property
    def anomalies(self) -> pd.DataFrame:
        return self.trace.anomalies

    def __iter__(self) -> Iterator[MadeTrace]:
        yield self.trace
