"""Text made safe and measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.views.lettering import cells, cut, offset, printable, utc, wrapped


@given(st.text())
def test_what_is_printable_stays_printable(text: str) -> None:
    """No control character is left, and nothing is spelt out twice."""
    told = printable(text)
    assert told.isprintable() and told == printable(told)


def test_undecodable_octets_of_a_file_name_are_spelt_out() -> None:
    """Surrogates would make the writing of a file fail."""
    assert "a\\udcffb" == printable("a\udcffb")


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("捕獲", 4), ("é", 1), ("µs→", 3)])
def test_cells_of_a_text(text: str, width: int) -> None:
    """Wide letters take two cells, combining marks none."""
    assert width == cells(text)


@given(st.text(), st.integers(1, 40))
def test_a_cut_text_fits(text: str, room: int) -> None:
    """In cells, not in characters."""
    assert cells(cut(text, room)) <= room or cells(text) <= room
    assert text == cut(text, max(cells(text), 1))


@given(st.text(alphabet=" ab捕", max_size=60), st.integers(2, 30))
def test_wrapped_lines_fit(text: str, room: int) -> None:
    """Also where a single word is longer than a line."""
    assert all(cells(line) <= room for line in wrapped(text, room))


def test_wrapped_lines_keep_their_words() -> None:
    """Broken at blanks only."""
    assert ["aa bb", "cc dd", "ee"] == wrapped("aa bb cc dd ee", 5)
    assert ["a", "bbbb…", "c"] == wrapped("a bbbbbbbb c", 5)


@pytest.mark.parametrize(
    ("ns", "told"), [(5_229_000, "0.005229"), (-1_999, "-0.000001"), (62 * 10**9, "62.000000")]
)
def test_seconds_since_a_moment(ns: int, told: str) -> None:
    """Cut to the microsecond, never rounded into another one."""
    assert told == offset(ns)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01 00:00:00.000000 UTC"),
        (1_700_000_000_123_456_999, "2023-11-14 22:13:20.123456 UTC"),
        (-1, "1969-12-31 23:59:59.999999 UTC"),
        ((1 << 63) - 1, "2262-04-11 23:47:16.854775 UTC"),
        (-(1 << 63), "1677-09-21 00:12:43.145224 UTC"),
    ],
)
def test_moment_of_any_capture(time: int, text: str) -> None:
    """Exact to the microsecond, cut, whatever int64 a capture claims."""
    assert text == utc(time)
