"""The table `connections`: one row an incarnation of a four-tuple."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.tables.addresses import Addresses
from tcptrace.tables.closes import Closes, end_reasons
from tcptrace.tables.community_id import community_ids
from tcptrace.tables.schema import CONNECTIONS
from tcptrace.tables.table import NO_TIME
from tcptrace.tables.texts import Texts, Words
from tcptrace.tcp.states import Role
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.transitions import Connections, Endpoints, EndReason

Numbers = npt.NDArray[np.int64]

_FROM_ENDPOINTS = {
    "pkts": ("segments", "duplicates"),
    "bytes": ("zeek_bytes",),
    "retransmits": ("retransmits",),
    "missed_bytes": ("missed_bytes",),
}


def connections(
    found: Reconstruction, until: int | None = None, codes: Texts | None = None
) -> pd.DataFrame:
    """The table of a reconstruction; `anomalies` is empty until they have been looked for.

    codes : of the anomalies of each connection, where that has been done

    `until` is when the capture ended, ns; without it, the last packet of any connection. States
    and closes that the timers predict for later are left out here, and in the timeline only.
    """
    rows = found.connections
    if until is None:
        until = int(rows.time_end.max(initial=0))
    closes = Closes.of(found, until)
    reasons = end_reasons(found, until)
    states = last_states(found, until)
    values = {
        **_plain(rows),
        **_endpoints(rows),
        **_counted(found.endpoints),
        "orig_state": states[:, Role.ORIGINATOR],
        "resp_state": states[:, Role.RESPONDER],
        "closer": closes.closer,
        "close_kind": closes.kind,
        "end_reason": reasons,
        "is_final": reasons != EndReason.CAPTURE_END,
        "history": found.histories,
        "community_id": community_ids(rows),
        "anomalies": Words.same("", len(rows)) if codes is None else codes,
    }
    return CONNECTIONS.frame(values)


def addresses(rows: Connections) -> tuple[Numbers, Numbers, pd.CategoricalDtype]:
    """The originators' and the responders' places in one list of addresses, and the list."""
    found = Addresses.of_connections(rows)
    return found.places[0::2], found.places[1::2], found.dtype


def last_states(found: Reconstruction, until: int) -> Numbers:
    """The state in which the capture leaves each endpoint, int64 (count, 2); -1 for none."""
    kept = found.standing(until)
    last = np.full((len(found.connections), len(Role)), -1, np.int64)
    last[kept.conn, kept.role] = kept.state  # of equal places, the last row is what stays
    return last


def _plain(rows: Connections) -> dict[str, Any]:
    """What stands in the tracker's rows as it is, under the names that users know."""
    return {
        "conn": rows.conn,
        "orig_port": rows.orig_port,
        "resp_port": rows.resp_port,
        "incarnation": rows.incarnation,
        "orientation": rows.orientation,
        "ts_start": rows.time_start,
        "ts_end": rows.time_end,
        "duration": rows.time_end - rows.time_start,
        "conn_state": rows.conn_state,
        "completeness": rows.completeness,
        "handshake_rtt_orig": np.where(rows.rtt_orig < 0, NO_TIME, rows.rtt_orig),
        "handshake_rtt_resp": np.where(rows.rtt_resp < 0, NO_TIME, rows.rtt_resp),
        "vantage": rows.vantage,
        "first_packet": rows.first_packet,
        "last_packet": rows.last_packet,
    }


def _endpoints(rows: Connections) -> dict[str, Any]:
    originators, responders, names = addresses(rows)
    return {"orig_ip": (originators, names), "resp_ip": (responders, names)}


def _counted(endpoints: Endpoints) -> dict[str, Numbers]:
    """The counters of both endpoints, originator's rows first of each pair."""
    sums = {
        name: np.add.reduce([getattr(endpoints, column) for column in columns])
        for name, columns in _FROM_ENDPOINTS.items()
    }
    return {
        f"{side}_{name}": counter[role :: len(Role)]
        for name, counter in sums.items()
        for role, side in ((Role.ORIGINATOR, "orig"), (Role.RESPONDER, "resp"))
    }
