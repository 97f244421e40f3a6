"""Pins which connections a swimlane shows, and what its bars and pins say."""

from __future__ import annotations

import pytest

from tcptrace.errors import UsageError
from tcptrace.trace import Trace
from tcptrace.views.lanes import Lanes, lanes
from tests.anomalies.scenes import closed_by_originator, opened, refused
from tests.tables.written import ORIG, RESP, SECOND, Written, at, orderly_close
from tests.test_trace import trace


def drawn(made: Written, **asked) -> Lanes:  # type: ignore[no-untyped-def]
    found: Trace = trace(made)
    return lanes((found.connections, found.timeline, found.anomalies), found.end, **asked)


def crowd() -> Written:
    """Five that are open and well, one refused, one that stalls, and the last is the earliest."""
    made = Written()
    for port in range(5):
        opened(made, 41000 + port, time_start=10 + port, time_end=20)
    refused(made)
    closed_by_originator(made, 42000, time_start=30)
    opened(made, 43000, time_start=1, time_end=20)
    return made


def test_findings_come_first_then_time() -> None:
    """The stall, the refusal, then the earliest; drawn in order of time."""
    assert [6] == drawn(crowd(), most=1).conns
    assert [5, 6] == drawn(crowd(), most=2).conns
    assert [5, 7, 0, 6] == drawn(crowd(), most=4).conns


@pytest.mark.parametrize(
    ("most", "caption"),
    [
        (99, "8 connections"),
        (4, "4 of 8 connections: 2 with findings, then the earliest"),
        (2, "2 of 8 connections: those with the worst findings"),
    ],
)
def test_caption_says_which(most: int, caption: str) -> None:
    """How many of how many, and why these."""
    assert caption == drawn(crowd(), most=most).caption


def test_asked_connections_alone() -> None:
    """In order of time, whatever the order asked; too many of them are cut as all are."""
    assert [7, 0, 3] == drawn(crowd(), conns=[3, 0, 7, 3]).conns
    few = drawn(crowd(), conns=range(5), most=2)
    assert ([0, 1], "2 of 5 connections: the earliest") == (few.conns, few.caption)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"conns": [0, 99]}, "no connection 99: they are 0 to 7"),
        ({"conns": [-1]}, "no connection -1"),
        ({"conns": []}, "nothing to draw"),
        ({"most": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_drawn(asked: dict, said: str) -> None:
    """A sentence that says why."""
    with pytest.raises(UsageError, match=said):
        drawn(crowd(), **asked)


def test_no_connections() -> None:
    """Nothing to draw is no empty picture."""
    with pytest.raises(UsageError, match="nothing to draw"):
        drawn(Written())


def test_two_lanes_a_connection() -> None:
    """The originator's above the responder's, each with its own moves."""
    made = Written()
    orderly_close(made)
    shown = drawn(made)
    assert ["10.0.0.9:40000", "10.0.0.5:8080"] == shown.names
    originator = [bar.state for bar in shown.bars if bar.lane == ORIG]
    responder = [bar.state for bar in shown.bars if bar.lane == RESP]
    assert ("SYN_SENT", "CLOSED") == (originator[0], originator[-1])
    assert ("LISTEN", "CLOSED") == (responder[0], responder[-1])
    assert "presumed" == shown.bars[-1].basis and shown.bars[-1].end is None


def test_window_leaves_time_wait_out() -> None:
    """From the first packet to the last; a minute of TIME_WAIT would dwarf what was before."""
    made = Written()
    orderly_close(made)
    shown = drawn(made)
    assert (at(0), at(0), at(1)) == (shown.zero, shown.begin, shown.end)


def test_window_reaches_the_end_of_an_open_state() -> None:
    """CLOSE_WAIT that is never left lasts as long as the capture, and no longer."""
    made = Written()
    closed_by_originator(made)
    assert at(300) == drawn(made).end


def test_bar_may_begin_before_the_first_packet() -> None:
    """A SYN is sent before a tap sees it."""
    made = Written()
    opened(made)
    made.moves[0]["time"] -= SECOND
    assert at(-1) == drawn(made).begin


def test_findings_are_pinned_to_the_side_that_is_charged() -> None:
    """The leak to the responder's lane, the stall to the originator's."""
    made = Written()
    orderly_close(made)
    closed_by_originator(made)
    shown = drawn(made)
    assert ["", "close-wait-leak,fin-wait-2-stalled"] == shown.codes
    assert {2, 3} >= {pin.lane for pin in shown.pins} and shown.pins
    assert {"warning"} == {pin.severity for pin in shown.pins}


def test_reset_is_marked() -> None:
    """CLOSED by a RST, sent or received, is another end than one by FIN."""
    made = Written()
    refused(made)
    orderly_close(made)
    resets = [bar for bar in drawn(made).bars if bar.by_reset]
    assert [0] == [bar.lane for bar in resets]
