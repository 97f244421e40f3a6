"""Pins `ZeekOpenings`: what it takes in is taken in as `ZeekPackets` would, and it does take it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from conftest import load_interpreted
from hypothesis import given, settings
from hypothesis import strategies as st
from zeek_ends import SECOND, Seen
from zeek_paths import by_model, by_packets, held, oddities, rows_of

from tcptrace.tracker.zeek_connection import ZeekConnections

LAST = (1 << 32) - 1
ISNS = (0, 1000, LAST - 1, LAST)
PORTS = ((40000, 8081), (40000, 80), (80, 40000), (22, 40000), (40000, 22), (23, 22))
PAUSES = (0, 0, SECOND, 4 * SECOND, 5 * SECOND, 61 * SECOND)
segment = st.tuples(
    st.sampled_from((("S", 0), ("SA", 1), ("SA", 1), ("A", 0), ("A", 1), ("SA", 0), ("R", 1))),
    st.sampled_from((0, 0, 0, 0, 1, 5)),
    st.sampled_from((1, 1, 1, 0, 2)),
    st.sampled_from((0, 0, 0, 0, 10)),
    st.sampled_from((1000, 1000, 1000, 0)),
    st.sampled_from(PAUSES),
)


def opening(
    drawn: list[tuple[Any, ...]], isns: tuple[int, int], ports: tuple[int, int]
) -> list[Seen]:
    """A SYN, and segments near both ISNs."""
    seen, time = [], 0
    for (flags, sender), step, ack_step, payload, window, pause in drawn:
        time += pause
        seq = (isns[sender] + step) % (1 << 32)
        ack = (isns[1 - sender] + ack_step) % (1 << 32) if "A" in flags else 0
        seen.append(Seen(time, sender, flags, seq, ack, payload, None, window, ports))
    return seen


openings = st.builds(
    opening,
    st.lists(segment, max_size=5).map(lambda drawn: [(("S", 0), 0, 0, 0, 1000, 0), *drawn]),
    st.tuples(st.sampled_from(ISNS), st.sampled_from(ISNS)),
    st.sampled_from(PORTS),
)


@settings(max_examples=400, deadline=None)
@given(openings, oddities)
def test_openings_are_taken_in_alike(
    seen: list[Seen], odd: list[tuple[int, tuple[str, int]]]
) -> None:
    """Any row and any octet are what the general steps leave."""
    segments, module = rows_of(seen, odd), import_module("tcptrace.tracker.zeek")
    assert held(by_packets(module, segments)) == held(by_model(module, segments))


@settings(max_examples=40, deadline=None)
@given(openings, oddities)
def test_interpreted_openings_leave_the_same(
    seen: list[Seen], odd: list[tuple[int, tuple[str, int]]]
) -> None:
    """The same file, run without a compiler."""
    segments = rows_of(seen, odd)
    compiled = by_packets(import_module("tcptrace.tracker.zeek"), segments)
    assert held(compiled) == held(by_model(load_interpreted("tcptrace.tracker.zeek"), segments))


@pytest.mark.parametrize("ports", PORTS)
def test_syn_and_its_answer_are_taken(ports: tuple[int, int]) -> None:
    """Whatever the ports are; the answer only once, and nothing else."""
    drawn = [("S", 0), ("SA", 1), ("SA", 1), ("A", 0)]
    seen = opening([(each, 0, 1, 0, 1000, 0) for each in drawn], (7, LAST), ports)
    segments, connections = rows_of(seen, []), ZeekConnections()
    openings = import_module("tcptrace.tracker.zeek_opening").ZeekOpenings()
    openings.look(segments.cells, connections.cells, np.zeros(1, np.uint8).data)
    width = segments.width()
    assert [1, 1, 0, 0] == [int(openings.take(row * width, 0)) for row in range(4)]
