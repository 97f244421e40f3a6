"""The kernel that walks pcap and snoop records, compiled and interpreted."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcptrace.sources import walking
from tcptrace.sources.packets import Packets
from tests.sources.crafted import SOME, T0, Told, pcap, snoop
from tests.sources.walked import walk_in_pieces

LIMIT = 262_144
HEADERS = {"pcap": 24, "snoop": 16}
Kernel = Callable[[str], ModuleType]


def begun(kernel: Kernel, kind: str) -> Any:
    """A walk over little-endian pcap or snoop records, as file 3."""
    module = kernel("tcptrace.sources.records")
    walk = module.RecordWalk(3, 1, LIMIT)
    if kind == "snoop":
        walk.snoop, walk.header = True, module.SNOOP_HEADER
    return walk


def records_of(kind: str, packets: list[Told]) -> bytes:
    return (pcap(packets) if kind == "pcap" else snoop(packets))[HEADERS[kind] :]


@pytest.mark.parametrize("kind", HEADERS)
def test_rows_of_records(kernel: Kernel, kind: str) -> None:
    """Every column of a row."""
    octets = records_of(kind, SOME)
    rows = walk_in_pieces(begun(kernel, kind), octets, [])
    packets = Packets(np.array(rows, np.int64), octets)
    assert [told.time for told in SOME] == packets.time.tolist()
    assert [told.octets for told in SOME] == [packets.packet_bytes(row) for row in range(4)]
    assert [told.wire for told in SOME] == packets.length.tolist()
    assert [(1, 0, 1, 3), (1, 0, 2, 3)] == [tuple(row[4:]) for row in packets.matrix[:2].tolist()]


@pytest.mark.parametrize("kind", HEADERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(cuts=st.lists(st.integers(0, 320), max_size=12), rows=st.integers(1, 5))
def test_pieces_give_what_the_whole_gives(
    kernel: Kernel, kind: str, cuts: list[int], rows: int
) -> None:
    """A walk goes on where it stopped, wherever the bytes were cut."""
    octets = records_of(kind, SOME)
    whole = walk_in_pieces(begun(kernel, kind), octets, [])
    assert whole == walk_in_pieces(begun(kernel, kind), octets, cuts, rows)


@pytest.mark.parametrize("kind", HEADERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(octets=st.binary(max_size=200))
def test_any_bytes_end_a_walk(kernel: Kernel, kind: str, octets: bytes) -> None:
    """Garbage gives rows inside the bytes, and a reason to stop."""
    walk = begun(kernel, kind)
    rows = walk_in_pieces(walk, octets, [])
    assert walk.status in (walking.MORE, walking.DAMAGED)
    assert all(0 <= row[1] and row[1] + row[2] <= len(octets) for row in rows)


@pytest.mark.parametrize("kind", HEADERS)
def test_full_rows_stop_a_walk(kernel: Kernel, kind: str) -> None:
    """No more rows are written than there is room for."""
    octets = records_of(kind, SOME)
    walk, matrix = begun(kernel, kind), np.zeros((2, Packets.width()), np.int64)
    assert 2 == walk.walk(memoryview(octets), 0, len(octets), matrix.reshape(-1).data)
    assert walking.FULL == walk.status


def test_packet_smaller_than_its_padding(kernel: Kernel) -> None:
    """AIX's three octets of padding cannot be more than the packet."""
    walk, matrix = begun(kernel, "pcap"), np.zeros((2, Packets.width()), np.int64)
    walk.padding = 3
    octets = pcap([Told(T0, b"ab")])[24:]
    assert 0 == walk.walk(memoryview(octets), 0, len(octets), matrix.reshape(-1).data)
    assert (walking.DAMAGED, "a captured length of 3 or more, not 2") == (walk.status, walk.wrong)


def test_latest_time_of_a_record(kernel: Kernel) -> None:
    """All 64 bits set are a number of ns, not an overflow."""
    walk = begun(kernel, "pcap")
    rows = walk_in_pieces(walk, b"\xff" * 8 + bytes(8), [])
    assert (2**32 - 1) * 10**9 + (2**32 - 1) * 1000 == rows[0][0]
    assert 1 == walk.invalid_times
