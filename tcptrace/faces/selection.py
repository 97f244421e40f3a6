"""Which connections and which columns: `--conn`, `--host`, `--port`, `-Y` and `-e`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING

from tcptrace.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Selection:
    """What the user narrowed the answer to; empty tuples and None narrow nothing."""

    conns: tuple[range, ...] = ()
    hosts: tuple[str, ...] = ()
    ports: tuple[range, ...] = ()
    expression: str | None = None

    @property
    def by_connection(self) -> bool:
        """Whether connections are picked, apart from the expression over a table's own columns."""
        return bool(self.conns or self.hosts or self.ports)

    def connections(self, table: pd.DataFrame) -> pd.DataFrame:
        """The picked rows of a connections table, whether `conn` is its index or a column."""
        from tcptrace.faces.expression import matching

        flat = flattened(table)
        if self.conns:
            flat = flat[_inside(flat["conn"], self.conns)]
        for host in self.hosts:
            flat = matching(flat, f"ip == '{host}'")
        if self.ports:
            near = _inside(flat["orig_port"], self.ports)
            flat = flat[near | _inside(flat["resp_port"], self.ports)]
        return flat

    def rows(self, table: pd.DataFrame, connections: pd.DataFrame) -> pd.DataFrame:
        """The rows of another table that belong to the picked connections; its index a column."""
        if not self.by_connection:
            return flattened(table)
        return rows_about(table, self.connections(connections))


def rows_about(table: pd.DataFrame, picked: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table that belong to these connections, a flattened connections table.

    A finding about a host or a service has no connection of its own: it stays if one of its
    examples is picked.
    """
    flat, conns = flattened(table), set(picked["conn"])
    own = flat["conn"].isin(conns)
    if "examples" in flat.columns:
        shown = flat["examples"].map(lambda cell: bool(conns.intersection(cell))).astype(bool)
        own |= flat["conn"].isna() & shown
    return flat[own.to_numpy(bool)]


def flattened(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its named index, such as `conn`, as its first column."""
    if table.index.name is None or table.index.name in table.columns:
        return table.reset_index(drop=True)
    return table.reset_index()


def picked_columns(table: pd.DataFrame, asked: Iterable[str]) -> pd.DataFrame:
    """The asked columns, in the order asked; UsageError with the near names and the whole list."""
    names = [name.strip() for entry in asked for name in entry.split(",") if name.strip()]
    columns = list(table.columns)
    for name in names:
        if name not in columns:
            raise UsageError(f"{unknown_column(name, columns)}; there are {', '.join(columns)}")
    return table[list(dict.fromkeys(names))] if names else table


def unknown_column(name: str, columns: Sequence[str]) -> str:
    """The message for a column that a table does not have, with those that look like it."""
    within = [column for column in columns if name and name in column]
    near = list(dict.fromkeys([*within, *difflib.get_close_matches(name, columns, 3, 0.6)]))
    hint = f"; near it: {', '.join(near[:4])}" if near else ""
    return f"no column is called {name!r}{hint}"


def parse_numbers(text: str, option: str, highest: int | None = None) -> tuple[range, ...]:
    """The ranges in `3`, `1,4-6`; UsageError for anything else."""
    return tuple(_one_range(piece.strip(), option, highest) for piece in text.split(","))


def parse_ports(text: str) -> tuple[range, ...]:
    """The ranges of ports in `443`, `80,8000-8099`; UsageError for anything else."""
    return parse_numbers(text, "--port", HIGHEST_PORT)


def parse_host(text: str) -> str:
    """An address or network as given to `--host`; UsageError for a name: none is looked up."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        reason = "give an address or a network such as 10.0.0.0/8 (names are never looked up)"
        raise UsageError(f"--host {text!r}: {reason}") from None
    return text


def _one_range(piece: str, option: str, highest: int | None) -> range:
    first, dash, last = piece.partition("-")
    last = last if dash else first
    fits = first.isascii() and first.isdigit() and last.isascii() and last.isdigit()
    if not fits or len(first + last) > 38 or int(first) > int(last):
        raise UsageError(f"{option} {piece!r}: give numbers and ranges such as 3 or 1,4-6")
    if highest is not None and int(last) > highest:
        raise UsageError(f"{option} {piece!r}: the highest is {highest}")
    return range(int(first), int(last) + 1)


def _inside(column: pd.Series[int], ranges: Sequence[range]) -> pd.Series[bool]:
    inside = column.isna() & False
    for numbers in ranges:
        inside |= column.between(numbers.start, numbers.stop - 1).fillna(False).astype(bool)
    return inside
