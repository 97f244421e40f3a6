"""`tcptrace FILE...`: the report, from what the capture is to the connections to look at."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tcptrace.errors import UsageError
from tcptrace.faces.options import reading
from tcptrace.faces.request import Request
from tcptrace.faces.selection import flattened, rows_about
from tcptrace.faces.terminal import print_parts, printable
from tcptrace.tables.wording import endpoint, span

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from tcptrace.trace import Trace

MOST_CONNECTIONS = 10
UNREMARKABLE = "info"
UNKNOWN = "unknown"  # the state of an endpoint of which the capture shows nothing
WIDE = 130  # columns from which a connection fits one line


@click.command("report")
@reading
def report(request: Request) -> None:
    """Say what a capture is and what is wrong in it."""
    check_words(request.files)
    trace = request.trace()
    print_parts(lambda width: parts(trace, request, width), sys.stdout)


def check_words(files: tuple[str, ...]) -> None:
    """UsageError for a word that is no file and looks like a command, with what would be right."""
    from tcptrace.faces.cli import COMMANDS

    for word in files:
        if not word.isidentifier() or Path(word).exists():
            continue
        if word in COMMANDS:
            raise UsageError(f"{word}: no such file; a command comes first: tcptrace {word} ...")
        near = get_close_matches(word, COMMANDS, 1)
        hint = f"; did you mean {near[0]}?" if near else f"; commands: {', '.join(COMMANDS)}"
        raise UsageError(f"{word}: no such file, and no command is called so{hint}")


def parts(trace: Trace, request: Request, width: int) -> Iterator[RenderableType]:
    """The report from top to bottom; with -q, the findings alone."""
    from tcptrace.faces.capture_facts import lines
    from tcptrace.faces.finding import findings
    from tcptrace.faces.layout import labelled
    from tcptrace.faces.tables import rows_of

    connections = rows_of(request, trace, "connections")
    anomalies = flattened(trace.anomalies)
    if len(connections) < len(trace.connections):
        anomalies = rows_about(anomalies, connections)
    if not request.quiet:
        yield labelled(lines(trace.capture, len(trace.connections), connections))
    if not request.quiet and len(connections):
        yield ""
        yield outcomes(connections)
    if len(connections) or len(anomalies) or request.quiet:
        yield from findings(anomalies, request)
    if not request.quiet and len(connections):
        yield from remarkable(connections, anomalies, request, width)


def outcomes(connections: pd.DataFrame) -> Table:
    """Who closed and how, and beside it the last states of both sides."""
    from rich.table import Table

    beside = Table.grid(padding=(0, 4, 0, 0))
    beside.add_row(closes(connections), last_states(connections))
    return beside


def closes(connections: pd.DataFrame) -> Table:
    """How many connections each side closed, by what."""
    import pandas as pd

    counts = pd.crosstab(connections["closer"], connections["close_kind"])
    counts = counts.rename(index={"none": "nobody"}, columns={"none": "not closed"})
    return counted_table("who closed", counts)


def last_states(connections: pd.DataFrame) -> Table:
    """How many endpoints of either role the capture leaves in each state."""
    import pandas as pd

    counts = pd.DataFrame(
        {
            "originators": connections["orig_state"].value_counts(sort=False, dropna=False),
            "responders": connections["resp_state"].value_counts(sort=False, dropna=False),
        }
    ).fillna(0)
    counts = counts.astype(int).rename(index=lambda name: UNKNOWN if pd.isna(name) else name)
    return counted_table("last states", counts[counts.sum(axis=1) > 0])


def counted_table(title: str, counts: pd.DataFrame) -> Table:
    """A table of counts, its row names in the colours of what they say; zeros left blank."""
    from rich.table import Table

    from tcptrace.faces.layout import styled

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(title)
    for column in counts.columns:
        table.add_column(str(column), justify="right")
    for name, row in counts.iterrows():
        table.add_row(styled(str(name)), *(f"{count:,}" if count else "" for count in row))
    return table


def remarkable(
    connections: pd.DataFrame, anomalies: pd.DataFrame, request: Request, width: int
) -> Iterator[RenderableType]:
    """The connections to look at first: those in findings, then those that did not end."""
    from tcptrace.faces.finding import heading, hint
    from tcptrace.faces.layout import shown, tables_of

    ranked = ranked_connections(connections, anomalies)
    yield heading("connections to look at" if len(ranked) < len(connections) else "connections")
    rows = ranked.head(MOST_CONNECTIONS)
    if width >= WIDE:
        yield from tables_of(shown("connections", rows, width), width)
    else:
        yield connection_list(rows)
    left = len(connections) - min(len(ranked), MOST_CONNECTIONS)
    if left > 0:
        yield hint(f"and {left:,} more: tcptrace connections", request)
    yield hint("one of them in full: tcptrace show", request, str(ranked["conn"].iloc[0]))


def connection_list(connections: pd.DataFrame) -> Table:
    """The connections by number, two lines each or more where they are long."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", min_width=4)
    table.add_column()
    for row in connections.to_dict("records"):
        table.add_row(str(row["conn"]), connection_lines(row))
    return table


def connection_lines(row: Mapping[Any, Any]) -> Text:
    """Who, for how long, closed by whom; below that both states and the findings."""
    from rich.text import Text

    who = [endpoint(row[f"{side}_ip"], row[f"{side}_port"]) for side in ("orig", "resp")]
    text = Text(f"{who[0]} → {who[1]}", "bold")
    text = Text.assemble(text, f"  {span(row['duration'].value)}  {_closed(row)}\n")
    text.append(_state(row["orig_state"])).append(" / ").append(_state(row["resp_state"]))
    codes = str(row["anomalies"]).replace(",", ", ") if row["anomalies"] else ""
    return text.append(f"  {printable(codes)}".rstrip(), "yellow")


def _state(state: Any) -> Text:
    from tcptrace.faces.layout import styled

    return styled(state if isinstance(state, str) else UNKNOWN)


def _closed(row: Mapping[Any, Any]) -> str:
    if row["closer"] == "none":
        return "not closed" if row["close_kind"] == "none" else f"ended by {row['close_kind']}"
    return f"{row['close_kind']} by {row['closer']}"


def ranked_connections(connections: pd.DataFrame, anomalies: pd.DataFrame) -> pd.DataFrame:
    """Connections by the worst finding about them, then the unfinished, then by their order.

    If nothing is remarkable, all of them, in order.
    """
    worst = _worst(anomalies)
    rank = connections["conn"].map(worst).fillna(0).astype(int)
    unfinished = ~connections["is_final"].astype(bool)
    picked = connections[(rank > 0) | unfinished] if (rank > 0).any() or unfinished.any() else None
    if picked is None:
        return connections
    order = rank[picked.index].mul(-2) - unfinished[picked.index].astype(int)
    return picked.loc[order.sort_values(kind="stable").index]


def _worst(anomalies: pd.DataFrame) -> dict[Any, int]:
    """Of each connection, the place of its worst finding's severity; `info` counts for nothing."""
    severities = anomalies["severity"].cat
    notable = anomalies[severities.codes > list(severities.categories).index(UNREMARKABLE)]
    worst: dict[Any, int] = {}
    for conn, severity, examples in zip(
        notable["conn"], notable["severity"].cat.codes, notable["examples"], strict=True
    ):
        for each in {*examples, conn}:
            worst[each] = max(worst.get(each, 0), int(severity))
    return worst
