"""`Ladder`: what a user gets of a connection."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tcptrace.errors import UsageError
from tcptrace.views.ladder import Ladder, text_of
from tests.views.scenes import ORDERLY, connection, scene, transfer


def test_a_ladder_is_its_document() -> None:
    """Text that can be written, sent, embedded."""
    ladder = connection(ORDERLY).ladder()
    assert isinstance(ladder, Ladder) and ladder.startswith("<svg ")
    ElementTree.fromstring(ladder)


def test_a_notebook_shows_it() -> None:
    """As SVG, or as an image whose styles cannot leak into the page."""
    ladder = connection(ORDERLY).ladder()
    assert ladder == ladder._repr_svg_()
    html = ladder._repr_html_()
    assert html.startswith('<img alt="connection 0  192.0.2.1:40000 → 192.0.2.2:80"')
    data = html.partition("base64,")[2].partition('"')[0]
    assert ladder == b64decode(data).decode()


def test_a_ladder_is_saved(tmp_path: Path) -> None:
    """In UTF-8; UsageError where it cannot be."""
    ladder = connection(ORDERLY).ladder()
    assert ladder == ladder.save(tmp_path / "ladder.svg").read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="No such file"):
        ladder.save(tmp_path / "nowhere" / "ladder.svg")


def test_whole_leaves_nothing_out() -> None:
    """A long connection is summed up unless all of it is asked for."""
    held = connection(transfer(40))
    assert "80 segments" in held.ladder() and "80 segments" not in held.ladder(whole=True)


def test_a_ladder_in_text() -> None:
    """Lines that fit, and the legend."""
    told = text_of(scene(ORDERLY), 80)
    assert max(map(len, told.splitlines())) <= 80
    assert "FIN_WAIT_1 FIN,ACK seq=101 ack=1 ──" in told and "? presumed:" in told
