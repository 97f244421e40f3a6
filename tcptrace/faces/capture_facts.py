"""What the capture is: files, packets, span, link types, where the tap stands, what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tcptrace.faces.quantities import counted, octets, span
from tcptrace.faces.terminal import printable

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

MOST_FILES = 3
MOST_REASONS = 4


def facts(capture: Any, connections: pd.DataFrame, picked: pd.DataFrame) -> Table:
    """The capture as labelled lines; `picked` are the connections that the request selects."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for label, text in lines(capture, connections, picked):
        if text:
            table.add_row(label, Text(printable(text)))
    return table


def lines(capture: Any, connections: pd.DataFrame, picked: pd.DataFrame) -> list[tuple[str, str]]:
    """Label and text of each line, empty texts where there is nothing to say."""
    return [
        ("capture", _files(capture)),
        ("packets", _packets(capture)),
        ("time", _time(capture)),
        ("link", ", ".join(capture.link_types)),
        ("tap", _tap(picked)),
        ("missing", _missing(picked)),
        ("skipped", _skipped(capture)),
        ("connections", _connections(connections, picked)),
    ]


def _files(capture: Any) -> str:
    paths = [facts.path for facts in capture.files]
    more = f" and {len(paths) - MOST_FILES} more files" if len(paths) > MOST_FILES else ""
    return ", ".join(paths[:MOST_FILES]) + more


def _packets(capture: Any) -> str:
    if not capture.packets:
        return "none: the capture holds no packet"
    return f"{counted(capture.packets, 'packet')}, {counted(capture.segments, 'TCP segment')}"


def _time(capture: Any) -> str:
    if capture.start is None or capture.end is None:
        return ""
    import pandas as pd

    first, last = pd.Timestamp(capture.start, tz="UTC"), pd.Timestamp(capture.end, tz="UTC")
    day = "%Y-%m-%d %H:%M:%S.%f"
    until = last.strftime("%H:%M:%S.%f" if first.date() == last.date() else day)
    length = span(int(last.value) - int(first.value))
    return f"{first.strftime(day)} to {until} UTC ({length})"


def _tap(picked: pd.DataFrame) -> str:
    """Where the tap stands: the one place, or how many connections say which."""
    counts = picked["vantage"].value_counts()
    places = [(str(place), int(count)) for place, count in counts.items() if count]
    if len(places) == 1:
        return _PLACES.get(places[0][0], places[0][0])
    return ", ".join(f"{_PLACES.get(place, place)} ({count:,})" for place, count in places)


_PLACES = {
    "unknown": "at an unknown place of the path",
    "originator": "beside the originators",
    "responder": "beside the responders",
    "middle": "on the path between the endpoints",
}


def _missing(picked: pd.DataFrame) -> str:
    """Acknowledged octets that the capture does not hold."""
    gaps = picked[["orig_missed_bytes", "resp_missed_bytes"]].sum(axis=1)
    if not gaps.sum():
        return ""
    where = counted(int((gaps > 0).sum()), "connection")
    return f"{octets(int(gaps.sum()))} acknowledged but not captured, in {where}"


def _skipped(capture: Any) -> str:
    reasons = sorted(capture.skipped.items(), key=lambda pair: -pair[1])
    told = ", ".join(f"{count:,} {reason}" for reason, count in reasons[:MOST_REASONS])
    more = sum(count for _, count in reasons[MOST_REASONS:])
    return f"{told}, {more:,} for other reasons" if more else told


def _connections(connections: pd.DataFrame, picked: pd.DataFrame) -> str:
    if len(picked) == len(connections):
        return f"{len(connections):,}"
    return f"{len(picked):,} picked of {len(connections):,}"
