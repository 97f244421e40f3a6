"""Pins the anomalies of closing: a final ACK that never came, and half-closes."""

from __future__ import annotations

import pandas as pd
import pytest

from tcptrace.tcp.states import Event, Role, State
from tests.anomalies.scenes import closed_by_originator, codes, findings, only, unanswered_fin
from tests.tables.written import ORIG, RESP, Written


def test_final_ack_that_never_came_is_charged_to_who_owes_it() -> None:
    """The responder repeats its FIN five times; the originator owes the ACK."""
    written = Written()
    unanswered_fin(written)
    row = only(findings(written), "missing-final-ack")
    assert ("warning", "originator", "10.0.0.9") == tuple(row[["severity", "charged", "host"]])
    assert ("full", [6, 10]) == (row["confidence"], row["packets"])
    assert "10.0.0.5:8080 sent its FIN 5 times over 4.50 s" in row["headline"]
    assert "its FIN is packet 4" in row["why"]
    assert "not cut off: it goes on 4 m 53 s" in row["ruled_out"]


def test_fin_that_was_not_repeated_is_told_so() -> None:
    """Whoever sends one FIN and then nothing has gone as well."""
    written = Written()
    unanswered_fin(written, fins=1)
    assert "sent its FIN once" in only(findings(written), "missing-final-ack")["headline"]


def test_capture_that_ends_at_once_is_cut_off() -> None:
    """400 ms after the FIN nobody can say that the ACK is missing."""
    written = Written()
    unanswered_fin(written, fins=1)
    assert [] == codes(findings(written, end=2.4))


def test_slow_path_is_given_more_time() -> None:
    """Three timeouts of a path of 800 ms are 3 s."""
    written = Written()
    unanswered_fin(written, fins=1, rtt_orig=400_000_000, rtt_resp=400_000_000)
    assert [] == codes(findings(written, end=4.9))
    assert ["missing-final-ack"] == codes(findings(written, end=5.1))


@pytest.mark.parametrize("role", Role)
def test_what_the_capture_lost_is_not_missing(role: Role) -> None:
    """A gap in either direction may have held the ACK."""
    written = Written()
    conn = unanswered_fin(written)
    written.endpoint(conn, role, unseen=1, missed_bytes=100)
    assert ["capture-loss"] == codes(findings(written))


def test_one_direction_says_nothing_of_the_other() -> None:
    """In a one-sided capture every ACK is missing, so none is."""
    written = Written()
    unanswered_fin(written, one_sided=1)
    assert "missing-final-ack" not in codes(findings(written))


def test_rst_instead_of_the_ack_is_another_matter() -> None:
    """The peer answered, if not with an ACK."""
    written = Written()
    conn = unanswered_fin(written)
    written.endpoint(conn, ORIG, rst_count=1, rst_packet=8, rst_time=2.5)
    assert "missing-final-ack" not in codes(findings(written))


def test_ack_that_must_have_been_there_is_not_missing() -> None:
    """The tracker infers from silence that an uncaptured ACK arrived."""
    written = Written()
    conn = unanswered_fin(written, fins=1)
    written.move(conn, RESP, State.CLOSED, Event.RCV_ACK_OF_FIN, 2.1)
    assert "missing-final-ack" not in codes(findings(written))


def test_next_connection_on_the_port_ends_the_waiting() -> None:
    """After a new SYN the old connection's ACK cannot come any more."""
    written = Written()
    unanswered_fin(written, fins=1)
    again = closed_by_originator(written, incarnation=1, time_start=2.5)
    written.endpoint(again, RESP, half_close_packet=9)
    assert "missing-final-ack" not in codes(findings(written))


def test_loss_elsewhere_reduces_confidence() -> None:
    """A capture that lost packets of others may have lost this ACK; the reason is told."""
    written = Written()
    unanswered_fin(written)
    other = closed_by_originator(written, 50000)
    written.endpoint(other, RESP, unseen=1, missed_bytes=1448)
    row = only(findings(written), "missing-final-ack")
    assert "reduced" == row["confidence"]
    assert "lost packets of 1 endpoint elsewhere" in row["limits"]


def test_many_at_one_service_are_one_row_with_the_worst_as_example() -> None:
    """`why` tells of the connection that waited longest."""
    written = Written()
    for port in range(40000, 40007):
        unanswered_fin(written, fins=3, port=port)
    row = only(findings(written), "missing-final-ack")
    assert (7, pd.NA) == (row["count"], row["conn"]) or row["conn"] is pd.NA
    assert "7 of 7 connections with 10.0.0.5:8080" in row["headline"]
    assert row["why"].startswith("In connection 0, the longest: 10.0.0.9:40000 had closed")


def test_half_close_in_use_is_normal() -> None:
    """The responder sends on after the FIN, and the originator acknowledges it."""
    written = Written()
    conn = closed_by_originator(written)
    written.endpoint(
        conn, RESP, half_close_packet=7, half_close_payload=5000, half_close_acked=1,
        fin_count=1, fin_packet=9, fin_time=100,
    )  # fmt: skip
    found = findings(written)
    assert ["half-close-in-use"] == codes(found)
    row = only(found, "half-close-in-use")
    assert ("info", "originator", [4, 7]) == tuple(row[["severity", "charged", "packets"]])
    assert "took in 5,000 B more" in row["headline"]
    assert pd.Timedelta(seconds=98.9) == row["duration"]


def test_data_that_nobody_acknowledged_is_no_half_close_in_use() -> None:
    """The closer may be gone."""
    written = Written()
    conn = closed_by_originator(written)
    written.endpoint(conn, RESP, half_close_packet=7, half_close_payload=5000)
    assert "half-close-in-use" not in codes(findings(written))
