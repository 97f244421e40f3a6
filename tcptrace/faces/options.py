"""The options of the command line, each declared once. Letters follow tcpdump and tshark."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import click

from tcptrace.faces.formats import FORMATS
from tcptrace.faces.pictures import PICTURES, SVG
from tcptrace.faces.request import Request
from tcptrace.interrupt import INTERRUPTED

Command = Callable[..., None]

# What following traffic asks for as reading a file does.
FOLLOWING = (
    click.option("-c", "--count", type=click.IntRange(min=1), metavar="N",
                 help="Stop after N packets."),
    click.option("--profile", default="linux", show_default=True, metavar="NAME",
                 help="The system whose timers end silent states."),
    click.option("--set", "settings", multiple=True, metavar="NAME=VALUE",
                 help="A net.ipv4.tcp_* setting of that system. Repeatable."),
)  # fmt: skip
UNUSED = click.option("-n", "unused", is_flag=True, help="Accepted: names are never looked up.")

READING = (
    click.argument("files", nargs=-1, metavar="FILE..."),
    click.option("-r", "--read", multiple=True, metavar="FILE",
                 help="A capture, as if named without -r; - is standard input. Repeatable."),
    click.option("-f", "--filter", metavar="FILTER",
                 help="Capture filter in tcpdump's language: only these packets are read."),
    *FOLLOWING,
    click.option("--max-connections", type=click.IntRange(min=1), metavar="N",
                 help="Keep at most N connections open at once, 2,000,000 if not said: of more, "
                      "those that have been silent longest are let go."),
    click.option("--conn", multiple=True, metavar="N[,M-P]",
                 help="Only connections of these numbers. Repeatable."),
    click.option("--host", multiple=True, metavar="ADDRESS",
                 help="Only connections of this address or network. Repeatable: all must fit."),
    click.option("--port", multiple=True, metavar="N[,M-P]",
                 help="Only connections of these ports. Repeatable: any may fit."),
    click.option("-Y", "--where", metavar="EXPR",
                 help="Only rows for which EXPR over the table's columns holds."),
    UNUSED,
    click.option("-q", "--quiet", is_flag=True, help="Only the answer: no progress, no notes."),
    click.option("-v", "--verbose", count=True, help="More: what is normal is told as well."),
)  # fmt: skip


def _form(forms: Iterable[str], otherwise: str) -> Callable[[Command], Command]:
    """`-T` with these forms."""
    told = f"The form of the output; else what -o's suffix says, else {otherwise}."
    return click.option("-T", "--format", "form", type=click.Choice(list(forms)), help=told)


_OUTPUT = click.option("-o", "--output", "path", metavar="FILE",
                       help="Write there, not to stdout.")  # fmt: skip
_COLUMNS = click.option("-e", "--column", "columns", multiple=True, metavar="COLUMN",
                        help="Only this column. Repeatable; commas too. "
                             "A wrong name lists them all.")  # fmt: skip
WRITING = (_form(FORMATS, "text"), _OUTPUT, _COLUMNS)
DISTRIBUTING = (
    click.option("--dask", metavar="ADDRESS",
                 help="Have the Dask cluster with this scheduler read the files."),
)  # fmt: skip
DRAWING = (_form(PICTURES, SVG), _OUTPUT)
WRITING_OR_DRAWING = (_form((*FORMATS, *PICTURES), "text"), _OUTPUT, _COLUMNS)

READING_NAMES = (
    "files", "read", "filter", "count", "profile", "settings", "max_connections", "conn", "host",
    "port", "where", "quiet", "verbose",
)  # fmt: skip


def reading(command: Command) -> Command:
    """Give a command the options of reading, handed to it as one `Request`."""

    @wraps(command)
    def with_request(**options: Any) -> None:
        options.pop("unused")
        request = Request.from_options({name: options.pop(name) for name in READING_NAMES})
        command(request, **options)
        if request.interrupt.asked:
            raise click.exceptions.Exit(INTERRUPTED)

    return _decorated(with_request, READING)


def writing(command: Command) -> Command:
    """Give a command `form`, `path` and `columns`."""
    return _decorated(command, WRITING)


def distributing(command: Command) -> Command:
    """Give a command `dask`, the address of a cluster."""
    return _decorated(command, DISTRIBUTING)


def drawing(command: Command) -> Command:
    """Give a command `form`, of a picture, and `path`."""
    return _decorated(command, DRAWING)


def writing_or_drawing(command: Command) -> Command:
    """Give a command `form`, of a table or a picture, `path` and `columns`."""
    return _decorated(command, WRITING_OR_DRAWING)


def _decorated(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
