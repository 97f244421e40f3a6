"""Pins FIN_WAIT_2 that waits and CLOSE_WAIT that leaks: one event, told of both ends."""

from __future__ import annotations

import pandas as pd
import pytest

from tcptrace.tcp.states import Event, State
from tcptrace.tracker.transitions import ResetForm
from tests.anomalies.scenes import closed_by_originator, codes, findings, only
from tests.tables.written import ORIG, RESP, Written

BOTH = ["close-wait-leak", "fin-wait-2-stalled"]


def test_peer_that_never_closes_is_told_of_both_ends() -> None:
    """The waiting side is not at fault; each of the two findings points to the other."""
    written = Written()
    closed_by_originator(written)
    found = findings(written)
    assert BOTH == codes(found)
    stalled, leak = only(found, "fin-wait-2-stalled"), only(found, "close-wait-leak")
    assert ("warning", "originator", "10.0.0.9") == tuple(stalled[["severity", "charged", "host"]])
    assert ("warning", "responder", "10.0.0.5") == tuple(leak[["severity", "charged", "host"]])
    assert "10.0.0.9:40000 closed first and has waited 4 m 58 s" in stalled["headline"]
    assert "its close-wait-leak is the same event" in stalled["advice"]
    assert "The fin-wait-2-stalled of 10.0.0.9:40000 is the same event" in leak["advice"]
    assert "ss -tnp state close-wait '( sport = :8080 )'" in leak["advice"]
    assert [4, 5] == stalled["packets"] == leak["packets"]


@pytest.mark.parametrize(
    ("end", "expected"),
    [(10.0, []), (12.0, ["notice", "notice"]), (70.0, ["warning", "warning"])],
    ids=["too-short", "seconds", "longer-than-the-timer"],
)
def test_severity_grows_with_the_waiting(end: float, expected: list[str]) -> None:
    """Under 10 s nothing is said; past the profile's timer it is a warning."""
    written = Written()
    closed_by_originator(written)
    assert expected == findings(written, end).table["severity"].tolist()


def test_five_leaks_at_one_service_are_critical() -> None:
    """A program that never closes is one finding, however many sockets it holds."""
    written = Written()
    for port in range(40000, 40005):
        closed_by_originator(written, port)
    found = findings(written)
    leak = only(found, "close-wait-leak")
    assert ("critical", 5) == (leak["severity"], leak["count"])
    assert (
        "On 5 of 5 connections with 10.0.0.5:8080 the responder has not closed" in leak["headline"]
    )
    assert "warning" == only(found, "fin-wait-2-stalled")["severity"]


def test_peer_that_closed_after_half_a_minute_was_stalled_so_long() -> None:
    """What has ended is told with its length, not with the capture's."""
    written = Written()
    conn = closed_by_originator(written)
    written.endpoint(conn, RESP, fin_count=1, fin_packet=9, fin_time=31.1)
    assert pd.Timedelta(seconds=30) == only(findings(written), "fin-wait-2-stalled")["duration"]


def test_late_segment_answered_by_rst_shows_that_the_timer_ran_out() -> None:
    """A stray RST is the answer of a system that has forgotten the connection."""
    written = Written()
    conn = closed_by_originator(written)
    written.endpoint(conn, RESP, fin_count=1, fin_packet=9, fin_time=65, half_close_packet=8)
    written.endpoint(
        conn, ORIG, rst_count=1, rst_packet=10, rst_time=65.1, rst_form=ResetForm.STRAY
    )
    found = findings(written)
    stalled = only(found, "fin-wait-2-stalled")
    assert "already forgotten the connection" in stalled["headline"]
    assert "RST in packet 10" in stalled["why"]
    assert [4, 5, 10] == stalled["packets"]
    assert "10.0.0.9:40000 had given up waiting" in only(found, "close-wait-leak")["headline"]


def test_endpoint_that_still_speaks_holds_its_socket() -> None:
    """No timer ends FIN_WAIT_2 while a program holds the socket."""
    written = Written()
    conn = closed_by_originator(written)
    written.endpoint(conn, ORIG, last_packet=12, last_time=120)
    assert "still holds the socket" in only(findings(written), "fin-wait-2-stalled")["headline"]


def test_half_close_in_use_is_no_stall() -> None:
    """A peer that sends data is at work."""
    written = Written()
    conn = closed_by_originator(written)
    written.endpoint(conn, RESP, half_close_packet=7, half_close_payload=10, half_close_acked=1)
    assert ["half-close-in-use"] == codes(findings(written))


def test_fin_first_seen_mid_stream_is_ambiguous() -> None:
    """The other end may have closed before the capture began: LAST_ACK, not FIN_WAIT_2."""
    written = Written()
    conn = closed_by_originator(written, mid_stream=1)
    assert ["midstream-start"] == codes(findings(written))
    written.endpoint(conn, RESP, payload=100)
    found = findings(written)
    assert {*BOTH, "midstream-start"} == set(codes(found))
    assert "reduced" == only(found, "fin-wait-2-stalled")["confidence"]


def test_gap_in_the_capture_silences_it() -> None:
    """The peer's FIN may lie in the gap."""
    written = Written()
    conn = closed_by_originator(written)
    written.endpoint(conn, RESP, unseen=1)
    assert ["capture-loss"] == codes(findings(written))


def test_clock_that_stepped_further_than_the_waiting_reduces_confidence() -> None:
    """A duration is worth nothing if the clock jumped by as much."""
    from tcptrace.tables.capture_facts import CaptureFacts, ClockSteps
    from tests.tables.written import SECOND

    written = Written()
    closed_by_originator(written)
    facts = CaptureFacts(clock=ClockSteps(1, 60 * SECOND, 7))
    row = only(findings(written, facts=facts), "fin-wait-2-stalled")
    assert "reduced" == row["confidence"]
    assert "clock went back by up to 1 m 00 s" in row["limits"]


def test_clients_of_many_hosts_are_no_one_program() -> None:
    """Five hosts that leak one socket each are not one host that leaks five."""
    written = Written()
    for host in range(5):
        conn = written.connection((f"10.0.0.{host}", 40000))
        written.move(conn, RESP, State.FIN_WAIT_2, Event.RCV_ACK_OF_FIN, 1.1, packet=5)
        written.endpoint(
            conn, RESP, fin_packet=4, fin_time=1, fin_count=1, fin_acked_packet=5,
            fin_acked_time=1.1,
        )  # fmt: skip
    leak = only(findings(written), "close-wait-leak")
    assert ("warning", "originator", 5) == tuple(leak[["severity", "charged", "count"]])
    assert "the originator has not closed" in leak["headline"]
    assert "'( dport = :8080 )'" in leak["advice"]
