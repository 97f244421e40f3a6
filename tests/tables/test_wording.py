"""Pins how durations, counts, octets, endpoints and packets are written."""

from __future__ import annotations

import pytest

from tcptrace.tables import wording
from tcptrace.tables.wording import DAY, HOUR, MILLISECOND, MINUTE, SECOND


@pytest.mark.parametrize(
    ("ns", "expected"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (210_400, "210 µs"),
        (1_500_000, "1.50 ms"),
        (1_529 * MILLISECOND, "1.52 s"),
        (59_999 * MILLISECOND, "59.9 s"),
        (MINUTE + 5 * SECOND, "1 m 05 s"),
        (HOUR + 59 * SECOND, "1 h 00 m"),
        (47 * HOUR, "47 h 00 m"),
        (3 * DAY + 4 * HOUR, "3 d 04 h"),
        (-1_500, "-1.50 µs"),
    ],
)
def test_duration_is_cut_to_three_figures(ns: int, expected: str) -> None:
    """Cut, not rounded: 59.9 s never reads as 60."""
    assert expected == wording.span(ns)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (9_999, "9,999 B"),
        (10_000, "10.0 kB"),
        (2_400_000, "2.4 MB"),
        (10**13, "10.0 TB"),
    ],
)
def test_octets(count: int, expected: str) -> None:
    """Exact as long as people can read it."""
    assert expected == wording.octets(count)


def test_counts_have_the_right_noun() -> None:
    """One, many, and nouns in y."""
    assert "1 packet" == wording.counted(1, "packet")
    assert "2,000 retries" == wording.counted(2000, "retry")
    assert ["once", "twice", "3 times"] == [wording.times(count) for count in (1, 2, 3)]


def test_endpoints_are_written_as_in_urls() -> None:
    """An IPv6 address stands in brackets."""
    assert "10.0.0.5:80" == wording.endpoint("10.0.0.5", 80)
    assert "[2001:db8::5]:80" == wording.endpoint("2001:db8::5", 80)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([], "no packet"),
        ([4], "packet 4"),
        ([4, 6], "packets 4 and 6"),
        ([1, 2, 3, 4, 5, 6], "packets 1, 2, 3, 4, 5 and 6"),
        ([1, 2, 3, 4, 5, 6, 1007], "packets 1, 2, 3, 4, 5 and 2 more"),
    ],
)
def test_packets_are_listed(numbers: list[int], expected: str) -> None:
    """Numbers without commas in them, for they are put into filters."""
    assert expected == wording.packets(numbers)
