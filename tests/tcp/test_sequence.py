"""Sequence numbers around the wrap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tcptrace.tcp import sequence

numbers = st.integers(0, sequence.MASK)
steps = st.integers(-sequence.HALF, sequence.HALF - 1)


@given(numbers, steps)
def test_diff_undoes_add(number: int, step: int) -> None:
    """The signed distance to a number that lies `step` away is `step`, whatever wraps."""
    assert step == sequence.diff(sequence.add(number, step), number)


@given(numbers)
def test_half_the_space_apart_is_negative_both_ways(number: int) -> None:
    """Exactly 2**31 apart neither comes first: both differences are -2**31."""
    opposite = sequence.add(number, sequence.HALF)
    both = (sequence.diff(number, opposite), sequence.diff(opposite, number))
    assert (-sequence.HALF, -sequence.HALF) == both


def test_the_number_after_the_last_is_zero() -> None:
    """A FIN may occupy 0xFFFFFFFF; its acknowledgement is then 0."""
    assert 0 == sequence.add(sequence.MASK, 1)
    assert 1 == sequence.diff(0, sequence.MASK)


@given(st.integers(0, 1 << 40), steps)
def test_unwrap_finds_the_nearest_position(near: int, step: int) -> None:
    """The position has the number's low 32 bits and is at most half the space away."""
    position = near + step
    assert position == sequence.unwrap(position & sequence.MASK, near)


@given(st.integers(0, 0xFFFF), st.integers(-0x8000, 0x7FFF))
def test_diff_16_undoes_a_step(number: int, step: int) -> None:
    """So it does where an identification wraps."""
    assert step == sequence.diff_16((number + step) & 0xFFFF, number)
