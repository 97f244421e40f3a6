"""`syn_waits`: how long a SYN that is to come is waited for, as rows that kernels read."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

import numpy as np

from tcptrace.columns import Rows
from tcptrace.tcp.profile import NEVER, Profile


class SynWaits(Rows):
    """Row n: from the last of n SYNs on, ns; NEVER (-1) where no such SYN is sent."""

    COLUMNS: ClassVar[dict[str, str]] = {
        "next": "until the next one, earliest",
        "next_late": "latest",
        "second_late": "until the one after that, latest",
    }


@lru_cache(maxsize=8)  # a few profiles at most, each asked for with every group that is judged
def syn_waits(profile: Profile) -> SynWaits:
    """As many rows as SYNs are sent; nothing is waited for before the first."""
    sends = profile.syn_schedule()
    rows = SynWaits(np.full((len(sends), SynWaits.width()), NEVER, np.int64))
    for sent in range(1, len(sends)):
        rows.next[sent], rows.next_late[sent] = profile.window(sends[sent] - sends[sent - 1])
        if sent + 1 < len(sends):
            rows.second_late[sent] = profile.window(sends[sent + 1] - sends[sent - 1]).latest
    return rows
