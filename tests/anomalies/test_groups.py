"""Pins what is one cause: the same service and side, and a scan once."""

from __future__ import annotations

import numpy as np

from tcptrace.anomalies.catalogue import find_anomalies
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tcp.timers import profile
from tests.anomalies.scenes import codes, findings, only, refused, unanswered_fin
from tests.tables.written import Written, at


def test_two_services_are_two_causes() -> None:
    """Two ports, two rows, each with its own connections."""
    written = Written()
    for port in (80, 80, 443):
        refused(written, ("10.0.0.5", port))
    table = findings(written).table
    assert ["connection-refused"] * 2 == table["code"].tolist()
    assert {(2, (0, 1)), (1, (2,))} == {
        (count, tuple(examples))
        for count, examples in zip(table["count"], table["examples"], strict=True)
    }


def test_sweep_over_many_hosts_is_one_cause() -> None:
    """Beyond some hundreds of services at dozens of hosts nobody wants a row for each."""
    written = Written()
    for host in range(30):
        for port in range(1, 16):
            refused(written, (f"10.0.1.{host}", port))
    table = findings(written).table
    assert ["connection-refused"] == codes(findings(written))
    assert "30 hosts refused 450 of 450" in table["headline"].iloc[0]


def test_sentences_call_connections_as_they_are_told_to() -> None:
    """A live capture names connections by another number than their place."""
    written = Written()
    for port in (40000, 40001):
        unanswered_fin(written, fins=3, port=port)
    facts = CaptureFacts(start=at(0), end=at(300))
    called = np.array([71, 83])
    found = find_anomalies(written.reconstruction(), facts, profile("linux"), called)
    assert only(found, "missing-final-ack")["why"].startswith("In connection 71, the longest: ")
