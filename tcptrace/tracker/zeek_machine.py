"""The rare steps of Zeek's model: what a SYN, FIN, RST or an endpoint's first packet does.

The machine of one endpoint is TCPSessionAdapter::UpdateStateMachine: it believes every FIN and
RST, whatever its sequence number. `tracker.zeek` holds the connections and takes the ordinary
steps itself; here `side` is the sender of the segment at hand and `peer` the other endpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcptrace.tcp.flags import ACK, FIN, RST, SYN
from tcptrace.tcp.sequence import MASK
from tcptrace.tracker.blocks import Blocks
from tcptrace.tracker.zeek_rows import (
    ABOVE_HOLE,
    IDLE,
    LINGER,
    LONGEST_HISTORY,
    NEVER,
    PATIENT_IDLE,
    PATIENT_PORTS,
    SERVER_PORTS,
    SESSION_CHECK,
    UNACKED,
    EndpointState,
)

if TYPE_CHECKING:
    from tcptrace.tracker.zeek import Connection, Side

INACTIVE, SYN_SENT, SYN_ACK_SENT, PARTIAL, ESTABLISHED, CLOSED, RESET = map(int, EndpointState)

# The letters that stand in a history once for a role: their bits in `Connection.seen`.
SEEN = {"S": 1, "H": 1, "F": 2, "R": 4, "I": 8, "Q": 16, "D": 32, "A": 64}
RESPONDER_BITS = 8
POWERS_OF_TEN = frozenset(10**power for power in range(19))


def open_connection(conn: Connection, clock: int) -> None:
    """Date a new connection, and swap its roles where its first packet's ports ask for it."""
    conn.created = clock
    conn.time_start = conn.time_end = conn.time
    if _seems_swapped(conn.flags, conn.src_port, conn.dst_port):
        flip(conn)


def _seems_swapped(flags: int, src_port: int, dst_port: int) -> bool:
    if flags & (SYN | ACK) == SYN or src_port not in SERVER_PORTS:
        return False
    return dst_port not in SERVER_PORTS or (not flags & SYN and src_port < dst_port)


def begin(side: Side, flags: int, seq: int, end: int) -> None:
    """Number a side's octets by its first packet, or anew by a SYN where one is believed."""
    if side.state == INACTIVE and not flags & SYN:
        number(side, (seq - 1) & MASK, seq)
    elif (
        side.state in (INACTIVE, ESTABLISHED, PARTIAL)
        or (side.state in (SYN_SENT, SYN_ACK_SENT) and seq != side.start)
        or (side.state == RESET and side.before == INACTIVE)
    ):
        number(side, seq, end)


def number(side: Side, start: int, last: int) -> None:
    """Number a side's octets from `start` on; the wraps stay: TCP_Endpoint::InitStartSeq."""
    side.start = start
    side.acked = (side.acked >> 32 << 32) + start
    side.last = (side.last >> 32 << 32) + last


def size(side: Side, peer: Side) -> int:
    """A side's octets by sequence space: TCP_Endpoint::Size."""
    aborted = side.before == SYN_SENT and side.state == RESET and peer.state == INACTIVE
    if aborted and not 0 <= side.acked - side.start <= 1:
        return 0
    octets: int = max(side.last, side.acked) - side.start - 1
    if side.fins and octets > 0:
        octets -= 1
    return max(octets, 0)


def add(conn: Connection, side: Side, letter: str) -> None:
    """Add a letter to the history, a small one for the responder."""
    if len(conn.history) < LONGEST_HISTORY:
        conn.history += (letter if side.sender == conn.orig else letter.lower()).encode()


def add_once(conn: Connection, side: Side, letter: str) -> bool:
    """Add a letter the first time only; whether this was the first time."""
    bit = SEEN[letter] << (0 if side.sender == conn.orig else RESPONDER_BITS)
    if conn.seen & bit:
        return False
    conn.seen |= bit
    add(conn, side, letter)
    return True


def add_plain(conn: Connection, side: Side, letter: str) -> None:
    """The first D or A of a role; behind a lonely SYN,ACK it shows that the roles are swapped."""
    if conn.history == b"H":
        flip(conn)
        conn.history[:] = b"^h"
    add_once(conn, side, letter)


def add_scaled(conn: Connection, side: Side, letter: str, count: int) -> None:
    """Add a letter for the 1st, 10th, 100th, ... of its kind."""
    if count in POWERS_OF_TEN:
        add(conn, side, letter)


def add_control(conn: Connection, side: Side, flags: int, start: int, end: int) -> None:
    """The letter of a SYN, FIN or RST from relative number `start`, its payload up to `end`."""
    controls = flags & (SYN | FIN | RST)
    if controls == SYN:
        _add_changed(conn, side, "H" if flags & ACK else "S", start != side.syn_mark)
        side.syn_mark = start
    elif controls == FIN:
        _add_changed(conn, side, "F", end != side.fin_mark)
        side.fin_mark = end
    elif controls == RST:
        _add_changed(conn, side, "R", start != side.rst_mark)
        side.rst_mark = start
    else:
        add_once(conn, side, "I" if controls & FIN and controls & RST else "Q")


def _add_changed(conn: Connection, side: Side, letter: str, changed: bool) -> None:
    """The first time, and again whenever it lies elsewhere than the last."""
    if not add_once(conn, side, letter) and changed:
        add(conn, side, letter)


def flip(conn: Connection) -> None:
    """Swap the roles: Connection::FlipRoles."""
    conn.orig = 1 - conn.orig
    conn.partial = False
    conn.met = (conn.met >> 1) | ((conn.met & 1) << 1)
    conn.history += b"^"


def reused(orig: Side, resp: Side, flags: int, seq: int) -> bool:
    """Whether a SYN begins another connection: TCPSessionAdapter::IsReuse."""
    if flags & ACK and orig.state != INACTIVE:
        return False
    if orig.closed or resp.closed:
        return True
    if seq == (resp.start if flags & ACK else orig.start):
        return False
    crossed = not flags & ACK and orig.state == SYN_ACK_SENT and resp.state == INACTIVE
    return not (crossed and seq == resp.start)


def timed_out(conn: Connection, orig: Side, resp: Side, now: int) -> bool:
    """Whether one of Zeek's timers has ended the row by `now`; silence has lasted 5 s at least."""
    if now >= conn.attempt_at:
        conn.attempt_at = NEVER
        if resp.state == INACTIVE and orig.state in (SYN_SENT, SYN_ACK_SENT):
            return True
    if now >= conn.delete_at or now - conn.time_end >= conn.idle:
        return True
    if now - conn.time_end <= LINGER or not _seems_over(orig, resp):
        return False
    checks = max(0, (conn.time_end - conn.created) // SESSION_CHECK + 1)
    return bool(conn.created + LINGER + checks * SESSION_CHECK <= now)


def _seems_over(orig: Side, resp: Side) -> bool:
    states = (orig.state, resp.state)
    if orig.closed or resp.closed:
        return (orig.closed and resp.closed) or RESET in states or INACTIVE in states
    return states == (INACTIVE, INACTIVE)


def move(conn: Connection, side: Side, peer: Side) -> bool:
    """Move the sender's machine by the segment at hand; whether it closes with it."""
    flags = conn.flags
    if side.state == INACTIVE:
        return _from_inactive(conn, side, peer)
    if side.state in (SYN_SENT, SYN_ACK_SENT):
        return _end(conn, side, peer, flags)
    if side.state in (ESTABLISHED, PARTIAL):
        return _from_established(conn, side, peer)
    if side.state == CLOSED and flags & RST and peer.state != CLOSED:
        _enter(conn, side, peer, RESET)
        return not side.closed
    return False


def _from_inactive(conn: Connection, side: Side, peer: Side) -> bool:
    flags = conn.flags
    if flags & SYN and side.sender == conn.orig:
        _enter(conn, side, peer, SYN_ACK_SENT if flags & ACK else SYN_SENT)
        conn.attempt_at = conn.time + LINGER
    elif flags & SYN:
        _answer(conn, side, peer)
    closing = _end(conn, side, peer, flags)
    if side.state == INACTIVE:
        _pick_up(conn, side, peer)
    return closing


def _answer(conn: Connection, side: Side, peer: Side) -> None:
    """The responder's SYN establishes both ends at once, the third ACK plays no part."""
    if not conn.flags & ACK and peer.state == SYN_ACK_SENT and conn.seq == side.start:
        flip(conn)
        _enter(conn, peer, side, ESTABLISHED)
    if peer.state == SYN_SENT:
        _enter(conn, peer, side, ESTABLISHED)
    _enter(conn, side, peer, ESTABLISHED)
    service = conn.dst_port if side.sender == conn.orig else conn.src_port
    if peer.state != PARTIAL and service in PATIENT_PORTS:
        conn.idle = PATIENT_IDLE


def _pick_up(conn: Connection, side: Side, peer: Side) -> None:
    """An endpoint whose SYN was not captured, by its first packet."""
    role = 1 if side.sender == conn.orig else 2
    if role == 2 and not conn.payload and peer.state == SYN_SENT:
        return
    if conn.flags & ACK and peer.state == ESTABLISHED:
        _enter(conn, side, peer, ESTABLISHED)
        conn.partial = False
        conn.met |= role
    else:
        _enter(conn, side, peer, PARTIAL)


def _from_established(conn: Connection, side: Side, peer: Side) -> bool:
    flags = conn.flags
    if flags & SYN and not flags & ACK and side.state == PARTIAL and peer.state == INACTIVE:
        _enter(conn, side, peer, SYN_SENT)
    if flags & FIN and not flags & RST and peer.state == RESET and peer.before == CLOSED:
        _enter(conn, side, peer, CLOSED)
        _enter(conn, peer, side, CLOSED)
        return True
    return _end(conn, side, peer, flags & RST or flags)


def _end(conn: Connection, side: Side, peer: Side, flags: int) -> bool:
    """What FIN and RST do, in this order, to an endpoint that is not closed yet."""
    if flags & FIN:
        _enter(conn, side, peer, CLOSED)
    if flags & RST:
        _enter(conn, side, peer, RESET)
    return flags & (FIN | RST) != 0


def _enter(conn: Connection, side: Side, peer: Side, state: int) -> None:
    """Move an endpoint; the first to leave the handshake makes the row bear longer silence."""
    if side.state == state:
        return
    if max(side.state, peer.state) <= SYN_ACK_SENT < state:
        conn.idle = IDLE
    side.before, side.state = side.state, state


def close(conn: Connection, side: Side, peer: Side) -> None:
    """What follows a FIN or RST once all data is delivered: ConnectionClosed."""
    conn.deferred = _pending(side, peer)
    if conn.deferred or side.closed:
        return
    side.closed = True
    if side.state == RESET or peer.closed or peer.state == INACTIVE:
        conn.attempt_at = NEVER
        conn.delete_at = conn.time_end + LINGER


def check_end(conn: Connection, side: Side, peer: Side) -> None:
    """Note the end of a stream once, and close what waited for it: TCP_Reassembler::CheckEOF."""
    if side.ended or _pending(side, peer):
        return
    side.ended = True
    if conn.deferred:
        close(conn, side, peer)
        conn.deferred = False


def _pending(side: Side, peer: Side) -> bool:
    """Whether a close must wait for data: TCP_Reassembler::DataPending."""
    whole = side.start + side.delivered
    if side.given_up or side.last < whole:
        return False
    if whole not in (side.last, side.last - 1):
        return True
    return bool(side.state != RESET and peer.high > peer.trimmed)


def fill_gaps(conn: Connection, side: Side, peer: Side, upto: int) -> None:
    """Octets of `side` up to `upto` were acknowledged, and some of them were never captured."""
    if upto <= 2 and conn.partial:
        return
    while side.blocks is not None and side.blocks.starts[0] < upto:
        _gap(conn, side, peer, side.blocks.starts[0])
        absorb(side)
    if upto > side.delivered:
        _gap(conn, side, peer, upto)


def _gap(conn: Connection, side: Side, peer: Side, upto: int) -> None:
    if _is_clean(side) and _is_clean(peer) and not side.given_up:
        side.missed += upto - side.delivered
        side.gaps += 1
        add_scaled(conn, side, "G", side.gaps)
    side.delivered = upto


def _is_clean(side: Side) -> bool:
    """Whether gaps in its stream can be believed."""
    return ESTABLISHED in (side.state, side.before if side.state == CLOSED else side.state)


def store(side: Side, peer: Side, start: int, end: int) -> None:
    """Octets [start, end) are captured where a hole is open or nothing was acknowledged yet."""
    unacked = side.acked - side.start in (0, 1)
    if start > side.delivered:
        if side.blocks is None:
            side.blocks = Blocks()
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
