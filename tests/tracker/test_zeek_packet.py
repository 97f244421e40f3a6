"""Pins `ZeekPackets`: what it does to a segment is what `ZeekModel` does, plain segments included.

`test_zeek` pins the two together to the plain model.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from conftest import load_interpreted
from hypothesis import given, settings
from hypothesis import strategies as st
from zeek_ends import SECOND, Seen
from zeek_paths import ODDITIES, by_model, by_packets, held, oddities, rows_of

from tcptrace.decode.segments import Checksum

ISNS = (1000, (1 << 32) - 150)
PORTS = {("S",): (40000, 80), ("SA",): (80, 40000), (): (40000, 80)}
PAIR = [(0, "A", 0, 0, 1448, 1000, 0, 5), (1, "A", 0, 0, 0, 1000, 0, None)]
# Each moves on by what it carries, mostly: the numbers are steps from what was sent last.
steps = st.sampled_from((0, 0, 0, 0, 0, 0, 1, 10, -10, 20_000, 1 << 21, 1 << 31))
segment = st.tuples(
    st.sampled_from((0, 1)),
    st.sampled_from(("A",) * 12 + ("FA", "RA", "S", "SA", "", "F")),
    steps,
    steps,
    st.sampled_from((0, 0, 1, 10, 20, 1448, 20_000)),
    st.sampled_from((1000, 1000, 1000, 1000, 0)),
    st.sampled_from((0, 0, 0, SECOND // 10, 3 * SECOND, 6 * SECOND, 400 * SECOND)),
    st.sampled_from((None, None, 5)),
)


def conversation(drawn: list[tuple[Any, ...]], opening: tuple[str, ...]) -> list[Seen]:
    """An opening, and segments that mostly go on where the last one of their sender ended."""
    nxt, time, seen = list(ISNS), 0, []
    greetings = [(row % 2, flags, 0, 0, 0, 1000, 0, None) for row, flags in enumerate(opening)]
    for sender, flags, step, ack_step, payload, window, pause, kept in [*greetings, *drawn]:
        time += pause
        seq = (nxt[sender] + step) % (1 << 32)
        ack = (nxt[1 - sender] + ack_step) % (1 << 32) if "A" in flags else 0
        seen.append(Seen(time, sender, flags, seq, ack, payload, kept, window, PORTS[opening[:1]]))
        if step < 1 << 20:
            nxt[sender] = seq + payload + ("S" in flags) + ("F" in flags)
    return seen


@settings(max_examples=400, deadline=None)
@given(
    st.lists(segment, max_size=24),
    st.sampled_from((("S", "SA", "A"), ("SA", "A"), ("S", "SA"), ("S",), ())),
    oddities,
)
def test_plain_segments_are_taken_in_alike(
    drawn: list[tuple[Any, ...]], opening: tuple[str, ...], odd: list[tuple[int, tuple[str, int]]]
) -> None:
    """The loop that takes in plain segments leaves what the general one leaves, cell by cell."""
    segments = rows_of(conversation(drawn, opening), odd)
    if len(segments):
        module = import_module("tcptrace.tracker.zeek")
        assert held(by_packets(module, segments)) == held(by_model(module, segments))


@settings(max_examples=40, deadline=None)
@given(st.lists(segment, max_size=24), oddities)
def test_interpreted_loop_leaves_the_same(
    drawn: list[tuple[Any, ...]], odd: list[tuple[int, tuple[str, int]]]
) -> None:
    """The same file, run without a compiler."""
    segments = rows_of(conversation(drawn, ("S", "SA", "A")), odd)
    compiled = by_packets(import_module("tcptrace.tracker.zeek"), segments)
    assert held(compiled) == held(by_model(load_interpreted("tcptrace.tracker.zeek"), segments))


@pytest.mark.parametrize("kept", [None, 5])
def test_every_hundredth_gap_has_a_letter(kept: int | None) -> None:
    """A long transfer of which the capture kept little: gaps 1, 10 and 100 are in the history."""
    pair = [(0, "A", 0, 0, 1448, 1000, 0, kept), (1, "A", 0, 0, 0, 1000, 0, None)]
    segments = rows_of(conversation(120 * pair, ("S", "SA", "A")), [])
    module = import_module("tcptrace.tracker.zeek")
    model = by_model(module, segments)
    assert held(by_packets(module, segments)) == held(model)
    history = model.connections.histories.of(np.zeros(1, np.int64))[0]
    assert ("ShADa" if kept is None else "ShADaGGG") == history


@pytest.mark.parametrize("opening", [("S", "SA", "A"), ("SA", "A")])
@pytest.mark.parametrize("row", [20, 21])
@pytest.mark.parametrize("odd", [*ODDITIES, ("ack", 0), ("ack", 1 << 31), ("seq", 5)])
@pytest.mark.parametrize("vouched", [True, False])
def test_one_odd_segment_among_plain_ones(
    opening: tuple[str, ...], row: int, odd: tuple[str, int], vouched: bool
) -> None:
    """Whatever is odd about it, and whether its sender has sent a good checksum before."""
    segments = rows_of(conversation(20 * PAIR, opening), [])
    if not vouched:
        segments.checksum[:] = Checksum.UNKNOWN
        segments.checksum[25:30] = Checksum.GOOD
        segments.checksum[30:35] = Checksum.BAD
    getattr(segments, odd[0])[row] = odd[1]
    module = import_module("tcptrace.tracker.zeek")
    assert held(by_packets(module, segments)) == held(by_model(module, segments))
