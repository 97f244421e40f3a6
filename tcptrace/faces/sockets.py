"""`tcptrace sockets FILE --at TIME`: the sockets of each host then, as `ss -tan` prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tcptrace.faces.formats import FORMATS, format_of, output
from tcptrace.faces.options import reading, writing
from tcptrace.faces.quantities import parse_duration, parse_time
from tcptrace.faces.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from tcptrace.trace import Trace

EXAMPLES = """\b
Examples:
  tcptrace sockets office.pcapng --at 2026-11-25T04:12:40Z
  tcptrace sockets office.pcapng --at +7.5s             after the first packet
  tcptrace sockets office.pcapng -Y 'state == close-wait and age > 10s'
"""
ANYONE = "*:*"


@click.command("sockets", epilog=EXAMPLES, short_help="The sockets of each host at a moment.")
@click.option("--at", "when", metavar="TIME",
              help="A time, UTC unless it says otherwise, or +DURATION after the first packet; "
                   "else the end of the capture.")  # fmt: skip
@writing
@reading
def sockets(
    request: Request, when: str | None, form: str | None, path: str | None, columns: tuple[str, ...]
) -> None:
    """What ss -tan would have shown on each host, listeners first, as far as packets tell.

    Silent ends follow the profile's timers, and a service is taken to listen from the first SYN
    that it took on.
    """
    from tcptrace.faces.expression import matching
    from tcptrace.faces.selection import picked_columns
    from tcptrace.faces.tables import tell
    from tcptrace.tables.wording import counted
    from tcptrace.views.lettering import utc

    trace = request.trace()
    moment = moment_of(when, trace)
    rows = of_connections(request, trace, trace.sockets(moment))
    if request.selection.expression:
        rows = matching(rows, request.selection.expression)
    kind = format_of(form, path)
    with output(path, request.files) as stream:
        whole = kind != "text" or columns
        FORMATS[kind](picked_columns(rows, columns) if whole else for_eyes(rows), stream)
    told = f"{counted(len(rows), 'socket')} at {utc(moment)}"
    tell(request, trace, told if kind == "text" else "")


def moment_of(when: str | None, trace: Trace) -> int:
    """ns since the epoch of `--at`; UsageError for what is no time."""
    if when is None:
        return trace.end
    if when.startswith("+"):
        return (trace.capture.start or 0) + parse_duration(when[1:])
    return parse_time(when)


def of_connections(request: Request, trace: Trace, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the picked connections, and the listeners of the services that they used."""
    if not request.selection.by_connection:
        return rows
    picked = request.selection.connections(trace.connections)
    services = set(zip(picked["resp_ip"].astype(str), picked["resp_port"], strict=True))
    used = [(str(ip), port) in services for ip, port in zip(rows["ip"], rows["port"], strict=True)]
    mine = rows["conn"].isin(picked["conn"]).to_numpy(bool)
    return rows[mine | (rows["conn"].isna().to_numpy(bool) & used)]


def for_eyes(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of ss, then how long and on what evidence."""
    import pandas as pd

    from tcptrace.faces.layout import endpoints

    peers = pd.Series(ANYONE, index=rows.index, dtype="object")
    connected = rows["conn"].notna().to_numpy(bool)
    peers[connected] = endpoints(rows[connected], "peer_ip", "peer_port")
    shown = {
        "state": rows["state"],
        "local": endpoints(rows, "ip", "port"),
        "peer": peers,
        "age": rows["age"],
        "basis": rows["basis"],
        "conn": rows["conn"],
    }
    return pd.DataFrame(shown)
