"""Pins the steps of Zeek's connection one by one; `test_zeek` pins them together."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from zeek_ends import SECOND
from zeek_segments import BITS

from tcptrace.tracker.zeek_machine import Act
from tcptrace.tracker.zeek_rows import (
    HANDSHAKE_IDLE,
    NEVER,
    PATIENT_IDLE,
    EndpointState,
)

Kernel = Callable[[str], ModuleType]
NAME = "tcptrace.tracker.zeek_connection"
ESTABLISHED, CLOSED = EndpointState.ESTABLISHED, EndpointState.CLOSED


def opened(kernel: Kernel, ports: tuple[int, int] = (40000, 8081)) -> Any:
    """A connection whose first packet was sender 0's SYN."""
    conn = kernel(NAME).Connection()
    conn.open(0, BITS["S"], *ports)
    return conn


def over(conn: Any, flags: str, seq: int, second: int) -> bool:
    bits = sum(BITS[letter] for letter in flags)
    return bool(conn.is_over(bits, seq, second * SECOND))


@pytest.mark.parametrize(
    ("flags", "seq", "closed", "again"),
    [("S", 100, False, False), ("S", 101, False, True), ("S", 100, True, True)],
)
def test_syn_on_a_known_four_tuple(
    kernel: Kernel, flags: str, seq: int, closed: bool, again: bool
) -> None:
    """The same number is a retry, unless a side has closed."""
    conn = opened(kernel)
    conn.first.state, conn.first.start, conn.first.closed = EndpointState.SYN_SENT, 100, closed
    assert again == over(conn, flags, seq, 1)


def test_syn_behind_its_own_syn_ack(kernel: Kernel) -> None:
    """Captured in the wrong order, they are one connection; any other SYN is a new one."""
    conn = opened(kernel)
    conn.first.state, conn.first.start, conn.second.start = EndpointState.SYN_ACK_SENT, 900, 100
    assert not over(conn, "S", 100, 1)
    assert over(conn, "S", 101, 1)


@pytest.mark.parametrize(
    ("states", "closed", "silent", "ends"),
    [
        ((EndpointState.INACTIVE, EndpointState.INACTIVE), False, 5, False),
        ((EndpointState.INACTIVE, EndpointState.INACTIVE), False, 11, True),
        ((ESTABLISHED, ESTABLISHED), False, 59, False),
        ((ESTABLISHED, ESTABLISHED), False, 60, True),
        ((CLOSED, EndpointState.RESET), True, 11, True),
        ((CLOSED, ESTABLISHED), True, 11, False),
    ],
)
def test_silence_ends_a_row(
    kernel: Kernel,
    states: tuple[EndpointState, EndpointState],
    closed: bool,
    silent: int,
    ends: bool,
) -> None:
    """Looked at 5 s after the beginning, then every 6 s; a half-closed one waits longer."""
    conn = opened(kernel)
    assert HANDSHAKE_IDLE == conn.idle
    conn.first.state, conn.second.state = states
    conn.first.closed = closed
    assert ends == over(conn, "A", 1, silent)


def test_close_waits_for_data_before_the_fin(kernel: Kernel) -> None:
    """A hole before the FIN defers the close; no timer runs meanwhile."""
    conn = opened(kernel)
    side, peer = conn.first, conn.second
    side.state, peer.state = CLOSED, ESTABLISHED
    side.start, side.last, side.delivered = 100, 150, 20
    conn.close(side, peer)
    assert (True, False, NEVER) == (conn.deferred, side.closed, conn.delete_at)
    side.delivered, side.fins, peer.closed = 49, 1, True
    conn.check_end(side, peer)
    assert (False, True) == (conn.deferred, side.closed)
    assert conn.delete_at < NEVER


def test_fin_then_rst_counts_as_an_orderly_end(kernel: Kernel) -> None:
    """The peer's FIN, its RST, then this endpoint's FIN: the peer is closed, not reset."""
    conn = opened(kernel)
    conn.second.state = EndpointState.RESET
    conn.act(conn.first, conn.second, int(Act.REVIVES), 0)
    assert EndpointState.RESET == conn.second.state
    conn.second.before = CLOSED
    conn.act(conn.first, conn.second, int(Act.REVIVES), 0)
    assert CLOSED == conn.second.state


def test_interactive_services_may_be_silent_for_an_hour(kernel: Kernel) -> None:
    """It is the responder's port that counts."""
    conn = opened(kernel, (40000, 22))
    conn.act(conn.second, conn.first, int(Act.SETTLES | Act.ESTABLISHES), 0)
    assert PATIENT_IDLE == conn.idle
