"""States, events and roles of an endpoint: RFC 9293 section 3.3.2 and its figure 5.

The numbers are stable: the dense table of `machine`, the kernels and the tables rest on them.
"""

from __future__ import annotations

from enum import IntEnum

from tcptrace.errors import UsageError


class State(IntEnum):
    """The eleven states of RFC 9293, spelt with underscores."""

    CLOSED = 0
    LISTEN = 1
    SYN_SENT = 2
    SYN_RCVD = 3
    ESTABLISHED = 4
    FIN_WAIT_1 = 5
    FIN_WAIT_2 = 6
    CLOSE_WAIT = 7
    CLOSING = 8
    LAST_ACK = 9
    TIME_WAIT = 10


class Event(IntEnum):
    """What moves the machine, seen from one endpoint; combined segments are several events."""

    PASSIVE_OPEN = 0
    SND_SYN = 1
    RCV_SYN = 2
    RCV_SYN_ACK = 3
    RCV_ACK_OF_SYN = 4
    SND_FIN = 5
    RCV_FIN = 6
    RCV_ACK_OF_FIN = 7
    SND_RST = 8
    RCV_RST = 9
    RCV_ICMP_ERROR = 10
    CLOSE = 11
    TIMEOUT_2MSL = 12
    TIMEOUT_FIN_WAIT_2 = 13
    TIMEOUT_RETRANSMISSION = 14
    REPLACED = 15
    MID_STREAM = 16
    SKIP_TIME_WAIT = 17


LABELS = {
    Event.PASSIVE_OPEN: "passive OPEN",
    Event.SND_SYN: "snd SYN",
    Event.RCV_SYN: "rcv SYN",
    Event.RCV_SYN_ACK: "rcv SYN,ACK",
    Event.RCV_ACK_OF_SYN: "rcv ACK of SYN",
    Event.SND_FIN: "snd FIN",
    Event.RCV_FIN: "rcv FIN",
    Event.RCV_ACK_OF_FIN: "rcv ACK of FIN",
    Event.SND_RST: "snd RST",
    Event.RCV_RST: "rcv RST",
    Event.RCV_ICMP_ERROR: "rcv ICMP error",
    Event.CLOSE: "CLOSE",
    Event.TIMEOUT_2MSL: "Timeout=2MSL",
    Event.TIMEOUT_FIN_WAIT_2: "Timeout=FIN_WAIT_2",
    Event.TIMEOUT_RETRANSMISSION: "Timeout=R2",
    Event.REPLACED: "replaced by a new incarnation",
    Event.MID_STREAM: "capture began mid-stream",
    Event.SKIP_TIME_WAIT: "TIME_WAIT skipped",
}
"""Each event as figure 5 writes it, and in its manner where the figure has none."""


class Role(IntEnum):
    """The two endpoints of a connection."""

    ORIGINATOR = 0
    RESPONDER = 1


ALIASES = {
    "SYN_RECV": State.SYN_RCVD,
    "SYN_RECEIVED": State.SYN_RCVD,
    "NEW_SYN_RECV": State.SYN_RCVD,
    "ESTAB": State.ESTABLISHED,
    "FIN_WAIT1": State.FIN_WAIT_1,
    "FINWAIT1": State.FIN_WAIT_1,
    "FINWAIT_1": State.FIN_WAIT_1,
    "FIN_WAIT2": State.FIN_WAIT_2,
    "FINWAIT2": State.FIN_WAIT_2,
    "FINWAIT_2": State.FIN_WAIT_2,
    "CLOSE": State.CLOSED,
    "UNCONN": State.CLOSED,
    "CLOSEWAIT": State.CLOSE_WAIT,
    "LASTACK": State.LAST_ACK,
    "TIMEWAIT": State.TIME_WAIT,
}


def parse_state(name: str) -> State:
    """The state that people mean by `fin-wait-2`, `SYN_RECV`, `ESTAB`, ...; UsageError if none."""
    spelt = name.strip().upper().replace("-", "_").replace(" ", "_").removeprefix("TCP_")
    if spelt in ALIASES:
        return ALIASES[spelt]
    if spelt in State.__members__:
        return State[spelt]
    raise UsageError(f"no state is called {name!r}; there are {', '.join(State.__members__)}")
