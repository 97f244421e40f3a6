"""`Scene`: the rows about one connection that a picture of it is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from tcptrace.tables.wording import endpoint
from tcptrace.views.fates import Fates, fates
from tcptrace.views.numbering import Numbering, numbering

UNKNOWN = -1


@dataclass(frozen=True)
class Scene:
    """One connection: its row of `connections`, its rows of the other tables.

    end : when the capture ended, ns since the epoch; 0 if not known
    source : what the capture is called
    gone : why there are no segments, though there were some; else empty
    """

    row: pd.Series[Any]
    timeline: pd.DataFrame
    segments: pd.DataFrame
    anomalies: pd.DataFrame
    end: int = 0
    source: str = ""
    gone: str = ""

    @property
    def endpoints(self) -> tuple[str, str]:
        """Address and port of the originator and of the responder."""
        row = self.row
        return (
            endpoint(str(row["orig_ip"]), int(row["orig_port"])),
            endpoint(str(row["resp_ip"]), int(row["resp_port"])),
        )

    @property
    def start(self) -> int:
        """The first packet's time, ns since the epoch: times are told from here."""
        return int(self.row["ts_start"].value)

    @cached_property
    def delays(self) -> tuple[int, int]:
        """Estimated delay between the tap and the originator, and the responder, ns; -1 if unknown.

        Half a round trip of the handshake; where none was seen, what the moves were dated by.
        """
        told = (self.row["handshake_rtt_orig"], self.row["handshake_rtt_resp"])
        orig, resp = (
            self._dated_by(role) if pd.isna(rtt) else int(rtt.value) // 2
            for role, rtt in enumerate(told)
        )
        return orig, resp

    @cached_property
    def numbers(self) -> Numbering:
        """Relative sequence numbers of the segments."""
        return numbering(self.segments)

    @cached_property
    def fates(self) -> Fates:
        """What became of the segments."""
        return fates(self.segments, self.numbers, self.timeline, self.delays)

    def _dated_by(self, role: int) -> int:
        moves = self.timeline[self.timeline["role"].cat.codes == role]
        moves = moves[moves["basis"].isin(("observed", "confirmed", "presumed"))]
        joined = moves.merge(self.segments[["packet", "ts"]], on="packet")
        gaps = (joined["start"] - joined["ts"]).abs().to_numpy("timedelta64[ns]").view(np.int64)
        return int(np.median(gaps)) if len(gaps) else UNKNOWN
