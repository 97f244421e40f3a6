"""Pins what holds of `Transitions` whatever the segments are: order, bounds, machine, proof."""

from __future__ import annotations

from typing import Any

import numpy as np
from exchange import BITS, SECOND, START, Between, exchange
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptrace.decode.segments import Checksum, Kind, Segments
from tcptrace.tcp.machine import step
from tcptrace.tcp.sequence import add
from tcptrace.tcp.states import Event, State
from tcptrace.tcp.timers import PROFILES, profile
from tcptrace.tracker.tracker import Reconstruction, Tracker
from tcptrace.tracker.transitions import Basis, Transitions

FLAGS = ("S", "SA", "A", "A", "PA", "FA", "FA", "F", "R", "RA", "", "SF", "SFA", "SR", "FRA")
NUMBERS = st.integers(-3, 12) | st.sampled_from((300, 70_000, 1 << 31, -(1 << 30)))
PAUSES = (0, 1, 1_000_000, 30_000_000, SECOND // 5, SECOND, 70 * SECOND, 400 * SECOND, -SECOND)
MINUTE = 60 * SECOND

segment = st.fixed_dictionaries(
    {
        "who": st.sampled_from("CS"),
        "flags": st.sampled_from(FLAGS),
        "seq": NUMBERS,
        "ack": NUMBERS,
        "payload": st.sampled_from((0, 0, 1, 4, 9000)),
        "pause": st.sampled_from(PAUSES),
        "window": st.sampled_from((0, 500)),
        "timestamp": st.none() | st.tuples(st.integers(0, 40), st.integers(0, 40)),
        "kind": st.sampled_from((Kind.SEGMENT,) * 8 + (Kind.ICMP_ERROR, Kind.DAMAGED)),
        "checksum": st.sampled_from((Checksum.GOOD,) * 5 + (Checksum.BAD, Checksum.OFFLOADED)),
        "ip_id": st.sampled_from((-1, 0, 1, 2, 7)),
    }
)
conversations = st.lists(segment, min_size=1, max_size=24)


def made(drawn: list[dict[str, Any]]) -> Segments:
    """The drawn segments, on one four-tuple."""
    rows = exchange("\n".join("0 C A 0" for _ in drawn))
    moment = START
    for place, one in enumerate(drawn):
        moment += one["pause"]
        isns = Between().isns if one["who"] == "C" else Between().isns[::-1]
        flags = sum(BITS[letter] for letter in one["flags"])
        tsval, tsecr = one["timestamp"] or (0, 0)
        values = {
            "time": moment,
            "seq": add(isns[0], one["seq"]),
            "ack": add(isns[1], one["ack"]) if "A" in one["flags"] else 0,
            "flags": flags,
            "has_timestamp": int(one["timestamp"] is not None),
            "tsval": tsval,
            "tsecr": tsecr,
            "checksum_field": place,
        }
        for name in ("payload", "window", "kind", "checksum", "ip_id"):
            values[name] = one[name]
        for name, value in values.items():
            getattr(rows, name)[place] = value
        if one["who"] == "S":
            _turn_round(rows.matrix[place])
    return rows


def _turn_round(row: Any) -> None:
    for part in ("hi", "lo", "port"):
        source, target = Segments.index(f"src_{part}"), Segments.index(f"dst_{part}")
        row[source], row[target] = int(row[target]), int(row[source])


def track(rows: Segments, system: str = "linux") -> Reconstruction:
    tracker = Tracker(profile(system))
    tracker.feed(rows)
    return tracker.finish()


def ends(found: Reconstruction) -> list[Transitions]:
    """The rows of each endpoint that stand."""
    moves = found.transitions.take(found.transitions.basis != Basis.RETRACTED)
    keys = [(conn, role) for conn in range(len(found.connections)) for role in (0, 1)]
    return [moves.take((moves.conn == conn) & (moves.role == role)) for conn, role in keys]


@settings(max_examples=60, deadline=None)
@given(conversations, st.sampled_from(sorted(PROFILES)))
def test_whatever_is_captured(drawn: list[dict[str, Any]], system: str) -> None:
    """No crash; endpoints in order of connection and role; every ordinal has a connection."""
    found = track(made(drawn), system)
    moves = found.transitions
    order = moves.conn * 2 + moves.role
    assert (np.diff(order) >= 0).all()
    assert set(found.numbers.tolist()) == set(range(len(found.connections)))
    assert 2 * len(found.connections) == len(found.endpoints)


@settings(max_examples=60, deadline=None)
@given(conversations)
def test_times_are_in_order_and_inside_their_bounds(drawn: list[dict[str, Any]]) -> None:
    """A later move of an endpoint is no earlier; earliest (-1: unbounded) <= time <= latest."""
    for moves in ends(track(made(drawn))):
        assert (np.diff(moves.time) >= 0).all()
        assert ((moves.earliest <= moves.time) & (moves.time <= moves.latest)).all()
        assert ((moves.earliest > START - 2 * MINUTE) | (moves.earliest == -1)).all()


@settings(max_examples=60, deadline=None)
@given(conversations)
def test_states_follow_the_machine(drawn: list[dict[str, Any]]) -> None:
    """Each row is where its event leads; a first CLOSED by a RST is a host without a socket."""
    for moves in ends(track(made(drawn))):
        state = State.CLOSED
        for row, (following, event) in enumerate(zip(moves.state, moves.event, strict=True)):
            led = step(state, Event(event))
            without_socket = row == 0 and event in (Event.SND_RST, Event.RCV_RST)
            assert led == following or (without_socket and following == State.CLOSED)
            state = State(following)


@settings(max_examples=60, deadline=None)
@given(conversations)
def test_claims_name_their_packet(drawn: list[dict[str, Any]]) -> None:
    """Observed and confirmed rows have the packet that shows or proves them, and it exists."""
    rows = made(drawn)
    for moves in ends(track(rows)):
        sure = moves.take(moves.basis <= Basis.CONFIRMED)
        assert (np.maximum(sure.packet, sure.confirmed_by) >= 1).all()
        assert (moves.packet <= len(rows)).all()
        assert (moves.confirmed_by <= len(rows)).all()
        assert (moves.packet[moves.basis == Basis.TIMER] == 0).all()
