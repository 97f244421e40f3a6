"""Picking connections and columns."""

from __future__ import annotations

import pytest

from tcptrace.errors import UsageError
from tcptrace.faces.selection import (
    Selection,
    flattened,
    parse_host,
    parse_numbers,
    parse_ports,
    picked_columns,
    rows_about,
)
from tests.faces.made import ANOMALIES, CONNECTIONS, TIMELINE, table


def picked(selection: Selection) -> list[int]:
    return list(selection.connections(table("connections", *CONNECTIONS))["conn"])


def test_numbers_and_ranges() -> None:
    """`1,4-6` as the man pages of C tcptrace and cut write it."""
    assert (range(3, 4),) == parse_numbers("3", "--conn")
    assert (range(1, 2), range(4, 7)) == parse_numbers("1, 4-6", "--conn")


@pytest.mark.parametrize("text", ["", "x", "3-", "-3", "6-4", "1,,2", "1.5", "٣", "9" * 50])
def test_what_is_no_number(text: str) -> None:
    """The option is named in the message."""
    with pytest.raises(UsageError, match="--conn"):
        parse_numbers(text, "--conn")


def test_ports_end_at_65535() -> None:
    """There is no port 65536."""
    assert (range(65535, 65536),) == parse_ports("65535")
    with pytest.raises(UsageError, match="65535"):
        parse_ports("1-65536")


def test_host_names_are_not_looked_up() -> None:
    """A name is refused with the reason; addresses and networks pass."""
    assert "10.0.0.0/8" == parse_host("10.0.0.0/8")
    with pytest.raises(UsageError, match="never looked up"):
        parse_host("localhost")


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), [0, 1, 2]),
        (Selection(conns=(range(1, 2),)), [1]),
        (Selection(conns=(range(1), range(2, 9))), [0, 2]),
        (Selection(hosts=("10.0.0.5",)), [0, 2]),
        (Selection(hosts=("10.0.0.5", "10.0.0.9")), [0]),
        (Selection(hosts=("2001:db8::/32",)), [1]),
        (Selection(ports=(range(80, 444),)), [1, 2]),
        (Selection(ports=(range(51234, 51235),)), [0]),
        (Selection(hosts=("10.0.0.5",), ports=(range(80, 81),)), [2]),
        (Selection(conns=(range(7, 8),)), []),
    ],
)
def test_connections_by_number_host_and_port(selection: Selection, expected: list[int]) -> None:
    """Either side may have the address or the port; every kind of option must fit."""
    assert expected == picked(selection)


def test_rows_of_the_picked_connections() -> None:
    """Other tables follow the connections that were picked."""
    connections = table("connections", *CONNECTIONS)
    timeline = table("timeline", *TIMELINE)
    chosen = Selection(conns=(range(1, 2),))
    assert 0 == len(chosen.rows(timeline, connections))
    assert len(timeline) == len(Selection().rows(timeline, connections))


def test_a_finding_without_connection_follows_its_examples() -> None:
    """A finding about a service stays with the connections that it gives as examples."""
    anomalies = table("anomalies", *ANOMALIES)
    connections = flattened(table("connections", *CONNECTIONS))
    assert ["capture-loss"] == list(rows_about(anomalies, connections.iloc[[1]])["code"])
    assert ["fin-wait-2-stalled"] == list(rows_about(anomalies, connections.iloc[[0]])["code"])
    assert [] == list(rows_about(table("anomalies"), connections)["code"])


def test_columns_in_the_order_asked() -> None:
    """Repeated options and comma lists are one list; a column asked twice comes once."""
    frame = flattened(table("connections", *CONNECTIONS))
    asked = picked_columns(frame, ("resp_ip,conn", " history ", "conn"))
    assert ["resp_ip", "conn", "history"] == list(asked.columns)
    assert list(frame.columns) == list(picked_columns(frame, ()).columns)


def test_unknown_column_is_told_with_near_names_and_the_list() -> None:
    """What the user meant is in the message, and all there is."""
    frame = flattened(table("connections"))
    with pytest.raises(UsageError) as caught:
        picked_columns(frame, ("orig_stat",))
    assert "near it: orig_state" in str(caught.value)
    assert all(name in str(caught.value) for name in frame.columns)
