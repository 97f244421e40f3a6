"""`Look`: all that is known of a live capture at a moment; `Update`: what changed since the last.

In both a connection is named by its ordinal: how many had begun before it. It never changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.anomalies.catalogue import find_anomalies
from tcptrace.anomalies.findings import Findings
from tcptrace.columns import Matrix
from tcptrace.sources.live_source import Counters
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tables.changes import Change, changes
from tcptrace.tables.connections import last_states
from tcptrace.tables.schema import ANOMALIES, STATES
from tcptrace.tables.timeline import timeline
from tcptrace.tables.wording import counted
from tcptrace.tcp.profile import Profile
from tcptrace.tcp.states import Role, State
from tcptrace.trace import Trace
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.transitions import Transitions

Mask = npt.NDArray[np.bool_]

MOST_HEARD = 100_000
CHANGES = tuple(change.name.lower() for change in Change)
_CHANGE = pd.CategoricalDtype(list(CHANGES), ordered=True)
_OVER = (State.CLOSED, State.LISTEN, State.TIME_WAIT)
_STATE = pd.CategoricalDtype(list(STATES), ordered=True)


@dataclass(frozen=True)
class Known:
    """Findings as they were found last: the table `anomalies`, and (row, ordinal) of who is in it.

    conn and examples are ordinals, too.
    """

    table: pd.DataFrame
    members: Matrix

    @classmethod
    def nothing(cls) -> Known:
        """No finding."""
        return cls(ANOMALIES.empty(), np.zeros((0, 2), np.int64))

    @classmethod
    def of(cls, findings: Findings, ordinals: Matrix) -> Known:
        """The findings of a trace in which a connection's number is its place in `ordinals`."""
        table = findings.table.copy()
        known = table["conn"].notna().to_numpy(np.bool_)
        numbers = table["conn"].fillna(0).to_numpy(np.int64)
        numbers[known] = ordinals[numbers[known]]
        table["conn"] = pd.arrays.IntegerArray(numbers, ~known)
        examples = [ordinals[each].tolist() for each in table["examples"]]
        table["examples"] = pd.Series(examples, table.index, object)
        members = findings.members.copy()
        members[:, 1] = ordinals[members[:, 1]]
        return cls(table, members)


@dataclass(frozen=True)
class Look:
    """All that is known at a moment, `now` in ns since the epoch, of the connections at hand.

    ordinals : of each connection of `found`, ascending
    known : the findings, as of now or of a little earlier
    """

    found: Reconstruction
    ordinals: Matrix
    facts: CaptureFacts
    profile: Profile
    now: int
    known: Known

    def with_findings(self) -> Look:
        """The same with the findings of now."""
        findings = find_anomalies(self.found, self.facts, self.profile, self.ordinals)
        return replace(self, known=Known.of(findings, self.ordinals))

    @cached_property
    def trace(self) -> Trace:
        """The tables as of now; in them connections are numbered from 0."""
        return Trace(self.found, self.facts, self.profile)

    @cached_property
    def moves(self) -> Transitions:
        """The moves made by now, conn being ordinals."""
        moves = self.found.transitions.take(self.found.stands(self.now))
        moves.conn[:] = self.ordinals[moves.conn]
        return moves

    @cached_property
    def states(self) -> Matrix:
        """The state of each endpoint, int64 (connections, 2); -1 for none."""
        return last_states(self.found, self.now)

    @property
    def begun(self) -> int:
        """How many connections had begun by now."""
        return int(self.ordinals[-1]) + 1 if len(self.ordinals) else 0

    def over(self) -> Matrix:
        """Ordinals of the connections that need nothing more, the longest silent first."""
        places = np.flatnonzero(np.isin(self.states, _OVER).all(axis=1))
        silent = np.argsort(self.found.connections.time_end[places], kind="stable")
        return self.ordinals[places[silent]]

    def connections(self, ordinals: Matrix) -> pd.DataFrame:
        """The rows of some connections, as far as they are at hand; the index is ordinals."""
        places = np.flatnonzero(np.isin(self.ordinals, ordinals))
        rows = self.trace.connections.iloc[places]
        return rows.set_axis(pd.Index(self.ordinals[places], name="conn"))

    def timeline(self, moves: Transitions) -> pd.DataFrame:
        """Some moves (conn being ordinals) as rows of the timeline, in the same order."""
        names, places = np.unique(moves.conn, return_inverse=True)
        held = Transitions(moves.matrix.copy())
        held.conn[:] = places
        rows = self.found.connections.take(np.searchsorted(self.ordinals, names))
        table = timeline(replace(self.found, connections=rows, transitions=held))
        table["conn"] = names[places]
        return table


@dataclass(frozen=True, repr=False)
class Update:
    """What changed between two looks: rows of the tables that are new or say something else.

    look : everything that is known, not only what changed
    before : the moves that were told of the touched connections
    touched : ordinals of the connections that were judged again
    anomalies : findings not heard of before, or worse by now, or of twice as many connections
    counters : what was taken in so far, and what was lost on the way
    """

    look: Look
    before: Transitions
    touched: Matrix
    anomalies: pd.DataFrame
    counters: Counters

    @property
    def time(self) -> pd.Timestamp:
        """As of when."""
        return pd.Timestamp(self.look.now, unit="ns", tz="UTC")

    @property
    def trace(self) -> Trace:
        """All tables as of now; in them connections are numbered from 0."""
        return self.look.trace

    @cached_property
    def connections(self) -> pd.DataFrame:
        """The rows of connections that began, moved or had segments; the index is ordinals."""
        return self.look.connections(self.touched)

    @cached_property
    def timeline(self) -> pd.DataFrame:
        """The intervals that began, ended, or rest on something else now."""
        return self._rows[self._began | self._ended].reset_index(drop=True)

    @cached_property
    def moves(self) -> pd.DataFrame:
        """The moves: rows of `timeline` that began or rest on something else; and those taken back.

        Two columns more: `left`, the state before, and `change`, of `CHANGES`.
        """
        made = self._rows.assign(left=_left(self._kept), change=_changes(self._kept_change))
        gone = self._gone
        if not len(gone):
            return made[self._began].reset_index(drop=True)
        lost = self.look.timeline(gone)
        back = np.full(len(gone), int(Change.TAKEN_BACK))
        lost = lost.assign(left=_left(gone), change=_changes(back))
        return pd.concat([lost, made[self._began]], ignore_index=True)

    def __repr__(self) -> str:
        told = [
            counted(len(rows), noun)
            for rows, noun in ((self.moves, "move"), (self.anomalies, "finding"))
        ]
        return f"<Update at {self.time:%H:%M:%S}: {', '.join(told)}>"

    def _repr_html_(self) -> str:
        tables = [table for table in (self.anomalies, self.moves) if len(table)]
        shown = [table.to_html(notebook=False, escape=True, max_rows=20) for table in tables]
        return f"<p><b>{escape(repr(self))}</b></p>" + "".join(shown)

    def __len__(self) -> int:
        """How many rows there are in `moves` and `anomalies`."""
        return len(self.moves) + len(self.anomalies)

    @cached_property
    def _compared(self) -> tuple[Matrix, Transitions]:
        """The change of each move of the look, and the moves that are gone."""
        before = self.before.take(np.isin(self.before.conn, self.look.ordinals))
        change, gone = changes(before, self._after)
        return change, before.take(gone)

    @cached_property
    def _after(self) -> Transitions:
        moves = self.look.moves
        return moves.take(np.isin(moves.conn, self.touched))

    @property
    def _gone(self) -> Transitions:
        return self._compared[1]

    @cached_property
    def _moved(self) -> Matrix:
        """Ordinals of the connections with a move that is new, revised or taken back."""
        change, gone = self._compared
        return np.union1d(self._after.conn[change != Change.NONE], gone.conn)

    @cached_property
    def _which(self) -> Mask:
        return np.isin(self._after.conn, self._moved)

    @cached_property
    def _kept(self) -> Transitions:
        """All moves of the connections that moved."""
        return self._after.take(self._which)

    @property
    def _kept_change(self) -> Matrix:
        return self._compared[0][self._which]

    @cached_property
    def _rows(self) -> pd.DataFrame:
        return self.look.timeline(self._kept)

    @property
    def _began(self) -> Mask:
        began: Mask = self._kept_change != Change.NONE
        return began

    @property
    def _ended(self) -> Mask:
        """Rows that are followed by a new one of the same endpoint."""
        ended = np.zeros(len(self._kept), np.bool_)
        ended[:-1] = (self._kept_change[1:] == Change.NEW) & _same_endpoint(self._kept)
        return ended


class Heard:
    """The findings that a listener was told of, so that only news are told.

    Of more than `MOST_HEARD` the oldest are forgotten, for a capture may go on for ever.
    """

    def __init__(self) -> None:
        self._heard: dict[tuple[Any, ...], tuple[int, int, int]] = {}

    def news(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows that are new, graver, surer, or about twice as many connections.

        What is normal (info) does not become news by being frequent.
        """
        severity, confidence = table["severity"].cat.codes, table["confidence"].cat.codes
        magnitude = np.log2(table["count"].clip(lower=1)).astype(int) * (severity > 0)
        keys = zip(*(table[name] for name in ("code", "charged", "host")), strict=True)
        news = np.zeros(len(table), np.bool_)
        grades = zip(severity, -confidence, magnitude, strict=True)
        conns = table["conn"].fillna(-1).tolist()
        for row, (key, conn, grade) in enumerate(zip(keys, conns, grades, strict=True)):
            known = self._heard.get((*key, conn))
            if known is None or any(new > old for new, old in zip(grade, known, strict=True)):
                news[row] = True
                self._heard.pop((*key, conn), None)  # so that it counts as the latest
                self._heard[(*key, conn)] = grade
        for oldest in [*islice(self._heard, max(0, len(self._heard) - MOST_HEARD))]:
            del self._heard[oldest]
        return table[news].reset_index(drop=True)


def _same_endpoint(moves: Transitions) -> Mask:
    """Whether each move but the last is followed by one of the same endpoint."""
    endpoint = moves.conn * len(Role) + moves.role
    same: Mask = endpoint[1:] == endpoint[:-1]
    return same


def _left(moves: Transitions) -> pd.Categorical:
    """The state that each move left; none where the endpoint's first is."""
    left = np.full(len(moves), -1, np.int64)
    left[1:] = np.where(_same_endpoint(moves), moves.state[:-1], -1)
    return pd.Categorical.from_codes(left, dtype=_STATE)


def _changes(change: Matrix) -> pd.Categorical:
    return pd.Categorical.from_codes(change, dtype=_CHANGE)
