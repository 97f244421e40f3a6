"""`Written`: a reconstruction written by hand, so that tables and anomalies need no tracker."""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np

from tcptrace.tcp.states import Event, Role, State
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.transitions import (
    Basis,
    Connections,
    Endpoints,
    EndReason,
    Orientation,
    Transitions,
    Vantage,
)

SECOND = 1_000_000_000
BEGIN = 1_700_000_000 * SECOND  # times in tests are seconds after this moment


def at(seconds: float) -> int:
    """ns since the epoch of a moment, given in seconds after BEGIN."""
    return BEGIN + round(seconds * SECOND)


def halves(text: str) -> tuple[int, int]:
    """The two int64 of an address in IPv6 form."""
    packed = ip_address(text)
    number = int(packed) if packed.version == 6 else 0xFFFF << 32 | int(packed)
    upper, lower = number >> 64, number & (1 << 64) - 1
    return tuple(half - (1 << 64) if half >> 63 else half for half in (upper, lower))


class Written:
    """Connections, endpoints and moves, added one by one; columns not named are 0."""

    def __init__(self) -> None:
        self.rows: list[dict[str, int]] = []
        self.ends: list[dict[str, int]] = []
        self.moves: list[dict[str, int]] = []
        self.histories: list[str] = []

    def connection(
        self,
        orig: tuple[str, int] = ("10.0.0.9", 40000),
        resp: tuple[str, int] = ("10.0.0.5", 8080),
        *,
        history: str = "",
        **cells: float,
    ) -> int:
        """Add a connection from 0 s to 1 s of the capture, with two silent endpoints."""
        conn = len(self.rows)
        row = dict(zip(("orig_hi", "orig_lo"), halves(orig[0]), strict=True))
        row |= dict(zip(("resp_hi", "resp_lo"), halves(resp[0]), strict=True))
        row |= {"conn": conn, "orig_port": orig[1], "resp_port": resp[1]}
        row |= {"orientation": Orientation.SYN, "end_reason": EndReason.CAPTURE_END}
        row |= {"vantage": Vantage.UNKNOWN, "rtt_orig": -1, "rtt_resp": -1, "conn_state": 12}
        row |= {"time_start": at(0), "time_end": at(1), "first_packet": 1, "last_packet": 9}
        self.rows.append(row | moments(cells))
        for role in Role:
            self.ends.append({"conn": conn, "role": role, "iss": -1, "segments": 5})
        self.histories.append(history)
        return conn

    def endpoint(self, conn: int, role: Role, **cells: float) -> None:
        """Say what an endpoint of a connection was seen to do."""
        self.ends[conn * len(Role) + role] |= moments(cells)

    def move(
        self, conn: int, role: Role, state: State, event: Event, time: float, **cells: float
    ) -> None:
        """Add a move, observed at its packet unless said otherwise."""
        row = {"conn": conn, "role": role, "state": state, "event": event, "basis": Basis.OBSERVED}
        row |= {"time": at(time), "earliest": at(time), "latest": at(time), "packet": 1}
        self.moves.append(row | moments(cells))

    def reconstruction(self) -> Reconstruction:
        """All of it as the tracker would hand it up."""
        moves = sorted(self.moves, key=lambda move: (move["conn"], move["role"]))
        return Reconstruction(
            rows_of(Connections, self.rows),
            rows_of(Endpoints, self.ends),
            rows_of(Transitions, moves),
            list(self.histories),
            np.arange(len(self.rows)),
        )


def moments(cells: dict[str, float]) -> dict[str, int]:
    """Cells whose names say that they are moments are given in seconds after BEGIN."""
    times = {"earliest", "latest"}
    return {
        name: at(value) if name in times or "time" in name else int(value)
        for name, value in cells.items()
    }


def rows_of(kind, dicts):
    """Rows of a kind, from one dict a row."""
    matrix = np.zeros((len(dicts), kind.width()), np.int64)
    for place, cells in enumerate(dicts):
        for name, value in cells.items():
            matrix[place, kind.index(name)] = value
    return kind(matrix)


ORIG, RESP = Role.ORIGINATOR, Role.RESPONDER


def orderly_close(written: Written, **cells: float) -> int:
    """A connection that the originator closes, as RFC 9293's figure 12 has it."""
    conn = written.connection(history="ShAFaf", end_reason=EndReason.CLOSED, **cells)
    states, events = State, Event
    written.move(conn, ORIG, states.SYN_SENT, events.SND_SYN, 0.0, packet=1)
    written.move(conn, ORIG, states.ESTABLISHED, events.RCV_SYN_ACK, 0.1, packet=3)
    written.move(conn, ORIG, states.FIN_WAIT_1, events.SND_FIN, 0.5, packet=4)
    written.move(
        conn, ORIG, states.FIN_WAIT_2, events.RCV_ACK_OF_FIN, 0.6, packet=5, confirmed_by=7
    )
    written.move(conn, ORIG, states.TIME_WAIT, events.RCV_FIN, 0.7, packet=6, confirmed_by=7)
    timer = {"basis": Basis.TIMER, "packet": 0, "latest": 62.7, "earliest": 60.7}
    written.move(conn, ORIG, states.CLOSED, events.TIMEOUT_2MSL, 60.7, **timer)
    assumed = {"basis": Basis.ASSUMED, "packet": 0}
    written.move(conn, RESP, states.LISTEN, events.PASSIVE_OPEN, 0.0, **assumed)
    written.move(conn, RESP, states.SYN_RCVD, events.RCV_SYN, 0.05, packet=1, confirmed_by=2)
    written.move(
        conn, RESP, states.ESTABLISHED, events.RCV_ACK_OF_SYN, 0.15, packet=3, confirmed_by=5
    )
    written.move(conn, RESP, states.CLOSE_WAIT, events.RCV_FIN, 0.55, packet=4, confirmed_by=5)
    written.move(conn, RESP, states.LAST_ACK, events.SND_FIN, 0.65, packet=6)
    retracted = {"basis": Basis.RETRACTED, "packet": 7}
    written.move(conn, RESP, states.CLOSED, events.RCV_ACK_OF_FIN, 0.75, **retracted)
    written.move(
        conn, RESP, states.CLOSED, events.RCV_ACK_OF_FIN, 0.9, basis=Basis.PRESUMED, packet=9
    )
    return conn
