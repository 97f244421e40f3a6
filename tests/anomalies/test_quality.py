"""Pins what is said of a capture's own faults as they show in connections."""

from __future__ import annotations

import pytest

from tcptrace.tables.capture_facts import CaptureFacts, Loss
from tests.anomalies.scenes import codes, findings, only, opened, syn_only
from tests.tables.written import ORIG, RESP, Written


def flawed(column: str, count: int = 3) -> Written:
    """Two connections; the first one's originator has the flaw."""
    written = Written()
    conn = opened(written)
    opened(written, 50000)
    written.endpoint(conn, ORIG, last_packet=7, **{column: count})
    return written


@pytest.mark.parametrize(
    ("column", "code", "severity"),
    [
        ("duplicates", "duplicate-packets", "info"),
        ("reordered", "capture-reordered", "notice"),
        ("bad_checksums", "bad-checksum-sporadic", "notice"),
        ("offloaded", "offload-artefacts", "info"),
        ("super_segments", "offload-artefacts", "info"),
    ],
)
def test_flaw_of_the_capture_is_one_row(column: str, code: str, severity: str) -> None:
    """Counted over the capture, never charged to an endpoint."""
    found = findings(flawed(column))
    assert [code] == codes(found)
    row = only(found, code)
    assert (severity, "full", 3) == tuple(row[["severity", "confidence", "count"]])
    assert row["charged"] in ("capture", "path")
    assert [0] == row["examples"]


def test_offload_names_the_host_of_the_tap() -> None:
    """Checksums that are not filled in tell where the capture was made."""
    row = only(findings(flawed("offloaded")), "offload-artefacts")
    assert "10.0.0.9" == row["host"]
    assert "was made on 10.0.0.9: 3 checksums not filled in" in row["headline"]


def test_loss_is_told_in_octets() -> None:
    """What was acknowledged and is not in the capture."""
    written = flawed("missed_bytes", 1448)
    written.endpoint(0, ORIG, unseen=1)
    row = only(findings(written), "capture-loss")
    assert "lost packets of 1 connection" in row["headline"]
    assert "1,448 B, as Zeek counts" in row["why"]
    assert [7] == row["packets"]


def test_drops_that_the_capturing_program_tells_are_loss() -> None:
    """pcapng's interface statistics say so even where no gap shows."""
    written = Written()
    opened(written)
    facts = CaptureFacts(loss=Loss(dropped=17))
    row = only(findings(written, facts=facts), "capture-loss")
    assert "dropped 17 packets" in row["headline"]
    assert 17 == row["count"]


def test_drops_are_told_beside_gaps() -> None:
    """Both witnesses of loss stand in one row."""
    written = flawed("missed_bytes")
    written.endpoint(0, ORIG, unseen=1)
    row = only(findings(written, facts=CaptureFacts(loss=Loss(dropped=17))), "capture-loss")
    assert "itself counts 17 dropped packets" in row["why"]


def test_connections_older_than_the_capture_are_one_row() -> None:
    """Their beginning is assumed."""
    written = Written()
    opened(written, mid_stream=1, first_packet=4)
    opened(written, 50000)
    row = only(findings(written), "midstream-start")
    assert "1 of 2 connections had begun before" in row["headline"]
    assert [4] == row["packets"]


def test_one_direction_is_told_once() -> None:
    """At the top of a one-sided capture."""
    written = Written()
    for port in (40000, 50000):
        conn = opened(written, port, one_sided=1)
        written.endpoint(conn, RESP, segments=0)
    row = only(findings(written), "one-direction-only")
    assert "Only one direction was captured of 2 of 2 connections." in row["headline"]


def test_syn_without_answer_is_not_a_one_sided_capture() -> None:
    """Nobody acknowledged anything of the silent end."""
    written = Written()
    syn_only(written)
    assert "one-direction-only" not in codes(findings(written))


def test_sound_capture_has_no_finding() -> None:
    """No news is good news."""
    written = Written()
    opened(written)
    assert [] == codes(findings(written))
