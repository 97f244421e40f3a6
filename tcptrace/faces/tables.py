"""The commands that print one table: `connections`, `timeline`, `anomalies`, `segments`."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, cast

import click

from tcptrace.ahead import import_beside, meanwhile
from tcptrace.faces.capture_facts import warnings
from tcptrace.faces.formats import FORMATS, STREAMS, format_of, output
from tcptrace.faces.options import distributing, reading, writing
from tcptrace.faces.request import Request
from tcptrace.faces.terminal import console, note
from tcptrace.tables.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from tcptrace.part import Part
    from tcptrace.streaming import Stream
    from tcptrace.trace import Trace

    Told = Trace | Stream

# Of each table: what a row is, then examples.
TABLES = {
    "connections": (
        "One row a connection: an incarnation of a four-tuple.",
        "tcptrace connections office.pcapng -Y 'closer == responder and duration > 10s'",
        "tcptrace connections office.pcapng -T csv -e conn,orig_ip,resp_ip,conn_state",
    ),
    "timeline": (
        "One row a state interval of one endpoint.",
        "tcptrace timeline office.pcapng -Y 'state == fin-wait-2 and duration >= 1m'",
        "tcptrace timeline office.pcapng --conn 3,7-9 -o few.parquet",
    ),
    "anomalies": (
        "One row an oddity, most severe first.",
        "tcptrace anomalies office.pcapng -Y 'severity >= warning'",
        "tcptrace anomalies office.pcapng -T jsonl | jq .headline",
    ),
    "segments": (
        "One row a TCP segment, in the order of the capture.",
        "tcptrace segments office.pcapng --conn 7 -e packet,ts,role,flags,seq,ack",
        "tcptrace segments office.pcapng -Y 'flags contains R' -T tsv",
    ),
}
STREAMED = ("connections", "timeline")  # segments are read a second time


def table_command(name: str) -> click.Command:
    """The click command that prints the table of that name."""
    row, *examples = TABLES[name]

    @reading
    @writing
    def run(
        request: Request,
        form: str | None,
        path: str | None,
        columns: tuple[str, ...],
        dask: str | None = None,
    ) -> None:
        write_table(replace(request, dask=dask), name, (form, path, columns))

    lines = "\n".join(f"  {example}" for example in examples)
    command = run if name == "segments" else distributing(run)
    return click.command(name, help=row, epilog=f"\b\nExamples:\n{lines}")(command)


def write_table(
    request: Request, name: str, asked: tuple[str | None, str | None, tuple[str, ...]]
) -> None:
    """Read, select, and write a table in the form, to the file and of the columns asked for.

    What a table is made with, pandas above all, is imported once the reading has begun.
    """
    form, path, columns = asked
    kind = format_of(form, path)
    streams = request.dask is None and kind in STREAMS
    if path is not None and streams and name in STREAMED:
        stream_table(request, name, (kind, path, columns))
        return
    # Anomalies are known at the end alone, but till then little has to be kept for them.
    little = path is not None and streams and name == "anomalies"
    if little and not request.selection.by_connection:
        trace = cast("Trace", request.stream())
    else:
        trace = request.trace()
    from tcptrace.faces.layout import shown
    from tcptrace.faces.selection import picked_columns

    rows = rows_of(request, trace, name)
    frame = picked_columns(rows, columns)
    with output(path, request.files) as stream:
        if kind == "text" and not columns:
            frame = shown(name, rows, console(stream).width if stream.isatty() else None)
        FORMATS[kind](frame, stream)
    tell(request, trace, caption(name, rows) if kind == "text" else "")


def stream_table(request: Request, name: str, asked: tuple[str, str, tuple[str, ...]]) -> None:
    """The same into a file, piece by piece, while the captures are read on.

    The file is begun when the first rows are there: what is asked for wrongly leaves it alone.
    """
    kind, path, columns = asked
    parts = request.stream()
    if kind == "parquet":
        import_beside("tcptrace.tables.row_groups")

    def picked(part: Part) -> pd.DataFrame:
        from tcptrace.faces.selection import picked_columns

        return picked_columns(rows_of(request, part, name), columns)

    frames = meanwhile(parts, picked)
    begun = [next(frames)]  # and gone once it is written
    with output(path, request.files) as stream:
        STREAMS[kind](chain(map(begun.pop, [0]), frames), stream)
    tell(request, parts, "")


def tell(request: Request, trace: Told, caption: str) -> None:
    """Under an answer, unless -q: what it was, and what the capture's quality may spoil in it."""
    if request.quiet:
        return
    if caption:
        note(caption)
    for warning in warnings(trace.capture, request.verbose):
        note(f"tcptrace: {warning}")


def rows_of(request: Request, trace: Trace | Part, name: str) -> pd.DataFrame:
    """The rows of a trace's table that the request picks, index as a column."""
    from tcptrace.faces.expression import matching
    from tcptrace.faces.finding import by_severity
    from tcptrace.faces.selection import flattened

    picked = request.selection
    if name == "connections":
        rows = picked.connections(trace.connections)
    elif picked.by_connection:
        rows = picked.rows(getattr(trace, name), trace.connections)
    else:
        rows = flattened(getattr(trace, name))
    if name == "anomalies":
        rows = by_severity(rows)
    return matching(rows, picked.expression) if picked.expression else rows


def caption(name: str, rows: pd.DataFrame) -> str:
    """What was printed and, if all of it is of one day, which."""
    from tcptrace.faces.cells import only_day

    nouns = {"connections": "connection", "anomalies": "anomaly", "segments": "segment"}
    told = counted(len(rows), nouns.get(name, "interval"))
    times = {"connections": "ts_start", "timeline": "start"}.get(name, "ts")
    day = only_day(rows[times])
    return f"{told}; times are UTC, {day}" if day else f"{told}; times are UTC"


connections = table_command("connections")
timeline = table_command("timeline")
anomalies = table_command("anomalies")
segments = table_command("segments")
