"""Pins the tables of a span: numbered as in the whole capture."""

from __future__ import annotations

from tcptrace.cluster.tables import TABLE, connections_of, findings, timeline_of
from tests.cluster.same import read
from tests.cluster.traffic import CAPTURES

BASE = 40


def test_rows_of_a_span_are_numbered_from_its_first_connection() -> None:
    """Connections by their index, state intervals by conn."""
    trace = read(CAPTURES)
    codes = [""] * len(trace)
    table = connections_of(trace.found, BASE, trace.end, codes)
    assert list(range(BASE, BASE + len(trace))) == table.index.tolist()
    moved = timeline_of(trace.found, BASE)
    assert (trace.timeline["conn"] + BASE).tolist() == moved["conn"].tolist()


def test_findings_of_all_spans_are_those_of_the_whole() -> None:
    """And each span is told the codes of its own connections."""
    trace = read(CAPTURES)
    told = findings([trace.found], trace.capture, trace.profile)
    assert trace.anomalies["code"].tolist() == told[TABLE]["code"].tolist()
    assert trace.connections["anomalies"].astype(str).tolist() == [str(each) for each in told[0]]
