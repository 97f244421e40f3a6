"""Durations and times as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.errors import UsageError
from tcptrace.faces.quantities import LONGEST, offset, parse_duration, parse_time

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("0", 0),
        ("60", 60 * SECOND),
        ("1.5 s", 1_500_000_000),
        ("250ms", 250_000_000),
        ("7us", 7_000),
        ("7µs", 7_000),
        ("3 NS", 3),
        ("2m30s", 150 * SECOND),
        ("1h", 3600 * SECOND),
        ("2d", 172_800 * SECOND),
        ("0.000000001", 1),
        ("9" * 40, LONGEST),
    ],
)
def test_durations_people_type(text: str, ns: int) -> None:
    """A bare number is seconds; units add up; nothing overflows."""
    assert ns == parse_duration(text)


@pytest.mark.parametrize("text", ["", "s", "fast", "1 fortnight", "-5s", "1..5s", "5s!", "1e3"])
def test_what_is_no_duration(text: str) -> None:
    """A slip of the finger is told, not guessed."""
    with pytest.raises(UsageError):
        parse_duration(text)


@given(st.integers(0, LONGEST // SECOND), st.integers(0, SECOND - 1))
def test_a_duration_keeps_every_nanosecond(whole: int, rest: int) -> None:
    """No float stands between the text and the number."""
    assert min(whole * SECOND + rest, LONGEST) == parse_duration(f"{whole}.{rest:09d}")


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01Z", SECOND),
        ("1970-01-01 00:00:01.000000001", SECOND + 1),
        ("1970-01-01T01:00:00.5+01:00", SECOND // 2),
        ("2025-11-25T03:42:29.123456789Z", 1_764_042_149_123_456_789),
        ("1969-12-31T23:59:59.25Z", -750_000_000),
    ],
)
def test_times_people_type(text: str, ns: int) -> None:
    """UTC unless an offset is given, nine decimals kept, before the epoch too."""
    assert ns == parse_time(text)


@pytest.mark.parametrize("text", ["", "yesterday", "2025-13-01", "03:42", "2025-11-25T03:42:61Z"])
def test_what_is_no_time(text: str) -> None:
    """No guess is made at a time."""
    with pytest.raises(UsageError):
        parse_time(text)


def test_seconds_since_a_moment() -> None:
    """Microseconds are cut, not rounded; before is negative."""
    assert ["0.000000", "0.005229", "-0.000001", "61.000000"] == [
        offset(ns) for ns in (0, 5_229_999, -1_000, 61_000_000_000)
    ]
