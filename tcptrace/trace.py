"""`Trace` and `Connection`: what a user holds after reading a capture.

The tables are made when they are first asked for, from what the tracker found; `segments` alone
needs the packets once more. What draws is imported when something is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tcptrace.ahead import Behind
from tcptrace.anomalies.catalogue import find_anomalies, joined_codes
from tcptrace.anomalies.findings import Findings
from tcptrace.decode.segments import Segments
from tcptrace.errors import UsageError
from tcptrace.tables.addresses import Addresses
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tables.connections import connections
from tcptrace.tables.export import write_tables
from tcptrace.tables.population import population
from tcptrace.tables.schema import CONNECTIONS, SEGMENTS
from tcptrace.tables.segments import segments
from tcptrace.tables.sockets import sockets
from tcptrace.tables.story import Story, story
from tcptrace.tables.timeline import timeline
from tcptrace.tables.wording import counted, endpoint, listed
from tcptrace.tcp.profile import Profile
from tcptrace.tracker.tracker import Reconstruction

if TYPE_CHECKING:
    from tcptrace.views.ladder import Ladder
    from tcptrace.views.picture import Picture
    from tcptrace.views.population import Population
    from tcptrace.views.scene import Scene

Reread = Callable[[], Iterator[Segments]]

BUSIEST = 20  # hosts that a population tells apart unless asked for more


class Trace:
    """One capture, understood: tables of its connections, timelines and anomalies.

    capture : CaptureFacts, facts of the input
    profile : the timers by which silent states end
    """

    def __init__(
        self,
        found: Reconstruction,
        capture: CaptureFacts,
        profile: Profile,
        reread: Reread | None = None,
    ) -> None:
        """`reread` gives the capture's segments once more, with their slots; None if it cannot."""
        self.found = found
        self.capture = capture
        self.profile = profile
        self._reread = reread

    @cached_property
    def connections(self) -> pd.DataFrame:
        """One row a connection, index `conn`; columns as `tables.schema.CONNECTIONS` says."""
        self.found.standing(self.end)  # both ask for these, and they are made once
        Addresses.of_connections(self.found.connections)
        beside = Behind()
        beside.do(lambda: self.findings)
        table = connections(self.found, self.end)
        beside.wait()
        codes = joined_codes(self.findings.about(), len(table))
        return table.assign(anomalies=CONNECTIONS.by_name["anomalies"].series(codes))

    @property
    def end(self) -> int:
        """When the capture ended, ns since the epoch; 0 for a capture without packets."""
        last = int(self.found.connections.time_end.max(initial=0))
        return last if self.capture.end is None else max(last, self.capture.end)

    @cached_property
    def timeline(self) -> pd.DataFrame:
        """One row a state interval of one endpoint; columns as `tables.schema.TIMELINE` says."""
        return timeline(self.found)

    @property
    def anomalies(self) -> pd.DataFrame:
        """One row an anomaly; columns as `tables.schema.ANOMALIES` says."""
        return self.findings.table

    @cached_property
    def segments(self) -> pd.DataFrame:
        """One row a segment, read from the files once more; `tables.schema.SEGMENTS`.

        UsageError where the source was a stream, and is gone; CaptureError where a file is.
        """
        if self._reread is None:
            raise UsageError(
                "segments are read from the files once more, and a stream cannot be read twice: "
                "save it to a file and read that"
            )
        return segments(self.found, self._reread())

    def connection(self, conn: int) -> Connection:
        """The connection of that number; UsageError if there is none."""
        count = len(self.found.connections)
        if not 0 <= conn < count:
            numbers = f"they are 0 to {count - 1}" if count else "there are none"
            raise UsageError(f"no connection {conn}: {numbers}")
        return Connection(self, int(conn))

    def sockets(self, at: Any) -> pd.DataFrame:
        """What `ss -tan` would have shown on each host at a moment; `tables.schema.SOCKETS`.

        at : a Timestamp, a datetime, ISO 8601 text or ns since the epoch; UTC without a zone

        UsageError for what is no moment.
        """
        return sockets(self.timeline, at)

    def population(
        self,
        every: str | timedelta = "1s",
        *,
        hosts: int | None = BUSIEST,
        conns: Iterable[int] | None = None,
    ) -> Population:
        """How many sockets each host had in each state, at every step of the capture.

        every : the step, as in "1s", "100ms", "5min"
        hosts : so many of the busiest have columns of their own, the rest share "others"
        conns : only the sockets of these connections, and of the services that they used

        int64, a UTC time a row, (host, state) a column; `.plot()` stacks the states. UsageError
        for a step that makes no sense or gives more rows than anybody can use.
        """
        start = self.capture.start or 0
        from tcptrace.views.population import Population

        moves = self.timeline
        if conns is not None:
            moves = moves[moves["conn"].isin(list(conns))]
        return Population(population(moves, every, start, max(self.end, start), hosts))

    def swimlane(self, conns: Iterable[int] | None = None, *, most: int | None = None) -> Picture:
        """Connections down, time across, two lanes each: a matplotlib figure, coloured by state.

        conns : the numbers of those that are asked for, instead of all
        most : so many of them (`views.lanes.MOST`), those with the worst findings first, then
            the earliest; the title says which

        UsageError without matplotlib, for a connection that is not there, for none at all.
        """
        from tcptrace.views.lanes import MOST, lanes
        from tcptrace.views.swimlane import swimlane

        tables = (self.connections, self.timeline, self.anomalies)
        return swimlane(lanes(tables, self.end, conns, MOST if most is None else most), self.source)

    @property
    def source(self) -> str:
        """What its files are called, without their folders."""
        return listed([Path(file.path).name for file in self.capture.files])

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write connections, timeline and anomalies as CSV; UsageError if that cannot be done."""
        return self._write(folder, "csv")

    def to_json(self, folder: str | Path) -> list[Path]:
        """The same as JSON, each table an array of objects."""
        return self._write(folder, "json")

    def to_parquet(self, folder: str | Path) -> list[Path]:
        """The same as Parquet, which needs pyarrow."""
        return self._write(folder, "parquet")

    def __len__(self) -> int:
        """How many connections there are."""
        return len(self.found.connections)

    def __bool__(self) -> bool:
        """A trace is something even where it holds no connection."""
        return True

    def __iter__(self) -> Iterator[Connection]:
        return (Connection(self, conn) for conn in range(len(self)))

    def __repr__(self) -> str:
        return f"<{self._name()}>"

    def _name(self) -> str:
        names = ", ".join(file.path for file in self.capture.files[:3])
        return f"Trace of {names or 'nothing'}: {counted(len(self), 'connection')}"

    def _repr_html_(self) -> str:
        from tcptrace.views.notebook import trace_html

        return trace_html(self._name(), self.capture, self.connections, self.anomalies)

    @cached_property
    def findings(self) -> Findings:
        """The anomalies with which connections are part of each."""
        return find_anomalies(self.found, self.capture, self.profile)

    def _write(self, folder: str | Path, form: str) -> list[Path]:
        tables = {
            "connections": self.connections,
            "timeline": self.timeline,
            "anomalies": self.anomalies,
        }
        return write_tables(tables, folder, form)


class Connection:
    """One connection of a trace: the rows about it, and its story."""

    def __init__(self, trace: Trace, conn: int) -> None:
        self.trace = trace
        self.conn = conn

    @property
    def row(self) -> pd.Series[Any]:
        """Its row of `connections`."""
        return self.trace.connections.iloc[self.conn]

    @cached_property
    def timeline(self) -> pd.DataFrame:
        """Its rows of `timeline`."""
        return _of(self.trace.timeline, self.conn)

    @cached_property
    def segments(self) -> pd.DataFrame:
        """Its rows of `segments`; UsageError as there."""
        return _of(self.trace.segments, self.conn)

    @cached_property
    def anomalies(self) -> pd.DataFrame:
        """The rows of `anomalies` that it is part of, those about many connections included."""
        return self.trace.findings.of_connection(self.conn)

    def ladder(self, *, whole: bool = False) -> Ladder:
        """Both lifelines with their states, an arrow a segment: an SVG text that notebooks show.

        Of a long connection opening, close and findings, the rest summed up; `whole` leaves no
        segment out. Of a stream, which cannot be read again, only the moves.
        """
        from tcptrace.views.ladder import ladder

        return ladder(self.scene, whole=whole)

    def swimlane(self) -> Picture:
        """Its two lanes, as in `Trace.swimlane`; UsageError without matplotlib."""
        return self.trace.swimlane([self.conn])

    def story(self) -> Story:
        """What happened to it, in lines: each move, why it is believed, taken back or left open."""
        return story(self.trace.found, self.conn, self.trace.end)

    @cached_property
    def scene(self) -> Scene:
        """What pictures of it are made from; without segments where they are gone."""
        rows, gone = SEGMENTS.empty(), ""
        try:
            rows = self.segments
        except UsageError as error:
            gone = str(error)
        trace = self.trace
        from tcptrace.views.scene import Scene

        return Scene(self.row, self.timeline, rows, self.anomalies, trace.end, trace.source, gone)

    def __repr__(self) -> str:
        row = self.row
        return f"<{self._name()}, {row['orig_state']} and {row['resp_state']}>"

    def _repr_html_(self) -> str:
        from tcptrace.views.notebook import connection_html

        return connection_html(self._name(), self.row, self.timeline, self.anomalies)

    def _name(self) -> str:
        row = self.row
        return (
            f"Connection {self.conn}: {endpoint(row['orig_ip'], row['orig_port'])} to "
            f"{endpoint(row['resp_ip'], row['resp_port'])}"
        )


def _of(table: pd.DataFrame, conn: int) -> pd.DataFrame:
    return table[(table["conn"] == conn).fillna(False).to_numpy(bool)].reset_index(drop=True)
