"""Pins `Part`: its tables are those of its connections, under the numbers that these have."""

from __future__ import annotations

import pytest
from exchange import CLOSE, OPEN, SECOND, Between, exchange

from tcptrace.decode.segments import Segments
from tcptrace.part import Part
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tables.schema import CONNECTIONS, TIMELINE
from tcptrace.tables.table import Table
from tcptrace.tcp.timers import profile
from tcptrace.tracker import pending
from tcptrace.tracker.settling import Settling
from tcptrace.tracker.tracker import Tracker

ABORT = "2.00 S RA 1 a1"
LATER = 400 * SECOND


@pytest.fixture(autouse=True)
def judged_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that each is judged as soon as another one has left."""
    monkeypatch.setattr(pending, "GROUP", 1)


def names(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def parts(*stories: str) -> list[Part]:
    """A first part of what has long ended, and what is left at the end; a story every 400 s."""
    tracker, facts, now = Tracker(), CaptureFacts(), 0
    settling = Settling(tracker)
    for place, story in enumerate(stories):
        rows: Segments = exchange(story, Between(client=("::ffff:10.0.0.9", 100 + place)))
        rows.time[:] += place * LATER
        now = facts.end = int(rows.time.max())
        tracker.feed(rows)
    pieces = list(settling.settle(now))
    tracker.end()
    while tracker.judge_more():
        pass
    pieces += settling.settle(now, over=True)
    return [Part(piece, facts, profile("linux"), now) for piece in pieces]


def test_rows_have_the_numbers_of_their_connections() -> None:
    """Whatever place they have in the part."""
    early, rest = parts(OPEN, *[OPEN + CLOSE] * 3)
    assert 4 == len(early.connections) + len(rest.connections)
    for part in (early, rest):
        assert "conn" == part.connections.index.name
        assert part.connections.index.tolist() == sorted(set(part.timeline["conn"]))
        assert (part.connections.orig_port == 100 + part.connections.index).all()
        assert names(CONNECTIONS)[1:] == list(part.connections.columns)
        assert names(TIMELINE) == list(part.timeline.columns)
    assert len(early.connections)


def test_of_no_connections_the_tables_are_empty() -> None:
    """With all their columns."""
    _, none = parts()
    assert (0, 0) == (len(none.connections), len(none.timeline))
    assert names(TIMELINE) == list(none.timeline.columns)


def test_what_is_odd_about_a_connection_stands_in_its_row() -> None:
    """Of one that was aborted, not of one that closed."""
    told = {
        code
        for part in parts(OPEN + ABORT, OPEN + CLOSE)
        for code in part.connections.anomalies.items()
    }
    assert {(0, "connection-aborted"), (1, "")} == told
