"""Pins the table `connections`."""

from __future__ import annotations

import pandas as pd

from tcptrace.tables.connections import connections
from tcptrace.tables.schema import CONNECTIONS
from tcptrace.tcp.states import Event, State
from tcptrace.tracker.transitions import EndReason, Orientation, Vantage
from tests.tables.written import ORIG, RESP, Written, at, orderly_close


def test_no_connections_give_the_declared_dtypes() -> None:
    """A capture without TCP has the same columns as any other."""
    table = connections(Written().reconstruction())
    assert [] == CONNECTIONS.faults(table)
    assert 0 == len(table)


def test_orderly_close_is_one_row() -> None:
    """The row says who closed, how, and in which states the capture leaves the two."""
    written = Written()
    orderly_close(written, orientation=Orientation.SYN, vantage=Vantage.MIDDLE)
    table = connections(written.reconstruction())
    assert [] == CONNECTIONS.faults(table)
    row = table.loc[0]
    assert ("10.0.0.9", 40000, "10.0.0.5", 8080) == tuple(
        row[["orig_ip", "orig_port", "resp_ip", "resp_port"]]
    )
    assert ("originator", "fin", "closed") == tuple(row[["closer", "close_kind", "end_reason"]])
    assert ("syn", "middle", "ShAFaf") == tuple(row[["orientation", "vantage", "history"]])
    assert bool(row["is_final"])
    assert pd.Timedelta(seconds=1) == row["duration"]


def test_state_that_only_a_timer_predicts_is_not_the_last() -> None:
    """TIME_WAIT ends by the profile 60 s later, but the capture ended before."""
    written = Written()
    orderly_close(written)
    found = written.reconstruction()
    assert "TIME_WAIT" == connections(found).loc[0, "orig_state"]
    assert "CLOSED" == connections(found, until=at(61)).loc[0, "orig_state"]
    assert "CLOSED" == connections(found).loc[0, "resp_state"]


def test_open_connection_is_not_final() -> None:
    """A connection that the capture's end cuts may go on."""
    written = Written()
    conn = written.connection(end_reason=EndReason.CAPTURE_END)
    written.move(conn, ORIG, State.ESTABLISHED, Event.RCV_SYN_ACK, 0.5)
    row = connections(written.reconstruction()).loc[0]
    assert not row["is_final"]
    assert ("none", "none", "ESTABLISHED") == tuple(row[["closer", "close_kind", "orig_state"]])
    assert pd.isna(row["resp_state"])


def test_counters_of_the_two_endpoints_are_kept_apart() -> None:
    """Each counter stands in its own endpoint's column."""
    written = Written()
    conn = written.connection()
    written.endpoint(conn, ORIG, segments=2, duplicates=1, zeek_bytes=10, retransmits=1)
    written.endpoint(conn, RESP, segments=4, zeek_bytes=20, missed_bytes=7)
    row = connections(written.reconstruction()).loc[conn]
    assert (3, 4, 10, 20) == tuple(row[["orig_pkts", "resp_pkts", "orig_bytes", "resp_bytes"]])
    assert (1, 0, 0, 7) == tuple(
        row[["orig_retransmits", "resp_retransmits", "orig_missed_bytes", "resp_missed_bytes"]]
    )


def test_rtt_that_was_not_measured_is_missing() -> None:
    """-1 is the tracker's word for never; pandas' is NaT."""
    written = Written()
    written.connection(rtt_orig=1_500)
    row = connections(written.reconstruction()).loc[0]
    assert pd.Timedelta(1_500, unit="ns") == row["handshake_rtt_orig"]
    assert pd.isna(row["handshake_rtt_resp"])


def test_both_address_columns_have_one_set_of_categories() -> None:
    """Addresses of the two columns can be compared and joined."""
    written = Written()
    written.connection(("2001:db8::1", 1), ("10.0.0.1", 2))
    written.connection(("10.0.0.1", 2), ("2001:db8::1", 1))
    table = connections(written.reconstruction())
    assert table["orig_ip"].dtype == table["resp_ip"].dtype
    assert ["2001:db8::1", "10.0.0.1"] == table["orig_ip"].tolist()
