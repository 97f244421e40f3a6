"""The machine drawn as RFC 9293 figure 5 lays it out: a standalone SVG.

The places are laid out by hand, as the RFC did; what goes where comes from the literals. Sudden
ends, which would cross the whole drawing, are told in words below it, as the RFC's notes do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

from tcptrace.tcp.states import LABELS, Event, State

WIDTH = 1000
BOX_WIDTH, BOX_HEIGHT = 150, 44
LINE_HEIGHT = 14
NOTES_TOP = 890

LEFT, MIDDLE, RIGHT = 170, 500, 830

PLACES: Final[dict[State, list[tuple[int, int]]]] = {
    State.CLOSED: [(MIDDLE, 60), (RIGHT, 820)],
    State.LISTEN: [(MIDDLE, 170)],
    State.SYN_RCVD: [(LEFT, 300)],
    State.SYN_SENT: [(RIGHT, 300)],
    State.ESTABLISHED: [(MIDDLE, 430)],
    State.FIN_WAIT_1: [(LEFT, 560)],
    State.CLOSE_WAIT: [(RIGHT, 560)],
    State.FIN_WAIT_2: [(LEFT, 690)],
    State.CLOSING: [(MIDDLE, 690)],
    State.LAST_ACK: [(RIGHT, 690)],
    State.TIME_WAIT: [(MIDDLE, 820)],
}
"""Centres of the boxes; the RFC draws CLOSED twice, at the beginning and at the end."""

SUDDEN: Final = frozenset(
    {
        Event.SND_RST,
        Event.RCV_RST,
        Event.RCV_ICMP_ERROR,
        Event.TIMEOUT_RETRANSMISSION,
        Event.REPLACED,
    }
)
"""Events whose moves to CLOSED are told below the drawing."""


class Route(NamedTuple):
    """An arrow's corners, and where its last label line stands."""

    corners: list[tuple[int, int]]
    label: tuple[int, int]
    anchor: str = "middle"


ROUTES: Final[dict[tuple[State, State], Route]] = {
    (State.CLOSED, State.LISTEN): Route([(470, 82), (470, 148)], (462, 120), "end"),
    (State.LISTEN, State.CLOSED): Route([(530, 148), (530, 82)], (538, 120), "start"),
    (State.CLOSED, State.SYN_SENT): Route([(575, 50), (875, 50), (875, 278)], (720, 42)),
    (State.SYN_SENT, State.CLOSED): Route([(825, 278), (825, 74), (575, 74)], (720, 90)),
    (State.LISTEN, State.SYN_SENT): Route([(575, 170), (775, 170), (775, 278)], (672, 162)),
    (State.LISTEN, State.SYN_RCVD): Route([(425, 170), (170, 170), (170, 278)], (300, 162)),
    (State.SYN_SENT, State.SYN_RCVD): Route([(755, 300), (245, 300)], (500, 292)),
    (State.SYN_RCVD, State.ESTABLISHED): Route([(215, 322), (215, 420), (425, 420)], (320, 412)),
    (State.SYN_SENT, State.ESTABLISHED): Route([(785, 322), (785, 420), (575, 420)], (680, 412)),
    (State.SYN_RCVD, State.FIN_WAIT_1): Route([(130, 322), (130, 538)], (122, 432), "end"),
    (State.SYN_RCVD, State.CLOSE_WAIT): Route(
        [(175, 322), (175, 494), (795, 494), (795, 538)], (500, 486)
    ),
    (State.ESTABLISHED, State.FIN_WAIT_1): Route([(425, 440), (225, 440), (225, 538)], (325, 470)),
    (State.ESTABLISHED, State.CLOSE_WAIT): Route([(575, 440), (850, 440), (850, 538)], (690, 456)),
    (State.FIN_WAIT_1, State.FIN_WAIT_2): Route([(130, 582), (130, 668)], (122, 630), "end"),
    (State.FIN_WAIT_1, State.CLOSING): Route([(245, 560), (500, 560), (500, 668)], (370, 552)),
    (State.FIN_WAIT_2, State.TIME_WAIT): Route([(170, 712), (170, 820), (425, 820)], (300, 812)),
    (State.CLOSING, State.TIME_WAIT): Route([(500, 712), (500, 798)], (508, 760), "start"),
    (State.CLOSE_WAIT, State.LAST_ACK): Route([(830, 582), (830, 668)], (838, 630), "start"),
    (State.LAST_ACK, State.CLOSED): Route([(830, 712), (830, 798)], (838, 760), "start"),
    (State.TIME_WAIT, State.CLOSED): Route([(575, 820), (755, 820)], (665, 812)),
}

STYLE = """
  text { font: 12px sans-serif; fill: #222; }
  .name { font-weight: bold; font-size: 13px; text-anchor: middle; }
  .note { fill: #444; }
  .head { font-weight: bold; }
  rect { fill: #eef4fb; stroke: #2a5d8f; stroke-width: 1.5; }
  polyline { fill: none; stroke: #555; stroke-width: 1.3; marker-end: url(#tip); }
"""
TIP = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="8" '
    'markerHeight="8" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="#555"/></marker></defs>'
)


class Arrow(NamedTuple):
    """All events that lead from one state to another."""

    state: State
    following: State
    events: list[Event]


def svg(reference: Sequence[Arrow], inferences: Sequence[Arrow]) -> str:
    """The drawing of the reference machine, with the sudden ends and the inferences below it."""
    body = [TIP, '<rect x="0" y="0" width="100%" height="100%" style="fill:#fff;stroke:none"/>']
    for arrow in reference:
        body += _arrow(arrow)
    for state, places in PLACES.items():
        body += [_box(state, place) for place in places]
    notes = [
        *_notes("Sudden ends, left out above as in RFC 9293 figure 5:", left_out(reference)),
        *_notes("What an observer adds to the RFC:", inferences),
    ]
    body += list(_words(notes))
    height = NOTES_TOP + len(notes) * (LINE_HEIGHT + 4)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">\n<title>TCP, RFC 9293 figure 5</title>\n'
        f"<style>{STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def drawn(arrow: Arrow) -> list[Event]:
    """The events of an arrow that the drawing shows."""
    ends = arrow.following is State.CLOSED
    return [event for event in arrow.events if not (ends and event in SUDDEN)]


def left_out(arrows: Sequence[Arrow]) -> list[Arrow]:
    """The arrows with those events only that the drawing does not show."""
    return [
        arrow._replace(events=[event for event in arrow.events if event not in drawn(arrow)])
        for arrow in arrows
    ]


def _arrow(arrow: Arrow) -> Iterator[str]:
    events = drawn(arrow)
    if not events:
        return
    route = ROUTES[arrow.state, arrow.following]
    points = " ".join(f"{x},{y}" for x, y in route.corners)
    yield f'<polyline points="{points}"/>'
    x, last = route.label
    for place, event in enumerate(events):
        y = last - (len(events) - 1 - place) * LINE_HEIGHT
        yield f'<text x="{x}" y="{y}" text-anchor="{route.anchor}">{escape(LABELS[event])}</text>'


def _box(state: State, place: tuple[int, int]) -> str:
    x, y = place
    return (
        f'<rect x="{x - BOX_WIDTH // 2}" y="{y - BOX_HEIGHT // 2}" width="{BOX_WIDTH}" '
        f'height="{BOX_HEIGHT}" rx="8"/><text class="name" x="{x}" y="{y + 5}">{state.name}</text>'
    )


def _notes(heading: str, arrows: Sequence[Arrow]) -> Iterator[tuple[str, str]]:
    """A line for each event and where it leads, in words, with its class."""
    yield "head", heading
    states: dict[tuple[Event, State], list[State]] = {}
    for arrow in arrows:
        for event in arrow.events:
            states.setdefault((event, arrow.following), []).append(arrow.state)
    for (event, following), places in states.items():
        yield "note", f"{LABELS[event]} → {following.name}, in {_listed(places)}"


def _listed(states: list[State]) -> str:
    """The states by name, or those left out where these are fewer."""
    others = [state for state in State if state not in states]
    if len(others) < len(states):
        return "all but " + ", ".join(state.name for state in others)
    return ", ".join(state.name for state in states)


def _words(notes: Sequence[tuple[str, str]]) -> Iterator[str]:
    for place, (kind, words) in enumerate(notes):
        y = NOTES_TOP + place * (LINE_HEIGHT + 4)
        yield f'<text class="{kind}" x="40" y="{y}">{escape(words)}</text>'
