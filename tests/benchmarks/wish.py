"""`Wish`: what a load's name asks for: `web-1M` keeps 96 octets of a packet, `web-1M-full` all.

No NumPy here: who measures must stay small (`runs`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

SNAP = 96
SCALES = {"": 1, "k": 1_000, "M": 1_000_000}


class Mix(StrEnum):
    """What kind of traffic a load is of."""

    WEB = "web"
    ELEPHANTS = "elephants"
    SCAN = "scan"
    SYNFLOOD = "synflood"


NAME = re.compile(rf"({'|'.join(Mix)})-([1-9]\d*)([kM]?)(-full)?")


@dataclass(frozen=True)
class Wish:
    """snap : octets kept of each packet; 0 where it is kept whole."""

    mix: Mix
    packets: int
    snap: int

    @classmethod
    def named(cls, name: str) -> Wish | None:
        """None if it is no load's name."""
        match = NAME.fullmatch(name)
        if match is None:
            return None
        mix, number, scale, full = match.groups()
        return cls(Mix(mix), int(number) * SCALES[scale], 0 if full else SNAP)
