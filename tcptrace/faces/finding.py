"""Findings in sentences, most severe first: headline, why, not, next, proof, limits."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tcptrace.faces.terminal import STYLES, printable
from tcptrace.tables.wording import counted, packets

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType
    from rich.text import Text

    from tcptrace.faces.request import Request

MOST = 12  # findings told in full
MOST_ALIKE = 3  # of one code
MOST_PACKETS = 6
MOST_EXAMPLES = 3
LABELS = {"why": "why", "ruled_out": "not", "advice": "next", "limits": "limits"}
NORMAL = "info"


def findings(anomalies: pd.DataFrame, request: Request) -> Iterator[RenderableType]:
    """The heading, then each finding; what is normal is one line unless -v asks for all."""
    ranked = by_severity(anomalies)
    normal = ranked["severity"] == NORMAL
    told = ranked if request.verbose else ranked[~normal]
    yield heading("findings", tally(ranked))
    if not len(told):
        yield "No anomaly was found."
    kept = told if request.verbose else limited(told)
    for row in kept.to_dict("records"):
        yield ""
        yield finding(row)
    yield from _rest(
        told[~told.index.isin(kept.index)], ranked[normal & (not request.verbose)], request
    )


def _rest(more: pd.DataFrame, normal: pd.DataFrame, request: Request) -> Iterator[RenderableType]:
    if len(normal):
        yield ""
        yield printable(f"Normal: {_codes(normal)}.")
    if len(more):
        yield ""
        yield printable(f"And {counted(len(more), 'finding')} more: {_codes(more)}.")
    if len(more) or len(normal):
        yield hint("all of them: tcptrace anomalies", request)


def finding(row: Mapping[Any, Any]) -> RenderableType:
    """One finding: the severity and the headline, then what supports it, indented."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    severity = str(row["severity"])
    headline = Text()
    headline.append(f"[{severity}{doubt(row)}]", STYLES.get(severity, ""))
    headline.append(f" {printable(str(row['headline']))}", "bold")
    details = Table.grid(padding=(0, 1, 0, 0))
    details.add_column(width=8, justify="right", style="dim")
    details.add_column(overflow="fold")
    for column, label in LABELS.items():
        if column == "limits":
            details.add_row("proof", Text(proof(row)))
        text = _told(row[column])
        if text:
            details.add_row(label, Text(text))
    return Group(headline, details)


def doubt(row: Mapping[Any, Any]) -> str:
    """What follows the severity of a finding that a lossy capture makes less sure."""
    return ", reduced confidence" if row["confidence"] == "reduced" else ""


def some_connections(row: Mapping[Any, Any]) -> str:
    """The first connections that a finding is about, in a few words; nothing without any."""
    conns = ", ".join(str(conn) for conn in row["examples"][:3])
    return f"conn {conns}" if conns else ""


def proof(row: Mapping[Any, Any]) -> str:
    """The packets, how to see them in Wireshark, and some of the connections."""
    numbers, examples = list(row["packets"]), list(row["examples"])
    pieces = [str(row["code"])]
    if numbers:
        some = ", ".join(str(number) for number in numbers[:MOST_PACKETS])
        pieces.append(f"{packets(numbers)} (frame.number in {{{some}}})")
    if not _missing(row["conn"]):
        examples = [row["conn"]]
    if examples:
        some = ", ".join(str(conn) for conn in examples[:MOST_EXAMPLES])
        noun = "connection" if len(examples) == 1 else "connections"
        rest = row["count"] - min(len(examples), MOST_EXAMPLES)
        pieces.append(f"{noun} {some}" + (f" and {rest:,} more" if rest > 0 else ""))
    return "; ".join(pieces)


def by_severity(anomalies: pd.DataFrame) -> pd.DataFrame:
    """Most severe first; of these the certain, then the widespread, then the early."""
    order = {"severity": False, "confidence": True, "count": False, "ts": True}
    return anomalies.sort_values(list(order), ascending=list(order.values()), kind="stable")


def limited(anomalies: pd.DataFrame) -> pd.DataFrame:
    """The first of each code, `MOST` in all."""
    place = anomalies.groupby("code", observed=True).cumcount()
    return anomalies[place < MOST_ALIKE].head(MOST)


def heading(title: str, rest: str = "") -> Text:
    """A blank line and a title."""
    from rich.text import Text

    text = Text("\n")
    text.append(title, "bold underline")
    return text.append(f"  {rest}" if rest else "")


def hint(text: str, request: Request, last: str = "") -> Text:
    """A command to go on with, its files quoted for the shell."""
    from rich.text import Text

    files = " ".join(shlex.quote(printable(name)) for name in request.files[:3])
    files += " ..." if len(request.files) > 3 else ""
    return Text(f"{text} {files} {last}".rstrip(), "dim")


def tally(anomalies: pd.DataFrame) -> str:
    """How many findings there are of each severity, the gravest first: `1 critical, 2 notices`."""
    counts = anomalies["severity"].value_counts(sort=False)
    worst_first = reversed(list(counts.items()))
    return ", ".join(
        f"{count:,} {_plural(str(name), count)}" for name, count in worst_first if count
    )


def _plural(severity: str, count: int) -> str:
    return f"{severity}s" if count > 1 and severity in ("notice", "warning") else severity


def _codes(anomalies: pd.DataFrame) -> str:
    """Each code with the number of connections it is about."""
    sums = anomalies.groupby("code", observed=True, sort=False)["count"].sum()
    return ", ".join(f"{code} ({count:,})" for code, count in sums.items())


def _told(cell: Any) -> str:
    if isinstance(cell, Sequence) and not isinstance(cell, str):
        return " ".join(printable(str(item)) for item in cell)
    return "" if _missing(cell) else printable(str(cell))


def _missing(cell: Any) -> bool:
    import pandas as pd

    return bool(pd.isna(cell))
