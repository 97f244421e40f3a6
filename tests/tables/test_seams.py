"""Pins what is told of how a capture's files follow one another."""

from __future__ import annotations

from tcptrace.sources.facts import FileFacts
from tcptrace.tables.seams import Seam, seams

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def file(path: str, first: int | None, last: int | None) -> FileFacts:
    return FileFacts(path, first_time=first, last_time=last)


def test_rotated_files_have_none() -> None:
    """Whatever their order, and whether they share a moment or are silent for a while."""
    one, two = file("a", 0, 60 * MINUTE), file("b", 60 * MINUTE, 120 * MINUTE)
    three = file("c", 122 * MINUTE, 180 * MINUTE)
    assert [] == seams([three, one, two, file("empty", None, None)])


def test_a_file_that_is_missing_leaves_a_gap() -> None:
    """From the end of what was there to the beginning of what comes."""
    found = seams([file("c", 20 * MINUTE, 30 * MINUTE), file("a", 0, 10 * MINUTE)])
    assert [Seam("a", "c", 10 * MINUTE, 20 * MINUTE, False)] == found
    assert 10 * MINUTE == found[0].duration


def test_a_second_of_silence_is_no_gap() -> None:
    """However short the files are."""
    assert [] == seams([file("a", 0, 10), file("b", SECOND, SECOND + 10)])
    assert 1 == len(seams([file("a", 0, 10), file("b", SECOND + 11, SECOND + 12)]))


def test_two_taps_overlap() -> None:
    """For as long as both have packets; a third file is held against the one that lasts longest."""
    found = seams(
        [
            file("a", 0, 9 * MINUTE),
            file("b", MINUTE, 2 * MINUTE),
            file("c", 8 * MINUTE, 20 * MINUTE),
        ]
    )
    assert [
        Seam("a", "b", MINUTE, 2 * MINUTE, True),
        Seam("a", "c", 8 * MINUTE, 9 * MINUTE, True),
    ] == found
