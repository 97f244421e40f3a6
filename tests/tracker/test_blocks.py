"""Pins `Blocks`: what lies above a hole, against the set of its octets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tcptrace.tracker.blocks import MOST, Blocks

pieces = st.lists(st.tuples(st.integers(2, 80), st.integers(1, 9)), max_size=25)


def octets(blocks: Blocks) -> set[int]:
    ranges = zip(blocks.starts, blocks.ends, strict=True)
    return {octet for start, end in ranges for octet in range(start, end)}


def put_all(drawn: list[tuple[int, int]]) -> tuple[Blocks, set[int]]:
    blocks, expected = Blocks(), set()
    for start, length in drawn:
        blocks.put(start, start + length)
        expected |= set(range(start, start + length))
    return blocks, expected


@given(pieces)
def test_blocks_hold_the_octets_that_were_put(drawn: list[tuple[int, int]]) -> None:
    """In any order, overlapping or not; blocks are sorted and never touch."""
    blocks, expected = put_all(drawn)
    assert expected == octets(blocks)
    assert len(expected) == blocks.stored()
    assert all(start > end for start, end in zip(blocks.starts[1:], blocks.ends[:-1], strict=True))


@given(pieces, st.integers(1, 90))
def test_absorb_goes_on_to_the_next_hole(drawn: list[tuple[int, int]], delivered: int) -> None:
    """What the stream has reached is taken out, and the stream is whole up to the next hole."""
    blocks, expected = put_all(drawn)
    whole = delivered
    while whole in expected:
        whole += 1
    assert whole == blocks.absorb(delivered)
    assert {octet for octet in expected if octet > whole} == octets(blocks)


def test_full_list_closes_its_smallest_hole() -> None:
    """A hostile stream of islands costs no more than the list; the big holes stay."""
    blocks = Blocks()
    for island in range(MOST):
        blocks.put(100 * island, 100 * island + 10)
    blocks.put(100 * MOST - 85, 100 * MOST - 80)
    assert MOST == len(blocks.starts)
    assert (100 * MOST - 100, 100 * MOST - 80) == (blocks.starts[-1], blocks.ends[-1])
