"""A ladder in a terminal: the lines of `views.lines`, coloured."""

from __future__ import annotations

import pytest

from tcptrace.faces.ladder import FATES, ladder
from tcptrace.faces.terminal import STYLES
from tcptrace.views.lines import lines
from tests.views.scenes import ORDERLY, TWO_SYNS_LOST, scene


@pytest.mark.parametrize("text", [ORDERLY, TWO_SYNS_LOST])
def test_colour_changes_no_letter(text: str) -> None:
    """Off a terminal the same is read."""
    held = scene(text)
    plain = ["".join(words for words, _ in line) for line in lines(held, 80)]
    assert plain == [line.plain for line in ladder(held, 80)]


def test_states_and_fates_have_their_styles() -> None:
    """A state's name upon its own colour, without the blanks before it; losses in red."""
    spans = {
        line.plain[span.start : span.end]: span.style
        for line in ladder(scene(TWO_SYNS_LOST), 80)
        for span in line.spans
    }
    assert STYLES["SYN_SENT"] == spans["SYN_SENT"]
    assert FATES["lost"] in spans.values()
