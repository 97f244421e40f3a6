"""Pins the declared tables against what users are promised."""

from __future__ import annotations

import pytest

from tcptrace.tables.schema import CONNECTIONS, TABLES, TIMELINE
from tcptrace.tables.table import Kind, Table

TIMELINE_COLUMNS = (
    "conn role ip port peer_ip peer_port state start end duration event basis packet "
    "confirmed_by earliest latest"
)
CONNECTION_COLUMNS = (
    "conn orig_ip orig_port resp_ip resp_port incarnation orientation ts_start ts_end duration "
    "orig_state resp_state closer close_kind end_reason is_final conn_state history completeness "
    "community_id orig_pkts resp_pkts orig_bytes resp_bytes orig_retransmits resp_retransmits "
    "orig_missed_bytes resp_missed_bytes handshake_rtt_orig handshake_rtt_resp vantage "
    "first_packet last_packet anomalies"
)
ANOMALY_COLUMNS = (
    "conn code severity confidence charged host ts duration packets headline why ruled_out advice "
    "limits count examples"
)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("timeline", TIMELINE_COLUMNS),
        ("connections", CONNECTION_COLUMNS),
        ("anomalies", ANOMALY_COLUMNS),
    ],
)
def test_columns_are_the_promised_ones(name: str, columns: str) -> None:
    """Names and order are a contract with users."""
    assert columns.split() == [column.name for column in TABLES[name].columns]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_empty_table_has_the_declared_dtypes(table: Table) -> None:
    """A capture without TCP gives tables of the same dtypes."""
    assert [] == table.faults(table.empty())
    assert 0 == len(table.empty())


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_each_column_is_explained(table: Table) -> None:
    """Every column has a meaning, and those that choose have choices."""
    for column in table.columns:
        assert column.meaning, column.name
        assert (column.kind is Kind.CHOICE) == bool(column.choices), column.name


def test_words_of_the_choices() -> None:
    """Spelling of states, bases and reasons is a contract with users."""
    assert [
        "CLOSED",
        "LISTEN",
        "SYN_SENT",
        "SYN_RCVD",
        "ESTABLISHED",
        "FIN_WAIT_1",
        "FIN_WAIT_2",
        "CLOSE_WAIT",
        "CLOSING",
        "LAST_ACK",
        "TIME_WAIT",
    ] == list(TIMELINE.by_name["state"].choices)
    assert {"observed", "confirmed", "presumed", "inferred", "timer", "assumed"} == set(
        TIMELINE.by_name["basis"].choices
    )
    assert ["closed", "reset", "timer", "port_reused", "idle", "capture_end", "evicted"] == list(
        CONNECTIONS.by_name["end_reason"].choices
    )
    assert ["syn", "synack", "port", "first_packet"] == list(
        CONNECTIONS.by_name["orientation"].choices
    )
