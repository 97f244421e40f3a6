"""The commands that print one table: `connections`, `timeline`, `anomalies`, `segments`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tcptrace.faces.capture_facts import warnings
from tcptrace.faces.formats import FORMATS, format_of, output
from tcptrace.faces.options import reading, writing
from tcptrace.faces.request import Request
from tcptrace.faces.terminal import console, note
from tcptrace.tables.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from tcptrace.trace import Trace

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


def table_command(name: str) -> click.Command:
    """The click command that prints the table of that name."""
    row, *examples = TABLES[name]

    @reading
    @writing
    def run(request: Request, form: str | None, path: str | None, columns: tuple[str, ...]) -> None:
        write_table(request, name, (form, path, columns))

    lines = "\n".join(f"  {example}" for example in examples)
    return click.command(name, help=row, epilog=f"\b\nExamples:\n{lines}")(run)


def write_table(
    request: Request, name: str, asked: tuple[str | None, str | None, tuple[str, ...]]
) -> None:
    """Read, select, and write a table in the form, to the file and of the columns asked for."""
    from tcptrace.faces.layout import shown
    from tcptrace.faces.selection import picked_columns

    form, path, columns = asked
    kind = format_of(form, path)
    trace = request.trace()
    rows = rows_of(request, trace, name)
    frame = picked_columns(rows, columns)
    with output(path, request.files) as stream:
        if kind == "text" and not columns:
            frame = shown(name, rows, console(stream).width if stream.isatty() else None)
        FORMATS[kind](frame, stream)
    tell(request, trace, caption(name, rows) if kind == "text" else "")


def tell(request: Request, trace: Trace, caption: str) -> None:
    """Under an answer, unless -q: what it was, and what the capture's quality may spoil in it."""
    if request.quiet:
        return
    if caption:
        note(caption)
    for warning in warnings(trace.capture, request.verbose):
        note(f"tcptrace: {warning}")


def rows_of(request: Request, trace: Trace, name: str) -> pd.DataFrame:
    """The rows of a trace's table that the request picks, index as a column."""
    from tcptrace.faces.expression import matching
    from tcptrace.faces.finding import by_severity

    picked = request.selection
    if name == "connections":
        rows = picked.connections(trace.connections)
    else:
        rows = picked.rows(getattr(trace, name), trace.connections)
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
