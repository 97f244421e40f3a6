"""`CATALOGUE`: every anomaly that is looked for. Read `anomaly.Anomaly` for what a row says.

Each group's rows stand in its own file, beside the functions that they name.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tcptrace.anomalies.closing import CLOSING
from tcptrace.anomalies.evidence import Evidence
from tcptrace.anomalies.files import FILES
from tcptrace.anomalies.findings import Findings
from tcptrace.anomalies.handshake import HANDSHAKE
from tcptrace.anomalies.quality import QUALITY
from tcptrace.anomalies.reset import RESET
from tcptrace.anomalies.stalls import STALLS
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tcp.profile import Profile
from tcptrace.tracker.tracker import Reconstruction

CATALOGUE = (*HANDSHAKE, *CLOSING, *STALLS, *RESET, *QUALITY, *FILES)


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
