"""Arithmetic modulo 2**32 on sequence numbers, RFC 9293 section 3.4; nobody else does modulo.

Compiled kernels have `diff` and `diff_16` from `sequence.pxd`, which is written by hand.
"""

from __future__ import annotations

MODULUS = 1 << 32
MASK = MODULUS - 1
HALF = 1 << 31


def diff(left: int, right: int) -> int:
    """`left - right` as a signed 32-bit number; exactly 2**31 apart gives -2**31."""
    return ((left - right + HALF) & MASK) - HALF


def diff_16(left: int, right: int) -> int:
    """How far one 16-bit number is after another, as IPv4's identification is (RFC 791)."""
    return ((left - right + 0x8000) & 0xFFFF) - 0x8000


def add(number: int, count: int) -> int:
    """The sequence number `count` octets after `number` (before it, if negative)."""
    return (number + count) & MASK


def unwrap(number: int, near: int) -> int:
    """The 64-bit position of `number` that lies nearest to the position `near`."""
    return near + diff(number, near & MASK)
