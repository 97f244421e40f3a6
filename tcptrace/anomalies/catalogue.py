"""`CATALOGUE`: every anomaly that is looked for. Read `anomaly.Anomaly` for what a row says.

Each group's rows stand in its own file, beside the functions that they name.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.anomalies.closing import CLOSING
from tcptrace.anomalies.evidence import Evidence
from tcptrace.anomalies.files import FILES
from tcptrace.anomalies.findings import Findings
from tcptrace.anomalies.handshake import HANDSHAKE
from tcptrace.anomalies.quality import QUALITY
from tcptrace.anomalies.reset import RESET
from tcptrace.anomalies.stalls import STALLS
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tables.schema import SEVERITIES
from tcptrace.tables.texts import Words
from tcptrace.tcp.profile import Profile
from tcptrace.tracker.tracker import Reconstruction

Members = npt.NDArray[np.int64]

CATALOGUE = (*HANDSHAKE, *CLOSING, *STALLS, *RESET, *QUALITY, *FILES)


_RANKED = sorted(CATALOGUE, key=lambda each: (-SEVERITIES.index(each.severity), each.code))
RANKS = {anomaly.code: rank for rank, anomaly in enumerate(_RANKED)}


def connection_codes(found: Reconstruction, facts: CaptureFacts, profile: Profile) -> Words:
    """The codes about each connection, as `joined_codes` puts them, without the findings' texts."""
    seen = Evidence(found, facts, profile, told=False)
    pairs = ((each.code, group.members) for each in CATALOGUE for group in each.find(seen))
    return joined_codes(pairs, len(found.connections))


def joined_codes(about: Iterable[tuple[str, Members]], count: int) -> Words:
    """For each of `count` connections the codes about it, by commas.

    They stand in the order of the catalogue's severities, then of names: what is found about
    others does not change it.
    """
    bits = np.zeros(count, np.int64)
    for code, members in about:
        bits[members] |= 1 << RANKS[code]
    which, kinds = pd.factorize(bits)
    names = list(RANKS)
    told = [
        ",".join(names[rank] for rank in range(len(names)) if kind >> rank & 1)
        for kind in kinds.tolist()
    ]
    return Words(which, told)


def find_anomalies(
    found: Reconstruction,
    facts: CaptureFacts,
    profile: Profile,
    called: npt.NDArray[np.int64] | None = None,
) -> Findings:
    """All that is odd about a capture, each cause once; `called` as in `Evidence`."""
    seen = Evidence(found, facts, profile, called)
    pairs = ((anomaly, group) for anomaly in CATALOGUE for group in anomaly.find(seen))
    return Findings.of(pairs, seen)
