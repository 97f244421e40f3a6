"""`live`: the states of both endpoints while traffic flows, in a table or in lines."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from tcptrace.faces.live_lines import FORMS
from tcptrace.faces.options import FOLLOWING, UNUSED
from tcptrace.faces.wish import Wish

DEFAULT_KIB = 64 << 10

EXAMPLES = """\b
Examples:
  sudo tcptrace live -i eth0                    the view, until Ctrl-C
  sudo tcptrace live -i eth0 -f 'port 443' -T jsonl | jq .
  ssh gate tcpdump -U -w - tcp | tcptrace live -
  tcptrace live --replay 10x office.pcapng      a file, ten times as fast as it was
"""


def _speed(context: click.Context, option: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        speed = float(text.lower().removesuffix("x"))
    except ValueError:
        speed = 0
    if not 0 < speed < float("inf"):
        raise click.BadParameter(f"{text!r}: give a speed such as 1x or 10x")
    return speed


def _list(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if not asked:
        return
    from tcptrace.sources.interface import interfaces

    for name, up in interfaces():
        click.echo(name if up else f"{name} (down)")
    context.exit()


OPTIONS = (
    click.argument("file", required=False, metavar="[- | FILE]"),
    click.option("-i", "--interface", metavar="IF",
                 help="Listen there; any is all interfaces. By default the first that is up."),
    click.option("-D", "--list-interfaces", is_flag=True, is_eager=True, expose_value=False,
                 callback=_list, help="List the interfaces."),
    click.option("--replay", callback=_speed, metavar="SPEED",
                 help="Read FILE at the pace at which it was captured, or a multiple: 10x."),
    click.option("-f", "--filter", metavar="FILTER",
                 help="Capture filter in tcpdump's language; by default TCP and the ICMP errors "
                 "about it, in VLANs too."),
    *FOLLOWING,
    click.option("-T", "--format", "form", type=click.Choice(list(FORMS)),
                 help="Lines instead of a table; off a terminal it is text."),
    click.option("--once", is_flag=True, help="One look after one interval, and no more."),
    click.option("--interval", type=click.FloatRange(min=0.05), default=1.0, show_default=True,
                 metavar="SECONDS", help="How often to look, at the most."),
    click.option("-B", "--buffer", type=click.IntRange(min=1), default=DEFAULT_KIB,
                 show_default=True, metavar="KIB", help="Memory in which packets wait, in KiB."),
    click.option("-Z", "--user", metavar="USER",
                 help="Go on as USER once listening; by default who ran sudo."),
    UNUSED,
    click.option("-v", "--verbose", is_flag=True, help="The counters on stderr at each look."),
    click.option("-q", "--quiet", is_flag=True, help="Only the answer: no notes, no summary."),
)  # fmt: skip


def _listed(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command("live", epilog=EXAMPLES)
@_listed
def live(**options: Any) -> None:
    """The states of both endpoints of every connection while traffic flows.

    On a terminal a table that is kept up to date; elsewhere, or with -T, a line for each state
    move and each finding. Ctrl-C ends it with a summary on stderr.
    """
    options.pop("unused")
    # Threads that numpy starts for its own use would each keep the rights of root.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from tcptrace.faces.watch import watch

    watch(Wish(**options))
