"""Pins the population: at each step what `sockets` lists, for all hosts or the busiest."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptrace.errors import UsageError
from tcptrace.tables.population import OTHERS, by_host, only, population, tidy
from tcptrace.tables.sockets import sockets
from tcptrace.tables.timeline import timeline
from tcptrace.tcp.states import Event, State
from tests.tables.written import BEGIN, ORIG, RESP, Written, at, orderly_close

YEAR = 365 * 86400

states = st.sampled_from(list(State))
stays = st.lists(st.tuples(st.floats(0, 9), states), min_size=1, max_size=4)
endpoints = st.lists(st.tuples(st.sampled_from([ORIG, RESP]), stays), max_size=6)


def written(drawn: list) -> Written:
    """Connections between few hosts, each with moves of one endpoint."""
    made = Written()
    for place, (role, moves) in enumerate(drawn):
        conn = made.connection((f"10.0.0.{place % 3}", 40000 + place))
        for time, state in sorted(moves, key=lambda move: move[0]):
            made.move(conn, role, state, Event.CLOSE, time)
    return made


@settings(deadline=None, max_examples=40)  # how long it takes says nothing
@given(endpoints, st.sampled_from(["1s", "700ms", "3s"]), st.floats(-2, 3))
def test_row_is_what_sockets_lists_then(drawn: list, every: str, begin: float) -> None:
    """Counted at once or listed one moment after the other: the same numbers."""
    table = timeline(written(drawn).reconstruction())
    counted = population(table, every, at(begin), at(10))
    for when, row in counted.iterrows():
        found = sockets(table, when).groupby(["ip", "state"], observed=True).size()
        assert found.to_dict() == row[row > 0].to_dict()


def test_steps_enclose_the_capture() -> None:
    """Whole multiples of the step, from before the begin to after the end."""
    made = Written()
    orderly_close(made)
    table = population(timeline(made.reconstruction()), "1s", at(0.2), at(2.5))
    assert [at(0), at(1), at(2), at(3)] == [time.value for time in table.index]
    assert "datetime64[ns, UTC]" == str(table.index.dtype)
    assert {np.dtype(np.int64)} == set(table.dtypes)
    assert ["host", "state"] == list(table.columns.names)


def test_host_has_the_states_it_was_ever_in() -> None:
    """In the order of the machine; between two steps is ever, CLOSED is never."""
    made = Written()
    orderly_close(made)
    table = population(timeline(made.reconstruction()), timedelta(minutes=1), at(0), at(60))
    own = table["10.0.0.9"]
    assert ["SYN_SENT", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT"] == list(own.columns)
    assert 0 == own["FIN_WAIT_1"].sum()


def test_busiest_hosts_have_columns_of_their_own() -> None:
    """All others share theirs, and none of them is lost."""
    made = Written()
    for place in range(9):
        conn = made.connection((f"10.0.1.{place}", 40000))
        made.move(conn, ORIG, State.ESTABLISHED, Event.MID_STREAM, 0.0)
        made.move(conn, RESP, State.ESTABLISHED, Event.MID_STREAM, 0.0)
    table = timeline(made.reconstruction())
    few = population(table, "1s", at(0), at(1), hosts=2)
    assert ["10.0.0.5", "10.0.1.0", OTHERS] == list(few.columns.get_level_values("host"))
    assert [9, 1, 8] == few.iloc[0].tolist()
    assert 10 == population(table, "1s", at(0), at(1)).shape[1]


def test_nothing() -> None:
    """No rows and no columns, of the same kinds."""
    table = population(timeline(Written().reconstruction()), "1s", 0, 0)
    assert (0, 0) == table.shape
    assert "datetime64[ns, UTC]" == str(table.index.dtype)


@pytest.mark.parametrize("every", ["soon", "0s", "-1s", None, "NaT", "1e400s"])
def test_step_that_makes_no_sense(every: str) -> None:
    """A sentence that names it."""
    with pytest.raises(UsageError, match="step"):
        population(timeline(Written().reconstruction()), every, 0, 0)


def test_fewer_hosts_than_none() -> None:
    """A sentence instead of a table without the last host."""
    with pytest.raises(UsageError, match="-1 hosts"):
        population(timeline(Written().reconstruction()), "1s", 0, 0, hosts=-1)


def test_step_that_is_too_fine() -> None:
    """A hostile or long capture does not fill the memory."""
    made = Written()
    orderly_close(made)
    table = timeline(made.reconstruction())
    for end in (at(YEAR), np.iinfo(np.int64).max):
        with pytest.raises(UsageError, match=r"too fine .* rows; take a longer step"):
            population(table, "1ms", BEGIN, int(end))


def test_times_at_the_ends_of_int64() -> None:
    """Stays that begin before and end after all that can be said are counted all the same."""
    made = Written()
    conn = made.connection()
    made.move(conn, ORIG, State.ESTABLISHED, Event.MID_STREAM, -1_600_000_000)
    table: pd.DataFrame = population(timeline(made.reconstruction()), "1s", at(0), at(1))
    assert [1, 1] == table["10.0.0.9"]["ESTABLISHED"].tolist()


def closed() -> pd.DataFrame:
    """The population of one orderly close."""
    made = Written()
    orderly_close(made)
    return population(timeline(made.reconstruction()), "100ms", at(0), at(1))


def test_tidy_has_a_row_for_what_is_there() -> None:
    """Each count once, with its time, host and state; nothing for what is not there."""
    whole = closed()
    rows = tidy(whole)
    assert ["time", "host", "state", "sockets"] == list(rows.columns)
    assert whole.to_numpy().sum() == rows["sockets"].sum() and (rows["sockets"] > 0).all()
    for row in rows.to_dict("records"):
        assert whole.loc[row["time"], (row["host"], row["state"])] == row["sockets"]


def test_only_what_is_kept_is_left() -> None:
    """All steps stay, columns that are empty go; all of it kept is all of it."""
    whole = closed()
    rows = tidy(whole)
    waiting = rows.index[rows["state"] == "TIME_WAIT"].to_numpy()
    left = only(whole, waiting)
    assert [("10.0.0.9", "TIME_WAIT")] == list(left.columns)
    assert len(whole) == len(left)
    assert tidy(only(whole, rows.index.to_numpy())).equals(rows)


def test_by_host_has_a_column_a_state() -> None:
    """A row for each host that has sockets then; integers, zero for none."""
    table = by_host(closed())
    assert ["time", "host"] == list(table.columns[:2])
    assert {np.dtype(np.int64)} == set(table.dtypes.iloc[2:])
    first = table[table["time"] == pd.Timestamp(at(0.1), tz="UTC")].set_index("host")
    assert (1, 0) == tuple(first.loc["10.0.0.9", ["ESTABLISHED", "LISTEN"]])
    assert (1, 1) == tuple(first.loc["10.0.0.5", ["SYN_RCVD", "LISTEN"]])
