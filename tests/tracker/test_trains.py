"""Pins `Trains`: plain segments are told what all others are told, whoever sends them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from conftest import load_interpreted
from hypothesis import given, settings
from hypothesis import strategies as st
from outcomes import Kernel

from tcptrace.decode.segments import Kind, Segments
from tcptrace.tcp.flags import ACK, FIN, RST, SYN
from tcptrace.tracker.connections import ConnectionTable
from tcptrace.tracker.four_tuples import FourTuples
from tcptrace.tracker.marks import mark
from tcptrace.tracker.queues import Queues, Standing
from tcptrace.tracker.recent import Recent
from tcptrace.tracker.slots import Slots

SEED, LINGER = 7, 1000
MOST = 1 << 32
INTERPRETED: Kernel = functools.cache(load_interpreted)
LINKS = ("previous", "following", "hash")
HOSTS = [(0, 0xFFFF00000001), (0, 0xFFFF00000002), (-1, 1), (-1, -1)]
ENDS = [(HOSTS[0], 80), (HOSTS[1], 80), (HOSTS[3], 80), (HOSTS[3], 65535)]
END = st.sampled_from(ENDS)
BITS = st.sampled_from([0, ACK, ACK, ACK, ACK, SYN, SYN | ACK, FIN | ACK, RST, SYN | FIN])
NUMBER = st.sampled_from([0, 1, 2, 1 << 31, MOST - 1]) | st.integers(0, MOST - 1)
ROW = st.tuples(
    st.integers(0, 60),
    END,
    END,
    st.sampled_from([Kind.SEGMENT] * 6 + [*Kind]),
    BITS,
    NUMBER,
    NUMBER,
)


def batch(rows: list[Any]) -> Segments:
    """Segments of these rows, whose times go back now and then."""
    segments = Segments.zeros(len(rows))
    for place, (time, source, destination, kind, bits, seq, ack) in enumerate(rows):
        row = segments.take(slice(place, place + 1))
        (row.src_hi[0], row.src_lo[0]), row.src_port[0] = source
        (row.dst_hi[0], row.dst_lo[0]), row.dst_port[0] = destination
        row.time[0], row.packet[0] = 20 * place + time, place + 1
        row.kind[0], row.flags[0], row.seq[0], row.ack[0] = kind, bits, seq, ack
        row.payload[0] = seq % 3
        segments.matrix[place] = row.matrix[0]
    return segments


def told(table: Any, rows: list[Any], forgetful: bool) -> list[Any]:
    """What a table makes of them, row by row, and of its slots; a `forgetful` one hashes each."""
    segments = batch(rows)
    found: list[Any] = []
    for place in range(len(rows)):
        one = segments.take(slice(place, place + 1))
        if forgetful:
            table.recent.remember(0)
        table.assign(one.cells, 1)
        left = table.left()
        found += [one.matrix.tolist(), left.tolist()]
        table.release(left[::2].copy())
    slots = Slots(np.asarray(table.matrix()))
    names = [name for name in Slots.COLUMNS if name not in LINKS]
    return [*found, {name: getattr(slots, name).tolist() for name in names}]


@settings(max_examples=100)
@given(st.lists(ROW, max_size=60), st.integers(1, 4))
def test_plain_segments_are_told_as_all_others(rows: list[Any], limit: int) -> None:
    """The same slots and the same cells in them, whether a four-tuple is remembered or not."""
    interpreted = INTERPRETED("tcptrace.tracker.connections").ConnectionTable
    expected = told(interpreted(limit, LINGER, SEED), rows, True)
    assert expected == told(ConnectionTable(limit, LINGER, SEED), rows, False)
    assert expected == told(interpreted(limit, LINGER, SEED), rows, False)


ONE, TWO = (HOSTS[0], 40000), (HOSTS[1], 443)


def row(there: bool, bits: int = ACK, kind: Kind = Kind.SEGMENT, seq: int = 7) -> Any:
    return (0, *((ONE, TWO) if there else (TWO, ONE)), kind, bits, seq, 5)


def walking(kernel: Kernel, segments: Segments) -> tuple[Any, Any, Slots]:
    """A connection that goes on, is remembered, and whose slot is 0; and its queues."""
    slots = Slots.zeros(2)
    tuples: Any = FourTuples(SEED)
    queues: Any = Queues(LINGER)
    recent: Any = Recent(tuples, SEED)
    trains = kernel("tcptrace.tracker.trains").Trains(recent, queues)
    for each in (tuples, recent, trains):
        each.look(segments.cells, slots.cells)
    queues.look(slots.cells)
    trains.begin(0, 0)
    queues.append(0, Standing.OPEN)
    slots.plain[0] = 1
    ends = [segments.src_hi[0] + segments.dst_hi[0], segments.src_lo[0] + segments.dst_lo[0]]
    recent.meet(mark(*map(int, ends), 40443, recent.key), 0)
    return trains, queues, slots


def test_first_segment_fills_a_slot(kernel: Kernel) -> None:
    """Its ends, its time, and that nothing else is known."""
    segments = batch([row(True)])
    _, _, slots = walking(kernel, segments)
    first = [slots.lo_0[0], slots.lo_1[0], slots.port_0[0], slots.port_1[0], slots.packet_start[0]]
    assert [HOSTS[0][1], HOSTS[1][1], 40000, 443, 1] == first
    unknown = ("older", "newer", "iss_0", "iss_1", "nxt_0", "nxt_1", "syn_acked_0", "syn_acked_1")
    assert [-1] * 8 == [int(getattr(slots, name)[0]) for name in unknown]


@pytest.mark.parametrize("bits", [SYN, SYN | ACK, FIN | ACK, RST])
@pytest.mark.parametrize("there", [False, True])
def test_walk_ends_before_what_is_not_plain(kernel: Kernel, bits: int, there: bool) -> None:
    """By its flags; the connection is told, and which side sent the segment."""
    rows = [row(True), row(False), row(True), row(there, bits), row(True)]
    segments = batch(rows)
    trains, queues, slots = walking(kernel, segments)
    assert 3 == trains.walk(0, len(rows))
    assert (0 if there else 1) == trains.found
    assert [0, 1, 0] == segments.sender[:3].tolist()
    assert [0, 0, 0, 0] == [*segments.slot[:3].tolist(), int(segments.opens[:3].sum())]
    assert [3, int(segments.time[2]), 8] == [slots.packet_end[0], slots.time_end[0], slots.nxt_0[0]]
    assert queues.turn == slots.previous[0]
    assert 5 == trains.walk(4, len(rows))


@pytest.mark.parametrize("column", ["plain", "port_0", "hi_0", "lo_0", "hi_1", "lo_1", "port_1"])
def test_walk_ends_at_another_connection(kernel: Kernel, column: str) -> None:
    """Whatever tells it apart, and where it is not a plain one."""
    segments = batch([row(True)])
    trains, _, slots = walking(kernel, segments)
    getattr(slots, column)[0] ^= 1
    assert 0 == trains.walk(0, 1)
    assert (0 if column == "plain" else -1) == trains.found


def test_walk_ends_where_one_of_the_part_is_overdue(kernel: Kernel) -> None:
    """That one has to leave first."""
    segments = batch([row(True), row(True)])
    segments.clock[:] = 99, 100
    trains, queues, _ = walking(kernel, segments)
    queues.due[0] = 100
    assert 1 == trains.walk(0, 2)


@pytest.mark.parametrize("kind", [Kind.DAMAGED, Kind.ICMP_ERROR])
def test_walk_ends_at_what_is_no_segment(kernel: Kernel, kind: Kind) -> None:
    """A damaged one, or an error about one, says nothing of what its sender sent."""
    trains, _, slots = walking(kernel, batch([row(True, kind=kind)]))
    assert 0 == trains.walk(0, 1)
    assert 0 == slots.packet_end[0]
