"""Pins how the holes of sentences are filled."""

from __future__ import annotations

from tcptrace.anomalies.sentences import Sentences

ALIKE = Sentences(
    headline="{x} waited {wait:span}.",
    many="{n:count} waited.",
    why="It sent {fins:counted copy} ({packets:packets}), {fins:times}.",
    ruled_out="{size:octets}.",
    advice="{hosts:listed}.",
    limits="None.",
)
VALUES = {
    "x": "10.0.0.9:1",
    "wait": 580_000_000_000,
    "n": 1200,
    "fins": 2,
    "packets": [4, 6, 9],
    "size": 1448,
    "hosts": ["a", "b"],
    "conn": 17,
}


def test_holes_are_filled_as_people_write() -> None:
    """Durations, counts with nouns, packets, octets, lists."""
    told = ALIKE.told(VALUES, 1)
    assert "10.0.0.9:1 waited 9 m 40 s." == told["headline"]
    assert "It sent 2 copies (packets 4, 6 and 9), twice." == told["why"]
    assert ("1,448 B.", "a and b.") == (told["ruled_out"], told["advice"])


def test_of_several_the_longest_is_the_example() -> None:
    """The headline is about all, `why` about one that it names."""
    told = ALIKE.told(VALUES, 1200)
    assert "1,200 waited." == told["headline"]
    assert told["why"].startswith("In connection 17, the longest: It sent")
