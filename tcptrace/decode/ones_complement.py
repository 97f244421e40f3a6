"""`fold`: sums of 16-bit words as checksums have them, RFC 1071.

Compiled kernels have it from `ones_complement.pxd`, which is written by hand.
"""

from __future__ import annotations


def fold(total: int) -> int:
    """A sum as 16 bits, what is carried out of them added at their other end."""
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total
