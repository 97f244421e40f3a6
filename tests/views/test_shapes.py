"""Boxes of words, turned, and whether they meet."""

from __future__ import annotations

import pytest

from tcptrace.views.fates import LOST
from tcptrace.views.shapes import Arrow, Label, Piece, meet

SQUARE = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]


def moved(x: float, y: float) -> list[tuple[float, float]]:
    return [(a + x, b + y) for a, b in SQUARE]


@pytest.mark.parametrize(
    ("x", "y", "overlap"), [(5, 5, True), (10, 0, False), (0, 10, False), (9.9, 9.9, True)]
)
def test_squares(x: float, y: float, overlap: bool) -> None:
    """Touching is not meeting."""
    assert overlap == meet(SQUARE, moved(x, y)) == meet(moved(x, y), SQUARE)


def test_turned_boxes_may_lie_closer_than_their_outlines() -> None:
    """Two lines of words on the same slope do not meet, though upright boxes around them would."""
    one = Label(0, 0, (Piece("x" * 40),), angle=10)
    other = Label(0, 14, (Piece("x" * 40),), angle=10)
    assert not meet(one.corners, other.corners)
    assert meet(one.corners, Label(0, 5, (Piece("x" * 40),), angle=10).corners)


def test_boxes_reach_where_their_text_is_anchored() -> None:
    """From the point on, up to it, or around it; with the room kept before the text."""
    left, middle, right = (
        Label(100, 0, (Piece("abcd"),), anchor, lead=lead)
        for anchor, lead in (("start", 5), ("middle", 0), ("end", 5))
    )
    assert 100 == min(x for x, _ in left.corners)
    assert 100 + left.width + 5 == max(x for x, _ in left.corners)
    assert 200 == min(x for x, _ in middle.corners) + max(x for x, _ in middle.corners)
    assert 100 == max(x for x, _ in right.corners)


def test_wide_letters_count_twice() -> None:
    """Else their label would be clipped."""
    assert Label(0, 0, (Piece("捕獲"),)).width == Label(0, 0, (Piece("abcd"),)).width


def test_a_lost_segment_does_not_arrive() -> None:
    """Its arrow breaks off on the way."""
    assert (72, 0) == Arrow((0, 0), (100, 0), loss=LOST).tip
    assert (100, 0) == Arrow((0, 0), (100, 0)).tip
