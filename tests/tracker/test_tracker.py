"""Pins `Tracker`: whole conversations, cuts into batches, tuples used again, and its memory."""

from __future__ import annotations

import gc
import weakref
from itertools import pairwise

import numpy as np
import pytest
from conversation import play, read_all
from exchange import CLOSE, OPEN, SECOND, Between, exchange, lives
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptrace.columns import Matrix
from tcptrace.decode.segments import Segments
from tcptrace.tracker.four_tuples import FourTuples
from tcptrace.tracker.pending import GROUP
from tcptrace.tracker.slots import PARTS
from tcptrace.tracker.tracker import ENDED_LINGER, Reconstruction, Tracker
from tcptrace.tracker.transitions import Basis, EndReason, Orientation

CLOSER = "SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED"
CLOSED_BY_PEER = "LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED"


def track(*batches: Segments, open_limit: int = 1000) -> Reconstruction:
    tracker = Tracker(open_limit=open_limit)
    for batch in batches:
        tracker.feed(batch)
    return tracker.finish()


def all_of(found: Reconstruction) -> list[object]:
    """Everything that is said, as plain lists."""
    tables = [table.tolist() for table in all_of_tables(found)]
    return [*tables, found.histories, found.numbers.tolist()]


def all_of_tables(found: Reconstruction) -> list[Matrix]:
    return [found.connections.matrix, found.endpoints.matrix, found.transitions.matrix]


def cut(segments: Segments, places: list[int]) -> list[Segments]:
    edges = [0, *sorted(place % (len(segments) + 1) for place in places), len(segments)]
    return [segments.take(slice(a, b)) for a, b in pairwise(edges)]


def mixed() -> Segments:
    """Every conversation that can be played, one after the other on ports of its own."""
    batches = []
    for port, conversation in enumerate(read_all(), 1000):
        rows = play(conversation, conversation.taps[0]).segments
        for name in ("src_port", "dst_port"):
            column = getattr(rows, name)
            column[column == 40000] = port
        rows.time[:] += (port % 7) * SECOND
        batches.append(rows)
    merged = Segments.concat(batches)
    merged = merged.take(np.argsort(merged.time, kind="stable"))
    merged.packet[:] = np.arange(1, len(merged) + 1)
    return merged


MIXED = mixed()
ALL_AT_ONCE = all_of(track(MIXED.take(slice(None))))


def test_whole_connection_is_told_of_both_ends() -> None:
    """The plain open and a close in three segments, scenario of RFC 9293 figures 6 and 12."""
    found = track(exchange(OPEN + CLOSE))
    assert (CLOSER, CLOSED_BY_PEER) == lives(found)
    assert [0] == found.numbers.tolist()
    assert 2 == len(found.endpoints)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_cut_into_batches_changes_nothing(places: list[int]) -> None:
    """All conversations at once: every table, history and number is the same."""
    assert ALL_AT_ONCE == all_of(track(*cut(MIXED.take(slice(None)), places)))


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 10_000), max_size=8), st.integers(1, 6))
def test_cut_changes_nothing_while_connections_are_evicted(places: list[int], limit: int) -> None:
    """What leaves early, and groups that are judged before the end, do not depend on cuts."""
    whole = track(MIXED.take(slice(None)), open_limit=limit)
    pieces = track(*cut(MIXED.take(slice(None)), places), open_limit=limit)
    assert all_of(whole) == all_of(pieces)


def spread() -> Segments:
    """`MIXED` between many hosts and over an hour, so that most parts have connections that leave.

    Some packets are stamped an hour late: the clock runs ahead of all others.
    """
    rows = Segments(MIXED.matrix.copy())
    number = np.maximum(rows.src_port, rows.dst_port)
    rows.src_lo[:] += number % 97
    rows.dst_lo[:] += number % 97
    rows.time[:] += number % 11 * 360 * SECOND
    rows = rows.take(np.argsort(rows.time, kind="stable"))
    rows.packet[:] = np.arange(1, len(rows) + 1)
    rows.time[:: len(rows) // 5] += 3600 * SECOND
    return rows


SPREAD = spread()
SPREAD_AT_ONCE = all_of(track(SPREAD.take(slice(None))))


def parts_of(segments: Segments) -> Matrix:
    tuples = FourTuples(0)
    tuples.look(segments.cells, segments.cells)
    found: Matrix = tuples.parts(len(segments))
    return found


def tracked_apart(owners: list[int]) -> list[object]:
    """What trackers say together of which each has the parts that `owners` gives it."""
    owner = np.array(owners)[parts_of(SPREAD)]
    clocks = np.maximum.accumulate(SPREAD.time)
    until = int(clocks[-1])
    tables: list[list[Matrix]] = [[], [], []]
    told: list[tuple[int, str]] = []
    begun = []
    for each in range(max(owners) + 1):
        places = np.flatnonzero(owner == each)
        rows, tracker = SPREAD.take(places), Tracker(begun=int(SPREAD.time[0]))
        for half in (slice(len(rows) // 2), slice(len(rows) // 2, None)):
            tracker.feed(rows.take(half), clocks[places][half])
        found = tracker.finish(until)
        opened = places[rows.opens == 1]
        own = np.unique(found.numbers, return_index=True)[1]
        begun.append((opened, found.numbers, opened[own]))
        for table, part in zip(tables, all_of_tables(found), strict=True):
            matrix = part.copy()
            matrix[:, 0] = opened[own][matrix[:, 0]]
            table.append(matrix)
        told += zip(opened[own].tolist(), found.histories, strict=True)
    conns = np.sort([place for place, _ in told])
    joined = [np.concatenate(table) for table in tables]
    for table in joined:
        table[:, 0] = np.searchsorted(conns, table[:, 0])
    ordered = [table[np.argsort(table[:, 0], kind="stable")].tolist() for table in joined]
    numbers = sorted(
        (place, int(np.searchsorted(conns, own[conn])))
        for opened, numbers, own in begun
        for place, conn in zip(opened.tolist(), numbers.tolist(), strict=True)
    )
    return [*ordered, [history for _, history in sorted(told)], [conn for _, conn in numbers]]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=PARTS, max_size=PARTS))
def test_who_tracks_which_parts_changes_nothing(owners: list[int]) -> None:
    """Several trackers, each fed some parts, say together what one says that is fed all."""
    assert SPREAD_AT_ONCE == tracked_apart(owners)


def test_parts_are_tracked_to_the_end_of_the_whole() -> None:
    """Of a part that fell silent early it is known how long nothing more was heard."""
    closed = exchange(OPEN + CLOSE)
    tracker = Tracker()
    tracker.feed(closed)
    found = tracker.finish(int(closed.time[-1]) + ENDED_LINGER)
    assert [EndReason.IDLE] == found.connections.end_reason.tolist()


def test_nothing_fed() -> None:
    """A capture without segments has no connections."""
    found = track(Segments.zeros(0))
    assert [0, 0, 0, 0, 0] == [len(part) for part in all_of(found)]  # type: ignore[arg-type]


def test_time_running_backwards_keeps_capture_order() -> None:
    """A clock that steps back inside a connection changes no state and no order."""
    forward, back = exchange(OPEN + CLOSE), exchange(OPEN + CLOSE)
    back.time[3:] -= 5 * SECOND
    found = track(back)
    assert lives(track(forward)) == lives(found)
    moves = found.transitions
    for role in (0, 1):
        assert (np.diff(moves.time[moves.role == role]) >= 0).all()


@pytest.mark.parametrize("isns", [(0xFFFFFFFE, 5000), (0xFFFFFFFF, 0xFFFFFFFF), (5, 0xFFFFFF9C)])
def test_sequence_numbers_wrap(isns: tuple[int, int]) -> None:
    """Wherever the numbers pass 2**32: in the SYN, the text, or the FIN."""
    text = """
    0.10 C PA 1+100 a1
    0.12 S PA 1+100 a101
    0.14 C FA 101 a101
    0.16 S FA 101 a102
    0.18 C A 102 a102
    """
    assert lives(track(exchange(OPEN + text))) == lives(
        track(exchange(OPEN + text, Between(isns=isns)))
    )


def test_simultaneous_open_has_two_active_ends() -> None:
    """RFC 9293 figure 7: crossing SYNs are one connection."""
    text = """
    0.00 C S 0
    0.00 S S 0
    0.02 C SA 0 a1
    0.02 S SA 0 a1
    0.10 C PA 1+5 a1
    0.12 S A 1 a6
    """
    found = track(exchange(text))
    assert ("SYN_SENT SYN_RCVD ESTABLISHED",) * 2 == lives(found)


def test_refused_and_failed_opens() -> None:
    """A RST in answer, RFC 9293 section 3.10.7.1, and an ICMP error about the SYN."""
    refused = track(exchange("0.00 C S 0\n0.02 S RA -5000 a1"))
    assert ("SYN_SENT CLOSED", "CLOSED") == lives(refused)
    failed = track(exchange("0.00 C S 0\n0.02 C S 0 icmp"))
    assert ("SYN_SENT CLOSED", "") == lives(failed)


def test_capture_that_begins_inside_a_connection() -> None:
    """Without a SYN both ends are assumed ESTABLISHED, and the port tells who is who."""
    text = "0.00 S PA 100+50 a100\n0.02 C A 100 a150"
    found = track(exchange(text))
    assert ("ESTABLISHED", "ESTABLISHED") == lives(found)
    assert (Basis.ASSUMED, Basis.ASSUMED) == tuple(found.transitions.basis)
    assert (1, Orientation.PORT) == (
        found.connections.mid_stream[0],
        found.connections.orientation[0],
    )
    assert (40000, 80) == (found.connections.orig_port[0], found.connections.resp_port[0])


def test_eviction_is_told_and_harmless() -> None:
    """Beyond the limit the longest silent one leaves as it stands; its tuple may come again."""
    openings = []
    for port in range(1000, 1020):
        rows = exchange(OPEN, Between(client=("::ffff:192.0.2.1", port)))
        rows.time[:] += port * SECOND
        openings.append(rows)
    found = track(*openings, openings[0].take(slice(None)), open_limit=4)
    reasons = found.connections.end_reason.tolist()
    assert 21 == len(found.connections)
    assert 17 == reasons.count(EndReason.EVICTED)
    assert 4 == reasons.count(EndReason.CAPTURE_END)


def test_ended_connections_leave_after_the_linger() -> None:
    """What had both FINs leaves while the capture runs; what is open stays."""
    ended, still = exchange(OPEN + CLOSE), exchange(OPEN, Between(client=("::1", 5)))
    later = exchange("0.00 C A 1 a1", Between(client=("::1", 5)))
    later.time[:] += ENDED_LINGER + 10 * SECOND
    found = track(ended, still, later)
    assert [EndReason.IDLE, EndReason.CAPTURE_END] == found.connections.end_reason.tolist()


def test_let_go_it_is_gone_at_once() -> None:
    """Tables are made when its memory is free again: nothing of it leads back to it."""
    tracker = Tracker()
    tracker.feed(exchange(OPEN + CLOSE))
    tracker.finish()
    gone = weakref.ref(tracker)
    gc.disable()
    try:
        del tracker
        assert gone() is None
    finally:
        gc.enable()


def test_groups_are_judged_while_the_capture_runs() -> None:
    """More connections than one group holds come out in the order of their beginning."""
    count = 2 * GROUP + 5
    batches = []
    for number in range(count):
        between = Between(client=("::ffff:10.0.0.1", 1024 + number))
        rows = exchange(OPEN + CLOSE, between)
        rows.time[:] += number * 30 * SECOND
        batches.append(rows)
    found = track(Segments.concat(batches))
    assert list(range(count)) == found.numbers.tolist()
    assert list(range(1024, 1024 + count)) == found.connections.orig_port.tolist()
    assert count == len(found.histories)


def test_held_are_those_that_have_yet_to_be_judged() -> None:
    """As many as the table has; none once all is over."""
    tracker = Tracker(open_limit=1)
    tracker.feed(exchange(OPEN))
    tracker.feed(exchange(OPEN, Between(client=("::ffff:192.0.2.9", 7))))
    assert 2 == tracker.held == int((tracker.table().used != 0).sum())
    tracker.finish()
    assert 0 == tracker.held == int((tracker.table().used != 0).sum())
