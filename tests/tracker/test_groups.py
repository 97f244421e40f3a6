"""Pins `Group`: which SYNs opened nothing, wherever the groups are cut."""

from __future__ import annotations

import pytest
from exchange import OPEN, Between, exchange, lives

from tcptrace.decode.segments import Segments
from tcptrace.tracker import pending
from tcptrace.tracker.tracker import Reconstruction, Tracker


def track(*batches: Segments) -> Reconstruction:
    tracker = Tracker()
    for batch in batches:
        tracker.feed(batch)
    return tracker.finish()


STRAY = """
0.50 C S 70000
0.52 S A 1 a1
0.60 C PA 1+10 a1
0.62 S A 1 a11
"""


def test_stray_syn_is_no_connection() -> None:
    """Neither answered nor repeated while its sender goes on: it counts for its home."""
    found = track(exchange(OPEN + STRAY))
    assert [0, 0] == found.numbers.tolist()
    assert ("SYN_SENT ESTABLISHED", "LISTEN SYN_RCVD ESTABLISHED") == lives(found)
    assert [4, 3] == found.endpoints.segments.tolist()


def test_stray_syn_of_the_responder_is_its_own() -> None:
    """It counts for the end that it claims to come from, and so does its copy."""
    stray = "0.50 S S 70000\n0.50 S S 70000\n0.60 S PA 1+10 a1\n0.62 C A 1 a11"
    found = track(exchange(OPEN + stray))
    assert [0, 0] == found.numbers.tolist()
    assert [3, 3] == found.endpoints.segments.tolist()
    assert [0, 1] == found.endpoints.duplicates.tolist()


@pytest.mark.parametrize("group", [1, 2, 3])
def test_stray_syn_where_groups_are_cut(group: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A SYN and the connection that it strayed into are always judged together."""
    monkeypatch.setattr(pending, "GROUP", group)
    batches = [
        exchange(OPEN + STRAY, Between(client=(f"::ffff:10.0.0.{host}", 5))) for host in range(5)
    ]
    assert [0, 0, 1, 1, 2, 2, 3, 3, 4, 4] == track(*batches).numbers.tolist()


def test_repeated_syn_is_no_stray() -> None:
    """A client that restarted repeats its SYN, even if the old numbers are heard once more."""
    again = exchange("0.5 C S 70000\n0.55 C A 1 a1\n1.5 C S 70000")
    assert 2 == len(track(exchange(OPEN), again).connections)
