"""The layout of ladders: no words meet, none leave the page, time runs down."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tcptrace
from tcptrace.views.fates import Fate
from tcptrace.views.ladder import FEW, MANY
from tcptrace.views.layout import drawing_of, run_lines
from tcptrace.views.places import LEFT, MIDDLE, RIGHT, WIDTH
from tcptrace.views.rungs import WHOLE, Choice, Run, rungs
from tcptrace.views.scene import Scene
from tcptrace.views.shapes import Drawing, Point, meet
from tests.exchange import OPEN, SECOND, Between
from tests.views.scenes import (
    CAPTURES,
    ORDERLY,
    REFUSED,
    SENT_AGAIN,
    TWO_SYNS_LOST,
    captured,
    scene,
    transfer,
)

CASES = sorted(path.name for path in CAPTURES.iterdir() if path.is_dir())
CROSSING = """
1.000 C FA 1 a1
1.001 S FA 1 a1
1.020 S A 2 a2
1.021 C A 2 a2
"""
HALF_CLOSE = """
1.00 C FA 1 a1
1.02 S A 1 a2
1.50 S A 1+500 a2
1.52 C A 2 a501
2.00 S FA 501 a2
2.02 C A 2 a502
"""
LOST_FIN = """
1.00 C FA 1 a1
1.30 C FA 1 a1
1.32 S FA 1 a2
1.34 C A 2 a2
"""
IPV6 = Between(("2001:db8:ffff:ffff:ffff:ffff:ffff:fff1", 65535), ("2001:db8::2", 80))
EXCHANGES = {
    "orderly": ORDERLY,
    "refused": REFUSED,
    "crossing": OPEN + CROSSING,
    "half-close": OPEN + HALF_CLOSE,
    "lost FIN": OPEN + LOST_FIN,
    "lost SYNs": TWO_SYNS_LOST,
    "sent again": SENT_AGAIN,
    "mid-stream": "0.1 C A 900+100 a70\n0.12 S A 70+5 a1000\n0.3 S RA 75 a1000\n",
    "one side": "0.1 C S 0\n0.2 C A 1 a1\n0.3 C A 1+5 a1\n0.4 C FA 6 a1\n",
    "ICMP error": "0.0 C S 0\n0.1 C S 0 icmp\n",
    "all flags": OPEN + "0.1 C SFRPAUEC 1+1000 a1\n0.1 S SFRPAUEC 1+1000 a1\n",
    "at once": OPEN + "".join(f"0.1 {who} A 1+{n + 1} a1\n" for n in range(15) for who in "CS"),
    "clock steps back": OPEN + "0.5 C A 1+5 a1\n0.2 S A 1 a6\n0.1 C FA 6 a1\n",
}


def drawn(held: Scene, choice: Choice | None = None) -> Drawing:
    """The drawing that a user gets, or one of another choice."""
    usual = FEW if len(held.segments) <= FEW.longest_run else MANY
    return drawing_of(held, rungs(held, choice or usual))


def check(drawing: Drawing) -> None:
    """What holds of every drawing."""
    boxes = [(label.text, label.corners) for label in drawing.labels]
    for text, corners in boxes:
        for x, y in corners:
            assert 0 <= x <= drawing.width and 0 <= y <= drawing.height, text
    for (text, corners), (other, others) in combinations(boxes, 2):
        assert not meet(corners, others), (text, other)
    for pin in drawing.pins:
        around = [(pin.x - 7, pin.y - 7), (pin.x + 7, pin.y - 7), (pin.x + 7, pin.y + 7),
                  (pin.x - 7, pin.y + 7)]  # fmt: skip
        assert 0 <= pin.x - 7 and pin.x + 7 <= drawing.width and pin.y + 7 <= drawing.height
        letters = [
            label.corners
            for label in drawing.labels
            if not label.lead and meet(label.corners, around)
        ]
        assert [] == letters
    _check_bands(drawing)
    _check_arrows(drawing)


def _check_bands(drawing: Drawing) -> None:
    for side in (LEFT, RIGHT):
        bands = [band for band in drawing.bands if abs(band.x - side) < 20]
        assert all(one.bottom == other.top for one, other in pairwise(bands))
        assert all(band.bottom > band.top for band in bands)


def _check_arrows(drawing: Drawing) -> None:
    body = [arrow for arrow in drawing.arrows if arrow.title]
    for arrow in body:
        assert arrow.begin[1] <= arrow.end[1], "a segment arrives after it was sent"


@pytest.mark.parametrize("case", CASES)
def test_recorded_cases(case: str) -> None:
    """Every capture that is shipped."""
    check(drawn(captured(case)))


@pytest.mark.parametrize("name", EXCHANGES)
@pytest.mark.parametrize("between", [Between(), IPV6], ids=["IPv4", "IPv6"])
def test_crafted_cases(name: str, between: Between) -> None:
    """What the recorded ones do not have."""
    check(drawn(scene(EXCHANGES[name], between)))


def test_a_long_transfer_is_short() -> None:
    """10,000 segments: opening and close are drawn, the middle is told in a box."""
    drawing = drawn(scene(transfer(5_000)))
    check(drawing)
    assert drawing.height < 1_000
    assert any(label.text.startswith("10,000 segments") for label in drawing.labels)


def test_every_segment_of_a_transfer() -> None:
    """Where all are asked for, words still do not meet."""
    drawing = drawn(scene(transfer(60)), WHOLE)
    check(drawing)
    assert 126 == sum(bool(arrow.title) for arrow in drawing.arrows)


SENT = st.tuples(
    st.integers(0, 400),
    st.sampled_from("CS"),
    st.sampled_from(["A", "FA", "PA", "RA", "SA", "S", "R"]),
    st.integers(0, 5),
    st.integers(0, 3),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(SENT, max_size=25))
def test_any_exchange(sent: list[tuple[int, str, str, int, int]]) -> None:
    """However odd a conversation, its ladder can be read."""
    text, at = OPEN, 0.05
    for wait, who, flags, seq, length in sent:
        at += wait / 1000
        text += f"{at:.3f} {who} {flags} {1 + seq * 100}+{length * 100} a{1 + seq * 50}\n"
    check(drawn(scene(text)))


def test_crossing_fins_cross() -> None:
    """Each is sent before the other arrives: that is what CLOSING means."""
    drawing = drawn(scene(OPEN + CROSSING))
    one, other = (arrow for arrow in drawing.arrows if "FIN" in arrow.title)
    assert one.begin[1] < other.end[1] and other.begin[1] < one.end[1]
    assert one.begin[0] < MIDDLE < other.begin[0]


def test_moves_lie_at_the_arrows_that_make_them() -> None:
    """SYN_SENT where the SYN leaves, SYN_RCVD where it arrives."""
    drawing = drawn(scene(ORDERLY))
    syn = next(arrow for arrow in drawing.arrows if arrow.title.startswith("SYN seq"))
    tops = {(band.state, band.x > MIDDLE): band.top for band in drawing.bands}
    assert (syn.begin[1], syn.end[1]) == (tops["SYN_SENT", False], tops["SYN_RCVD", True])


def test_arrows_are_level_where_the_delay_is_not_known() -> None:
    """Nothing is made up, and the drawing says so."""
    drawing = drawn(scene(REFUSED))
    assert all(arrow.begin[1] == arrow.end[1] for arrow in drawing.arrows)
    assert "arrows are level" in drawing.description


def test_idle_stretches_are_folded() -> None:
    """A minute takes no more room than a second; both are labelled."""
    texts = [OPEN + f"{at} C A 1+5 a1\n{at + 0.02} S A 1 a6\n" for at in (2, 62)]
    short, long = (drawn(scene(text)) for text in texts)
    assert short.height == long.height
    assert [1, 1] == [len(drawing.folds) for drawing in (short, long)]
    told = [label.text for drawing in (short, long) for label in drawing.labels]
    assert {"idle 1.94 s", "idle 1 m 01 s"} <= set(told)


def test_the_end_of_the_capture_is_drawn_where_something_is_left_open() -> None:
    """What a timer does later stands below it."""
    drawing = drawn(captured("simultaneous_close"))
    (ends,) = [label.y for label in drawing.labels if label.text.startswith("the capture ends")]
    later = [band.top for band in drawing.bands if band.basis == "timer"]
    assert later and all(top > ends for top in later)


def test_fates_are_drawn_and_explained() -> None:
    """The legend has a sample of each kind of arrow that the drawing has, and of no other."""
    drawing = drawn(scene(TWO_SYNS_LOST))
    words = [label.text for label in drawing.labels]
    assert {"again: sent before", "lost or ignored, as later segments prove", "segment"} <= set(
        words
    )
    assert "copy made by the capture" not in words
    assert Fate.AGAIN in {arrow.fate for arrow in drawing.arrows}


def test_a_run_is_told_with_what_was_odd() -> None:
    """Counts first; zeros are not told."""
    run = Run(0, 2 * SECOND, 7, 4_310, (18, 25_000_000), 31, 0, 1_448, SECOND)
    first, second = run_lines(run)
    assert "4,310 segments  → 18 B  ← 25.0 MB  in 2 s" == first
    assert "31 sent again, 1,448 B not captured, longest silence 1 s" == second


def test_any_connection_of_the_shared_captures(shared: Path) -> None:
    """Real kernels at three taps, with all that they did."""
    for path in sorted((shared / "lab" / "data").glob("*/middle.pcap"))[::6]:
        for connection in list(tcptrace.read(path))[:2]:
            check(drawn(connection.scene))


def test_the_page_is_as_wide_as_its_places_say() -> None:
    """And every corner is a pair of numbers."""
    drawing = drawn(scene(REFUSED))
    corner: Point = drawing.labels[0].corners[0]
    assert WIDTH == drawing.width and 2 == len(corner)


def test_a_connection_that_is_over_needs_no_end_of_the_capture() -> None:
    """Both sides are CLOSED by packets that the capture holds."""
    drawing = drawn(captured("refused"))
    assert not any(label.text.startswith("the capture ends") for label in drawing.labels)
