# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""The rare steps of the Zeek model ⚙: a row's beginning and end, SYN, FIN, RST, and lost octets.

`tracker.zeek` holds the connections and takes every ordinary step itself. Here `side` is the
sender of the segment at hand and `peer` the other endpoint, `flags` are tcp.flags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cython

from tcptrace.tcp.flags import ACK, SYN
from tcptrace.tcp.sequence import MASK
from tcptrace.tracker.blocks import Blocks
from tcptrace.tracker.zeek_machine import Act, seems_swapped
from tcptrace.tracker.zeek_rows import (
    ABOVE_HOLE,
    IDLE,
    LINGER,
    NEVER,
    PATIENT_IDLE,
    PATIENT_PORTS,
    SESSION_CHECK,
    UNACKED,
    EndpointState,
)

if TYPE_CHECKING:
    from tcptrace.tracker.zeek import Connection, Side

INACTIVE, SYN_SENT, SYN_ACK_SENT, PARTIAL, ESTABLISHED, CLOSED, RESET = map(int, EndpointState)
FLIPS, WHOLE, ATTEMPTS = int(Act.FLIPS), int(Act.WHOLE), int(Act.ATTEMPTS)
ESTABLISHES, SETTLES, REVIVES = int(Act.ESTABLISHES), int(Act.SETTLES), int(Act.REVIVES)


def open_connection(conn: Connection, sender: int, flags: int, ports: tuple[int, int]) -> None:
    """Name a new connection's ends, roles swapped where its first packet's ports ask for it."""
    conn.time_end = conn.time_start
    conn.orig = sender
    conn.ports = ports[::-1] if sender else ports
    if seems_swapped(flags, *ports):
        flip(conn)


def succeed(conn: Connection, old: Connection) -> None:
    """Keep what a slot held before, in one flat list: a chain would be taken down recursively."""
    conn.earlier, old.earlier = old.earlier or [], None
    conn.earlier.append(old)


def flip(conn: Connection) -> None:
    """Swap the roles: Connection::FlipRoles."""
    conn.orig = 1 - conn.orig
    conn.partial = False
    conn.met = (conn.met >> 1) | ((conn.met & 1) << 1)
    conn.history.append(ord("^"))


def is_over(conn: Connection, flags: int, seq: int, now: int) -> bool:
    """Whether a segment begins another of Zeek's rows: by a timer, or as a SYN that reuses."""
    orig, resp = (conn.second, conn.first) if conn.orig else (conn.first, conn.second)
    return _timed_out(conn, orig, resp, now) or (flags & SYN and _reused(orig, resp, flags, seq))


def _timed_out(conn: Connection, orig: Side, resp: Side, now: cython.longlong) -> bool:
    if now >= conn.attempt_at:
        conn.attempt_at = NEVER
        if resp.state == INACTIVE and orig.state in (SYN_SENT, SYN_ACK_SENT):
            return True
    silent_since: cython.longlong = conn.time_end
    if now >= conn.delete_at or now - silent_since >= conn.idle:
        return True
    if now - silent_since <= LINGER or not _seems_over(orig, resp):
        return False
    checks: cython.longlong = max(0, (silent_since - conn.created) // SESSION_CHECK + 1)
    return conn.created + LINGER + checks * SESSION_CHECK <= now


def _seems_over(orig: Side, resp: Side) -> bool:
    states = (orig.state, resp.state)
    if orig.closed or resp.closed:
        return (orig.closed and resp.closed) or RESET in states or INACTIVE in states
    return states == (INACTIVE, INACTIVE)


def _reused(orig: Side, resp: Side, flags: int, seq: int) -> bool:
    """TCPSessionAdapter::IsReuse."""
    if flags & ACK and orig.state != INACTIVE:
        return False
    if orig.closed or resp.closed:
        return True
    if seq == (resp.start if flags & ACK else orig.start):
        return False
    crossed = not flags & ACK and orig.state == SYN_ACK_SENT and resp.state == INACTIVE
    return not (crossed and seq == resp.start)


def begin(side: Side, flags: int, seq: int, end: int) -> None:
    """Number a side's octets by its first packet, or anew by a SYN where one is believed."""
    state = side.state
    if state == INACTIVE and not flags & SYN:
        number(side, (seq - 1) & MASK, seq)
    elif (
        state in (INACTIVE, ESTABLISHED, PARTIAL)
        or (state in (SYN_SENT, SYN_ACK_SENT) and seq != side.start)
        or (state == RESET and side.before == INACTIVE)
    ):
        number(side, seq, end)


def number(side: Side, start: cython.longlong, last: cython.longlong) -> None:
    """Number a side's octets from `start` on; the wraps stay: TCP_Endpoint::InitStartSeq."""
    acked: cython.longlong = side.acked
    sent: cython.longlong = side.last
    side.start = start
    side.acked = (acked >> 32 << 32) + start
    side.last = (sent >> 32 << 32) + last


def act(conn: Connection, side: Side, peer: Side, acts: int, time: int) -> None:
    """What a move does besides changing states, but for closing."""
    if acts & FLIPS:
        flip(conn)
    if acts & SETTLES:
        conn.idle = IDLE
    if acts & ATTEMPTS:
        conn.attempt_at = min(time + LINGER, NEVER)
    if acts & ESTABLISHES and conn.ports[1 - conn.orig] in PATIENT_PORTS:
        conn.idle = PATIENT_IDLE
    if acts & WHOLE:
        conn.partial = False
        conn.met |= 1 if side.sender == conn.orig else 2
    if acts & REVIVES and peer.before == CLOSED:
        peer.before, peer.state = RESET, CLOSED


def close(conn: Connection, side: Side, peer: Side) -> None:
    """What follows a FIN or RST once all data is delivered: ConnectionClosed."""
    conn.deferred = _pending(side, peer)
    if conn.deferred or side.closed:
        return
    side.closed = True
    if side.state == RESET or peer.closed or peer.state == INACTIVE:
        conn.attempt_at = NEVER
        conn.delete_at = min(conn.time_end + LINGER, NEVER)


def check_end(conn: Connection, side: Side, peer: Side) -> None:
    """Note the end of a stream once, and close what waited for it: TCP_Reassembler::CheckEOF."""
    if _pending(side, peer):
        return
    side.ended = True
    if conn.deferred:
        close(conn, side, peer)
        conn.deferred = False


def _pending(side: Side, peer: Side) -> bool:
    """Whether a close must wait for data: TCP_Reassembler::DataPending."""
    whole: cython.longlong = side.start + side.delivered
    last: cython.longlong = side.last
    if side.given_up or last < whole:
        return False
    return whole < last - 1 or (side.state != RESET and peer.high > peer.trimmed)


def size(side: Side, peer: Side) -> int:
    """A side's octets by sequence space: TCP_Endpoint::Size."""
    aborted = side.before == SYN_SENT and side.state == RESET and peer.state == INACTIVE
    acked: cython.longlong = side.acked - side.start
    if aborted and not 0 <= acked <= 1:
        return 0
    octets: cython.longlong = max(side.last - side.start, acked) - 1
    return max(0, octets - 1 if side.fins and octets > 0 else octets)


def store(side: Side, peer: Side, start: int, end: int) -> None:
    """Octets [start, end) are captured where a hole is open or nothing was acknowledged yet."""
    unacked = side.acked - side.start in (0, 1)
    if start > side.delivered:
        side.blocks = Blocks() if side.blocks is None else side.blocks
        side.blocks.put(start, end)
    elif end > side.delivered:
        side.delivered = end
        absorb(side)
        if unacked and size(side, peer) > ABOVE_HOLE:
            side.trimmed = side.delivered
    above = side.blocks.stored() if side.blocks is not None else 0
    waiting = above + max(0, side.delivered - side.trimmed)
    if waiting > UNACKED or (unacked and side.high - side.delivered > ABOVE_HOLE):
        give_up(side)


def absorb(side: Side) -> None:
    """Count what lay above a hole as delivered where the hole is gone."""
    if side.blocks is None:
        return
    side.delivered = side.blocks.absorb(side.delivered)
    if not side.blocks.starts:
        side.blocks = None


def give_up(side: Side) -> None:
    """Look at the stream no more: too much of it waits above a hole or for an ACK."""
    side.given_up = True
    side.high = 0
    side.blocks = None
