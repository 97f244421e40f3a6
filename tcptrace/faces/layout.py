"""Tables for eyes: plain aligned lines off a terminal, colour and folded cells on one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

import pandas as pd

from tcptrace.faces.cells import is_number, text_form
from tcptrace.faces.terminal import STYLES, console, printable
from tcptrace.tables.wording import endpoint

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

CHUNK = 500  # rows of one table on a terminal
GAP = "  "

# The columns that a table shows for eyes unless -e picks others: what fits 80 columns.
SHOWN = {
    "connections": (
        "conn", "originator", "responder", "orig_state", "resp_state", "closer", "close_kind",
        "duration", "orig_bytes", "resp_bytes", "conn_state", "history", "anomalies",
    ),
    "timeline": (
        "conn", "endpoint", "state", "start", "duration", "basis", "packet", "confirmed_by",
        "event",
    ),
    "anomalies": ("severity", "code", "conn", "host", "count", "headline"),
    "segments": ("conn", "packet", "ts", "source", "destination", "flags", "seq", "ack", "payload"),
}  # fmt: skip

# What a table leaves out on a terminal that is too narrow, in this order.
SPARED = {
    "connections": (
        "history", "conn_state", "resp_bytes", "orig_bytes", "anomalies", "close_kind",
        "duration", "closer",
    ),
    "timeline": ("confirmed_by", "event", "packet", "duration"),
    "anomalies": ("count", "conn"),
    "segments": ("ack", "seq"),
}  # fmt: skip

# Columns for eyes that join an address and a port of the table.
JOINED = {
    "originator": ("orig_ip", "orig_port"),
    "responder": ("resp_ip", "resp_port"),
    "endpoint": ("ip", "port"),
    "source": ("src_ip", "src_port"),
    "destination": ("dst_ip", "dst_port"),
}


def shown(name: str, frame: pd.DataFrame, room: int | None = None) -> pd.DataFrame:
    """The columns of a table that are for eyes, addresses and ports joined.

    `room` is the width of a terminal: columns of `SPARED` go until the others fit.
    """
    picked: dict[str, pd.Series[Any]] = {}
    for column in SHOWN[name]:
        if column in JOINED:
            picked[column] = endpoints(frame, *JOINED[column])
        else:
            picked[column] = frame[column]
    kept = pd.DataFrame(picked)
    for column in SPARED[name] if room else ():
        if Layout(kept.head(CHUNK)).width <= (room or 0):
            break
        kept = kept.drop(columns=column)
    return kept


def endpoints(frame: pd.DataFrame, ip: str, port: str) -> pd.Series[Any]:
    """An address and a port a row, `10.0.0.5:8080` or `[2001:db8::1]:443`."""
    pairs = zip(frame[ip], frame[port], strict=True)
    return pd.Series([endpoint(*pair) for pair in pairs], index=frame.index, dtype="object")


def print_table(frame: pd.DataFrame, stream: IO[str]) -> None:
    """All rows; off a terminal one line a row, whatever its length."""
    if stream.isatty():
        out = console(stream)
        for part in tables_of(frame, out.width):
            out.print(part)
        return
    for line in aligned(frame):
        stream.write(line + "\n")


def aligned(frame: pd.DataFrame) -> Iterator[str]:
    """A header and the rows as lines of equal columns; no blanks at the ends of lines."""
    layout = Layout(frame)
    yield layout.line(layout.names)
    for rows in layout.parts():
        for row in rows:
            yield layout.line(row)


def tables_of(frame: pd.DataFrame, room: int) -> Iterator[Table]:
    """The rows as tables of at most `CHUNK` rows and equal widths: a long one begins at once."""
    layout = Layout(frame)
    widths, names = _fitted(layout.widths, room), layout.names
    for rows in layout.parts():
        table = _grid(names, widths, layout.right)
        for row in rows:
            table.add_row(*(styled(cell) for cell in row))
        yield table
        names = []


class Layout:
    """The cells of a table for eyes, made part by part so that a long table needs little memory.

    `names` and `widths` and whether a column is flush `right`, one of each a column.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.names = [str(name) for name in frame.columns]
        self.right = [is_number(frame[name]) for name in frame.columns]
        self.forms = [text_form(frame[name]) for name in frame.columns]
        self.widths = [len(name) for name in self.names]
        for rows in self.parts():
            for place, column in enumerate(zip(*rows, strict=True)):
                self.widths[place] = max(self.widths[place], *map(len, column))

    @property
    def width(self) -> int:
        """How wide the table is."""
        return sum(self.widths) + len(GAP) * (len(self.widths) - 1)

    def parts(self) -> Iterator[list[tuple[str, ...]]]:
        """The rows, at most `CHUNK` at a time; one empty part for a table without rows."""
        for start in range(0, max(len(self.frame), 1), CHUNK):
            part = self.frame.iloc[start : start + CHUNK]
            columns = [
                form(part[name]) for name, form in zip(part.columns, self.forms, strict=True)
            ]
            yield list(zip(*columns, strict=True))

    def line(self, row: Sequence[str]) -> str:
        """One row as a line."""
        pieces = [
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(row, self.widths, self.right, strict=True)
        ]
        return GAP.join(pieces).rstrip()


def _grid(names: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> Table:
    """A rich table without lines; an empty `names` leaves the header out."""
    from rich.table import Table

    table = Table(box=None, show_header=bool(names), pad_edge=False, padding=(0, 2, 0, 0))
    for place, (width, flush) in enumerate(zip(widths, right, strict=True)):
        name = names[place] if names else ""
        table.add_column(
            name,
            width=width,
            justify="right" if flush else "left",
            overflow="fold",
            header_style="bold",
        )
    return table


def labelled(lines: Iterable[tuple[str, str]]) -> Table:
    """Lines with a label each; those with nothing to say are left out."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for label, text in lines:
        if text:
            table.add_row(label, Text(printable(text)))
    return table


def styled(cell: str) -> Text:
    """A cell in the colour of what it says: a state, a severity, a kind of close."""
    from rich.text import Text

    return Text(cell, STYLES.get(cell, ""))


def _fitted(widths: list[int], room: int) -> list[int]:
    """Widths that fit a terminal: the widest columns give, and their cells are folded."""
    widths, least = list(widths), 8
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - room
    while excess > 0:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] <= least:
            return widths
        widths[widest] -= 1
        excess -= 1
    return widths
