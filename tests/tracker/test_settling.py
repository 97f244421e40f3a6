"""Pins `Settling`: what a connection waits for until its rows are final."""

from __future__ import annotations

import pytest
from exchange import CLOSE, OPEN, SECOND, Between, exchange

from tcptrace.decode.segments import Segments
from tcptrace.tracker import pending
from tcptrace.tracker import settling as settlement
from tcptrace.tracker.settling import Piece, Settling
from tcptrace.tracker.tracker import Tracker

LATER = 400 * SECOND


@pytest.fixture(autouse=True)
def judged_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that each is judged as soon as another one has left."""
    monkeypatch.setattr(pending, "GROUP", 1)


class Seen:
    """A tracker and what has been settled of what it was fed."""

    def __init__(self) -> None:
        self.tracker = Tracker()
        self.settling = Settling(self.tracker)
        self.now = 0

    def feed(self, text: str, port: int, at: int = 0, isns: tuple[int, int] = (1000, 5000)) -> None:
        rows: Segments = exchange(text, Between(client=("::ffff:10.0.0.9", port), isns=isns))
        rows.time[:] += at * LATER
        self.now = max(self.now, int(rows.time.max()))
        self.tracker.feed(rows)

    def piece(self) -> Piece:
        (piece,) = self.settling.settle(self.now)
        return piece

    def rest(self) -> Piece:
        (piece,) = self.pieces()
        return piece

    def pieces(self) -> list[Piece]:
        self.tracker.end()
        while self.tracker.judge_more():
            pass
        return list(self.settling.settle(self.now, over=True))


def closed(seen: Seen, first: int, count: int) -> None:
    """Connections that close, each long after the one before it."""
    for number in range(first, first + count):
        seen.feed(OPEN + CLOSE, 100 + number, number)


def test_ended_it_is_settled_while_older_ones_are_open() -> None:
    """It has its number, and is given once."""
    seen = Seen()
    seen.feed(OPEN, 1)
    closed(seen, 1, 4)
    assert [1, 2] == seen.piece().conns.tolist()
    assert [] == seen.piece().conns.tolist()
    assert [0, 3, 4] == seen.rest().conns.tolist()


def test_evicted_while_open_it_waits_for_the_end() -> None:
    """A later incarnation could yet say when it ended."""
    seen = Seen()
    seen.tracker = Tracker(open_limit=1)
    seen.settling = Settling(seen.tracker)
    for port in range(1, 5):
        seen.feed(OPEN, port)
    assert [] == seen.piece().conns.tolist()
    assert [0, 1, 2, 3] == seen.rest().conns.tolist()


def test_used_again_a_port_counts_on() -> None:
    """Incarnations are numbered across pieces."""
    seen = Seen()
    seen.feed(OPEN + CLOSE, 1)
    closed(seen, 1, 2)
    first = seen.piece()
    assert [0] == first.conns.tolist()
    seen.feed(OPEN + CLOSE, 1, 3, (90_000, 80_000))
    rest = seen.rest()
    assert [1, 2, 3] == rest.conns.tolist()
    assert [0, 0, 1] == rest.found.connections.incarnation.tolist()


def test_after_a_syn_that_may_be_stray_numbers_wait() -> None:
    """A SYN on a live connection's ports: if it is a stray one, it has no number."""
    seen = Seen()
    seen.feed(OPEN, 1)
    seen.feed("1 C S 0", 1, 0, (90_000, 80_000))
    closed(seen, 0, 1)
    seen.feed("2 C PA 1+10 a1\n2.1 S A 1 a11", 1)
    closed(seen, 3, 2)
    settled = seen.piece().conns.tolist() + seen.rest().conns.tolist()
    assert [0, 1, 2, 3] == sorted(settled)


def test_many_come_in_pieces_the_incarnations_of_a_port_in_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The older of two ends with the newer one, be there ever so many between them."""
    monkeypatch.setattr(settlement, "ENOUGH", 2)
    seen = Seen()
    seen.feed(OPEN, 1)
    closed(seen, 0, 4)
    seen.feed(OPEN + CLOSE, 1, 4, (90_000, 80_000))
    early = list(seen.settling.settle(seen.now))
    pieces = early + seen.pieces()
    assert [[1, 2], [3], [0, 4, 5]] == [each.conns.tolist() for each in pieces if len(each)]
    assert [0, 0, 1] == pieces[-1].found.connections.incarnation.tolist()


def test_what_waits_counts() -> None:
    """Judged, but not settled: who asks for pieces asks less often."""
    seen = Seen()
    seen.tracker = Tracker(open_limit=1)
    seen.settling = Settling(seen.tracker)
    for port in range(1, 5):
        seen.feed(OPEN, port)
    seen.piece()
    assert 2 == seen.settling.waiting
