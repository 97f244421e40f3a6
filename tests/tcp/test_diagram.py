"""The four renderings say what the literals say, no more and no less."""

from __future__ import annotations

import json

import pytest

from tcptrace.errors import UsageError
from tcptrace.tcp.diagram import RENDERINGS, arrows, ignored, render
from tcptrace.tcp.machine import IGNORED, INFERENCES, TRANSITIONS, step
from tcptrace.tcp.states import LABELS, Event, State

MOVES = {
    (state.name, LABELS[event], following.name)
    for literal in (TRANSITIONS, INFERENCES)
    for state, row in literal.items()
    for event, following in row.items()
    if isinstance(following, State)
}


def test_the_table_has_a_line_for_each_move() -> None:
    """State, event, next state, and by whom, in columns."""
    table = render("text").split("\n\n")[0].splitlines()[2:]
    starts = [0, *(table[0].index(word) for word in ("passive OPEN", "LISTEN", "RFC 9293"))]
    cells = [
        [line[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)]
        for line in table
    ]
    assert MOVES == {(state, event, following) for state, event, following, _ in cells}
    assert {"RFC 9293", "observer"} == {by for *_, by in cells}


def test_the_table_tells_what_moves_nothing() -> None:
    """One line a state, its ignored events by label."""
    told = render("text").split("moves nothing:\n")[1].splitlines()
    assert [state.name for state in State] == [line.split()[0] for line in told]
    assert told[State.SYN_RCVD].endswith("  snd SYN; rcv SYN")


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_what_is_ignored_is_what_the_machine_ignores(state: State) -> None:
    """An inference that moves takes an event out of the ignored ones."""
    expected = {event for event in Event if step(state, event) is IGNORED}
    assert expected == set(ignored(state))


def test_mermaid_has_an_arrow_for_each_pair_of_states() -> None:
    """The reference machine alone; events of one arrow share its label."""
    head, start, *lines = render("mermaid").splitlines()
    assert ("stateDiagram-v2", "    [*] --> CLOSED") == (head, start)
    joined = {line.strip().split(": ")[0]: line.split(": ")[1] for line in lines}
    assert len(lines) == len(joined) == len(arrows(TRANSITIONS))
    assert "snd FIN, CLOSE" == joined["ESTABLISHED --> FIN_WAIT_1"]


def test_json_holds_every_cell() -> None:
    """With names that other programs can rely on, and null for what stays."""
    machine = json.loads(render("json"))
    assert list(State.__members__) == machine["states"]
    assert {event.name: LABELS[event] for event in Event} == machine["events"]
    filled = sum(len(row) for literal in (TRANSITIONS, INFERENCES) for row in literal.values())
    assert filled == len(machine["transitions"])
    moving = [cell for cell in machine["transitions"] if cell["next"]]
    assert MOVES == {(c["state"], LABELS[Event[c["event"]]], c["next"]) for c in moving}


def test_an_unknown_kind_is_a_usage_error() -> None:
    """The message lists the kinds there are."""
    with pytest.raises(UsageError, match="text, mermaid, svg, json"):
        render("png")


@pytest.mark.parametrize("kind", RENDERINGS)
def test_every_rendering_ends_its_last_line(kind: str) -> None:
    """What is printed ends with one line break."""
    printed = render(kind)
    assert printed.endswith("\n") and not printed.endswith("\n\n")
