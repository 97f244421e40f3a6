"""`tcptrace show FILE CONN`: one connection, its ladder, its states, its findings, its story."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tcptrace.errors import UsageError
from tcptrace.faces.capture_facts import PLACES
from tcptrace.faces.formats import output
from tcptrace.faces.options import reading
from tcptrace.faces.quantities import offset
from tcptrace.faces.request import Request
from tcptrace.faces.selection import flattened, rows_about
from tcptrace.faces.terminal import printable
from tcptrace.tables.wording import counted, endpoint, octets, span
from tcptrace.tcp.states import Role

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType
    from rich.text import Text

    from tcptrace.trace import Connection, Trace

HEAD = re.compile(r"\s*-?\d+\.\d+\s+\w+\s+")  # of a line of a story: when and who
EXAMPLES = """\b
Examples:
  tcptrace show office.pcapng 7         the connection that other tables call 7
  tcptrace show office.pcapng 7 -v      every segment, none left out
  tcptrace show office.pcapng --port 51234
  tcptrace show office.pcapng 7 -o ladder.svg
"""
FORMS = ("text", "svg")
FORMS_BY_SUFFIX = {".svg": "svg"}


@click.command("show", epilog=EXAMPLES, short_help="One connection: ladder, states, story.")
@click.option("-T", "--format", "form", type=click.Choice(FORMS),
              help="The form of the output; else what -o's suffix says, else text.")  # fmt: skip
@click.option("-o", "--output", "path", metavar="FILE", help="Write there, not to stdout.")
@click.option("--ascii", "in_ascii", is_flag=True, help="Draw the text with ASCII only.")
@reading
def show(request: Request, form: str | None, path: str | None, in_ascii: bool) -> None:
    """One connection: its ladder with both sides' states, its timeline, findings and story.

    The last argument is the connection's number. --conn, --host, --port or -Y may pick it
    instead, if only one fits. As SVG it is the ladder alone.
    """
    from tcptrace.faces.terminal import print_parts

    request, number = split_number(request)
    trace = request.trace()
    with output(path, request.files) as stream:
        if (form or FORMS_BY_SUFFIX.get(Path(path or "").suffix.lower())) == "svg":
            stream.write(picked(trace, number, request).ladder(whole=bool(request.verbose)))
            return
        print_parts(lambda width: parts(trace, number, request, width), stream, in_ascii=in_ascii)


def split_number(request: Request) -> tuple[Request, int | None]:
    """The connection's number taken from the end of the files, if it is there."""
    *files, last = request.files or ("",)
    if files and last.isascii() and last.isdigit() and len(last) < 19:
        return replace(request, files=tuple(files)), int(last)
    return request, None


def parts(
    trace: Trace, number: int | None, request: Request, width: int
) -> Iterator[RenderableType]:
    """From the headline to the story; UsageError if it is not clear which connection."""
    from tcptrace.faces.finding import findings, heading
    from tcptrace.faces.ladder import ladder
    from tcptrace.faces.layout import tables_of
    from tcptrace.views.lines import legend

    row = picked_row(trace, number, request)
    connection = trace.connection(int(row["conn"].iloc[0]))
    scene = connection.scene
    yield from headlines(row.to_dict("records")[0])
    yield ""
    if scene.gone:
        yield _dim(f"Moves without their packets: {scene.gone}")
    yield from ladder(scene, width, whole=bool(request.verbose))
    yield from (_dim(line) for line in legend(scene, whole=bool(request.verbose)))
    for role in Role:
        yield heading(f"states of the {role.name.lower()}")
        yield from tables_of(states(connection.timeline, role, row["ts_start"].iloc[0]), width)
    anomalies = rows_about(trace.anomalies, row)
    if len(anomalies):
        yield from findings(anomalies, replace(request, verbose=1))
    yield heading("story")
    yield from told_lines(connection, width)


def picked(trace: Trace, number: int | None, request: Request) -> Connection:
    """The one connection that is asked for; UsageError unless it is one."""
    return trace.connection(int(picked_row(trace, number, request)["conn"].iloc[0]))


def picked_row(trace: Trace, number: int | None, request: Request) -> pd.DataFrame:
    """The one row of the connections table that is asked for; UsageError unless it is one."""
    from tcptrace.faces.tables import rows_of

    rows = rows_of(request, trace, "connections")
    if number is not None:
        rows = rows[rows["conn"] == number]
    if len(rows) == 1:
        return rows
    if number is not None:
        raise UsageError(_absent(number, len(trace.connections)))
    some = ", ".join(str(conn) for conn in rows["conn"].head(10))
    told = (
        f"{len(rows)} fit ({some}{', ...' if len(rows) > 10 else ''})" if len(rows) else "none fits"
    )
    raise UsageError(f"say which connection, as in tcptrace show FILE 7: {told}")


def _absent(number: int, count: int) -> str:
    if number < count:
        return f"connection {number} does not fit --conn, --host, --port or -Y"
    numbers = f", 0 to {count - 1}" if count else ""
    return f"no connection {number}: there are {count}{numbers}"


def headlines(row: Mapping[Any, Any]) -> Iterator[RenderableType]:
    """Who; then in labelled lines when, how it ended, how much, and what is known of it."""
    from rich.text import Text

    from tcptrace.faces.layout import labelled

    originator = endpoint(row["orig_ip"], row["orig_port"])
    responder = endpoint(row["resp_ip"], row["resp_port"])
    yield Text(f"connection {row['conn']}  {originator} → {responder}", "bold")
    yield labelled(head_lines(row))


def head_lines(row: Mapping[Any, Any]) -> list[tuple[str, str]]:
    """Label and text of each line about a connection."""
    start = row["ts_start"].strftime("%Y-%m-%d %H:%M:%S.%f")
    again = f"; incarnation {row['incarnation']} of its addresses and ports"
    closer = f"{row['close_kind']} by {row['closer']}" if row["closer"] != "none" else "by none"
    data = [
        f"{arrow} {octets(row[f'{side}_bytes'])} in {counted(row[f'{side}_pkts'], 'packet')}"
        + (f", {row[f'{side}_retransmits']:,} retransmitted" if row[f"{side}_retransmits"] else "")
        for side, arrow in (("orig", "→"), ("resp", "←"))
    ]
    missed = row["orig_missed_bytes"] + row["resp_missed_bytes"]
    return [
        ("time", f"{start} UTC, {span(row['duration'].value)}"),
        ("packets", f"{row['first_packet']:,} to {row['last_packet']:,}"),
        ("data", "; ".join(data) + (f"; {octets(missed)} not captured" if missed else "")),
        ("closed", f"{closer}; the row ends by {row['end_reason']}"),
        ("originator", f"known by {row['orientation']}" + (again if row["incarnation"] else "")),
        ("tap", PLACES.get(str(row["vantage"]), "")),
        ("Zeek", f"{row['conn_state']} {row['history']}; completeness {row['completeness']}"),
    ]


def states(timeline: pd.DataFrame, role: Role, zero: pd.Timestamp) -> pd.DataFrame:
    """One side's intervals for eyes: state, seconds from `zero` to its entry and within what
    bounds that lies, how long it lasted, the evidence."""
    own = flattened(timeline)
    own = own[own["role"] == role.name.lower()]
    own = own.assign(
        at=(own["start"] - zero).map(lambda gap: offset(gap.value)).astype(object),
        within=(own["latest"] - own["earliest"]).mask(own["basis"] == "assumed"),
    )
    columns = ["state", "at", "within", "duration", "basis", "packet", "confirmed_by", "event"]
    return own[columns].rename(columns={"confirmed_by": "by", "duration": "for"})


def told_lines(connection: Connection, width: int) -> Iterator[str]:
    """The story, each line safe to print; what goes on below hangs under its first words."""
    for line in connection.story():
        head = HEAD.match(line)
        indent = " " * (head.end() if head else 0)
        yield textwrap.fill(
            printable(line), width, subsequent_indent=indent, break_long_words=False
        )


def _dim(text: str) -> Text:
    from rich.text import Text

    return Text(text, "dim")
