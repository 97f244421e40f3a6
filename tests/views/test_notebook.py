"""Pins what notebooks show: short, useful, without scripts, and deaf to markup in a capture."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

import tcptrace
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.views.notebook import (
    MOST_CONNECTIONS,
    MOST_FINDINGS,
    MOST_MOVES,
    connection_html,
    trace_html,
)
from tcptrace.views.palette import paint_of
from tests.anomalies.scenes import closed_by_originator, opened, refused
from tests.kernel_lab.expect import capture_of
from tests.kernel_lab.record import CAPTURES, CASES
from tests.tables.written import Written, at
from tests.test_trace import three, trace

ELEMENTS = {
    "div", "b", "ul", "li", "span", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
EVIL = "</td><script>alert(1)</script><img src=x onerror=alert(1)>\x1b]0;x\x07\u202e\"'&"


class Page(HTMLParser):
    """The elements, the attributes and the text of a page; fails where tags do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert [] == self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert tag == self._open.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


def page(html: str) -> Page:
    """A page of nothing but what is ours."""
    found = Page(html)
    assert found.elements <= ELEMENTS
    assert found.attributes <= {"style", "class"}
    assert "url(" not in html
    return found


def test_trace_says_what_it_is_and_what_is_odd() -> None:
    """Files, packets, findings with the worst first, the connections with their states."""
    text = page(trace(three())._repr_html_()).text
    assert "Trace of office.pcap: 3 connections" in text
    assert "from 2023-11-14 22:13:20.000000 UTC, 5 m 00 s" in text
    assert text.index("close-wait-leak") < text.index("connection-refused")
    assert "10.0.0.9:40000" in text and "CLOSE_WAIT" in text


def test_states_have_their_colour() -> None:
    """The palette's, with letters that can be read upon it."""
    html = trace(three())._repr_html_()
    paint = paint_of("CLOSE_WAIT")
    assert f"background: {paint.fill}; color: {paint.ink}" in html


def test_many_are_cut_and_counted() -> None:
    """A capture of any size gives a short page that says what it left out."""
    made = Written()
    for port in range(MOST_CONNECTIONS + 3):
        opened(made, 40000 + port)
    text = page(trace(made)._repr_html_()).text
    assert "and 3 more: trace.connections" in text
    assert f"10.0.0.9:{40000 + MOST_CONNECTIONS}" not in text


def test_findings_are_cut_and_counted() -> None:
    """The worst few."""
    made = Written()
    for port in range(MOST_FINDINGS):
        closed_by_originator(made, 41000 + port, path=port)
    found = trace(made)
    left = len(found.anomalies) - MOST_FINDINGS
    if left > 0:
        assert f"and {left} finding" in page(found._repr_html_()).text


def test_connection_shows_both_timelines() -> None:
    """Each state with its moment, its stay, its cause and its evidence."""
    text = page(trace(three()).connection(0)._repr_html_()).text
    assert "originator 10.0.0.9:40000" in text and "responder 10.0.0.5:8080" in text
    for word in ("SYN_SENT", "LISTEN", "0.500000", "100 ms", "rcv ACK of FIN", "presumed"):
        assert word in text


def test_connection_of_countless_moves_is_cut() -> None:
    """Whatever a capture makes an endpoint do."""
    made = Written()
    conn = made.connection()
    for n in range(MOST_MOVES + 2):
        made.move(conn, 0, n % 2 + 4, 5, n)
    text = page(trace(made).connection(0)._repr_html_()).text
    assert "and 2 moves more: .timeline" in text
    assert "responder: not seen" in text


def test_nothing() -> None:
    """A trace without connections, and a capture without packets."""
    assert "no connections" in page(trace(Written())._repr_html_()).text
    empty = trace(Written())
    html = trace_html("x", CaptureFacts(), empty.connections, empty.anomalies)
    assert "0 packets" in page(html).text


def smuggling(table: pd.DataFrame) -> pd.DataFrame:
    """The table with markup in every cell that holds text."""
    evil: dict[str, Any] = {}
    for name in table.columns:
        if isinstance(table[name].dtype, pd.StringDtype):
            evil[name] = EVIL
        elif name in ("orig_ip", "resp_ip", "ip", "peer_ip", "code", "host"):
            evil[name] = pd.Categorical([EVIL] * len(table))
    return table.assign(**evil)


def test_markup_in_a_capture_is_text() -> None:
    """File names, addresses, sentences: nothing becomes an element, an attribute, a control."""
    found = trace(three(), path=EVIL)
    row = smuggling(found.connections).iloc[2]
    pages = [
        page(found._repr_html_()),
        page(
            trace_html(EVIL, found.capture, *map(smuggling, (found.connections, found.anomalies)))
        ),
        page(connection_html(EVIL, row, *map(smuggling, (found.timeline, found.anomalies)))),
    ]
    for each in pages:
        assert "<script>alert(1)</script>" in each.text
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", each.text)


@pytest.mark.parametrize("name", list(CASES))
def test_shipped_captures_are_shown(name: str) -> None:
    """Trace and connections of each, within what a page of a notebook may take."""
    found = tcptrace.read(capture_of(CAPTURES / name), progress=False)
    for shown in (found, *found):
        html = shown._repr_html_()
        page(html)
        assert len(html) < 30_000


def test_refusal_has_a_reset() -> None:
    """How it was closed stands in words too."""
    made = Written()
    refused(made)
    assert "closed by responder (rst)" in page(trace(made).connection(0)._repr_html_()).text
    assert at(0) == made.rows[0]["time_start"]
