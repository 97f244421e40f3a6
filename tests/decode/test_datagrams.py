"""The columns in which the kernels meet."""

from __future__ import annotations

from tcptrace.decode.datagrams import PATH_BITS, PATH_MULTIPLIER, Datagrams


def test_what_a_walk_begins_with_stands_at_the_end() -> None:
    """The kernel that begins a walk zeroes from `value` on: counters and what adds up."""
    names = list(Datagrams.COLUMNS)
    zeroed = set(names[names.index("value") :])
    assert {"path", "depth", "marks", "icmp", "more_at", "more_end", "checksum"} <= zeroed


def test_path_fits_a_column() -> None:
    """Mixed in signed 64-bit arithmetic without overflow, the same in C and in Python."""
    assert ((1 << 32) - 1) * PATH_MULTIPLIER < 1 << 63
    assert PATH_BITS < 63
