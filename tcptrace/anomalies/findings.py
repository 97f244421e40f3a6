"""`Findings`: what all detectors found as the table `anomalies`, and which connection is in it.

Confidence is reduced where the capture's own faults could undo a verdict; `limits` says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.anomalies.anomaly import THRESHOLDS, Anomaly
from tcptrace.anomalies.evidence import Doubt, Evidence
from tcptrace.anomalies.groups import MOST_EXAMPLES, Group
from tcptrace.tables.schema import ANOMALIES, CHARGED, CONFIDENCES, SEVERITIES
from tcptrace.tables.wording import counted, span
from tcptrace.tcp.states import Role

Found = tuple[Anomaly, Group]

_ABOUT_THE_CAPTURE = ("capture", "path")

_DOUBTS = {
    Doubt.MID_STREAM: "The connection's beginning was not captured.",
    Doubt.REORDERED: "The capture wrote some of its packets down in another order.",
    Doubt.BAD_CHECKSUMS: "Some of its segments were damaged, and may have been dropped.",
    Doubt.UNSEEN: "The capture lost some of its packets.",
}


@dataclass(frozen=True)
class Findings:
    """`table` is what users see; `members` are (row of it, connection's number), a row each."""

    table: pd.DataFrame
    members: npt.NDArray[np.int64]

    @classmethod
    def of(cls, found: Iterable[Found], seen: Evidence) -> Findings:
        """The findings, the most severe first, then the earliest."""
        ranked = sorted(found, key=lambda pair: (-_severity(*pair), pair[1].ts, pair[0].code))
        members = [
            np.stack([np.full(len(group.members), row), group.members], axis=1)
            for row, (_, group) in enumerate(ranked)
        ]
        kept = np.concatenate(members) if members else np.zeros((0, 2), np.int64)
        return cls(_table(ranked, seen), kept)

    def of_connection(self, conn: int) -> pd.DataFrame:
        """The rows that a connection is part of."""
        rows = np.unique(self.members[self.members[:, 1] == conn, 0])
        return self.table.iloc[rows].reset_index(drop=True)

    def about(self) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
        """Each row's code, and the connections that are part of it."""
        bounds = np.searchsorted(self.members[:, 0], np.arange(len(self.table) + 1))
        for row, code in enumerate(self.table["code"].astype(str)):
            yield code, self.members[bounds[row] : bounds[row + 1], 1]


def _severity(anomaly: Anomaly, group: Group) -> int:
    return SEVERITIES.index(group.severity or anomaly.severity)


def _table(ranked: list[Found], seen: Evidence) -> pd.DataFrame:
    texts = [_texts(anomaly, group, seen) for anomaly, group in ranked]
    groups = [group for _, group in ranked]
    conns = [int(g.members[0]) if len(g.members) == 1 else -1 for g in groups]
    codes, names = pd.factorize(np.array([anomaly.code for anomaly, _ in ranked], object))
    hosts = [_host(anomaly, group) for anomaly, group in ranked]
    return ANOMALIES.frame(
        {
            "conn": (np.array(conns, np.int64), np.array(conns, np.int64) < 0),
            "code": (codes, list(names)),
            "severity": np.array([_severity(*pair) for pair in ranked], np.int64),
            "confidence": np.array([int(bool(text["doubt"])) for text in texts], np.int64),
            "charged": np.array([CHARGED.index(_charged(*pair)) for pair in ranked], np.int64),
            "host": (np.array(hosts, np.int64), list(seen.addresses.names)),
            "ts": np.array([group.ts for group in groups], np.int64),
            "duration": np.array([group.duration for group in groups], np.int64),
            "packets": [group.packets for group in groups],
            **{
                name: [text[name] for text in texts]
                for name in ("headline", "why", "ruled_out", "advice", "limits")
            },
            "count": np.array([group.count for group in groups], np.int64),
            "examples": [group.members[:MOST_EXAMPLES].tolist() for group in groups],
        }
    )


def _texts(anomaly: Anomaly, group: Group, seen: Evidence) -> dict[str, str]:
    """The sentences of one finding, and under `doubt` why it may be wrong."""
    alike = group.count if group.subject is not None else 1
    texts = anomaly.sentences[group.variant].told(group.values, alike)
    doubts = [] if anomaly.charged in _ABOUT_THE_CAPTURE else _doubts(group, seen)
    limits = " ".join([*doubts, texts["limits"]])
    return texts | {"doubt": " ".join(doubts), "limits": limits}


def _doubts(group: Group, seen: Evidence) -> list[str]:
    """What about the capture could undo this verdict: `CONFIDENCES` has it reduced then."""
    told = [text for doubt, text in _DOUBTS.items() if group.doubts & doubt]
    facts = seen.facts
    if facts.loss.endpoints:
        told.append(
            f"The capture lost packets of {counted(facts.loss.endpoints, 'endpoint')} elsewhere, "
            f"so it may have lost some here."
        )
    elif facts.loss.dropped:
        told.append(f"The capturing program dropped {counted(facts.loss.dropped, 'packet')}.")
    step = facts.clock.largest
    if facts.clock.count and step * THRESHOLDS.clock_step_share >= group.duration:
        told.append(f"The capture's clock went back by up to {span(step)}.")
    return told


def _charged(anomaly: Anomaly, group: Group) -> str:
    """The role that is charged, or what the catalogue names instead of one."""
    if group.subject is None or anomaly.charged not in ("subject", "peer"):
        return anomaly.charged
    own = anomaly.charged == "subject"
    return Role(group.subject if own else 1 - group.subject).name.lower()


def _host(anomaly: Anomaly, group: Group) -> int:
    """The place of the charged endpoint's address, if all have the same; -1 if not."""
    hosts = group.peers if anomaly.charged == "peer" else group.hosts
    return int(hosts[0]) if len(hosts) == 1 else -1


assert CONFIDENCES == ("full", "reduced")  # `confidence` is a truth value: is there any doubt
