"""What the tracker makes of a written conversation, with one of its kernels in either run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from conversation import play, read
from exchange import START

from tcptrace.decode.segments import Segments
from tcptrace.tables.story import story
from tcptrace.tcp.states import Event, Role, State
from tcptrace.tracker import (
    closing,
    connections,
    ending,
    fin_receipt,
    fin_sending,
    judgement,
    opening,
    telling,
    tracker,
)
from tcptrace.tracker.tracker import Reconstruction, Tracker
from tcptrace.tracker.transitions import Basis

CONVERSATIONS = Path(__file__).resolve().parent / "conversations"
USERS = (
    *(closing, connections, ending, fin_receipt, fin_sending, judgement, opening, telling),
    tracker,
)

Kernel = Callable[[str], ModuleType]


def use(monkeypatch: pytest.MonkeyPatch, kernel: Kernel, name: str, noun: str = "") -> None:
    """Have the tracker run the kernel `tcptrace.tracker.name`, as `kernel` loads it."""
    module = kernel(f"tcptrace.tracker.{name}")
    for user in USERS:
        if noun and hasattr(user, noun):
            monkeypatch.setattr(user, noun, getattr(module, noun))
        elif not noun and hasattr(user, name):
            monkeypatch.setattr(user, name, module)


def found(name: str) -> Reconstruction:
    """All that is said of a conversation, seen from the first of its taps."""
    conversation = read(CONVERSATIONS / f"{name}.txt")
    return reconstructed(play(conversation, conversation.taps[0]).segments)


def reconstructed(segments: Segments) -> Reconstruction:
    """All that is said of segments that come in one batch."""
    tracker_ = Tracker()
    tracker_.feed(segments)
    return tracker_.finish()


def taken_back(result: Reconstruction, conn: int = 0) -> list[str]:
    """What the story tells of the moves that were taken back, without their times."""
    lines = story(result, conn, int(result.connections.time_end[conn]))
    return [" ".join(line.split()[1:]) for line in lines if " not " in line and " by " in line]


def told(name: str, role: Role, conn: int = 0) -> list[str]:
    """An endpoint's rows that stand, as `STATE event basis packet confirmed_by`."""
    return told_of(found(name), role, conn)


def told_of(result: Reconstruction, role: Role, conn: int = 0) -> list[str]:
    """The same of what was made of any segments."""
    moves = result.transitions
    return [
        f"{State(row[2]).name} {Event(row[3]).name} {Basis(row[4]).name} {row[8]} {row[9]}"
        for row in moves.matrix.tolist()
        if row[0] == conn and row[1] == role and row[4] != Basis.RETRACTED
    ]


def earliest_of(result: Reconstruction, role: Role, state: State) -> int:
    """Since when, in ms after `exchange.START`, an endpoint may have been in a state."""
    rows = result.transitions
    of = (rows.role == role) & (rows.state == state) & (rows.basis != Basis.RETRACTED)
    (nanoseconds,) = rows.earliest[of].tolist()
    return int(nanoseconds - START) // 1_000_000


def states(name: str, role: Role, conn: int = 0) -> str:
    """An endpoint's states in order."""
    return " ".join(line.split()[0] for line in told(name, role, conn))
