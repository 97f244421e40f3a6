"""Text on its way out."""

from __future__ import annotations

import io

import pytest
from rich.table import Table

from tcptrace.faces.terminal import (
    console,
    note,
    print_parts,
    printable,
    take_any_alphabet,
)


def test_control_characters_are_spelt_out() -> None:
    """Escape sequences, also the one-byte kind, become text; other alphabets stay."""
    assert "a\\x1b[2Jb\\x9b" == printable("a\x1b[2Jb\x9b")
    assert "Bücher → 10 µs" == printable("Bücher → 10 µs")


def test_text_of_a_capture_is_no_markup() -> None:
    """Neither tags nor emoji names nor numbers are touched."""
    stream = io.StringIO()
    console(stream).print("[red]x[/red] :smile: 10.0.0.1")
    assert "[red]x[/red] :smile: 10.0.0.1\n" == stream.getvalue()


def test_no_blanks_at_line_ends_off_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a pipe gets is stable text of the width that COLUMNS says, without colour."""
    monkeypatch.setenv("COLUMNS", "30")
    stream, grid = io.StringIO(), Table.grid()
    grid.add_row("one", "two " * 10)
    print_parts(lambda width: [f"width {width}", grid, ""], stream)
    lines = stream.getvalue().split("\n")
    assert "width 30" == lines[0] and ["", ""] == lines[-2:]
    assert lines == [line.rstrip() for line in lines] and max(map(len, lines)) <= 30


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal with NO_COLOR no colour is sent."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    for wanted, setting in ((True, ""), (False, "1")):
        monkeypatch.setenv("NO_COLOR", setting)
        stream = Terminal()
        console(stream).print("x", style="red")
        assert wanted == ("31m" in stream.getvalue())


def test_a_broken_pipe_is_left_to_main() -> None:
    """rich would end the process by itself, with another status."""
    with pytest.raises(BrokenPipeError):
        console(io.StringIO()).on_broken_pipe()


def test_notes_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Data alone is on stdout."""
    note("3 \x1bconnections")
    assert ("", "3 \\x1bconnections\n") == tuple(capsys.readouterr())


def test_a_small_alphabet_takes_any_text() -> None:
    """What has no ASCII form is spelt out; no text ends in a traceback."""
    octets = io.BytesIO()
    stream = io.TextIOWrapper(octets, encoding="ascii")
    take_any_alphabet(stream)
    stream.write("a ──▶ b │ 5 µs Bü")
    stream.flush()
    assert b"a --> b | 5 us B\\xfc" == octets.getvalue()
