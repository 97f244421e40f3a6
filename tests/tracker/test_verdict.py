"""Pins `Judged.verdict` and `Verdict.join`: from sides to roles, from places to ordinals."""

from __future__ import annotations

from exchange import CLOSE, OPEN, Between, exchange

from tcptrace.tracker.tracker import Tracker
from tcptrace.tracker.verdict import Verdict


def test_originator_has_the_first_row_whichever_side_spoke_first() -> None:
    """A capture that begins with the SYN-ACK: side 0 is the responder, its rows are the second."""
    tracker = Tracker()
    tracker.feed(exchange(OPEN + CLOSE).take(slice(1, None)))
    found = tracker.finish()
    assert [40000] == found.connections.orig_port.tolist()
    assert [0, 1] == found.endpoints.role.tolist()
    client = exchange(OPEN + CLOSE).src_port == 40000
    assert [int(client.sum()) - 1, int((~client).sum())] == found.endpoints.segments.tolist()
    assert sorted(found.transitions.role.tolist()) == found.transitions.role.tolist()


def test_verdicts_join_in_the_order_given() -> None:
    """Nothing is lost, no ordinal is changed before the incarnations are settled."""
    verdicts = []
    for port in (40000, 40001):
        tracker = Tracker()
        tracker.feed(exchange(OPEN, Between(client=("::ffff:10.0.0.1", port))))
        tracker.finish()
        verdicts += tracker._verdicts
    joined = Verdict.join(verdicts)
    assert [40000, 40001] == joined.connections.orig_port.tolist()
    assert 2 == len(joined.histories)
    assert len(joined.endpoints) == 4
