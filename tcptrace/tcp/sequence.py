"""Arithmetic modulo 2**32 on sequence numbers, RFC 9293 section 3.4; nobody else does modulo."""

from __future__ import annotations

MODULUS = 1 << 32
MASK = MODULUS - 1
HALF = 1 << 31


def diff(left: int, right: int) -> int:
    """`left - right` as a signed 32-bit number; exactly 2**31 apart gives -2**31."""
    return ((left - right + HALF) & MASK) - HALF


def add(number: int, count: int) -> int:
    """The sequence number `count` octets after `number` (before it, if negative)."""
    return (number + count) & MASK


def unwrap(number: int, near: int) -> int:
    """The 64-bit position of `number` that lies nearest to the position `near`."""
    return near + diff(number, near & MASK)
