"""`prefetch`: tell the processor which memory is read next, so that it need not wait for it.

What is kept of many connections does not fit in its caches, and the next segment is of any of
them. `memory.pxd` declares what compiled kernels call; an interpreter has no use for it.
"""

from __future__ import annotations


def prefetch(address: object) -> None:
    """Begin to fetch the memory at an address into the caches; changes nothing."""
