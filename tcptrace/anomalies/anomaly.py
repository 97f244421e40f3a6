"""`Anomaly`: one row of the catalogue, and `Thresholds`, the numbers that detectors go by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from tcptrace.anomalies.evidence import Evidence
from tcptrace.anomalies.groups import Group
from tcptrace.anomalies.sentences import Sentences
from tcptrace.tables.wording import SECOND

Charged = Literal["subject", "peer", "both", "path", "host", "capture"]


@dataclass(frozen=True)
class Anomaly:
    """One kind of oddity: its name, how bad it is, whose side it is on, how it is found and told.

    severity : unless the detector says otherwise for a group
    charged : the endpoint that the detector finds (subject), its peer, or neither
    sentences : by the detector's variant, "" where it has none
    """

    code: str
    severity: str
    charged: Charged
    find: Callable[[Evidence], Iterable[Group]]
    sentences: Mapping[str, Sentences]


@dataclass(frozen=True)
class Thresholds:
    """Every number by which an anomaly is one; durations in ns."""

    syn_unanswered_wait: int = 3 * SECOND
    syn_unanswered_syns: int = 2
    deferred_syn_ack_gap: int = 3 * SECOND
    overflow_ignored_acks: int = 2
    final_ack_wait: int = SECOND
    final_ack_timeouts: int = 3
    fin_wait_2_notice: int = 10 * SECOND
    fin_wait_2_warning: int = 60 * SECOND  # where the profile has no timer for an orphan
    close_wait_leak_connections: int = 5
    clock_step_share: int = 10


THRESHOLDS = Thresholds()
