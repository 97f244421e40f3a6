"""Fuzzing without coverage, on the kernels of this tree as they are: slow targets, quick looks.

    python -m tests.fuzz.blind TARGET SECONDS [SEED]

Prints how many inputs were tried; an input that breaks the contract is written to the working
directory, and its error raised.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from tests.fuzz.mutation import mutated_capture, mutated_packets
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS

MOST = 8192
DEEPEST = 4


def changed(octets: bytes, most: int, chance: random.Random) -> bytes:
    """In the place of libFuzzer's own changes: a few octets anew, gone, or once more."""
    spoilt = bytearray(octets or b"\0")
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(spoilt))
        kind = chance.randrange(3)
        if kind == 0:
            spoilt[at] = chance.randrange(256)
        elif kind == 1 and len(spoilt) > 1:
            del spoilt[at : at + chance.randrange(1, 9)]
        else:
            spoilt[at:at] = spoilt[at : at + chance.randrange(1, 9)]
        spoilt = spoilt or bytearray(1)
    return bytes(spoilt[:most])


def fuzz(target: str, seconds: float, seed: int) -> int:
    """How many inputs were tried."""
    chance, tried = random.Random(seed), 0
    change = mutated_packets if target == "decode" else mutated_capture
    known, end = list(SEEDS[target]()), time.monotonic() + seconds
    while time.monotonic() < end:
        octets = chance.choice(known)
        for _ in range(chance.randrange(1, DEEPEST)):
            octets = change(octets, MOST, lambda some, most: changed(some, most, chance), chance)
        try:
            TARGETS[target](octets)
        except BaseException:
            Path(f"broken-{target}").write_bytes(octets)
            raise
        tried += 1
    return tried


if __name__ == "__main__":
    count = fuzz(sys.argv[1], float(sys.argv[2]), int((*sys.argv, "1")[3]))
    print(f"{sys.argv[1]}: {count:,} inputs")
