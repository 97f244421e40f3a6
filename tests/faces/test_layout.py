"""Tables for eyes, on a terminal and off one."""

from __future__ import annotations

import io
import re

import pandas as pd
import pytest

from tcptrace.faces import layout
from tcptrace.faces.layout import SHOWN, SPARED, aligned, print_table, shown, styled
from tcptrace.faces.selection import flattened
from tests.faces.made import ANOMALIES, CONNECTIONS, SEGMENTS, TIMELINE, table

ROWS = {
    "connections": CONNECTIONS,
    "timeline": TIMELINE,
    "anomalies": ANOMALIES,
    "segments": SEGMENTS,
}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def made(name: str) -> pd.DataFrame:
    return flattened(table(name, *ROWS[name]))


def test_connections_for_eyes() -> None:
    """Counts and durations flush right, no blanks at the ends of lines."""
    expected = [
        "conn  originator         responder          orig_state  resp_state  closer      "
        "close_kind  duration  orig_bytes  resp_bytes  conn_state  history  anomalies",
        "   0  10.0.0.9:51234     10.0.0.5:8080      FIN_WAIT_2  CLOSE_WAIT  originator  "
        "fin         9 m 40 s         300       20000  S0                   fin-wait-2-stalled",
        "   1  10.0.0.9:51235     [2001:db8::5]:443  CLOSED      CLOSED      responder   "
        "rst          1.50 ms           0           0  S0",
        "   2  192.168.1.7:40000  10.0.0.5:80        TIME_WAIT   CLOSED      originator  "
        "fin             12 s           0           0  S0",
    ]
    assert expected == list(aligned(shown("connections", made("connections"))))


@pytest.mark.parametrize("name", list(SHOWN))
def test_every_table_has_a_form_for_eyes(name: str) -> None:
    """With rows and without, the header stands on top."""
    head = next(aligned(shown(name, made(name)))).split()
    assert list(SHOWN[name]) == head
    assert [" ".join(head)] == [
        " ".join(line.split()) for line in aligned(shown(name, table(name).reset_index()))
    ]
    assert set(SPARED[name]) < set(SHOWN[name])


@pytest.mark.parametrize("name", ["connections", "timeline", "segments"])
def test_a_narrow_terminal_spares_columns(name: str) -> None:
    """80 columns hold whole cells of IPv4; what is spared comes back on a wide terminal."""
    narrow = list(aligned(shown(name, made(name), 80)))
    assert max(map(len, narrow)) <= 80 or set(SPARED[name]).isdisjoint(narrow[0].split())
    assert list(SHOWN[name]) == list(shown(name, made(name), 200).columns)


def test_long_tables_come_in_parts_of_equal_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The widths are those of the whole table, wherever it is cut."""
    frame = shown("segments", made("segments"))
    whole = list(aligned(frame))
    monkeypatch.setattr(layout, "CHUNK", 3)
    assert whole == list(aligned(frame))


def test_a_terminal_gets_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells are folded there, never cut; the header comes once."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(layout, "CHUNK", 2)
    stream = Terminal()
    headlines = [str(row["headline"]) for row in ANOMALIES]
    print_table(pd.DataFrame({"headline": headlines}), stream)
    told = re.sub(r"\x1b\[\d*m", "", stream.getvalue())
    assert max(map(len, told.splitlines())) <= 40
    assert "".join(["headline", *headlines]).replace(" ", "") == "".join(told.split())


def test_control_characters_of_a_capture_are_spelt_out() -> None:
    """No cell can drive a terminal."""
    stream = io.StringIO()
    print_table(pd.DataFrame({"host": ["\x1b[31mred\x07"]}), stream)
    assert "\\x1b[31mred\\x07" in stream.getvalue() and "\x1b" not in stream.getvalue()


def test_markup_of_a_capture_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Square brackets mean nothing to the terminal table."""
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    print_table(pd.DataFrame({"host": ["[bold]x[/bold] :smile:"]}), stream)
    assert "[bold]x[/bold] :smile:" in stream.getvalue()


def test_states_have_colours() -> None:
    """Each state stands upon its colour of the palette that all views share."""
    assert "#000000 on #d55e00" == styled("CLOSE_WAIT").style
    assert "" == styled("anything").style
