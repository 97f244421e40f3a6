"""Findings in sentences."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from tcptrace.faces import finding as telling
from tcptrace.faces.finding import by_severity, finding, findings, hint, limited, proof
from tcptrace.faces.request import Request
from tcptrace.faces.selection import Selection
from tcptrace.faces.terminal import print_parts
from tests.faces.made import ANOMALIES, START, table


def request(verbose: int = 0, files: tuple[str, ...] = ("office.pcapng",)) -> Request:
    return Request(files, None, None, "linux", (), Selection(), False, verbose)


def told(frame: pd.DataFrame, verbose: int = 0) -> str:
    stream = io.StringIO()
    print_parts(lambda width: findings(frame, request(verbose)), stream)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


def test_one_finding_in_full() -> None:
    """Headline, why, not, next, proof; what is empty has no line, brackets are text."""
    stream = io.StringIO()
    print_parts(lambda width: [finding(ANOMALIES[1] | {"confidence": "full"})], stream)
    expected = """\
[warning] 10.0.0.9 closed first and has waited 9 m 40 s for 10.0.0.5:8080 to close.
     why Its FIN was acknowledged in packet 10; the peer never sent its own FIN.
     not No gap of the capture touches the close [see limits].
    next Look for a missing close() on 10.0.0.5.
   proof fin-wait-2-stalled; packets 9 and 10 (frame.number in {9, 10}); connection 0
"""
    assert expected == stream.getvalue()


def test_most_severe_first() -> None:
    """Then the certain, then the widespread, then the early."""
    plain = {"code": "x", "packets": [], "examples": []}
    rows = [
        {**plain, "severity": "info", "code": "d"},
        {**plain, "severity": "warning", "confidence": "reduced", "count": 9, "code": "c"},
        {**plain, "severity": "warning", "count": 2, "code": "b"},
        {**plain, "severity": "warning", "count": 2, "ts": START - 1, "code": "a"},
        {**plain, "severity": "critical", "count": 1, "code": "first"},
    ]
    ranked = by_severity(table("anomalies", *rows))
    assert ["first", "a", "b", "c", "d"] == list(ranked["code"])


def test_what_is_normal_is_one_line() -> None:
    """Half-closes and the like do not crowd out what is wrong; -v tells them too."""
    text = told(table("anomalies", *ANOMALIES))
    assert "Normal: half-close-in-use (1)." in text and "Half-closed" not in text
    assert text.index("[warning]") < text.index("[notice, reduced confidence]")
    assert "[info] Half-closed and in use." in told(table("anomalies", *ANOMALIES), verbose=1)


def test_a_flood_is_cut() -> None:
    """A few of each code, then how many more and where they are."""
    rows = [{**ANOMALIES[1], "conn": conn, "examples": [conn]} for conn in range(50)]
    text = told(table("anomalies", *rows))
    assert telling.MOST_ALIKE == text.count("[warning]")
    assert "And 47 findings more: fin-wait-2-stalled (47)." in text
    assert "all of them: tcptrace anomalies office.pcapng" in text
    many = [{**row, "code": f"code-{place}"} for place, row in enumerate(rows)]
    assert telling.MOST == len(limited(table("anomalies", *many)))


def test_nothing_wrong_is_said() -> None:
    """An empty list of findings is an answer."""
    assert "No anomaly was found." in told(table("anomalies"))


def test_proof_of_many() -> None:
    """Lists are cut, the count says how many connections there are."""
    row = {
        **ANOMALIES[1], "conn": pd.NA, "packets": list(range(1, 20)), "examples": [4, 5, 6, 7],
        "count": 37,
    }  # fmt: skip
    text = proof(row)
    assert "packets 1, 2, 3, 4, 5 and 14 more (frame.number in {1, 2, 3, 4, 5, 6})" in text
    assert text.endswith("connections 4, 5, 6 and 34 more")


def test_files_are_quoted_for_the_shell() -> None:
    """A command to copy works, whatever the file is called."""
    files = ("my file.pcap", "b", "c", "d")
    assert "go: 'my file.pcap' b c ... 7" == hint("go:", request(files=files), "7").plain
