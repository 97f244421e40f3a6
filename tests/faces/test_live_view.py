"""The view on a terminal: kept up to date in place, and left behind at the end."""

from __future__ import annotations

import io

import pytest
from faces.looks import update_of

from tcptrace.faces.live_view import View

ALTERNATE, BACK = "\x1b[?1049h", "\x1b[?1049l"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def size(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("COLUMNS", "80"), ("LINES", "24"), ("TERM", "xterm"), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)


def test_once_is_plain_text() -> None:
    """No cursor moves, and all of it."""
    stream = io.StringIO()
    View("eth0", stream).print(update_of("fin_wait_2_stalled"))
    text = stream.getvalue()
    assert "\x1b" not in text and "CLOSE_WAIT" in text and text.startswith("eth0")


def test_the_last_picture_stays_behind() -> None:
    """On the other screen while it runs; then on the first one, once."""
    stream = Terminal()
    with View("eth0", stream).kept_up_to_date() as show:
        show(update_of("abort"))
        show(update_of("fin_wait_2_stalled"))
    before, _, after = stream.getvalue().partition(BACK)
    assert ALTERNATE in before and "CLOSE_WAIT" in before
    assert 1 == after.count("originator → responder") and "CLOSE_WAIT" in after


def test_nothing_was_shown() -> None:
    """A capture that ends before its first look leaves nothing behind."""
    stream = Terminal()
    with View("eth0", stream).kept_up_to_date():
        pass
    assert "originator" not in stream.getvalue()
