"""Zeek's machine of one endpoint, and a segment's letter: functions, and their dense tables.

TCPSessionAdapter::UpdateStateMachine and update_history. No sequence number guards a move:
every FIN and RST is believed. The kernel `tracker.zeek` holds no move of its own, it looks up
`place(...)` in the tables, which are made from these functions when the module is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import product

from tcptrace.tcp.flags import ACK, FIN, RST, SYN
from tcptrace.tracker.zeek_rows import PATIENT_PORTS, SERVER_PORTS, EndpointState

INACTIVE, SYN_SENT, SYN_ACK_SENT, PARTIAL, ESTABLISHED, CLOSED, RESET = EndpointState

STATES = len(EndpointState)
CONTROLS = SYN | FIN | RST
# FIN, SYN and RST as they stand in the header, ACK beside them: a segment's place in a table.
ACK_SHIFT = 1
SEGMENTS = 16


class Act(IntEnum):
    """What a move does besides changing states; a move may do several, their sum."""

    CLOSES = 1  # ConnectionClosed follows
    FLIPS = 2  # the roles are swapped
    WHOLE = 4  # the connection is not partial after all
    ATTEMPTS = 8  # the attempt timer starts
    ESTABLISHES = 16  # the event connection_established
    SETTLES = 32  # out of the handshake: silence is borne longer
    REVIVES = 64  # a peer that was reset after its FIN counts as closed again


@dataclass
class Move:
    """One endpoint's segment and what it leads to; `flags` are tcp.flags."""

    is_orig: bool
    state: EndpointState
    peer: EndpointState
    flags: int
    has_payload: bool = False
    before: EndpointState | None = None
    acts: int = 0

    def enter(self, state: EndpointState) -> None:
        """Move the sender; `before` remembers the state it left, as Zeek does."""
        if state != self.state:
            self._settle(self.state, state, self.peer)
            self.before, self.state = self.state, state

    def move_peer(self, state: EndpointState) -> None:
        """Move the receiver, on the strength of what was sent to it."""
        self._settle(self.peer, state, self.state)
        self.peer = state

    def _settle(self, old: EndpointState, new: EndpointState, other: EndpointState) -> None:
        if max(old, other) <= SYN_ACK_SENT < new:
            self.acts |= Act.SETTLES


def move(
    is_orig: bool, state: EndpointState, peer: EndpointState, flags: int, has_payload: bool = False
) -> Move:
    """What the sender's segment does, `state` its state and `peer` the receiver's."""
    step = Move(is_orig, state, peer, flags, has_payload)
    if state == INACTIVE:
        _from_inactive(step)
    elif state in (SYN_SENT, SYN_ACK_SENT):
        _end(step, flags)
    elif state in (ESTABLISHED, PARTIAL):
        _from_established(step)
    elif state == CLOSED and flags & RST and peer != CLOSED:
        _end(step, RST)
    return step


def _from_inactive(step: Move) -> None:
    if step.flags & SYN and step.is_orig:
        step.enter(SYN_ACK_SENT if step.flags & ACK else SYN_SENT)
        step.acts |= Act.ATTEMPTS
    elif step.flags & SYN:
        _answer(step)
    _end(step, step.flags)
    if step.state == INACTIVE:
        _pick_up(step)


def _answer(step: Move) -> None:
    """The responder's SYN establishes both ends at once, the third ACK plays no part."""
    if step.peer == SYN_ACK_SENT and not step.flags & ACK:
        step.acts |= Act.FLIPS  # SYN and SYN,ACK were captured in the wrong order
        step.move_peer(ESTABLISHED)
    if step.peer == SYN_SENT:
        step.move_peer(ESTABLISHED)
    step.enter(ESTABLISHED)
    if step.peer != PARTIAL:
        step.acts |= Act.ESTABLISHES


def _pick_up(step: Move) -> None:
    """An endpoint whose SYN was not captured, by its first packet."""
    if not step.is_orig and not step.has_payload and step.peer == SYN_SENT:
        return
    if step.flags & ACK and step.peer == ESTABLISHED:
        step.enter(ESTABLISHED)
        step.acts |= Act.WHOLE
    else:
        step.enter(PARTIAL)


def _from_established(step: Move) -> None:
    flags = step.flags
    if flags & SYN and not flags & ACK and step.state == PARTIAL and step.peer == INACTIVE:
        step.enter(SYN_SENT)
    if flags & FIN and not flags & RST and step.peer == RESET:
        step.acts |= Act.REVIVES
    _end(step, flags & RST or flags)


def _end(step: Move, flags: int) -> None:
    """What FIN and RST do, in this order, to an endpoint that is not closed yet."""
    if flags & FIN:
        step.enter(CLOSED)
    if flags & RST:
        step.enter(RESET)
    if flags & (FIN | RST):
        step.acts |= Act.CLOSES


def letter(flags: int, has_payload: bool) -> str:
    """The letter of a segment's history, in capitals; empty where it adds none."""
    controls = flags & CONTROLS
    if controls == SYN:
        return "H" if flags & ACK else "S"
    if controls in (FIN, RST):
        return "F" if controls == FIN else "R"
    if controls:
        return "I" if controls & FIN and controls & RST else "Q"
    if has_payload:
        return "D"
    return "A" if flags & ACK else ""


# Letters that stand in a history once for a role: their bits.
ONCE = {"": 0, "S": 1, "H": 1, "F": 2, "R": 4, "I": 8, "Q": 16, "D": 32, "A": 64}


def place(is_orig: bool, state: int, peer: int, flags: int, has_payload: bool) -> int:
    """Where a move stands in the tables of moves."""
    ends = ((0 if is_orig else 1) * STATES + state) * STATES + peer
    return ends * 2 * SEGMENTS + 2 * _segment(flags) + has_payload


def _segment(flags: int) -> int:
    return flags & CONTROLS | (flags & ACK) >> ACK_SHIFT


_FLAGS = sorted((flags for flags in range(2 * ACK) if not flags & ~(CONTROLS | ACK)), key=_segment)
_SEGMENTS = list(product(_FLAGS, (False, True)))
_ENDS = product((True, False), EndpointState, EndpointState)
_MOVES = [move(*ends, *segment) for ends, segment in product(_ENDS, _SEGMENTS)]

# By place(...): the sender's state, the one it left (its own where it stayed), the receiver's.
STATE_AFTER = bytes(step.state for step in _MOVES)
PEER_AFTER = bytes(step.peer for step in _MOVES)
BEFORE = bytes(STATES if step.before is None else step.before for step in _MOVES)
ACTS = bytes(step.acts for step in _MOVES)

# By an endpoint's state and the one before: whether gaps in its stream can be believed.
CLEAN = bytes(
    state == ESTABLISHED or (state, before) == (CLOSED, ESTABLISHED)
    for state, before in product(EndpointState, EndpointState)
)

# By the segment alone, twice each, without and with payload.
LETTER = bytes(ord(letter(*segment) or "\0") for segment in _SEGMENTS)
ONCE_BIT = bytes(ONCE[letter(*segment)] for segment in _SEGMENTS)

# By a port: whether it is a likely server's, and an interactive service's.
IS_SERVER = bytes(map(frozenset(SERVER_PORTS).__contains__, range(1 << 16)))
IS_PATIENT = bytes(map(frozenset(PATIENT_PORTS).__contains__, range(1 << 16)))
