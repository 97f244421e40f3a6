"""Pins the swimlane: everything fits, nothing overlaps, colours and strokes are the palette's."""

from __future__ import annotations

import sys
from itertools import pairwise
from xml.etree import ElementTree as xml

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.transforms import Bbox

import tcptrace
from tcptrace.errors import UsageError
from tcptrace.views.lanes import lanes
from tcptrace.views.palette import paint_of
from tcptrace.views.swimlane import swimlane
from tests.anomalies.scenes import closed_by_originator, refused
from tests.kernel_lab.expect import capture_of
from tests.kernel_lab.record import CAPTURES, CASES
from tests.tables.written import Written, orderly_close
from tests.test_trace import three, trace


def picture(made: Written, source: str = "", **asked):  # type: ignore[no-untyped-def]
    found = trace(made)
    tables = (found.connections, found.timeline, found.anomalies)
    return swimlane(lanes(tables, found.end, **asked), source)


def drawn(made):  # type: ignore[no-untyped-def]
    """The picture's axes, and a renderer that knows how large everything became."""
    canvas = FigureCanvasAgg(made)
    canvas.draw()
    return made.axes[0], canvas.get_renderer()


def boxes(made) -> list[Bbox]:  # type: ignore[no-untyped-def]
    """Where each word of the picture stands, in pixels."""
    axes, renderer = drawn(made)
    texts = [*axes.texts, axes.title, axes.xaxis.label, *axes.get_xticklabels()]
    texts += [*axes.get_yticklabels(), *made.legends[0].get_texts()]
    left, right = axes.get_xlim()
    seen = [text for text in texts if text.get_text()]
    hidden = [t for t in axes.get_xticklabels() if not left <= t.get_position()[0] <= right]
    return [text.get_window_extent(renderer) for text in seen if text not in hidden]


@pytest.mark.parametrize("name", list(CASES))
def test_words_neither_overlap_nor_leave_the_page(name: str) -> None:
    """Of every shipped case."""
    made = tcptrace.read(capture_of(CAPTURES / name), progress=False).swimlane()
    found = boxes(made)
    page = Bbox.from_bounds(0, 0, *(made.get_size_inches() * made.dpi))
    assert [] == [
        box for box in found if not page.contains(*box.min) or not page.contains(*box.max)
    ]
    overlaps = [(a, b) for n, a in enumerate(found) for b in found[:n] if a.overlaps(b)]
    assert [] == overlaps


def test_crowd_is_legible() -> None:
    """Thirty connections: the same holds where lanes are thin."""
    made = Written()
    for port in range(40):
        closed_by_originator(made, 40000 + port)
    found = boxes(picture(made, most=30))
    assert [] == [(a, b) for n, a in enumerate(found) for b in found[:n] if a.overlaps(b)]


def test_colour_is_the_state() -> None:
    """Full for what is proved; paler, on white, for what is presumed."""
    made = Written()
    orderly_close(made)
    axes, _ = drawn(picture(made))
    fills = {to_hex(bar.get_facecolor()) for bar in axes.patches}
    for state in ("SYN_SENT", "ESTABLISHED", "FIN_WAIT_2", "LAST_ACK", "TIME_WAIT"):
        assert paint_of(state).fill in fills
    assert paint_of("LISTEN").fill not in fills, "it is assumed"
    assert paint_of("CLOSED").fill not in fills, "it is no stay"


def test_stroke_is_the_basis() -> None:
    """Solid for what is seen or proved, dashed for what is presumed, dotted for a timer."""
    made = Written()
    orderly_close(made)
    axes, _ = drawn(picture(made))
    styles = [str(lines.get_linestyle()[0]) for lines in axes.collections]
    assert 3 == len(set(styles))


def test_lanes_do_not_touch() -> None:
    """A bar stays within its lane."""
    axes, _ = drawn(picture(three()))
    rows = sorted({(round(bar.get_y(), 6), round(bar.get_height(), 6)) for bar in axes.patches})
    assert all(y + height < below for (y, height), (below, _) in pairwise(rows))


def test_legend_names_what_is_used() -> None:
    """States, bases, severities and the reset, none that is not there."""
    keys = [text.get_text() for text in picture(three()).legends[0].get_texts()]
    assert {"SYN_SENT", "CLOSE_WAIT", "presumed", "timer", "warning", "reset"} <= set(keys)
    assert not {"CLOSED", "CLOSING", "inferred"} & set(keys)


def test_short_connection_in_a_long_capture_is_seen() -> None:
    """A millisecond among minutes gets a stroke."""
    made = Written()
    closed_by_originator(made)
    refused(made)
    axes, _ = drawn(picture(made))
    strokes = [to_hex(lines.get_color()[0]) for lines in axes.collections]
    assert paint_of("SYN_SENT").fill in strokes


def test_source_is_text_whatever_it_says() -> None:
    """Neither markup nor mathematics nor control characters of a file's name do anything."""
    name = "<script>alert(1)</script> $\\frac{ \x1b[31m & ]]>.pcap"
    root = xml.fromstring(picture(three(), name).svg())
    assert {"script"}.isdisjoint(element.tag.rpartition("}")[2] for element in root.iter())
    assert "<script>alert(1)</script> $\\frac{ \\x1b[31m & ]]>.pcap" in "".join(root.itertext())


def test_long_source_gives_way() -> None:
    """What is shown is said, however many files there are."""
    title = picture(three(), "capture.pcapng, " * 40).axes[0].get_title()
    assert title.endswith("… · 3 connections") and title.startswith("capture.pcapng")


def test_time_axis_says_unit_and_origin() -> None:
    """Seconds after a moment that is told to the microsecond."""
    label = picture(three()).axes[0].get_xlabel()
    assert "seconds since the first packet, 2023-11-14 22:13:20.000000 UTC" == label
    short = Written()
    refused(short)
    short.rows[0]["time_end"] = short.rows[0]["time_start"]
    assert picture(short).axes[0].get_xlabel().startswith("microseconds")


def test_connection_draws_its_own_lanes() -> None:
    """`conn.swimlane()` is the picture of one."""
    made = trace(three()).connection(2).swimlane()
    names = [text.get_text() for text in made.axes[0].get_yticklabels()]
    assert ["2 10.0.0.9:40000", "10.0.0.5:8080"] == [" ".join(name.split()) for name in names]


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match=r"tcptrace\[plot\]"):
        picture(three())
