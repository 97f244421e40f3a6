"""Pins `Workroom`: moves that were told stay where they are when more room is asked for."""

from __future__ import annotations

from tcptrace.tracker.workroom import Workroom


def test_more_room_keeps_what_was_told() -> None:
    """Rows behind those told are free to be overwritten, the told ones are not."""
    room = Workroom()
    room.moves(0, 3).conn[:] = [1, 2, 3]
    room.moves(3, 1000).conn[:] = 9
    assert [1, 2, 3, 9] == room.told(4)[:, 0].tolist()
    room.moves(2, 1).conn[:] = 7
    assert [1, 2, 7] == room.told(3)[:, 0].tolist()


def test_what_was_told_is_a_copy() -> None:
    """The next group does not overwrite it."""
    room = Workroom()
    room.moves(0, 1).conn[:] = 1
    told = room.told(1)
    room.moves(0, 1).conn[:] = 2
    assert 1 == told[0, 0]


def test_evidence_is_as_long_as_asked() -> None:
    """Whatever was asked before."""
    room = Workroom()
    assert [5, 100, 0] == [len(room.evidence(count)) for count in (5, 100, 0)]


def test_sides_are_zero_whatever_was_written_before() -> None:
    """As the kernels want them; they are as many as asked for."""
    room = Workroom()
    room.sides(4).una[:] = 5
    for count in (3, 100, 0):
        sides = room.sides(count)
        assert count == len(sides)
        assert not sides.matrix.any()
