"""A live capture as lines, one a state move and one a finding: for pipes and logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import IO, TYPE_CHECKING, Any

from tcptrace.faces.finding import doubt, some_connections
from tcptrace.faces.terminal import printable
from tcptrace.tables.wording import endpoint

if TYPE_CHECKING:
    import pandas as pd

    from tcptrace.look import Update

MICROSECOND = 15  # octets of a time of day up to its microseconds


def text_lines(update: Update) -> Iterator[str]:
    """For people: the time, the connection, who moved from where to where, by what, on what."""
    for move in _in_order(update).to_dict("records"):
        yield printable(_move(move))
    for finding in update.anomalies.to_dict("records"):
        yield printable(f"{_time(update.time)}  {_finding(finding)}")


def json_lines(update: Update) -> Iterator[str]:
    """For programs: an object a line; `line` is move or finding, `seen` the time of the look.

    The other keys are columns: of a move those of `timeline`, and `left`, the state before, and
    `change` (new, revised, taken_back); of a finding those of `anomalies`.
    """
    seen = update.time.isoformat().replace("+00:00", "Z")
    for kind, table in (("move", _in_order(update)), ("finding", update.anomalies)):
        begin = f'{{"line": "{kind}", "seen": "{seen}"'
        yield from (begin + "".join(cells) + "}" for cells in _members(table))


FORMS = {"text": text_lines, "jsonl": json_lines}


def write_lines(update: Update, form: str, stream: IO[str]) -> None:
    """The lines of an update, flushed; BrokenPipeError where nobody reads any more."""
    stream.writelines(line + "\n" for line in FORMS[form](update))
    stream.flush()


def _in_order(update: Update) -> pd.DataFrame:
    """The moves by the time of their entry, what is taken back first of all."""
    return update.moves.sort_values("start", kind="stable")


def _members(table: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """Of each row its cells as members of a JSON object, each with the comma before it."""
    names = list(table.columns)
    columns = [[f', "{name}": {cell}' for cell in _encoded(table[name])] for name in names]
    return zip(*columns, strict=True)


def _encoded(column: pd.Series[Any]) -> Iterator[str]:
    """The cells in JSON; each category is encoded once, for a busy capture has many lines."""
    from tcptrace.faces.cells import machine_cells

    kind = column.dtype
    if getattr(kind, "categories", None) is not None:
        words = [encode_basestring(str(word)) for word in column.cat.categories]
        return map([*words, "null"].__getitem__, column.cat.codes.tolist())
    return map(_cell, machine_cells(column))


def _cell(cell: Any) -> str:
    if isinstance(cell, str):
        return encode_basestring(cell)
    if type(cell) is int:
        return str(cell)
    return "null" if cell is None else json.dumps(cell, ensure_ascii=False)


def _move(move: dict[Any, Any]) -> str:
    left = move["left"] if isinstance(move["left"], str) else ""
    way = f"{left} → {move['state']}" if left else move["state"]
    change = {"revised": ", now ", "taken_back": ", taken back: was "}.get(move["change"], ", ")
    us, peer = endpoint(move["ip"], move["port"]), endpoint(move["peer_ip"], move["peer_port"])
    return (
        f"{_time(move['start'])}  conn {move['conn']}  {us} with {peer}  {way}  "
        f"{move['event']}{change}{move['basis']}"
    )


def _finding(finding: dict[Any, Any]) -> str:
    where = "; ".join(filter(None, (finding["code"], some_connections(finding))))
    return f"[{finding['severity']}{doubt(finding)}]  {finding['headline']}  ({where})"


def _time(moment: pd.Timestamp) -> str:
    return moment.time().isoformat("microseconds")[:MICROSECOND]
