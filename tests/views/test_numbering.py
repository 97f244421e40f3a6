"""Relative sequence numbers."""

from __future__ import annotations

from tcptrace.tables.schema import SEGMENTS
from tcptrace.views.numbering import numbering
from tests.exchange import OPEN, Between
from tests.views.scenes import DATA, scene


def test_numbers_count_from_the_syn() -> None:
    """The SYN is 0, the first octet 1, on both sides."""
    numbers = scene(OPEN + DATA).numbers
    assert [0, 0, 1, 1, 1] == numbers.seq.tolist()
    assert [-1, 1, 1, 1, 101] == numbers.ack.tolist()
    assert [1, 1, 0, 100, 0] == numbers.length.tolist()
    assert [0, 1, 0, 0, 1] == numbers.sender.tolist()


def test_numbers_count_on_over_the_end_of_sequence_space() -> None:
    """Modulo 2**32 only in the header."""
    wrapping = Between(isns=(2**32 - 50, 2**32 - 1))
    assert (
        scene(OPEN + DATA).numbers.seq.tolist() == scene(OPEN + DATA, wrapping).numbers.seq.tolist()
    )
    assert [-1, 1, 1, 1, 101] == scene(OPEN + DATA, wrapping).numbers.ack.tolist()


def test_numbers_of_a_connection_older_than_the_capture() -> None:
    """They begin with what is seen first, be it sent or acknowledged."""
    numbers = scene("0.1 C A 900+100 a70\n0.12 S A 70+5 a1000\n").numbers
    assert [0, 1] == numbers.seq.tolist()
    assert [1, 100] == numbers.ack.tolist()


def test_no_segments() -> None:
    """A stream that is gone leaves none."""
    assert 0 == len(numbering(SEGMENTS.empty()).seq)
