"""`tcptrace fsm`: the reference machine, drawn from its literal."""

from __future__ import annotations

import click

from tcptrace.faces.formats import output

KINDS = ("text", "mermaid", "svg", "json")


@click.command(
    "fsm",
    short_help="The reference machine of RFC 9293.",
    epilog="\b\nExamples:\n  tcptrace fsm\n  tcptrace fsm -T svg -o machine.svg",
)
@click.option("-T", "--format", "form", type=click.Choice(KINDS), help="The form of the output.")
@click.option("-o", "--output", "path", metavar="FILE", help="Write there, not to stdout.")
def fsm(form: str | None, path: str | None) -> None:
    """The reference machine of RFC 9293: states, events, and where each leads."""
    from tcptrace.tcp.diagram import render

    suffix = (path or "").rpartition(".")[2].lower()
    kind = form or {"svg": "svg", "json": "json", "mmd": "mermaid"}.get(suffix, "text")
    with output(path) as stream:
        stream.write(render(kind).rstrip("\n") + "\n")
