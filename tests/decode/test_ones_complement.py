"""Pins `fold` on RFC 1071's own example."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tcptrace.decode.ones_complement import fold


def test_sum_of_rfc_1071() -> None:
    """Section 3: 0001 f203 f4f5 f6f7 sums up to 2ddf0, which is ddf2."""
    assert 0xDDF2 == fold(0x0001 + 0xF203 + 0xF4F5 + 0xF6F7)


@given(st.integers(0, (1 << 48) - 1))
def test_folded_it_is_the_same_modulo_all_ones(total: int) -> None:
    """And fits in 16 bits; only 0 gives 0."""
    assert 0 <= fold(total) <= 0xFFFF
    assert total % 0xFFFF == fold(total) % 0xFFFF
    assert (total == 0) == (fold(total) == 0)
