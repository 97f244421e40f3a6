"""SVG documents: well-formed, self-contained, without a way in for markup."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from tcptrace.views.fates import LOST, Fate
from tcptrace.views.palette import STATES
from tcptrace.views.shapes import Arrow, Band, Drawing, Label, Piece, Pin
from tcptrace.views.svg import svg
from tests.views.scenes import TWO_SYNS_LOST, connection

NAMESPACE = "{http://www.w3.org/2000/svg}"
SMUGGLED = '</text></title><script>alert(1)</script><image href="x" onerror="y"/>]]>&lt;'


def parsed(document: str) -> ElementTree.Element:
    return ElementTree.fromstring(document)


def tags(document: str) -> set[str]:
    return {each.tag.removeprefix(NAMESPACE) for each in parsed(document).iter()}


HARMLESS = {
    *("svg", "title", "desc", "style", "rect", "line", "polygon", "text", "tspan", "circle"),
}  # fmt: skip


def test_smuggled_markup_stays_text() -> None:
    """Wherever words are drawn: labels, tooltips, pins, title and description."""
    drawing = Drawing(
        100, 100, SMUGGLED, SMUGGLED,
        bands=[Band(0, 0, 10, "CLOSED", "timer", SMUGGLED)],
        arrows=[Arrow((0, 0), (9, 9), title=SMUGGLED)],
        labels=[Label(0, 0, (Piece(SMUGGLED),))],
        pins=[Pin(5, 5, 1, "info", SMUGGLED)],
    )  # fmt: skip
    document = svg(drawing)
    assert tags(document) <= HARMLESS
    assert 6 == sum(each.text == SMUGGLED for each in parsed(document).iter())


@pytest.mark.parametrize("name", [f"{SMUGGLED}.pcap", "\x00\x1b\x9b\ufffe\udcff.pcap"])
def test_a_capture_with_a_hostile_name(name: str) -> None:
    """File names come from anybody; what XML cannot hold is spelt out."""
    document = connection(TWO_SYNS_LOST, path=name.replace("/", "\u2215")).ladder()
    assert tags(document) <= HARMLESS
    document.encode()


def test_the_document_needs_nothing_else() -> None:
    """No script, no handler, no reference, no id that could clash with another drawing's."""
    document = connection(TWO_SYNS_LOST).ladder()
    names = {name for each in parsed(document).iter() for name in each.attrib}
    assert not {name for name in names if name.startswith("on") or "href" in name or name == "id"}
    assert "url(" not in document and "@import" not in document


def test_states_have_the_palette_s_colours() -> None:
    """Each band is filled with its state's, stroked by its basis."""
    drawing = Drawing(
        10, 10, bands=[Band(0, 0, 9, "TIME_WAIT", "timer"), Band(0, 9, 10, "LISTEN", "observed")]
    )
    rects = list(parsed(svg(drawing)).iter(f"{NAMESPACE}rect"))
    fills = [each.get("fill") for each in rects if each.get("class") == "state-band"]
    strokes = [each.get("stroke-dasharray") for each in rects if each.get("class") == "outline"]
    assert [paint.fill for state, paint in STATES.items() if state.name in ("LISTEN", "TIME_WAIT")
            ][::-1] == fills  # fmt: skip
    assert ["1.5 3.5", "none"] == strokes


@pytest.mark.parametrize("fate", Fate)
def test_each_fate_looks_its_own(fate: Fate) -> None:
    """By class and by dashes; a lost segment's arrow has a cross for a tip."""
    drawn = {other: svg(Drawing(9, 9, arrows=[Arrow((0, 0), (9, 0), other)])) for other in Fate}
    assert 1 == list(drawn.values()).count(drawn[fate])
    lost = svg(Drawing(9, 9, arrows=[Arrow((0, 0), (9, 0), fate, loss=LOST)]))
    assert 2 == lost.count('class="cross"') and "polygon" not in lost


def test_light_and_dark_have_the_same_classes() -> None:
    """None is legible in one of them only."""
    document = svg(Drawing(9, 9))
    light, dark = document.split("@media (prefers-color-scheme: dark)")
    classes = [set(re.findall(r"^\.tcptrace-ladder.*?(?= \{ (?:fill|stroke):)", part, re.M))
               for part in (light, dark)]  # fmt: skip
    assert classes[1] and classes[1] <= classes[0]
    assert {rule for rule in classes[0] if "way" not in rule} >= {
        rule for rule in classes[1] if "way" not in rule
    }


def test_words_keep_their_blanks() -> None:
    """The parts of a label are told apart by them."""
    document = svg(Drawing(9, 9, labels=[Label(0, 0, (Piece("1  ", "dim"), Piece("SYN")))]))
    (text,) = list(parsed(document).iter(f"{NAMESPACE}text"))
    assert "1  SYN" == "".join(text.itertext())
    assert "preserve" == text.get("{http://www.w3.org/XML/1998/namespace}space")
