"""`tcptrace population FILE`: sockets per state and host over time, as a table or as a picture."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import click

from tcptrace.faces.formats import FORMATS, format_of, output
from tcptrace.faces.options import reading, writing_or_drawing
from tcptrace.faces.pictures import picture_form, write_picture
from tcptrace.faces.request import Request

if TYPE_CHECKING:
    from tcptrace.trace import Trace
    from tcptrace.views.picture import Picture
    from tcptrace.views.population import Population

EXAMPLES = """\b
Examples:
  tcptrace population office.pcapng                     every second, a row a host
  tcptrace population office.pcapng --every 10s -o sockets.svg
  tcptrace population office.pcapng -Y 'state == time-wait' -T csv
"""
WIDTH, HEIGHT = 10.0, 4.5  # inches


@click.command("population", epilog=EXAMPLES, short_help="Sockets per state over time.")
@click.option("--every", default="1s", show_default=True, metavar="STEP",
              help="The step: 100ms, 1s, 5min.")  # fmt: skip
@click.option("--hosts", type=click.IntRange(min=0), default=20, show_default=True, metavar="N",
              help="So many of the busiest hosts are told apart.")  # fmt: skip
@writing_or_drawing
@reading
def population(request: Request, every: str, hosts: int, **asked: Any) -> None:
    """How many sockets each host had in each state, at every step of the capture.

    Columns are time, host, state and sockets; -Y is over these, and what has no socket is left
    out. The text has a column a state; as a picture, states are stacked over time. --conn, --host
    and --port count the sockets of those connections alone.
    """
    from tcptrace.faces.tables import tell

    form, path, columns = (asked[name] for name in ("form", "path", "columns"))
    kind = picture_form(form, path)
    trace = request.trace()
    counted = counted_of(request, trace, every, hosts)
    picture = drawn(counted, trace.source) if kind else None  # it may not succeed
    with output(path, request.files) as stream:
        if kind and picture is not None:
            write_picture(picture, kind, stream)
        else:
            write(counted, format_of(form, path), columns, stream)
    tell(request, trace, "")


def counted_of(request: Request, trace: Trace, every: str, hosts: int) -> Population:
    """The population of the picked connections, without what -Y leaves out."""
    from tcptrace.faces.expression import matching
    from tcptrace.tables.population import only, tidy

    conns = None
    if request.selection.by_connection:
        conns = request.selection.connections(trace.connections)["conn"].tolist()
    whole = trace.population(every, hosts=hosts, conns=conns)
    if not request.selection.expression:
        return whole
    kept = matching(tidy(whole), request.selection.expression)
    return type(whole)(only(whole, kept.index.to_numpy()))


def write(counted: Population, form: str, columns: tuple[str, ...], stream: IO[str]) -> None:
    """The table: a row for each host and state of a moment, for eyes one for each host."""
    from tcptrace.faces.selection import picked_columns
    from tcptrace.tables.population import by_host, tidy

    if form == "text" and not columns:
        FORMATS[form](by_host(counted), stream)
    else:
        FORMATS[form](picked_columns(tidy(counted), columns), stream)


def drawn(counted: Population, source: str) -> Picture:
    """The picture, made without a window."""
    from tcptrace.views.extras import require_matplotlib
    from tcptrace.views.lettering import printable

    require_matplotlib()
    from tcptrace.views.picture import Picture

    picture = Picture(WIDTH, HEIGHT)
    axes = counted.plot(ax=picture.subplots())
    axes.set_title(printable(source), fontsize=10, parse_math=False)
    picture.settle()
    return picture
