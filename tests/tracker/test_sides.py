"""Pins `Sides`: a milestone's fields stand together, in the order in which kernels count."""

from __future__ import annotations

from tcptrace.tracker.sides import FIELDS, MILESTONES, NEVER, STEP, Sides


def test_milestones_stand_in_steps_from_the_first_column() -> None:
    """Field f of milestone m is column STEP * m + f."""
    for place, milestone in enumerate(MILESTONES):
        for offset, name in enumerate(FIELDS):
            assert STEP * place + offset == Sides.index(f"{milestone}_{name}")


def test_never_is_no_time() -> None:
    """What did not come to pass is told apart from every time since the epoch."""
    assert NEVER < 0
