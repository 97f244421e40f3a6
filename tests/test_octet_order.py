"""Octets as numbers; what compiled kernels make of them is in the tests of those."""

from __future__ import annotations

from tcptrace.octet_order import big_32, little_32

OCTETS = memoryview(b"\xff\x02\x03\x84\x05")


def test_big() -> None:
    """The first octet is the highest, and no sign."""
    assert 0xFF020384 == big_32(OCTETS)


def test_little() -> None:
    """The first octet is the lowest."""
    assert 0x840302FF == little_32(OCTETS)
