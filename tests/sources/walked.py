"""Walks of the kernels over bytes that come in pieces."""

from __future__ import annotations

from typing import Any

import numpy as np

from tcptrace.sources import walking
from tcptrace.sources.packets import Packets


def walk_in_pieces(walk: Any, octets: bytes, cuts: list[int], rows: int = 8) -> list[list[int]]:
    """All rows of a walk over `octets` that grow from cut to cut, offsets from their start.

    Each step hands the walk what it has not used of the bytes so far, in a buffer of their own;
    a SKIP is done as the reader does it.
    """
    found: list[list[int]] = []
    used = 0
    for end in [*sorted(cuts), len(octets)]:
        while used < end:
            matrix = np.zeros((rows, Packets.width()), np.int64)
            data = memoryview(b"\xff" * 7 + octets[used:end])
            count = walk.walk(data, 7, len(data), matrix.reshape(-1).data)
            matrix[:count, Packets.index("offset")] += used - 7
            found += matrix[:count].tolist()
            used += walk.position - 7
            if walk.status == walking.SKIP:
                used += walk.length
            elif walk.status != walking.FULL:
                break
    return found
