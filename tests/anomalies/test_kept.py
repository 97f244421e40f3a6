"""Pins that of connections enough is kept, and no more, for all that detectors find."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

from tcptrace.anomalies.catalogue import find_anomalies
from tcptrace.anomalies.kept import COLUMNS, Kept
from tcptrace.columns import Rows
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tcp.states import Event, State
from tcptrace.tcp.timers import profile
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.transitions import Basis
from tests.tables.written import ORIG, RESP, Written, at

FACTS = CaptureFacts(start=at(0), end=at(500))


def service(first: int, count: int, port: int) -> Reconstruction:
    """Some stall in FIN_WAIT_2, some are aborted, some never answered, some older than the capture,
    some not wholly captured."""
    written = Written()
    for number in range(first, first + count):
        ends = ("10.0.0.9", number), ("10.0.0.5", port)
        conn = written.connection(*ends, time_start=number, mid_stream=number % 4 == 1)
        kind = number % 3
        if kind == 0:
            written.endpoint(
                conn, ORIG, fin_count=1, fin_packet=7, fin_acked_packet=8, fin_acked_time=number
            )
            written.move(conn, ORIG, State.FIN_WAIT_2, Event.RCV_ACK_OF_FIN, number)
            written.move(conn, ORIG, State.CLOSED, Event.TIMEOUT_FIN_WAIT_2, 600, basis=Basis.TIMER)
        elif kind == 1:
            written.endpoint(conn, RESP, segments=5, rst_count=1, rst_time=number, unacked=3)
            written.move(conn, RESP, State.ESTABLISHED, Event.RCV_ACK_OF_SYN, number - 1)
            written.move(conn, RESP, State.CLOSED, Event.SND_RST, number)
        else:
            written.endpoint(conn, ORIG, segments=2, syn_count=2, syn_time=number, reordered=1)
            written.endpoint(conn, RESP, unseen=number % 4 == 2)
    return written.reconstruction()


@pytest.mark.parametrize("cut", [[0, 30], [0, 1, 2, 29, 30], list(range(31))])
def test_pieces_in_any_order_are_the_whole(cut: list[int]) -> None:
    """The same table, of whatever pieces, with as few columns."""
    whole = service(0, 30, 80)
    kept = Kept()
    for begin, end in list(pairwise(cut))[::-1]:
        kept.add(service(begin, end - begin, 80), np.arange(begin, end))
    expected = find_anomalies(whole, FACTS, profile("linux")).table
    assert len(expected) > 5
    assert_frame_equal(expected, find_anomalies(kept.found(), FACTS, profile("linux")).table)


def test_nothing_kept_is_a_capture_without_connections() -> None:
    """No finding, and no error."""
    assert 0 == len(find_anomalies(Kept().found(), FACTS, profile("linux")).table)


class Watched:
    """Rows that note which of their columns are asked for."""

    def __init__(self, rows: Rows, asked: set[str]) -> None:
        self._rows = rows
        self._asked = asked

    def __len__(self) -> int:
        return len(self._rows)

    def __getattr__(self, name: str) -> Any:
        self._asked.add(name)
        return getattr(self._rows, name)

    def take(self, which: Any) -> Watched:
        return Watched(self._rows.take(which), self._asked)


def test_what_detectors_ask_for_is_kept_and_nothing_else() -> None:
    """A column that a new detector needs is missed here, and one that none needs is found."""
    found = service(0, 30, 80)
    asked: dict[type[Rows], set[str]] = {kind: set() for kind in COLUMNS}
    watched = [
        Watched(rows, asked[type(rows)])
        for rows in (found.connections, found.endpoints, found.transitions)
    ]
    seen = Reconstruction(*cast("Any", watched), histories=[], numbers=found.numbers)
    find_anomalies(seen, FACTS, profile("linux"))
    for kind, names in COLUMNS.items():
        assert sorted(names) == sorted(asked[kind])
