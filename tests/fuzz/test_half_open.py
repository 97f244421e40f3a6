"""Floods of SYNs: every one a connection, memory in proportion, and never beyond the limit."""

from __future__ import annotations

import io
import tracemalloc

import tcptrace
from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Segments
from tcptrace.sources.capture import open_capture
from tcptrace.tcp.states import State
from tcptrace.tracker.pending import GROUP
from tcptrace.tracker.tracker import Tracker
from tcptrace.tracker.transitions import EndReason
from tests.fuzz.half_open import flood


def segments_of(count: int) -> list[Segments]:
    """The segments of a flood, decoded anew, for a tracker writes into them."""
    decoder = Decoder()
    return [decoder.feed(packets) for packets in open_capture(io.BytesIO(flood(count)))]


def memory_of(count: int) -> int:
    """Octets that a tracker holds at most while it takes in a flood and tells what it was."""
    batches = segments_of(count)
    tracemalloc.start()
    tracker = Tracker()
    for batch in batches:
        tracker.feed(batch)
    found = tracker.finish()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == len(found.connections)
    return peak


def test_each_syn_is_a_connection_that_waits() -> None:
    """As many connections as SYNs, each originator in SYN_SENT, each responder heard of never."""
    trace = tcptrace.read(io.BytesIO(flood(3000)), progress=False)
    assert 3000 == len(trace.connections)
    states = set(trace.timeline["state"].astype(str))
    assert State.SYN_SENT.name in states
    assert State.ESTABLISHED.name not in states


def test_memory_grows_with_the_flood() -> None:
    """Four times the SYNs take no more than five times the memory, the tables' rounding up."""
    assert memory_of(16_000) < 5 * memory_of(4_000)


def test_open_connections_have_a_limit() -> None:
    """Beyond it the oldest idle one is told and let go, and its place is used again."""
    tracker = Tracker(open_limit=500)
    for batch in segments_of(20_000):
        tracker.feed(batch)
    evicted = sum(
        int((verdict.connections.end_reason == EndReason.EVICTED).sum())
        for verdict in tracker.told(0)
    )
    held = int((tracker.table().used != 0).sum())
    assert 500 <= held < 500 + GROUP, "with those that wait to be judged together"
    found = tracker.finish()
    ended = found.connections.end_reason
    assert (20_000, 19_500) == (len(ended), int((ended == EndReason.EVICTED).sum()))
    assert 20_000 - held == evicted
