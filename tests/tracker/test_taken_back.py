"""Pins the order in which an endpoint's moves that were taken back are told."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcptrace.tcp.states import Event

Kernel = Callable[[str], ModuleType]
Move = tuple[int, int, int, int, int, int, int]

few = st.integers(0, 2)
moves = st.lists(
    st.builds(
        lambda event, time, *rest: (time, int(event == Event.RCV_FIN), int(event), *rest),
        st.sampled_from([Event.RCV_ACK_OF_SYN, Event.RCV_FIN, Event.SND_RST]),
        *(few, few, few, few, few),
    )
)


def added(made: Any, of: list[Move]) -> int:
    """The first of an endpoint's moves, which were taken back in this order."""
    first = 0
    for time, _, event, *rest in of:
        made.say(made.add(event, time, first), *rest)
        first = made.made
    return first


def told(made: Any, first: int) -> list[Move]:
    found = []
    while first:
        made.look(first)
        last = int(made.event == Event.RCV_FIN)
        found.append(
            (made.time, last, made.event, made.earliest, made.packet, made.proof, made.reason)
        )
        first = made.following
    return found


@given(moves, moves)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_moves_of_each_endpoint_are_sorted(
    kernel: Kernel, one: list[Move], two: list[Move]
) -> None:
    """By their times, what a segment acknowledges before its FIN, and so on."""
    made = kernel("tcptrace.tracker.taken_back").TakenBack()
    firsts = [added(made, one), added(made, two)]
    assert len(one) + len(two) == made.made
    assert [sorted(one), sorted(two)] == [told(made, made.ordered(first)) for first in firsts]


def test_many_moves_are_kept_as_room_grows(kernel: Kernel) -> None:
    """Of two endpoints whose moves come by turns, and none of a third."""
    made, firsts = kernel("tcptrace.tracker.taken_back").TakenBack(), [0, 0]
    for time in range(1000, 0, -1):
        row = made.add(Event.SND_RST, time, firsts[time % 2])
        made.say(row, 0, time, 0, 0)
        firsts[time % 2] = made.made
    assert list(range(2, 1001, 2)) == [move[0] for move in told(made, made.ordered(firsts[0]))]
    assert list(range(1, 1001, 2)) == [move[4] for move in told(made, made.ordered(firsts[1]))]
    assert [] == told(made, made.ordered(0))


def test_moves_in_between_are_left_out(kernel: Kernel) -> None:
    """What has been told is passed by whoever goes on."""
    made = kernel("tcptrace.tracker.taken_back").TakenBack()
    first = made.ordered(added(made, [(time, 0, 1, 0, 0, 0, 0) for time in (1, 2, 3)]))
    made.look(first)
    made.look(made.following)
    made.put_after(first, made.following)
    assert [1, 3] == [move[0] for move in told(made, first)]
