"""What a notebook shows of a trace and of a connection: HTML without scripts, short, all escaped.

Colours are the palette's; everything else is inherited from the page, light or dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import pandas as pd

from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tables.schema import ROLES
from tcptrace.tables.wording import counted, endpoint, span
from tcptrace.views import palette
from tcptrace.views.lettering import offset, printable, utc
from tcptrace.views.palette import Paint, paint_of

MOST_FINDINGS = 5
MOST_CONNECTIONS = 10
MOST_MOVES = 40  # of one endpoint: more are no summary
CELL = "padding: 1px 8px; text-align: left; vertical-align: top"
TIGHT = f"{CELL}; white-space: nowrap"
DIM = "opacity: 0.7"


def trace_html(
    name: str, capture: CaptureFacts, connections: pd.DataFrame, anomalies: pd.DataFrame
) -> str:
    """What the capture is, its worst findings, its first connections."""
    shown = connections.head(MOST_CONNECTIONS).reset_index()
    rows = [_connection_cells(row, capture.start or 0) for row in shown.to_dict("records")]
    head = ("conn", "originator", "responder", "at", "for", "last states", "closed by", "anomalies")
    left = len(connections) - len(rows)
    more = _dim(f"and {left:,} more: trace.connections") if left > 0 else ""
    table = _table(head, rows) if rows else _dim("no connections")
    return _whole(_heading(name), _dim(_facts(capture)), _findings(anomalies), table, more)


def connection_html(
    name: str, row: pd.Series[Any], timeline: pd.DataFrame, anomalies: pd.DataFrame
) -> str:
    """Who, how it ended, what is odd about it, and both timelines beside each other."""
    zero = int(row["ts_start"].value)
    sides = "".join(_side(timeline[timeline["role"] == role], role, zero) for role in ROLES)
    facts = [
        f"first packet {utc(zero)}, {span(int(row['duration'].value))}",
        f"closed by {row['closer']} ({row['close_kind']})" if row["closer"] != "none" else "open",
        f"ends by {row['end_reason']}",
        f"Zeek {row['conn_state']} {row['history']}",
    ]
    both = f'<div style="display: flex; gap: 24px; flex-wrap: wrap">{sides}</div>'
    return _whole(_heading(name), _dim("; ".join(facts)), _findings(anomalies), both)


def _facts(capture: CaptureFacts) -> str:
    """One line: packets, when, and how long."""
    parts = [counted(capture.packets, "packet"), counted(capture.segments, "TCP segment")]
    if capture.start is not None:
        parts.append(f"from {utc(capture.start)}, {span(int(capture.duration.value))}")
    return ", ".join(parts)


def _findings(anomalies: pd.DataFrame) -> str:
    """The worst few in a sentence each; observations that are no trouble come last."""
    if not len(anomalies):
        return _dim("no findings")
    order = anomalies["severity"].cat.codes.sort_values(ascending=False, kind="stable").index
    rows = anomalies.loc[order[:MOST_FINDINGS]].to_dict("records")
    lines = "".join(
        f'<li style="list-style: none">{_chip(row["severity"], palette.SEVERITIES)} '
        f"{_text(row['headline'])} {_dim(_code(row), 'span')}</li>"
        for row in rows
    )
    left = len(anomalies) - len(rows)
    more = _dim(f"and {counted(left, 'finding')} more: .anomalies") if left else ""
    return f'<ul style="padding: 0; margin: 4px 0">{lines}</ul>{more}'


def _code(row: Mapping[Any, Any]) -> str:
    return f"{row['code']}" + (f", {row['count']:,} times" if row["count"] > 1 else "")


def _connection_cells(row: Mapping[Any, Any], zero: int) -> list[str]:
    closer = "" if row["closer"] == "none" else f"{row['closer']} ({row['close_kind']})"
    return [
        _text(row["conn"]),
        _text(endpoint(str(row["orig_ip"]), row["orig_port"])),
        _text(endpoint(str(row["resp_ip"]), row["resp_port"])),
        _text(offset(row["ts_start"].value - zero)),
        _text(span(row["duration"].value)),
        f"{_state(row['orig_state'])} {_state(row['resp_state'])}",
        _text(closer),
        _text(str(row["anomalies"]).replace(",", ", ")),
    ]


def _side(moves: pd.DataFrame, role: str, zero: int) -> str:
    """One endpoint's states from top to bottom."""
    shown = moves.head(MOST_MOVES).to_dict("records")
    if not shown:
        return f"<div>{_dim(f'{role}: not seen')}</div>"
    first = shown[0]
    title = f"{role} {endpoint(str(first['ip']), first['port'])}"
    rows = [
        [
            _state(move["state"]),
            _text(offset(move["start"].value - zero)),
            "" if pd.isna(move["duration"]) else _text(span(move["duration"].value)),
            _text(move["event"]),
            _text(move["basis"]),
            "" if pd.isna(move["packet"]) else _text(move["packet"]),
        ]
        for move in shown
    ]
    left = len(moves) - len(rows)
    more = _dim(f"and {counted(left, 'move')} more: .timeline") if left else ""
    head = ("state", "at", "for", "by", "basis", "packet")
    return f"<div><b>{_text(title)}</b>{_table(head, rows)}{more}</div>"


def _table(head: Iterable[str], rows: Iterable[list[str]]) -> str:
    """Cells are HTML already; only the last of a row may be broken into lines."""
    names = "".join(f'<th style="{TIGHT}">{_text(name)}</th>' for name in head)
    lines = (
        "<tr>"
        + "".join(f'<td style="{TIGHT}">{cell}</td>' for cell in row[:-1])
        + f'<td style="{CELL}">{row[-1]}</td></tr>'
        for row in rows
    )
    body = f"<thead><tr>{names}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return f'<table style="font-size: inherit">{body}</table>'


def _state(state: Any) -> str:
    """A state in its colour; nothing where the endpoint was not seen."""
    return "" if pd.isna(state) else _painted(str(state), paint_of(str(state)))


def _chip(severity: Any, paints: Mapping[str, Paint]) -> str:
    return _painted(str(severity), paints[str(severity)])


def _painted(word: str, paint: Paint) -> str:
    look = f"background: {paint.fill}; color: {paint.ink}; padding: 0 5px; border-radius: 3px"
    return f'<span style="{look}">{_text(word)}</span>'


def _heading(name: str) -> str:
    return f"<b>{_text(name)}</b>"


def _dim(text: str, element: str = "div") -> str:
    return f'<{element} style="{DIM}">{_text(text)}</{element}>'


def _text(value: Any) -> str:
    """Anything as text: what a capture says is never markup."""
    return escape(printable(str(value)))


def _whole(*parts: str) -> str:
    return f'<div class="tcptrace">{"".join(parts)}</div>'
