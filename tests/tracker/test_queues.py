"""Pins `Queues`: who has been silent for long, part by part, and who for longest of all."""

from __future__ import annotations

from typing import Any

import pytest
from outcomes import Kernel

from tcptrace.tracker.queues import Standing
from tcptrace.tracker.slots import Slots

LINGER = 300
OPEN, ENDED, HALF_OPEN = Standing


@pytest.fixture
def made(kernel: Kernel) -> tuple[Any, Slots]:
    """Queues, and five slots of the parts 4, 4, 7, 7, 7 that they look at."""
    slots = Slots.zeros(5)
    slots.part[:] = 4, 4, 7, 7, 7
    slots.time_end[:] = 100, 50, 70, 80, 90
    queues = kernel("tcptrace.tracker.queues").Queues(LINGER)
    queues.look(slots.cells)
    return queues, slots


def test_ended_is_overdue_after_the_linger(made: tuple[Any, Slots]) -> None:
    """From its deadline on, and first the one that is first in its part's queue."""
    queues, _ = made
    queues.append(0, ENDED)
    queues.append(1, ENDED)
    queues.append(2, ENDED)
    assert [-1, -1] == [queues.overdue(7, 369), queues.overdue(4, 399)]
    assert [2, 0] == [queues.overdue(7, 370), queues.overdue(4, 400)]
    assert [400, 350] == [queues.deadline(0), queues.deadline(1)]


def test_half_open_is_overdue_like_the_ended(made: tuple[Any, Slots]) -> None:
    """Of both, the one that was silent first."""
    queues, _ = made
    queues.append(0, ENDED)
    queues.append(1, HALF_OPEN)
    assert [-1, 1, 1] == [queues.overdue(4, now) for now in (349, 350, 400)]
    queues.detach(1)
    assert 0 == queues.overdue(4, 400)


def test_open_is_never_overdue(made: tuple[Any, Slots]) -> None:
    """However long it is silent."""
    queues, _ = made
    queues.append(0, OPEN)
    assert -1 == queues.overdue(4, 1 << 60)


def test_longest_silent_is_an_ended_one_then_a_half_open_one(made: tuple[Any, Slots]) -> None:
    """The first of its part's queue, of all parts that which was silent first."""
    queues, _ = made
    for slot, standing in ((0, OPEN), (4, HALF_OPEN), (3, ENDED), (2, ENDED), (1, ENDED)):
        queues.append(slot, standing)
    gone = []
    for _ in range(5):
        gone.append(queues.longest_silent())
        queues.detach(gone[-1])
    assert [1, 3, 2, 4, 0] == gone
    assert -1 == queues.longest_silent()


def test_taken_out_of_the_middle(made: tuple[Any, Slots]) -> None:
    """A segment takes a connection to the end of its queue, and from open to ended."""
    queues, _ = made
    for slot in (2, 3, 4):
        queues.append(slot, OPEN)
    queues.detach(3)
    queues.append(3, ENDED)
    queues.detach(2)
    queues.append(2, OPEN)
    gone = []
    for _ in range(3):
        gone.append(queues.longest_silent())
        queues.detach(gone[-1])
    assert [3, 4, 2] == gone
