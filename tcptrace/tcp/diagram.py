"""The machine for people: a table in text, Mermaid, SVG and JSON, all made from the literals."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from tcptrace.errors import UsageError
from tcptrace.tcp.figure import Arrow, svg
from tcptrace.tcp.machine import IGNORED, INFERENCES, TRANSITIONS, Literal
from tcptrace.tcp.states import LABELS, Event, State

LITERALS: Final[dict[str, Literal]] = {"RFC 9293": TRANSITIONS, "observer": INFERENCES}
"""Where a move stands, as every rendering calls it."""


def render(kind: str) -> str:
    """The machine as `text`, `mermaid`, `svg` or `json`; UsageError for another kind."""
    if kind not in RENDERINGS:
        raise UsageError(f"the machine is drawn as {', '.join(RENDERINGS)}, not as {kind!r}")
    return RENDERINGS[kind]()


def arrows(literal: Literal) -> list[Arrow]:
    """The moves of a literal, those between the same two states together."""
    joined: dict[tuple[State, State], list[Event]] = {}
    for state, row in literal.items():
        for event, following in row.items():
            if isinstance(following, State):
                joined.setdefault((state, following), []).append(event)
    return [Arrow(state, following, events) for (state, following), events in joined.items()]


def ignored(state: State) -> list[Event]:
    """What may happen in a state and moves nothing."""
    row = {**TRANSITIONS[state], **INFERENCES.get(state, {})}
    return [event for event, following in row.items() if following is IGNORED]


def _labels(events: list[Event], between: str = ", ") -> str:
    return between.join(LABELS[event] for event in events)


def text() -> str:
    """A table: state, event, next state, where it stands; then what each state ignores."""
    rows = [("state", "event", "next state", "by")]
    for state in State:
        for source, literal in LITERALS.items():
            for event, following in literal.get(state, {}).items():
                if isinstance(following, State):
                    rows.append((state.name, LABELS[event], following.name, source))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    lines += ["", "moves nothing:"]
    for state in State:
        lines.append(f"{state.name.ljust(widths[0])}  {_labels(ignored(state), '; ')}")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def mermaid() -> str:
    """A Mermaid state diagram of the reference machine, without the observer's inferences."""
    lines = ["stateDiagram-v2", "    [*] --> CLOSED"]
    lines += [
        f"    {arrow.state.name} --> {arrow.following.name}: {_labels(arrow.events)}"
        for arrow in arrows(TRANSITIONS)
    ]
    return "\n".join(lines) + "\n"


def as_json() -> str:
    """States, events and every cell that is no hole, for other programs."""
    cells = [
        {
            "state": state.name,
            "event": event.name,
            "next": following.name if isinstance(following, State) else None,
            "by": source,
        }
        for source, literal in LITERALS.items()
        for state, row in literal.items()
        for event, following in row.items()
    ]
    machine = {
        "states": [state.name for state in State],
        "events": {event.name: LABELS[event] for event in Event},
        "transitions": cells,
    }
    return json.dumps(machine, indent=2) + "\n"


def figure() -> str:
    """The drawing of figure 5; what it leaves out for legibility stands below it in words."""
    return svg(arrows(TRANSITIONS), arrows(INFERENCES))


RENDERINGS: Final[dict[str, Callable[[], str]]] = {
    "text": text,
    "mermaid": mermaid,
    "svg": figure,
    "json": as_json,
}
