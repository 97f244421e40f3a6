"""The colours and strokes of every picture: one literal for states, severities and bases.

Derived from Okabe and Ito's palette for colour-blind readers (Color Universal Design, 2008). The
way in is yellow and brown, the closer's way out blue, the other side's way out orange; the three
colours that it lacks were chosen so that any two states stay apart for every kind of sight.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tcptrace.tcp.states import State


class Paint(NamedTuple):
    """A colour and that of text upon it, `#rrggbb`; at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""

    fill: str
    ink: str


BLACK, WHITE = "#000000", "#ffffff"

STATES: Final[dict[State, Paint]] = {
    State.CLOSED: Paint("#d9d9d9", BLACK),
    State.LISTEN: Paint("#595959", WHITE),
    State.SYN_SENT: Paint("#f0e442", BLACK),
    State.SYN_RCVD: Paint("#7b3f00", WHITE),
    State.ESTABLISHED: Paint("#009e73", BLACK),
    State.FIN_WAIT_1: Paint("#56b4e9", BLACK),
    State.FIN_WAIT_2: Paint("#0072b2", WHITE),
    State.CLOSE_WAIT: Paint("#d55e00", BLACK),
    State.CLOSING: Paint("#332288", WHITE),
    State.LAST_ACK: Paint("#e69f00", BLACK),
    State.TIME_WAIT: Paint("#cc79a7", BLACK),
}
"""The paint of each of the eleven states."""

SEVERITIES: Final[dict[str, Paint]] = {
    "info": Paint("#d9d9d9", BLACK),
    "notice": Paint("#56b4e9", BLACK),
    "warning": Paint("#e69f00", BLACK),
    "critical": Paint("#b40426", WHITE),
}
"""The paint of a finding, by the words of `tables.schema.SEVERITIES`."""

STROKES: Final[dict[str, str]] = {
    "observed": "solid",
    "confirmed": "solid",
    "presumed": "dashed",
    "inferred": "dashed",
    "timer": "dotted",
    "assumed": "dotted",
}
"""How the edge of a move is drawn, by the words of `tables.schema.BASES`."""


def paint_of(state: str) -> Paint:
    """The paint of a state as the tables spell it."""
    return STATES[State[state]]
