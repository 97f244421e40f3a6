"""`mark`: what tells four-tuples apart at less than the cost of a hash.

Neither kernel that asks for it can afford a call: `marks.pxd` has it for compiled ones.
"""

from __future__ import annotations

HIGH, PORTS = 0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53
MASK64 = (1 << 64) - 1


def mark(high: int, low: int, ports: int, key: int) -> int:
    """64 bits of the sums of both ends' halves and ports: the same in both directions.

    key : odd. The uppermost bits depend on all others.
    """
    return (low + high * HIGH + ports * PORTS) * key & MASK64
