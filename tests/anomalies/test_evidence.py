"""Pins what detectors look at: the peer's column, how long a connection could be watched."""

from __future__ import annotations

from tcptrace.anomalies.evidence import NEVER, Doubt, Evidence
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tcp.states import Event, State
from tcptrace.tcp.timers import profile
from tcptrace.tracker.transitions import Basis, EndReason
from tests.tables.written import ORIG, RESP, Written, at


def evidence(written: Written, end: float = 100) -> Evidence:
    """Of a capture that ended at `end` seconds."""
    return Evidence(written.reconstruction(), CaptureFacts(end=at(end)), profile("linux"))


def test_peer_is_the_other_end_of_the_same_connection() -> None:
    """Endpoints stand in pairs."""
    written = Written()
    for conn in (written.connection(), written.connection()):
        written.endpoint(conn, ORIG, segments=10 + conn)
        written.endpoint(conn, RESP, segments=20 + conn)
    seen = evidence(written)
    assert [10, 20, 11, 21] == seen.own("segments").tolist()
    assert [20, 10, 21, 11] == seen.peer("segments").tolist()


def test_watching_ends_with_the_next_incarnation_whoever_opens_it() -> None:
    """The four-tuple is the same if the roles change."""
    written = Written()
    written.connection(("10.0.0.9", 4), ("10.0.0.5", 80))
    written.connection(("10.0.0.5", 80), ("10.0.0.9", 4), incarnation=1, time_start=50, time_end=60)
    written.connection(("10.0.0.9", 5), ("10.0.0.5", 80), end_reason=EndReason.EVICTED)
    assert [50, 50, 100, 100, 1, 1] == [
        (until - at(0)) // 10**9 for until in evidence(written).until
    ]


def test_moves_taken_back_and_moves_after_the_end_are_no_evidence() -> None:
    """A predicted timer has not run out before the capture's end."""
    written = Written()
    conn = written.connection()
    written.move(conn, ORIG, State.CLOSED, Event.RCV_RST, 1, basis=Basis.RETRACTED)
    written.move(conn, ORIG, State.TIME_WAIT, Event.RCV_FIN, 50)
    written.move(conn, ORIG, State.CLOSED, Event.TIMEOUT_2MSL, 110, basis=Basis.TIMER)
    seen = evidence(written)
    assert [NEVER, NEVER] == seen.entered(State.CLOSED).tolist()
    assert [at(50), NEVER] == seen.entered(State.TIME_WAIT).tolist()
    assert [True, False] == seen.proved(State.TIME_WAIT).tolist()


def test_event_that_closes_is_told_with_the_state_it_left() -> None:
    """CLOSED from ESTABLISHED is an abort, from SYN_SENT a refusal."""
    written = Written()
    for state in (State.ESTABLISHED, State.SYN_SENT):
        conn = written.connection()
        written.move(conn, ORIG, state, Event.SND_SYN, 1)
        written.move(conn, ORIG, State.CLOSED, Event.RCV_RST, 2)
    left = evidence(written).left_by((State.ESTABLISHED,), Event.RCV_RST)
    assert [True, False, False, False] == left.tolist()


def test_doubts_of_a_connection_are_those_of_both_ends() -> None:
    """A flaw in either direction may mislead about both."""
    written = Written()
    conn = written.connection(mid_stream=1)
    written.endpoint(conn, RESP, reordered=2)
    assert [Doubt.MID_STREAM | Doubt.REORDERED] * 2 == evidence(written).doubts.tolist()
