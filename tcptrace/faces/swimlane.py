"""`tcptrace swimlane FILE -o swimlane.svg`: connections down, time across, states as colours."""

from __future__ import annotations

import click

from tcptrace.faces.formats import output
from tcptrace.faces.options import drawing, reading
from tcptrace.faces.pictures import SVG, picture_form, write_picture
from tcptrace.faces.request import Request

EXAMPLES = """\b
Examples:
  tcptrace swimlane office.pcapng -o office.svg
  tcptrace swimlane office.pcapng --port 443 --most 50 -o office.png
  tcptrace swimlane office.pcapng -Y 'duration > 1m' -T pdf > long.pdf
"""


@click.command("swimlane", epilog=EXAMPLES, short_help="Connections' states over time, drawn.")
@click.option("--most", type=click.IntRange(min=1), default=30, show_default=True, metavar="N",
              help="So many connections: the worst findings first, then the earliest.")  # fmt: skip
@drawing
@reading
def swimlane(request: Request, most: int, form: str | None, path: str | None) -> None:
    """Two lanes a connection, the originator's and the responder's, coloured by state.

    --conn, --host, --port and -Y (over the connections' columns) say which it picks from.
    """
    from tcptrace.faces.tables import rows_of, tell

    trace = request.trace()
    picked = request.selection
    narrowed = picked.by_connection or picked.expression
    conns = rows_of(request, trace, "connections")["conn"].tolist() if narrowed else None
    picture = trace.swimlane(conns, most=most)  # before the file is opened: it may not succeed
    with output(path, request.files) as stream:
        write_picture(picture, picture_form(form, path) or SVG, stream)
    tell(request, trace, "")
