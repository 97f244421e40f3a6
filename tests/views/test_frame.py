"""Header, findings and legend of a ladder."""

from __future__ import annotations

import pandas as pd
import pytest

from tcptrace.views.frame import MOST_FINDINGS, add_footer, add_header
from tcptrace.views.places import WIDTH
from tcptrace.views.scene import Scene
from tcptrace.views.shapes import Band, Drawing
from tests.views.scenes import ORDERLY, captured, scene


def test_the_header_says_whose_ladder_it_is() -> None:
    """Both endpoints, when, and how it ended."""
    drawing = Drawing(WIDTH)
    add_header(drawing, captured("close_by_client"))
    assert "connection 0  192.0.2.1:40060 → 192.0.2.2:8080" == drawing.title
    assert "fin by originator" in drawing.description
    assert "UTC" in drawing.description and "one way" in drawing.description


@pytest.mark.parametrize("name", ["捕" * 300, "a" * 3_000, "\x1b[31m\udcff", "<b>&amp;"])
def test_a_capture_may_be_called_anything(name: str) -> None:
    """The title stays on the page, and every character can be seen."""
    held = scene(ORDERLY)
    drawing = Drawing(WIDTH)
    add_header(
        drawing, Scene(held.row, held.timeline, held.segments, held.anomalies, held.end, name)
    )
    assert all(x <= WIDTH for label in drawing.labels for x, _ in label.corners)
    assert all(label.text.isprintable() for label in drawing.labels)


def test_why_there_are_no_segments() -> None:
    """A stream cannot be read twice."""
    held = scene(ORDERLY)
    drawing = Drawing(WIDTH)
    add_header(
        drawing,
        Scene(held.row, held.timeline, held.segments.head(0), held.anomalies, 0, "", "it is gone"),
    )
    assert "without its packets: it is gone" in drawing.description


def test_many_findings_are_counted() -> None:
    """The first ones in words, the rest as a number."""
    held = captured("handshake_ack_lost")
    many = pd.concat([held.anomalies] * (MOST_FINDINGS + 3), ignore_index=True)
    drawing = Drawing(WIDTH)
    add_footer(drawing, Scene(held.row, held.timeline, held.segments, many), 100)
    assert list(range(1, MOST_FINDINGS + 1)) == [pin.number for pin in drawing.pins]
    assert "and 3 more findings" in [label.text for label in drawing.labels]
    assert drawing.height > max(label.y for label in drawing.labels)


def test_the_legend_explains_what_is_used() -> None:
    """And nothing else."""
    drawing = Drawing(WIDTH, bands=[Band(0, 0, 9, "TIME_WAIT", "timer")])
    add_footer(drawing, scene(ORDERLY), 100)
    words = [label.text for label in drawing.labels]
    assert ["TIME_WAIT", "timer or assumed"] == words
