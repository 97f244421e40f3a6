"""The window over a stream: what is in memory, what moves, what never grows."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from tcptrace.sources.window import Window


class Dribble:
    """A stream that gives at most `most` bytes at a time."""

    def __init__(self, octets: bytes, most: int) -> None:
        self._file = io.BytesIO(octets)
        self._most = most
        self.closed = False

    def readinto(self, view: memoryview, /) -> int:
        return self._file.readinto(view[: self._most])

    def close(self) -> None:
        self.closed = True


@given(
    st.binary(max_size=300),
    st.integers(1, 40),
    st.integers(1, 32),
    st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=30),
)
def test_any_use_gives_the_stream_in_order(
    octets: bytes, most: int, chunk: int, uses: list[tuple[bool, int]]
) -> None:
    """Taking and skipping, in any sizes, see every byte once, at its position."""
    window, at = Window(Dribble(octets, most), chunk), 0
    for skips, count in uses:
        if skips:
            assert (at + count <= len(octets)) == window.skip(count)
        else:
            assert (at + count <= len(octets)) == window.need(count)
            assert octets[at : at + count] == window.peek(count)
            window.skip(len(window.peek(count)))
        at = min(at + count, len(octets))
        assert at == window.position


def test_filled_bytes_stay_where_they_are() -> None:
    """A batch keeps its view of the buffer: later fills leave those bytes alone."""
    window = Window(Dribble(bytes(range(100)), 7), 16)
    window.need(10)
    kept = window.octets[window.start : window.start + 10]
    while window.skip(5):
        window.need(16)
    assert bytes(range(10)) == bytes(kept)


def test_nothing_is_read_ahead_of_a_fill() -> None:
    """`need` stops as soon as it can, for a pipe may have no more yet."""
    window = Window(Dribble(bytes(100), 3), 64)
    assert window.need(4)
    assert 6 == len(window)


def test_end_of_the_stream() -> None:
    """It is found once, and stays."""
    window = Window(Dribble(b"abc", 10), 8)
    assert not window.need(4)
    assert window.finished
    assert not window.fill()
    assert b"abc" == window.peek(10)


def test_positions_of_a_part_are_those_of_the_whole() -> None:
    """Also once the buffer has been renewed."""
    window = Window(Dribble(bytes(100), 7), 16, begin=1_000)
    assert 1_000 == window.position
    window.skip(70)
    window.need(16)
    assert 1_070 == window.position


def test_close_closes_the_stream() -> None:
    """The descriptor is given back."""
    stream = Dribble(b"", 1)
    Window(stream).close()
    assert stream.closed
