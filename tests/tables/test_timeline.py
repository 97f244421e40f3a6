"""Pins the table `timeline`."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.tables.schema import TIMELINE
from tcptrace.tables.timeline import timeline
from tcptrace.tcp.states import Event, Role, State
from tcptrace.tracker.transitions import Basis
from tests.tables.written import BEGIN, ORIG, RESP, SECOND, Written, orderly_close


def closed() -> pd.DataFrame:
    """The timeline of one orderly close."""
    written = Written()
    orderly_close(written)
    return timeline(written.reconstruction())


def states_of(table: pd.DataFrame, role: str) -> list[str]:
    return table.loc[table["role"] == role, "state"].tolist()


def test_orderly_close_gives_both_endpoints_their_states() -> None:
    """RFC 9293 figure 12, with the timer's end of TIME_WAIT."""
    table = closed()
    assert [
        "SYN_SENT",
        "ESTABLISHED",
        "FIN_WAIT_1",
        "FIN_WAIT_2",
        "TIME_WAIT",
        "CLOSED",
    ] == states_of(table, "originator")
    assert ["LISTEN", "SYN_RCVD", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSED"] == states_of(
        table, "responder"
    )


def test_moves_taken_back_are_left_out() -> None:
    """The state before a move that was taken back lasts until the next move that stands."""
    last_ack = closed().query("state == 'LAST_ACK'").iloc[0]
    assert pd.Timestamp(BEGIN + 900_000_000, unit="ns", tz="UTC") == last_ack["end"]
    assert pd.Timedelta(milliseconds=250) == last_ack["duration"]


def test_last_row_of_an_endpoint_has_no_end() -> None:
    """CLOSED lasts; so does the state in which the capture leaves an endpoint."""
    table = closed()
    assert ["CLOSED", "CLOSED"] == table.loc[table["end"].isna(), "state"].tolist()
    assert table["duration"].isna().equals(table["end"].isna())


def test_rows_name_the_endpoint_and_its_peer() -> None:
    """Address and port are those of the endpoint whose row it is."""
    row = closed().query("role == 'responder'").iloc[0]
    assert ("10.0.0.5", 8080, "10.0.0.9", 40000) == tuple(
        row[["ip", "port", "peer_ip", "peer_port"]]
    )


def test_no_packet_is_a_missing_value() -> None:
    """A timer's row has neither a packet nor a proof; it keeps the timer's slack."""
    row = closed().query("basis == 'timer'").iloc[0]
    assert row["packet"] is pd.NA and row["confirmed_by"] is pd.NA
    assert pd.Timedelta(seconds=2) == row["latest"] - row["earliest"]
    assert "Timeout=2MSL" == row["event"]


def test_clock_that_steps_back_makes_no_negative_duration() -> None:
    """Entries keep the endpoint's own order; none begins before the one it follows."""
    written = Written()
    conn = written.connection()
    written.move(conn, ORIG, State.SYN_SENT, Event.SND_SYN, 5.0)
    written.move(conn, ORIG, State.ESTABLISHED, Event.RCV_SYN_ACK, 2.0)
    written.move(conn, ORIG, State.FIN_WAIT_1, Event.SND_FIN, 6.0)
    table = timeline(written.reconstruction())
    assert [0, SECOND] == table["duration"].dropna().astype("int64").tolist()


MOVE = st.tuples(
    st.integers(0, 2), st.sampled_from(Role), st.sampled_from(State), st.sampled_from(Event),
    st.sampled_from(Basis), st.integers(0, 50), st.integers(0, 3),
)  # fmt: skip


@given(st.lists(MOVE, max_size=12))
def test_any_moves_give_rows_without_overlap_or_hole(moves: list[tuple]) -> None:  # type: ignore[type-arg]
    """Whatever the tracker says: declared dtypes, and each end is the next start."""
    written = Written()
    for _ in range(3):
        written.connection()
    for conn, role, state, event, basis, time, packet in moves:
        written.move(conn, role, state, event, time, basis=basis, packet=packet)
    table = timeline(written.reconstruction())
    assert [] == TIMELINE.faults(table)
    assert sum(basis is not Basis.RETRACTED for *_, basis, _, _ in moves) == len(table)
    for _, rows in table.groupby(["conn", "role"], observed=True):
        assert rows["end"].iloc[:-1].tolist() == rows["start"].iloc[1:].tolist()
        assert rows["end"].isna().iloc[-1]
        assert (rows["duration"].dropna() >= pd.Timedelta(0)).all()


def test_responder_of_one_connection_does_not_lead_into_the_next() -> None:
    """An endpoint's last row ends with it, even where the next row is another endpoint's."""
    written = Written()
    orderly_close(written)
    orderly_close(written)
    table = timeline(written.reconstruction())
    assert 4 == int(table["end"].isna().sum())
    assert [RESP.name.lower(), ORIG.name.lower()] == table["role"].unique().tolist()[::-1]
