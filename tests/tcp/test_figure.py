"""The drawing: well-formed, complete, and nothing lies on anything else."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

import pytest

from tcptrace.tcp.diagram import arrows, render
from tcptrace.tcp.figure import (
    BOX_HEIGHT,
    BOX_WIDTH,
    LINE_HEIGHT,
    NOTES_TOP,
    PLACES,
    ROUTES,
    WIDTH,
    Route,
    drawn,
    left_out,
)
from tcptrace.tcp.machine import INFERENCES, TRANSITIONS
from tcptrace.tcp.states import LABELS, Event, State

SVG = "{http://www.w3.org/2000/svg}"
LETTER = 7  # a generous width of one letter of 12 px
Rectangle = tuple[float, float, float, float]

SHOWN = [arrow for arrow in arrows(TRANSITIONS) if drawn(arrow)]


def boxes() -> list[Rectangle]:
    """The states' boxes as left, top, right, bottom."""
    half_width, half_height = BOX_WIDTH // 2, BOX_HEIGHT // 2
    centres = [place for places in PLACES.values() for place in places]
    return [(x - half_width, y - half_height, x + half_width, y + half_height) for x, y in centres]


def label(route: Route, events: list[Event]) -> Rectangle:
    """The room that an arrow's label takes."""
    x, bottom = route.label
    width = max(len(LABELS[event]) for event in events) * LETTER
    left = {"start": x, "middle": x - width / 2, "end": x - width}[route.anchor]
    return (left, bottom - len(events) * LINE_HEIGHT + 3, left + width, bottom + 3)


def overlap(one: Rectangle, other: Rectangle) -> bool:
    """Whether two rectangles share room; touching is none."""
    apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    return not apart


def strokes(route: Route) -> list[Rectangle]:
    """The straight pieces of an arrow, as thin rectangles."""
    pieces = zip(route.corners, route.corners[1:], strict=False)
    return [(min(a, c), min(b, d), max(a, c), max(b, d)) for (a, b), (c, d) in pieces]


LABELLED = [label(ROUTES[arrow.state, arrow.following], drawn(arrow)) for arrow in SHOWN]


def test_it_is_one_well_formed_picture() -> None:
    """A browser shows it without anything else."""
    root = ElementTree.fromstring(render("svg"))
    assert f"{SVG}svg" == root.tag
    assert str(WIDTH) == root.get("width")
    assert "href" not in render("svg")


def test_every_state_has_a_box() -> None:
    """CLOSED two of them, as in figure 5."""
    root = ElementTree.fromstring(render("svg"))
    names = [text.text for text in root.iter(f"{SVG}text") if "name" == text.get("class")]
    assert sorted([*State.__members__, "CLOSED"]) == sorted(names)


def test_every_move_is_drawn_or_told() -> None:
    """An arrow with its label, or a line of words below."""
    texts = [text.text or "" for text in ElementTree.fromstring(render("svg")).iter(f"{SVG}text")]
    assert set(ROUTES) == {(arrow.state, arrow.following) for arrow in SHOWN}
    for arrow in SHOWN:
        assert {LABELS[event] for event in drawn(arrow)} <= set(texts)
    for arrow in [*left_out(arrows(TRANSITIONS)), *arrows(INFERENCES)]:
        for event in arrow.events:
            begun = f"{LABELS[event]} → {arrow.following.name}, in "
            told = [text.removeprefix(begun) for text in texts if text.startswith(begun)]
            assert any(arrow.state.name in words or "all but" in words for words in told), begun


@pytest.mark.parametrize("pair", list(combinations(range(len(LABELLED)), 2)), ids=str)
def test_no_label_lies_on_another(pair: tuple[int, int]) -> None:
    """Two events' words are never mixed."""
    assert not overlap(LABELLED[pair[0]], LABELLED[pair[1]])


def test_no_label_lies_on_a_box_or_an_arrow() -> None:
    """Words stand free of the boxes and of every stroke."""
    lines = [stroke for route in ROUTES.values() for stroke in strokes(route)]
    for words in LABELLED:
        assert not [box for box in boxes() if overlap(words, box)]
        assert not [line for line in lines if overlap(words, line)]


def test_no_arrow_runs_through_a_box() -> None:
    """It touches two boxes at their edges: where it comes from and where it goes."""
    for route in ROUTES.values():
        crossed = [box for box in boxes() for stroke in strokes(route) if overlap(box, stroke)]
        assert [] == crossed


def test_all_is_inside_the_picture_and_above_the_notes() -> None:
    """Nothing is cut off."""
    for left, top, right, bottom in [*LABELLED, *boxes()]:
        assert 0 <= left and right <= WIDTH and 0 <= top and bottom < NOTES_TOP
