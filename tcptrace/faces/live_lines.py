"""A live capture as lines, one a state move and one a finding: for pipes and logs."""

from __future__ import annotations

from collections.abc import Iterator
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
    from tcptrace.tables.encoded import json_lines as lines_of

    seen = update.time.isoformat().replace("+00:00", "Z")
    for kind, table in (("move", _in_order(update)), ("finding", update.anomalies)):
        for lines in lines_of(table, f'"line": "{kind}", "seen": "{seen}", '):
            yield from lines.split("\n")[:-1]


FORMS = {"text": text_lines, "jsonl": json_lines}


def write_lines(update: Update, form: str, stream: IO[str]) -> None:
    """The lines of an update, flushed; BrokenPipeError where nobody reads any more."""
    stream.writelines(line + "\n" for line in FORMS[form](update))
    stream.flush()


def _in_order(update: Update) -> pd.DataFrame:
    """The moves by the time of their entry, what is taken back first of all."""
    return update.moves.sort_values("start", kind="stable")


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
