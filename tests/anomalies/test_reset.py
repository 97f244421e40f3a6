"""Pins the anomalies of resets."""

from __future__ import annotations

import pytest

from tcptrace.tcp.states import Event, State
from tcptrace.tracker.transitions import Basis, ResetForm
from tests.anomalies.scenes import aborted, closed_by_originator, codes, findings, only, opened
from tests.tables.written import ORIG, RESP, SECOND, Written


@pytest.mark.parametrize(
    ("form", "unacked", "severity", "word"),
    [
        (ResetForm.ABORT, 0, "notice", "aborted the connection"),
        (ResetForm.ABORT, 2920, "warning", "aborted the connection"),
        (ResetForm.STRAY, 0, "notice", "as a host does that has no such connection"),
    ],
)
def test_rst_in_an_open_connection(form: ResetForm, unacked: int, severity: str, word: str) -> None:
    """Its form tells an abort from a host that has forgotten; lost octets make it worse."""
    written = Written()
    aborted(written, form, unacked=unacked, gap=350 * SECOND)
    row = only(findings(written), "connection-aborted")
    assert (severity, "responder", [8]) == tuple(row[["severity", "charged", "packets"]])
    assert word in row["headline"]
    assert "silence of 5 m 50 s" in row["headline"]
    assert f"{unacked:,} B of 10.0.0.5:8080" in row["why"]


def test_rst_after_its_own_fin_is_normal() -> None:
    """Browsers close first and answer late data with RST."""
    written = Written()
    conn = closed_by_originator(written)
    written.move(conn, ORIG, State.CLOSED, Event.SND_RST, 3.0, packet=8)
    written.move(conn, RESP, State.CLOSED, Event.RCV_RST, 3.1, packet=8)
    written.endpoint(conn, ORIG, rst_packet=8, rst_time=3, rst_count=1, rst_form=ResetForm.ABORT)
    row = only(findings(written), "connection-aborted")
    assert ("info", "originator") == tuple(row[["severity", "charged"]])
    assert "already closed" in row["headline"]


def test_rst_that_was_not_taken_in_ends_nothing() -> None:
    """The receiver went on: the move was taken back."""
    written = Written()
    conn = opened(written)
    written.move(conn, ORIG, State.CLOSED, Event.RCV_RST, 5.0, packet=8, basis=Basis.RETRACTED)
    written.endpoint(conn, RESP, rst_packet=8, rst_time=5, rst_count=1, rst_form=ResetForm.STRAY)
    assert [] == codes(findings(written))


def test_refusal_is_no_abort() -> None:
    """A connection that was never open cannot be aborted."""
    written = Written()
    aborted(written, ResetForm.REFUSAL)
    assert "connection-aborted" not in codes(findings(written))
