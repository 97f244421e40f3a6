"""Pins that detectors go by the named thresholds, and what the thresholds are."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from tcptrace.anomalies import handshake, stalls
from tcptrace.anomalies.anomaly import THRESHOLDS, Thresholds
from tcptrace.tables.wording import SECOND
from tests.anomalies.scenes import closed_by_originator, codes, findings, only, syn_only
from tests.tables.written import Written


def test_thresholds_are_what_users_are_told() -> None:
    """Changing one changes what is an anomaly, and is to be done knowingly."""
    assert {
        "syn_unanswered_wait": 3 * SECOND,
        "syn_unanswered_syns": 2,
        "deferred_syn_ack_gap": 3 * SECOND,
        "overflow_ignored_acks": 2,
        "final_ack_wait": SECOND,
        "final_ack_timeouts": 3,
        "fin_wait_2_notice": 10 * SECOND,
        "fin_wait_2_warning": 60 * SECOND,
        "close_wait_leak_connections": 5,
        "clock_step_share": 10,
    } == asdict(THRESHOLDS)


def test_detector_goes_by_the_literal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SYN repeated once is an anomaly at 2, and none at 3."""
    written = Written()
    syn_only(written, syns=2)
    assert ["syn-unanswered"] == codes(findings(written))
    monkeypatch.setattr(handshake, "THRESHOLDS", Thresholds(syn_unanswered_syns=3))
    assert [] == codes(findings(written))


def test_number_that_makes_a_leak_critical_is_a_threshold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two connections of one program are critical if two are enough."""
    written = Written()
    for port in (40000, 40001):
        closed_by_originator(written, port)
    assert "warning" == only(findings(written), "close-wait-leak")["severity"]
    lower = replace(THRESHOLDS, close_wait_leak_connections=2)
    monkeypatch.setattr(stalls, "THRESHOLDS", lower)
    assert "critical" == only(findings(written), "close-wait-leak")["severity"]
