"""Pins what is said of a capture's files and of packets that gave no segment."""

from __future__ import annotations

import pandas as pd
import pytest

from tcptrace.sources.facts import FileFacts
from tcptrace.tables.capture_facts import CaptureFacts, ClockSteps
from tests.anomalies.scenes import codes, findings, only
from tests.tables.written import SECOND, Written, at


@pytest.mark.parametrize(
    ("facts", "code", "word"),
    [
        (
            CaptureFacts(counters={"packets-cut-by-snap-length": 9}),
            "truncated-packets",
            "cut 9 packets",
        ),
        (CaptureFacts(skipped={"ip-fragment": 4}), "ip-fragments", "all put together"),
        (
            CaptureFacts(skipped={"ip-fragment-incomplete": 4}),
            "ip-fragments",
            "4 of them without",
        ),
    ],
)
def test_packets_of_which_something_is_lost(facts: CaptureFacts, code: str, word: str) -> None:
    """What the decoder counts is told, by the catalogue's name."""
    found = findings(Written(), facts=facts)
    assert [code] == codes(found)
    assert word in only(found, code)["headline"]


def test_clock_that_goes_back_is_told_with_its_packet() -> None:
    """The first step's packet, the largest step's size."""
    facts = CaptureFacts(clock=ClockSteps(2, 3 * SECOND, 17, at(5)))
    row = only(findings(Written(), facts=facts), "clock-backwards")
    assert ("capture", [17], 2) == tuple(row[["charged", "packets", "count"]])
    assert pd.Timedelta(seconds=3) == row["duration"]
    assert "went back twice, by up to 3 s" in row["headline"]


@pytest.mark.parametrize(
    ("damage", "word"),
    [("", "ends inside a packet, at byte 540"), ("bad length", "cannot be read beyond byte 540")],
)
def test_file_that_was_cut_is_told_with_its_byte(damage: str, word: str) -> None:
    """Everything before the cut is in the tables, and the row says where it is."""
    file = FileFacts("office.pcap", packets=6, truncated_at=540, damage=damage)
    found = findings(Written(), facts=CaptureFacts(files=[file]))
    assert ["capture-truncated"] == codes(found)
    row = only(found, "capture-truncated")
    assert "warning" == row["severity"]
    assert f"office.pcap {word}: 6 packets" in row["headline"]
    assert row["conn"] is pd.NA and pd.isna(row["host"])
