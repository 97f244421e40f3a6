"""Pins the machine of one endpoint, row by row of TCPSessionAdapter::UpdateStateMachine."""

from __future__ import annotations

import pytest
from zeek_segments import BITS

from tcptrace.tracker import zeek_machine as machine
from tcptrace.tracker.zeek import Connection
from tcptrace.tracker.zeek_rows import NEVER, EndpointState

ORIG, RESP = 0, 1

# Who sends (orig or resp), its state, its peer's, flags → its state, its peer's, whether it closes.
MOVES = """
orig INACTIVE     INACTIVE     S   SYN_SENT     INACTIVE     goes on
orig INACTIVE     INACTIVE     SA  SYN_ACK_SENT INACTIVE     goes on
resp INACTIVE     SYN_SENT     SA  ESTABLISHED  ESTABLISHED  goes on
resp INACTIVE     SYN_SENT     S   ESTABLISHED  ESTABLISHED  goes on
resp INACTIVE     PARTIAL      SA  ESTABLISHED  PARTIAL      goes on
orig INACTIVE     INACTIVE     F   CLOSED       INACTIVE     closes
orig INACTIVE     INACTIVE     R   RESET        INACTIVE     closes
resp INACTIVE     SYN_SENT     A   INACTIVE     SYN_SENT     goes on
orig INACTIVE     ESTABLISHED  A   ESTABLISHED  ESTABLISHED  goes on
orig INACTIVE     INACTIVE     A   PARTIAL      INACTIVE     goes on
orig SYN_SENT     INACTIVE     A   SYN_SENT     INACTIVE     goes on
orig SYN_SENT     INACTIVE     F   CLOSED       INACTIVE     closes
orig SYN_SENT     ESTABLISHED  R   RESET        ESTABLISHED  closes
orig PARTIAL      INACTIVE     S   SYN_SENT     INACTIVE     goes on
orig PARTIAL      INACTIVE     SA  PARTIAL      INACTIVE     goes on
orig ESTABLISHED  ESTABLISHED  S   ESTABLISHED  ESTABLISHED  goes on
orig ESTABLISHED  ESTABLISHED  FA  CLOSED       ESTABLISHED  closes
orig ESTABLISHED  ESTABLISHED  FR  RESET        ESTABLISHED  closes
orig CLOSED       ESTABLISHED  R   RESET        ESTABLISHED  closes
orig CLOSED       CLOSED       R   CLOSED       CLOSED       goes on
orig CLOSED       ESTABLISHED  F   CLOSED       ESTABLISHED  goes on
orig RESET        ESTABLISHED  S   RESET        ESTABLISHED  goes on
"""


@pytest.mark.parametrize("row", MOVES.strip().splitlines())
def test_every_move(row: str) -> None:
    """No sequence number guards any of them."""
    sender, state, other, flags, state_then, other_then, closing = row.split(maxsplit=6)
    conn = Connection(None, ORIG)
    side, peer = (conn.first, conn.second) if sender == "orig" else (conn.second, conn.first)
    side.state, peer.state = EndpointState[state], EndpointState[other]
    conn.flags = sum(BITS[letter] for letter in flags)
    assert (closing == "closes") == machine.move(conn, side, peer)
    assert (state_then, other_then) == tuple(EndpointState(end.state).name for end in (side, peer))


def test_fin_then_rst_counts_as_an_orderly_end() -> None:
    """The peer's FIN, its RST, then this endpoint's FIN: both are closed."""
    conn = Connection(None, ORIG)
    conn.first.state = EndpointState.ESTABLISHED
    conn.second.before, conn.second.state = EndpointState.CLOSED, EndpointState.RESET
    conn.flags = BITS["F"]
    machine.move(conn, conn.first, conn.second)
    assert (EndpointState.CLOSED, EndpointState.CLOSED) == (conn.first.state, conn.second.state)


def test_crossed_handshake_swaps_the_roles() -> None:
    """SYN,ACK captured before the SYN that it answers."""
    conn = Connection(None, ORIG)
    conn.first.state = EndpointState.SYN_ACK_SENT
    conn.second.start, conn.seq, conn.flags = 100, 100, BITS["S"]
    assert not machine.reused(conn.first, conn.second, conn.flags, 100)
    machine.move(conn, conn.second, conn.first)
    assert (RESP, b"^") == (conn.orig, bytes(conn.history))
    states = (EndpointState.ESTABLISHED, EndpointState.ESTABLISHED)
    assert states == (conn.first.state, conn.second.state)


@pytest.mark.parametrize(
    ("flags", "seq", "closed", "again"),
    [("S", 100, False, False), ("S", 101, False, True), ("S", 100, True, True)],
)
def test_syn_on_a_known_four_tuple(flags: str, seq: int, closed: bool, again: bool) -> None:
    """The same number is a retry, unless a side has closed."""
    conn = Connection(None, ORIG)
    conn.first.state, conn.first.start, conn.first.closed = EndpointState.SYN_SENT, 100, closed
    assert again == machine.reused(conn.first, conn.second, BITS[flags], seq)


def test_close_waits_for_data_before_the_fin() -> None:
    """A hole before the FIN defers the close; no timer runs meanwhile."""
    conn = Connection(None, ORIG)
    side, peer = conn.first, conn.second
    side.state = peer.state = EndpointState.ESTABLISHED
    side.start, side.last, side.delivered = 100, 150, 20
    machine.close(conn, side, peer)
    assert (True, False, NEVER) == (conn.deferred, side.closed, conn.delete_at)
    side.delivered, side.fins = 49, 1
    peer.closed = True
    machine.check_end(conn, side, peer)
    assert (False, True) == (conn.deferred, side.closed)
    assert conn.delete_at < NEVER


def test_letters_of_the_hundredth() -> None:
    """The 1st, 10th and 100th of its kind."""
    conn = Connection(None, ORIG)
    for count in range(1, 101):
        machine.add_scaled(conn, conn.second, "T", count)
    assert b"ttt" == conn.history
