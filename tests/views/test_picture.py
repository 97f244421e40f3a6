"""Pins `Picture`: it stands alone, is the same each time, and is plain SVG."""

from __future__ import annotations

import io
import sys
from base64 import b64encode
from pathlib import Path
from xml.etree import ElementTree as xml

from tcptrace.views.picture import Picture


def picture() -> Picture:
    made = Picture(4, 3)
    made.subplots().set_title("SYN_SENT", parse_math=False)
    return made


def test_svg_is_one_element_with_text_as_text() -> None:
    """It can be put into a page, searched, and holds no script."""
    text = picture().svg()
    assert text.startswith("<svg") and text.rstrip().endswith("</svg>")
    assert "SYN_SENT" in "".join(xml.fromstring(text).itertext())
    assert "<script" not in text
    assert text == picture()._repr_svg_()


def test_notebook_shows_an_image_that_fits() -> None:
    """The whole drawing inside the page, named by its title; a title is no markup."""
    made = picture()
    made.axes[0].set_title('"><script>alert(1)</script>', parse_math=False)
    html = made._repr_html_()
    assert "max-width: 100%" in html and "<script" not in html
    assert b64encode(made.svg().encode()).decode() in html


def test_svg_of_a_file_is_the_same(tmp_path: Path) -> None:
    """By path, by file and once more: no date and no random names."""
    stream = io.BytesIO()
    picture().savefig(tmp_path / "a.svg")
    picture().savefig(stream, format="svg")
    assert (tmp_path / "a.svg").read_bytes() == stream.getvalue()
    assert picture().svg().encode() in stream.getvalue()


def test_other_forms_are_matplotlibs(tmp_path: Path) -> None:
    """PNG and PDF, by suffix."""
    for suffix, magic in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
        picture().savefig(tmp_path / f"a.{suffix}")
        assert (tmp_path / f"a.{suffix}").read_bytes().startswith(magic)


def test_layout_stays_once_settled() -> None:
    """However often and at whatever resolution it is drawn."""
    made = picture()
    made.settle()
    places = set()
    for dpi in (72, 110, 72):
        made.savefig(io.BytesIO(), format="png", dpi=dpi)
        places.add(made.axes[0].get_position().bounds)
    assert 1 == len(places)


def test_pyplot_knows_nothing_of_it() -> None:
    """No figure stays behind in the process."""
    picture().svg()
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or [] == pyplot.get_fignums()
