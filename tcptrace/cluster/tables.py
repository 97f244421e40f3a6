"""Tables of a span of connections, on a worker, and the findings about all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from tcptrace.anomalies.catalogue import find_anomalies, joined_codes
from tcptrace.cluster.tracking import whole
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tables.connections import connections
from tcptrace.tables.export import write_tables
from tcptrace.tables.schema import CONNECTIONS
from tcptrace.tables.texts import Texts
from tcptrace.tables.timeline import timeline
from tcptrace.tcp.profile import Profile
from tcptrace.tracker.tracker import Reconstruction

TABLE = "table"


def findings(spans: list[Reconstruction], facts: CaptureFacts, profile: Profile) -> dict[Any, Any]:
    """The anomalies under TABLE, and under each span's number the codes of its connections.

    A cause may have connections everywhere, and is told once: so all that was found is here.
    """
    found = find_anomalies(whole(spans), facts, profile)
    codes = joined_codes(found.about(), sum(len(span.connections) for span in spans))
    told: dict[Any, Any] = {TABLE: found.table}
    base = 0
    for place, span in enumerate(spans):
        told[place] = codes[base : base + len(span.connections)]
        base += len(span.connections)
    return told


def connections_of(span: Reconstruction, base: int, until: int, codes: Texts) -> pd.DataFrame:
    """The rows of `connections` of a span whose first connection is number `base`."""
    table = connections(span, until)
    table.index = pd.Index(table.index + base, name=table.index.name)
    return table.assign(anomalies=CONNECTIONS.by_name["anomalies"].series(codes))


def timeline_of(span: Reconstruction, base: int) -> pd.DataFrame:
    """The rows of `timeline` of a span."""
    table = timeline(span)
    return table.assign(conn=table["conn"] + base)


def write(table: pd.DataFrame, name: str, folder: str) -> Path:
    """Write a partition into the folder of its table; UsageError if that cannot be done."""
    return write_tables({name: table}, folder, "parquet")[0]
