"""What a line of `tcptrace live` means."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tcptrace.errors import CaptureError, UsageError
from tcptrace.faces.wish import Wish, first_interface
from tcptrace.sources.paced import Paced
from tcptrace.sources.piped import Piped

CAPTURE = str(Path(__file__).parents[2] / "captures" / "abort" / "capture.pcapng")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_file_at_its_own_pace() -> None:
    """FILE with --replay."""
    wish = Wish(file=CAPTURE, replay=10.0)
    assert isinstance(wish.source(), Paced)
    assert CAPTURE == wish.name


def test_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """- is standard input."""
    with open(CAPTURE) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        source = Wish(file="-").source()
        assert isinstance(source, Piped)
        source.close()
    assert "standard input" == Wish(file="-").name


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (Wish(replay=1.0), "--replay needs a FILE"),
        (Wish(file=CAPTURE), f"--replay 1x; to read it: tcptrace {CAPTURE}"),
        (Wish(file="-", interface="eth0"), "either -i eth0 or -"),
    ],
)
def test_a_line_that_does_not_say_what_to_listen_to(wish: Wish, message: str) -> None:
    """It is told how to say it."""
    with pytest.raises(UsageError, match=message):
        wish.source()


def test_a_terminal_is_no_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody types a capture."""
    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(UsageError, match="pipe a capture into it"):
        Wish(file="-").source()


def test_standard_input_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a daemon."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CaptureError, match="is closed"):
        Wish(file="-").source()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([("lo", True), ("eth0", False), ("eth1", True), ("any", True)], "eth1"),
        ([("lo", True), ("eth0", False), ("any", True)], "lo"),
    ],
)
def test_the_first_interface_that_leads_out(
    found: list[tuple[str, bool]], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without -i it is the first one that is up, the loopback last."""
    monkeypatch.setattr("tcptrace.sources.interface.interfaces", lambda: found)
    assert (expected, expected) == (first_interface(), Wish().name)
