"""Pins the anomalies of the handshake."""

from __future__ import annotations

import pandas as pd
import pytest

from tcptrace.tcp.states import Event, State
from tests.anomalies.scenes import codes, findings, only, opened, refused, syn_only
from tests.tables.written import ORIG, RESP, Written


def test_syn_without_any_answer_is_reported() -> None:
    """Four SYNs over 7 s, and a capture that goes on."""
    written = Written()
    syn_only(written)
    row = only(findings(written), "syn-unanswered")
    assert ("warning", "responder", "10.0.0.5") == tuple(row[["severity", "charged", "host"]])
    assert pd.Timedelta(seconds=7) == row["duration"]
    assert [1, 4] == row["packets"]
    assert "4 SYNs to 10.0.0.5:8080 over 7 s" in row["headline"]
    assert "not a closed port" in row["ruled_out"]


@pytest.mark.parametrize(
    ("syns", "end"), [(1, 300), (2, 2.5)], ids=["sent-once", "capture-ends-too-early"]
)
def test_syn_that_may_yet_be_answered_is_not_reported(syns: int, end: float) -> None:
    """A single SYN is no attempt to repeat; 2.5 s are no time to be sure."""
    written = Written()
    syn_only(written, syns)
    assert "syn-unanswered" not in codes(findings(written, end))


def test_syn_answered_by_anything_is_not_reported() -> None:
    """SYN,ACK, RST and ICMP are answers."""
    written = Written()
    conn = syn_only(written)
    written.endpoint(conn, ORIG, syn_answered=1)
    assert [] == codes(findings(written))


def test_others_at_the_same_service_rule_a_filter_out() -> None:
    """The counter-evidence is told: the service answered others."""
    written = Written()
    syn_only(written)
    opened(written)
    row = only(findings(written), "syn-unanswered")
    assert "answered 1 other connection" in row["ruled_out"]
    assert "ListenOverflows" in row["advice"]


def test_other_ports_of_the_host_suggest_a_filter() -> None:
    """A host that answers elsewhere is alive."""
    written = Written()
    syn_only(written, resp=("10.0.0.5", 443))
    opened(written)
    row = only(findings(written), "syn-unanswered")
    assert "10.0.0.5 answered 1 connection on other ports" in row["ruled_out"]
    assert "port 443" in row["advice"]


def test_many_unanswered_at_one_service_are_one_row() -> None:
    """One cause, one row, with count and examples; its headline tells the share."""
    written = Written()
    for _ in range(12):
        syn_only(written)
    opened(written, 50000)
    row = only(findings(written), "syn-unanswered")
    assert row["conn"] is pd.NA
    assert (12, 10) == (row["count"], len(row["examples"]))
    assert "12 of 13 attempts to connect to 10.0.0.5:8080" in row["headline"]


def test_refusal_is_reported_with_its_delay() -> None:
    """RST in answer to a SYN."""
    written = Written()
    refused(written)
    row = only(findings(written), "connection-refused")
    assert ("notice", "responder", "10.0.0.5") == tuple(row[["severity", "charged", "host"]])
    assert "10.0.0.5:8080 refused the connection of 10.0.0.9:40000" in row["headline"]
    assert "after 300 µs" in row["headline"]
    assert [1, 2] == row["packets"]
    assert (0, [0]) == (row["conn"], row["examples"])


def test_scan_of_ports_is_one_row() -> None:
    """Hundreds of refused ports of one host do not flood the table."""
    written = Written()
    for port in range(1, 301):
        refused(written, ("10.0.0.5", port))
    row = only(findings(written), "connection-refused")
    assert 300 == row["count"]
    assert "300 ports of 10.0.0.5 refused 300 of 300" in row["headline"]


def repeated_syn_ack(written: Written, ignored: int, seconds: float) -> int:
    """The responder repeats its SYN,ACK for so many seconds."""
    conn = opened(written)
    written.endpoint(
        conn, RESP, syn_count=ignored + 1, acks_ignored=ignored, syn_last_packet=9,
        syn_last_time=seconds,
    )  # fmt: skip
    return conn


@pytest.mark.parametrize(
    ("ignored", "seconds", "severity", "word"),
    [
        (3, 7.0, "warning", "dropped 3 segments"),
        (1, 15.0, "warning", "put off"),
        (1, 1.0, "notice", "was lost, or"),
    ],
    ids=["overflow", "deferred", "lost"],
)
def test_syn_ack_repeated_after_its_ack(
    ignored: int, seconds: float, severity: str, word: str
) -> None:
    """A full queue, deferred accept and one lost ACK need different words."""
    written = Written()
    repeated_syn_ack(written, ignored, seconds)
    row = only(findings(written), "handshake-ack-not-honoured")
    assert (severity, "responder", [2, 9]) == tuple(row[["severity", "charged", "packets"]])
    assert word in row["headline"]


def test_gap_in_the_capture_silences_it() -> None:
    """Where the capture lost packets, the ACK may not have been ignored at all."""
    written = Written()
    conn = repeated_syn_ack(written, 3, 7.0)
    written.endpoint(conn, ORIG, unseen=1)
    assert ["capture-loss"] == codes(findings(written))


def test_syn_ack_repeated_before_any_ack_is_not_reported() -> None:
    """A lost SYN,ACK is repeated too, and nobody ignored anything."""
    written = Written()
    conn = opened(written)
    written.endpoint(conn, RESP, syn_count=3)
    written.move(conn, RESP, State.CLOSED, Event.RCV_RST, 1.0)
    assert [] == codes(findings(written))
