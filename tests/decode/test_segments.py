"""The columns that the floors above read."""

from __future__ import annotations

from tcptrace.decode.segments import Checksum, Kind, Mark, Segments


def test_sack_blocks_stand_side_by_side() -> None:
    """The kernel writes eight edges one after the other."""
    names = [f"sack_{block}_{side}" for block in range(1, 5) for side in ("left", "right")]
    first = Segments.index("sack_1_left")
    assert list(range(first, first + 8)) == [Segments.index(name) for name in names]


def test_zero_means_nothing_special() -> None:
    """A row of zeros is a segment, unjudged, without marks."""
    assert (Kind.SEGMENT, Checksum.UNKNOWN, Mark(0)) == (0, 0, 0)
    assert all(mark & (mark - 1) == 0 for mark in Mark), "marks are bits"
