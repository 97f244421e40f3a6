"""Pins `Lives`: whole stays of sockets, one listener a service."""

from __future__ import annotations

import numpy as np

from tcptrace.tables.lives import NEVER, NO_ROW, Lives
from tcptrace.tables.timeline import timeline
from tcptrace.tcp.states import Event, State
from tcptrace.tracker.transitions import Basis
from tests.tables.written import ORIG, RESP, Written, at, orderly_close

SERVICE = ("10.0.0.5", 8080)


def lives(written: Written) -> Lives:
    return Lives.of(timeline(written.reconstruction()))


def listeners(written: Written) -> list[tuple[int, int]]:
    """Begin and end of each listener."""
    found = lives(written)
    found = found.take(found.row == NO_ROW)
    assert {int(State.LISTEN)} >= set(found.state.tolist())
    return list(zip(found.start.tolist(), found.end.tolist(), strict=True))


def taken_on(written: Written, port: int, time: float) -> None:
    """A SYN from a port, answered at a time."""
    conn = written.connection(("10.0.0.9", port), SERVICE)
    assumed = {"basis": Basis.ASSUMED, "packet": 0}
    written.move(conn, RESP, State.LISTEN, Event.PASSIVE_OPEN, time, **assumed)
    written.move(conn, RESP, State.SYN_RCVD, Event.RCV_SYN, time + 0.01)


def turned_away(written: Written, port: int, time: float) -> None:
    """A SYN from a port, answered by RST at a time."""
    conn = written.connection(("10.0.0.9", port), SERVICE)
    written.move(conn, ORIG, State.SYN_SENT, Event.SND_SYN, time - 0.01)
    written.move(conn, RESP, State.CLOSED, Event.SND_RST, time)


def test_stays_touch_and_closed_is_none() -> None:
    """Each endpoint's stays follow each other; CLOSED is no socket."""
    written = Written()
    orderly_close(written)
    found = lives(written)
    found = found.take(found.row != NO_ROW)
    assert State.CLOSED not in found.state
    for host in set(found.host.tolist()):
        own = found.take(found.host == host)
        assert own.end[:-1].tolist() == own.start[1:].tolist()


def test_open_stay_never_ends() -> None:
    """A state that the capture does not see left."""
    written = Written()
    conn = written.connection()
    written.move(conn, ORIG, State.ESTABLISHED, Event.MID_STREAM, 1.0)
    found = lives(written)
    assert [NEVER] == found.end.tolist()
    assert 1 == len(found.at(at(1.0))) and 0 == len(found.at(at(1.0) - 1))


def test_listener_is_one_socket() -> None:
    """However many connections it took on, from the first on."""
    written = Written()
    for place, time in enumerate((3.0, 1.0, 2.0)):
        taken_on(written, 40000 + place, time)
    assert [(at(1.0), NEVER)] == listeners(written)


def test_listener_goes_and_comes_back() -> None:
    """A refusal ends it, the next SYN that is taken on is another listener's."""
    written = Written()
    taken_on(written, 40000, 1.0)
    turned_away(written, 40001, 2.0)
    turned_away(written, 40002, 2.5)
    taken_on(written, 40003, 3.0)
    assert [(at(1.0), at(2.0)), (at(3.0), NEVER)] == listeners(written)


def test_abort_says_nothing_of_the_listener() -> None:
    """A RST later in a connection is the child's, not the listener's."""
    written = Written()
    taken_on(written, 40000, 1.0)
    written.move(0, RESP, State.CLOSED, Event.SND_RST, 2.0)
    assert [(at(1.0), NEVER)] == listeners(written)


def test_refusal_alone_makes_no_listener() -> None:
    """Nobody listens where nobody was seen to."""
    written = Written()
    turned_away(written, 40000, 2.0)
    assert [] == listeners(written)


def test_nothing() -> None:
    """An empty timeline has no lives, of the same dtypes."""
    found = lives(Written())
    assert 0 == len(found)
    assert {np.dtype(np.int64)} == {getattr(found, n).dtype for n in found.__dataclass_fields__}
