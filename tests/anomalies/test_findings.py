"""Pins the table of findings: order, confidence, and which connection each is about."""

from __future__ import annotations

from tcptrace.anomalies.catalogue import connection_codes, joined_codes
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tables.schema import ANOMALIES
from tcptrace.tcp.timers import profile
from tests.anomalies.scenes import aborted, closed_by_originator, codes, findings, refused
from tests.tables.written import Written, at


def test_no_finding_gives_the_declared_dtypes() -> None:
    """An empty table is a table."""
    assert [] == ANOMALIES.faults(findings(Written()).table)


def test_most_severe_come_first() -> None:
    """Critical, warning, notice, whatever their order in the capture."""
    written = Written()
    refused(written)
    for port in range(50000, 50005):
        closed_by_originator(written, port)
    assert ["close-wait-leak", "fin-wait-2-stalled", "connection-refused"] == codes(
        findings(written)
    )


def test_connection_knows_its_findings_even_those_about_many() -> None:
    """A connection beyond the examples is a member too."""
    written = Written()
    refused(written)
    for port in range(50000, 50030):
        closed_by_originator(written, port)
    found = findings(written)
    assert ["close-wait-leak", "fin-wait-2-stalled"] == found.of_connection(30)["code"].tolist()
    told = joined_codes(found.about(), 31)
    assert "connection-refused" == told[0]
    assert {"close-wait-leak,fin-wait-2-stalled"} == set(told[1:])


def test_connection_without_findings_has_none() -> None:
    """The empty string, not a missing value."""
    written = Written()
    written.connection()
    aborted(written)
    assert "" == joined_codes(findings(written).about(), 2)[0]


def test_codes_are_the_same_without_the_findings() -> None:
    """Whether or not anybody asks for sentences."""
    written = Written()
    refused(written)
    aborted(written)
    for port in range(50000, 50005):
        closed_by_originator(written, port)
    told = joined_codes(findings(written).about(), 7)
    facts = CaptureFacts(start=at(0), end=at(300))
    assert list(told) == list(connection_codes(written.reconstruction(), facts, profile("linux")))
    assert "connection-refused" == told[0]
