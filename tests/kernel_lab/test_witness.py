"""Pins how looks and tracepoint are joined into lives."""

from __future__ import annotations

from typing import cast

import pytest

from tcptrace.tcp.states import State

from .case import told
from .kernel_trace import Move, moves_in
from .sock_diag import Found, SockDiag
from .witness import Witness

CLIENT, SERVER = (40000, 8080), (8080, 40000)


class Looks:
    """What sock_diag would say at one look after the other; None is no socket."""

    def __init__(self, ports: tuple[int, int], *states: State | None) -> None:
        self.ports = ports
        self.states = list(states)

    def sockets(self) -> list[Found]:
        state = self.states.pop(0)
        if state is None:
            return []
        return [Found(b"12345678", "192.0.2.1", self.ports[0], "192.0.2.2", self.ports[1], state)]


def witness(side: str, looks: Looks) -> Witness:
    """A witness that looks in the first, third, fifth, ... 100 µs."""
    clock = iter(range(0, 10**9, 100_000))
    made = Witness({side: cast(SockDiag, looks)}, lambda: next(clock))
    while looks.states:
        made.look()
    return made


def move(at: int, ports: tuple[int, int], state: State) -> Move:
    return Move(at, *ports, state)


def test_look_encloses_a_move() -> None:
    """Without a tracepoint, a move lies between the start of one look and the end of the next."""
    seen = witness("server", Looks(SERVER, None, State.SYN_RCVD, State.ESTABLISHED))
    (life,) = seen.lives([])
    assert "SYN_RCVD ESTABLISHED" == told(life)
    assert [(0, 300_000), (200_000, 500_000)] == [(s.earliest, s.latest) for s in life.steps]


def test_tracepoint_gives_the_moment() -> None:
    """Where the tracepoint tells of the same move, its time is taken."""
    seen = witness("client", Looks(CLIENT, State.SYN_SENT, State.ESTABLISHED))
    (life,) = seen.lives([move(250_000, CLIENT, State.ESTABLISHED)])
    assert (250_000, 251_000) == (life.steps[-1].earliest, life.steps[-1].latest)


def test_state_between_two_looks_is_a_transit() -> None:
    """FIN_WAIT_2 that began and ended within one segment is known from the tracepoint alone."""
    seen = witness("client", Looks(CLIENT, State.FIN_WAIT_1, State.TIME_WAIT))
    (life,) = seen.lives(
        [move(250_000, CLIENT, State.FIN_WAIT_2), move(250_000, CLIENT, State.CLOSED)]
    )
    assert "FIN_WAIT_1 (FIN_WAIT_2) TIME_WAIT" == told(life)


def test_late_report_of_syn_rcvd_is_not_a_second_one() -> None:
    """The tracepoint tells SYN_RCVD when the handshake's ACK comes; the look knew it before."""
    seen = witness("server", Looks(SERVER, State.SYN_RCVD, State.ESTABLISHED))
    (life,) = seen.lives(
        [move(250_000, SERVER, State.SYN_RCVD), move(250_000, SERVER, State.ESTABLISHED)]
    )
    assert "SYN_RCVD ESTABLISHED" == told(life)


def test_socket_that_is_gone_is_closed() -> None:
    """What was there and is no more is CLOSED."""
    seen = witness("server", Looks(SERVER, State.LAST_ACK, None))
    assert "LAST_ACK CLOSED" == told(seen.lives([])[0])
    assert [State.CLOSED] == seen.states("server")


def test_move_that_no_look_explains_is_a_contradiction() -> None:
    """The two witnesses must agree, or the record is refused."""
    seen = witness("client", Looks(CLIENT, State.SYN_SENT, State.SYN_SENT))
    with pytest.raises(ValueError, match="no look has seen"):
        seen.lives([move(900_000_000, CLIENT, State.ESTABLISHED)])


def test_trace_text_is_read_in_order_of_time() -> None:
    """The lines of a tracing instance become moves, monotonic ns."""
    line = (
        "  python-9 [001] ..s2.  {}: inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP "
        "sport=40000 dport=8080 saddr=192.0.2.1 daddr=192.0.2.2 saddrv6=:: daddrv6=:: "
        "oldstate={} newstate={}\n"
    )
    text = "# tracer: nop\n" + line.format("9.000002", "TCP_ESTABLISHED", "TCP_FIN_WAIT1")
    text += line.format("1.500000", "TCP_CLOSE", "TCP_SYN_SENT")
    text += line.format("9.500000", "TCP_FIN_WAIT2", "TCP_FIN_WAIT2")  # close() after shutdown()
    assert [
        move(1_500_000_000, CLIENT, State.SYN_SENT),
        move(9_000_002_000, CLIENT, State.FIN_WAIT_1),
    ] == moves_in(text)
