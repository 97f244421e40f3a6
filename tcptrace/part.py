"""`Part`: connections whose rows are final, as tables."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from tcptrace.anomalies.catalogue import connection_codes
from tcptrace.columns import Matrix
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tables.connections import connections
from tcptrace.tables.timeline import timeline
from tcptrace.tcp.profile import Profile
from tcptrace.tracker.settling import Piece


class Part:
    """Connections whose rows are final, as the tables that a `Trace` has."""

    def __init__(self, piece: Piece, capture: CaptureFacts, profile: Profile, until: int) -> None:
        self._piece = piece
        self._until = until
        self._profile = profile
        self.capture = capture

    @cached_property
    def connections(self) -> pd.DataFrame:
        """As `Trace.connections`."""
        found = self._piece.found
        codes = connection_codes(found, self.capture, self._profile)
        table = connections(found, self._until, codes)
        return table.set_axis(pd.Index(self._conns(np.arange(len(table))), name="conn"), axis=0)

    @cached_property
    def timeline(self) -> pd.DataFrame:
        """As `Trace.timeline`."""
        table = timeline(self._piece.found)
        return table.assign(conn=self._conns(table["conn"].to_numpy()))

    def _conns(self, places: Matrix) -> Matrix:
        numbers: Matrix = self._piece.conns[places]
        return numbers
