"""What is known at a moment, what changed since the last, and what is news of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tcptrace
from tcptrace.look import Heard, Known, Look, Update
from tcptrace.sources.live_source import Counters
from tcptrace.tables.schema import ANOMALIES, CONNECTIONS, TIMELINE
from tcptrace.tracker.transitions import Basis, Transitions

CAPTURES = Path(__file__).parent.parent / "captures"
NAMES = np.array([3, 8])  # the ordinals of the two connections of a capture


@pytest.fixture(scope="module")
def stalled() -> tcptrace.Trace:
    return tcptrace.read(CAPTURES / "fin_wait_2_stalled" / "capture.pcapng")


def look_at(trace: tcptrace.Trace, now: int | None = None) -> Look:
    moment = trace.end if now is None else now
    known = Known.nothing()
    return Look(trace.found, NAMES, trace.capture, trace.profile, moment, known).with_findings()


def update(look: Look, before: Transitions | None = None) -> Update:
    told = Transitions.zeros(0) if before is None else before
    return Update(look, told, NAMES, look.known.table, Counters())


def test_connections_are_named_by_their_ordinals(stalled: tcptrace.Trace) -> None:
    """In every table, in the findings and in their examples."""
    made = update(look_at(stalled))
    assert [3, 8] == made.connections.index.tolist()
    assert [3, 8] == sorted(set(made.moves["conn"])) == sorted(set(made.timeline["conn"]))
    assert [3, 3] == made.anomalies["conn"].tolist()
    assert [[3], [3]] == made.anomalies["examples"].tolist()
    assert {3} == set(made.look.known.members[:, 1].tolist())
    assert 9 == made.look.begun


def test_tables_have_the_columns_of_the_others(stalled: tcptrace.Trace) -> None:
    """What holds of a file's tables holds of an update's."""
    made = update(look_at(stalled))
    assert [] == CONNECTIONS.faults(made.connections)
    assert [] == TIMELINE.faults(made.timeline)
    assert [] == ANOMALIES.faults(made.anomalies)
    assert [] == TIMELINE.faults(made.moves.drop(columns=["left", "change"]))


def test_rows_are_those_of_the_trace(stalled: tcptrace.Trace) -> None:
    """A first update holds the whole timeline, but for what the timers predict for later."""
    made = update(look_at(stalled))
    rows = stalled.timeline
    expected = rows[(rows["basis"] != "timer") | (rows["start"] <= stalled.capture.span[1])]
    for name in ("state", "start", "basis", "ip", "peer_port"):
        found = made.timeline[name].astype(object).tolist()
        assert expected[name].astype(object).tolist() == found


def test_only_what_changed(stalled: tcptrace.Trace) -> None:
    """A second look at the same has nothing to tell."""
    look = look_at(stalled)
    second = update(look, look.moves)
    assert (0, 0) == (len(second.moves), len(second.timeline))


def test_the_interval_that_ended_is_told_again(stalled: tcptrace.Trace) -> None:
    """A new move closes the interval before it: both rows changed, one is a move."""
    look = look_at(stalled)
    own = (look.moves.conn == 3) & (look.moves.role == 0)
    last = np.flatnonzero(own)[-1]
    before = look.moves.take(np.arange(len(look.moves)) != last)
    made = update(look, before)
    assert [("FIN_WAIT_2", "CLOSED", "new")] == _told(made.moves)
    assert ["FIN_WAIT_2", "CLOSED"] == made.timeline["state"].tolist()


def test_a_move_that_is_proved_and_one_that_is_taken_back(stalled: tcptrace.Trace) -> None:
    """One is told with its new basis; the other with what it was, first of all."""
    look = look_at(stalled)
    before = Transitions(look.moves.matrix.copy())
    presumed = np.flatnonzero(look.moves.basis == Basis.CONFIRMED)[0]
    before.basis[presumed] = Basis.PRESUMED
    wrong = before.take(np.array([int(presumed)]))
    wrong.event[:] = 0
    made = update(look, Transitions.concat([before, wrong]))
    changes = made.moves["change"].tolist()
    assert ["taken_back", "revised"] == changes
    assert "confirmed" == made.moves["basis"].iloc[1]


def test_as_of_a_moment(stalled: tcptrace.Trace) -> None:
    """What a timer predicts for later is no move yet."""
    closed = pd.Timestamp("2026-11-25T04:13:20Z").value
    moves = update(look_at(stalled, closed)).moves
    assert "timer" not in moves["basis"].tolist()


def test_who_needs_nothing_more(stalled: tcptrace.Trace) -> None:
    """Both ends closed or in TIME_WAIT: only the second connection."""
    assert [8] == look_at(stalled).over().tolist()


def test_news_are_told_once(stalled: tcptrace.Trace) -> None:
    """Graver, surer or of twice as many connections is news again; longer is not."""
    table = look_at(stalled).known.table
    heard = Heard()
    assert (2, 0) == (len(heard.news(table)), len(heard.news(table)))
    longer = table.assign(duration=table["duration"] * 2)
    assert 0 == len(heard.news(longer))
    graver = table.assign(severity=pd.Categorical.from_codes([3, 3], dtype=table["severity"].dtype))
    assert (2, 0) == (len(heard.news(graver)), len(heard.news(graver)))
    assert 2 == len(heard.news(graver.assign(count=2)))
    assert 0 == len(heard.news(graver.assign(count=3)))


def test_nothing_at_all() -> None:
    """Before the first packet tables are empty, and of the right kind."""
    assert [] == ANOMALIES.faults(Known.nothing().table)
    assert 0 == len(Heard().news(Known.nothing().table))


def _told(moves: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(moves["left"], moves["state"], moves["change"], strict=True))
