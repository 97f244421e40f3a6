"""The kernel that walks pcapng blocks, compiled and interpreted."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcptrace.sources import walking
from tcptrace.sources.blocks import INTERFACE_COLUMNS, OPTIONS_LIMIT
from tcptrace.sources.packets import Packets
from tests.sources.crafted import SOME, T0, Told, block, enhanced, obsolete, option, section, simple
from tests.sources.walked import walk_in_pieces

Kernel = Callable[[str], ModuleType]
MICROSECONDS = {"link_type": 1, "base": 10, "exponent": 6, "unit": 1000, "limit": 262_144}
BLOCKS = (
    enhanced(SOME[0])
    + block(4, bytes(9))
    + simple(SOME[2])
    + block(10, bytes(300))
    + obsolete(SOME[3], index=1)
    + enhanced(SOME[1], options=option(1, b"a comment"))
)


def begun(kernel: Kernel, *interfaces: dict[str, int]) -> Any:
    """A walk over little-endian blocks with these interfaces, as file 3."""
    walk = kernel("tcptrace.sources.blocks").BlockWalk(3)
    table = [
        [{"index": at, **each}.get(name, 0) for name in INTERFACE_COLUMNS]
        for at, each in enumerate(interfaces)
    ]
    walk.describe(np.array(table, np.int64).reshape(-1).data)
    return walk


def test_rows_of_blocks(kernel: Kernel) -> None:
    """Every column of a row, of all three kinds of block."""
    second = {**MICROSECONDS, "link_type": 101, "index": 7}
    rows = walk_in_pieces(begun(kernel, MICROSECONDS, second), BLOCKS, [])
    packets = Packets(np.array(rows, np.int64), BLOCKS)
    told = [SOME[0], SOME[2], SOME[3], SOME[1]]
    assert [T0, T0, SOME[3].time, SOME[1].time] == packets.time.tolist()
    assert [each.octets for each in told] == [packets.packet_bytes(row) for row in range(4)]
    assert [each.wire for each in told] == packets.length.tolist()
    assert [1, 1, 101, 1] == packets.link_type.tolist()
    assert [0, 0, 7, 0] == packets.interface.tolist()
    assert [1, 2, 3, 4] == packets.number.tolist()
    assert [3] * 4 == packets.file.tolist()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cuts=st.lists(st.integers(0, len(BLOCKS)), max_size=12), rows=st.integers(1, 5))
def test_pieces_give_what_the_whole_gives(kernel: Kernel, cuts: list[int], rows: int) -> None:
    """A walk goes on where it stopped, wherever the bytes were cut; skips reach beyond them."""
    whole = walk_in_pieces(begun(kernel, MICROSECONDS, MICROSECONDS), BLOCKS, [])
    walk = begun(kernel, MICROSECONDS, MICROSECONDS)
    assert whole == walk_in_pieces(walk, BLOCKS, cuts, rows)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    octets=st.builds(
        lambda kind, length, rest: bytes([kind, 0, 0, 0, length, 0, 0, 0]) + rest,
        st.integers(0, 11),
        st.integers(0, 90),
        st.binary(max_size=100),
    )
)
def test_any_bytes_end_a_walk(kernel: Kernel, octets: bytes) -> None:
    """Garbage gives rows inside the bytes, and a reason to stop."""
    walk = begun(kernel, MICROSECONDS)
    rows = walk_in_pieces(walk, octets, [])
    assert walk.status in (walking.MORE, walking.DAMAGED, walking.BLOCK, walking.SKIP)
    assert all(0 <= row[1] and row[1] + row[2] <= len(octets) for row in rows)


def test_blocks_that_describe_stop_a_walk(kernel: Kernel) -> None:
    """Sections, interfaces and statistics are left to the caller, where they stand."""
    for other in (section(), block(1, bytes(8)), block(5, bytes(12))):
        octets = enhanced(SOME[0]) + other
        walk, matrix = begun(kernel, MICROSECONDS), np.zeros((8, Packets.width()), np.int64)
        assert 1 == walk.walk(memoryview(octets), 0, len(octets), matrix.reshape(-1).data)
        assert (walking.BLOCK, len(octets) - len(other)) == (walk.status, walk.position)


def test_packet_without_any_interface(kernel: Kernel) -> None:
    """Also a simple packet needs one."""
    for octets in (enhanced(SOME[0]), simple(SOME[0]), obsolete(SOME[0])):
        walk = kernel("tcptrace.sources.blocks").BlockWalk(0)
        assert [] == walk_in_pieces(walk, octets, [])
        assert (walking.DAMAGED, "an interface that was described, not 0") == (
            walk.status,
            walk.wrong,
        )


def test_absurdly_many_options(kernel: Kernel) -> None:
    """A packet block with more options than anyone writes is damage, before it is waited for."""
    octets = bytearray(enhanced(SOME[0]))
    octets[4:8] = (OPTIONS_LIMIT + 100).to_bytes(4, "little")
    walk = begun(kernel, MICROSECONDS)
    assert [] == walk_in_pieces(walk, bytes(octets), [])
    assert walking.DAMAGED == walk.status


def test_times_beyond_the_range_are_clamped(kernel: Kernel) -> None:
    """So that no difference of two times overflows 64 bits."""
    far = {**MICROSECONDS, "offset": 1 << 61}
    past = {**MICROSECONDS, "offset": -(1 << 61)}
    walk = begun(kernel, far, past)
    told = Told(0, b"x")
    octets = enhanced(told, ticks=2**64 - 1) + enhanced(told, ticks=0, index=1)
    rows = walk_in_pieces(walk, octets, [])
    assert [walking.LATEST_TIME, -walking.LATEST_TIME] == [row[0] for row in rows]
    assert 2 == walk.clamped_times


def test_simple_packet_without_room_for_its_own_header(kernel: Kernel) -> None:
    """Such a block is damage, and never a packet of less than no octets."""
    walk = begun(kernel, MICROSECONDS)
    octets = simple(SOME[2]) + block(3, b"") + simple(SOME[2])
    rows = Packets.zeros(4)
    assert 1 == walk.walk(memoryview(octets), 0, len(octets), rows.cells)
    assert walking.DAMAGED == walk.status
    assert "a block length of 16 or more, not 12" == walk.wrong
