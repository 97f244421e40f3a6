"""The tracker against conversations whose truth is drawn: it sees only what passes the tap."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from conversation import LOW, START, Conversation, Played, Side, Tap, play, read_all
from endpoint import Move

from tcptrace.decode.segments import Segments
from tcptrace.tables.timeline import timeline
from tcptrace.tcp.states import State
from tcptrace.tcp.timers import profile
from tcptrace.tracker import tracker
from tcptrace.tracker.transitions import Basis

CERTAIN = (Basis.OBSERVED, Basis.CONFIRMED)
CASES = [(conversation, tap) for conversation in read_all() for tap in conversation.taps]
NAMES = [f"{conversation.name}-{tap.name.lower()}" for conversation, tap in CASES]
EVERY_CASE = pytest.mark.parametrize(("conversation", "tap"), CASES, ids=NAMES)


@dataclass(frozen=True)
class Told:
    """One move as the tracker tells it."""

    state: State
    basis: Basis
    earliest: int
    latest: int


def reconstruct(conversation: Conversation, batches: list[Segments]) -> tracker.Reconstruction:
    """What the tracker makes of segments that come in these batches."""
    system = "rfc9293" if conversation.name.startswith("figure_") else "linux"
    listened = conversation.listened
    begun = None if listened is None else START - listened
    tracked = tracker.Tracker(profile=profile(system), begun=begun)
    for batch in batches:
        tracked.feed(batch)
    return tracked.finish()


def told(result: tracker.Reconstruction, side: Side) -> list[Told]:
    """All moves of one endpoint that stand, connection after connection in the order of their end.

    LISTEN is left out: it is assumed, and belongs to the port. So is a CLOSED that begins a life.
    A four-tuple has one life at a time: what ends first also began first, whatever the tap saw.
    """
    rows, connections = result.transitions, result.connections
    moves: list[Told] = []
    shown = rows.take(rows.basis != Basis.TIMER)
    ends = {conn: shown.time[shown.conn == conn].max() for conn in set(shown.conn.tolist())}
    for row in sorted(range(len(rows)), key=lambda row: (ends[int(rows.conn[row])], row)):
        swapped = connections.orig_lo[rows.conn[row]] != LOW[Side.A]
        if rows.role[row] == side.value ^ int(swapped) and rows.basis[row] != Basis.RETRACTED:
            state, basis = State(rows.state[row]), Basis(rows.basis[row])
            moves.append(Told(state, basis, int(rows.earliest[row]), int(rows.latest[row])))
    return [move for place, move in enumerate(moves) if _tells(place, [m.state for m in moves])]


def lived(played: Played, side: Side) -> list[Move]:
    """The true moves of one endpoint, the same states left out."""
    life = played.endpoints[side].life
    return [move for place, move in enumerate(life) if _tells(place, [m.state for m in life])]


def _tells(place: int, states: list[State]) -> bool:
    if states[place] is State.CLOSED:
        return place > 0 and states[place - 1] not in (State.CLOSED, State.LISTEN)
    return states[place] is not State.LISTEN


def without_later_timers(moves: list[Told], count: int) -> list[Told]:
    """Without predictions about a time after the conversation was drawn to its end."""
    ends = [move.basis is Basis.TIMER for move in moves[count:]]
    return moves[:count] if all(ends) else moves


@EVERY_CASE
def test_states_are_those_drawn(conversation: Conversation, tap: Tap) -> None:
    """The ordered states of both endpoints, wherever the tap could tell them."""
    played = play(conversation, tap)
    result = reconstruct(conversation, [played.segments])
    for side in set(Side) - conversation.untellable:
        expected = [move.state for move in lived(played, side)]
        moves = without_later_timers(told(result, side), len(expected))
        assert expected == [move.state for move in moves], side.name


@EVERY_CASE
def test_what_is_claimed_is_true(conversation: Conversation, tap: Tap) -> None:
    """Each move called observed or confirmed was made, in that order and within its bounds."""
    played = play(conversation, tap)
    result = reconstruct(conversation, [played.segments])
    for side in set(Side) - conversation.misled:
        truth = iter(lived(played, side))
        for claim in told(result, side):
            if claim.basis in CERTAIN:
                true = next((move for move in truth if move.state is claim.state), None)
                assert true is not None, f"{side.name} was never {claim.state.name} then"
                assert claim.earliest <= true.time <= claim.latest, f"{side.name} {claim}"


@EVERY_CASE
def test_bounds_hold_the_true_moment(conversation: Conversation, tap: Tap) -> None:
    """Whatever a move rests on, its bounds are right; only what began before is assumed."""
    played = play(conversation, tap)
    result = reconstruct(conversation, [played.segments])
    for side in set(Side) - conversation.untellable:
        for true, move in zip(lived(played, side), told(result, side), strict=False):
            if true.event is not None and move.basis is not Basis.ASSUMED:
                assert move.earliest <= true.time <= move.latest, f"{side.name} {move}"


@EVERY_CASE
def test_what_is_taken_back_was_not_so(conversation: Conversation, tap: Tap) -> None:
    """No endpoint made such a move at that time, and no row of the timeline tells of it."""
    played = play(conversation, tap)
    result = reconstruct(conversation, [played.segments])
    rows = result.transitions
    back = rows.take(rows.basis == Basis.RETRACTED)
    assert len(timeline(result)) + len(back) == len(rows)
    for side in set(Side) - conversation.untellable:
        swapped = result.connections.orig_lo[back.conn] != LOW[Side.A]
        own = back.take(back.role == (side.value ^ swapped))
        for state, earliest, latest in zip(own.state, own.earliest, own.latest, strict=True):
            assert not any(
                move.state == state and earliest <= move.time <= latest
                for move in lived(played, side)
            ), f"{side.name} was {State(state).name} then"


@EVERY_CASE
def test_batches_change_nothing(conversation: Conversation, tap: Tap) -> None:
    """One segment at a time gives the rows that all at once give."""
    segments = play(conversation, tap).segments
    one_by_one = [segments.take(slice(place, place + 1)) for place in range(len(segments))]
    whole = reconstruct(conversation, [segments])
    piecemeal = reconstruct(conversation, one_by_one)
    assert whole.transitions.matrix.tolist() == piecemeal.transitions.matrix.tolist()


@EVERY_CASE
def test_a_connection_is_an_incarnation(conversation: Conversation, tap: Tap) -> None:
    """As many connections as lives, where both endpoints led as many from their beginning."""
    played = play(conversation, tap)
    lives = {len(played.endpoints[side].lives()) for side in Side}
    begun = {played.endpoints[side].life[0].state for side in Side}
    if len(lives) == 1 and State.ESTABLISHED not in begun:
        result = reconstruct(conversation, [played.segments])
        assert lives == {len(result.connections)}
