"""`Evidence`: what detectors look at, one row an endpoint, columns of its peer beside its own.

A detector asks for columns and gives masks over endpoints; nothing here loops over connections.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntFlag
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.columns import Chosen, one_of
from tcptrace.tables.addresses import Addresses
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tcp.profile import Profile
from tcptrace.tcp.states import Event, Role, State
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.transitions import Basis, EndReason

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max
ROLES = len(Role)
PORTS = 1 << 16


class Doubt(IntFlag):
    """What about a connection's capture may mislead; several may be true."""

    MID_STREAM = 1
    REORDERED = 2
    BAD_CHECKSUMS = 4
    UNSEEN = 8


@dataclass(frozen=True)
class Evidence:
    """All that is known of a capture. Endpoint i is role i % 2 of connection i // 2.

    called : what sentences call each connection, where that is not its number in `found`
    told : whether findings are told in sentences; else who is in them is all that is looked for
    """

    found: Reconstruction
    facts: CaptureFacts
    profile: Profile
    called: Numbers | None = None
    told: bool = True
    _asked: dict[tuple[str, str], Numbers] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        """How many endpoints there are."""
        return len(self.found.endpoints)

    def name(self, conn: int) -> int:
        """What a connection is called."""
        return conn if self.called is None else int(self.called[conn])

    def own(self, column: str) -> Numbers:
        """A column of Endpoints: what each endpoint did."""
        return self._once("own", column, lambda: np.ascontiguousarray(self.of_ends(column)))

    def peer(self, column: str) -> Numbers:
        """The same column of each endpoint's peer."""
        return self._once("peer", column, lambda: swapped(self.own(column)))

    def shared(self, column: str) -> Numbers:
        """A column of Connections, repeated for both endpoints."""
        return self._once("shared", column, lambda: np.repeat(self.of_rows(column), ROLES))

    def of_ends(self, column: str) -> Numbers:
        """A column of Endpoints where it stands: to look at some of it costs no copy of it all."""
        return self._once("ends", column, lambda: getattr(self.found.endpoints, column))

    def of_rows(self, column: str) -> Numbers:
        """A column of Connections where it stands."""
        return self._once("rows", column, lambda: getattr(self.found.connections, column))

    def where(self, which: Mask) -> Some:
        """The endpoints that a mask chooses: a detector's first condition leaves few."""
        return Some(self, np.flatnonzero(which))

    def _once(self, whose: str, column: str, made: Callable[[], Numbers]) -> Numbers:
        """A column, its numbers side by side in memory: detectors ask for the same ones often."""
        if (whose, column) not in self._asked:
            self._asked[whose, column] = made()
        return self._asked[whose, column]

    @cached_property
    def role(self) -> Numbers:
        """Each endpoint's role."""
        return np.arange(len(self)) % ROLES

    @cached_property
    def end(self) -> int:
        """When the capture ended, ns; the last packet of any kind."""
        last = int(self.found.connections.time_end.max(initial=0))
        return last if self.facts.end is None else max(last, self.facts.end)

    @cached_property
    def until(self) -> Numbers:
        """How long each endpoint could be watched: to the capture's end or the next incarnation."""
        rows = self.found.connections
        until = np.full(len(rows), self.end, np.int64)
        if rows.incarnation.any():
            order = np.lexsort((rows.incarnation, self._four_tuples))
            same = self._four_tuples[order][1:] == self._four_tuples[order][:-1]
            until[order[:-1][same]] = rows.time_start[order[1:][same]]
        given_up = rows.end_reason == EndReason.EVICTED
        until[given_up] = rows.time_end[given_up]
        return np.repeat(np.maximum(until, rows.time_end), ROLES)

    @cached_property
    def addresses(self) -> Addresses:
        """The address of each endpoint."""
        return Addresses.of_connections(self.found.connections)

    @cached_property
    def port(self) -> Numbers:
        """The port of each endpoint."""
        rows = self.found.connections
        return np.stack([rows.orig_port, rows.resp_port], axis=1).reshape(-1)

    @cached_property
    def doubts(self) -> Numbers:
        """Doubt bits of each endpoint's connection."""
        bits = np.where(self.shared("mid_stream") == 1, int(Doubt.MID_STREAM), 0)
        for column, doubt in (
            ("reordered", Doubt.REORDERED),
            ("bad_checksums", Doubt.BAD_CHECKSUMS),
            ("unseen", Doubt.UNSEEN),
        ):
            bits |= np.where((self.own(column) > 0) | (self.peer(column) > 0), int(doubt), 0)
        return bits

    def entered(self, *states: State) -> Numbers:
        """When each endpoint entered one of the states for the first time, ns; NEVER if not."""
        return self._first(one_of(self._moves.state, states))

    def caused(self, *events: Event) -> Numbers:
        """When one of the events moved each endpoint for the first time, ns; NEVER if not."""
        return self._first(one_of(self._moves.event, events))

    def left_by(self, states: tuple[State, ...], event: Event) -> Mask:
        """Endpoints that the event took from one of the states to CLOSED."""
        moves, endpoint = self._moves, self._endpoint
        taken = np.flatnonzero((moves.event == event) & (moves.state == State.CLOSED))
        taken = taken[taken > 0]
        before = (endpoint[taken - 1] == endpoint[taken]) & one_of(moves.state[taken - 1], states)
        found = np.zeros(len(self), np.bool_)
        found[endpoint[taken[before]]] = True
        return found

    def proved(self, state: State) -> Mask:
        """Endpoints whose entry into the state rests on a packet that proves it."""
        moves = self._moves
        sure = one_of(moves.basis, (Basis.OBSERVED, Basis.CONFIRMED))
        found = np.zeros(len(self), np.bool_)
        found[self._endpoint[(moves.state == state) & sure]] = True
        return found

    @cached_property
    def _moves(self) -> Chosen:
        """Moves that stand, without the timers that the capture did not live to see."""
        return self.found.standing(self.end)

    @cached_property
    def _endpoint(self) -> Numbers:
        return self._moves.conn * ROLES + self._moves.role

    def _first(self, which: Mask) -> Numbers:
        first = np.full(len(self), NEVER)
        np.minimum.at(first, self._endpoint[which], self._moves.time[which])
        return first

    @cached_property
    def _four_tuples(self) -> Numbers:
        """A number for each four-tuple, the same whichever end is the originator."""
        ends = self.addresses.places * PORTS + self.port
        low = np.minimum(ends[::ROLES], ends[1::ROLES])
        high = np.maximum(ends[::ROLES], ends[1::ROLES])
        lows, _ = pd.factorize(low)
        highs, _ = pd.factorize(high)
        pairs: Numbers = pd.factorize(lows * (int(highs.max(initial=0)) + 1) + highs)[0]
        return pairs


@dataclass(frozen=True)
class Some:
    """Some endpoints of an Evidence, a row each; `ends` are their places in it."""

    seen: Evidence
    ends: Numbers

    def __len__(self) -> int:
        return len(self.ends)

    def own(self, column: str) -> Numbers:
        """As `Evidence.own`."""
        return self.seen.of_ends(column)[self.ends]

    def peer(self, column: str) -> Numbers:
        """As `Evidence.peer`."""
        found: Numbers = self.seen.of_ends(column)[self.ends ^ 1]
        return found

    def shared(self, column: str) -> Numbers:
        """As `Evidence.shared`."""
        shared: Numbers = self.seen.of_rows(column)[self.ends // ROLES]
        return shared

    @property
    def peers(self) -> Some:
        """Their peers, a row each."""
        return Some(self.seen, self.ends ^ 1)

    @property
    def until(self) -> Numbers:
        """As `Evidence.until`."""
        return self.seen.until[self.ends] if len(self) else self.ends

    def entered(self, *states: State) -> Numbers:
        """As `Evidence.entered`."""
        return self.seen.entered(*states)[self.ends] if len(self) else self.ends

    def caused(self, *events: Event) -> Numbers:
        """As `Evidence.caused`."""
        return self.seen.caused(*events)[self.ends] if len(self) else self.ends

    def left_by(self, states: tuple[State, ...], event: Event) -> Mask:
        """As `Evidence.left_by`."""
        found = self.seen.left_by(states, event) if len(self) else np.zeros(0, np.bool_)
        return found[self.ends]

    @property
    def two_sided(self) -> Mask:
        """Whether both directions of the connection were captured, without a gap.

        Only of these may anything be called missing: what the capture lost is not missing.
        """
        lost = (self.own("unseen") == 1) | (self.peer("unseen") == 1)
        whole: Mask = ~lost & (self.shared("one_sided") == 0)
        return whole

    def where(self, which: Mask) -> Some:
        """Those of them that a mask over them chooses."""
        return Some(self.seen, self.ends[which])


Cells = TypeVar("Cells", Numbers, Mask)


def swapped(values: Cells) -> Cells:
    """A column over endpoints with the two of each connection exchanged."""
    exchanged: Cells = values.reshape(-1, ROLES)[:, ::-1].reshape(-1)
    return exchanged
