"""Pins `Paths` against a dictionary, whatever is learned and forgotten."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Slots

Kernel = Callable[[str], ModuleType]
Connection = tuple[int, int, int, int, int, int]
LARGE = (1 << 63) - 1

words = st.sampled_from([0, 1, -1, LARGE, -LARGE - 1])
batches = st.lists(st.lists(st.tuples(words, words, words, words, *[st.integers(-1, 3)] * 2)))


def settled(paths: Any, batch: list[Connection]) -> list[int]:
    """The turnarounds of connections, (host, peer, of the host, of the peer), once settled."""
    slots, sides = Slots.zeros(len(batch)), Sides.zeros(2 * len(batch))
    for place, (*ends, near, far) in enumerate(batch):
        slots.hi_0[place], slots.lo_0[place], slots.hi_1[place], slots.lo_1[place] = ends
        sides.turnaround[2 * place : 2 * place + 2] = near, far
    paths.settle(slots.cells, sides.cells, len(batch))
    return [int(turnaround) for turnaround in sides.turnaround]


def expected(known: dict[tuple[int, ...], int], batch: list[Connection], most: int) -> list[int]:
    asked = []
    for *ends, near, far in batch:
        for path, turnaround in (((*ends,), near), ((*ends[2:], *ends[:2]), far)):
            asked.append(path)
            if turnaround >= 0:
                known[path] = min(turnaround, known.get(path, LARGE))
    found = [known.get(path, -1) for path in asked]
    for path in [*islice(known, max(0, len(known) - most))]:
        del known[path]
    return found


@given(batches, st.integers(1, 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_paths_are_those_of_a_dictionary(
    kernel: Kernel, many: list[list[Connection]], most: int
) -> None:
    """The least of each path is known in every later batch until it is forgotten."""
    paths, known = kernel("tcptrace.tracker.paths").Paths(most), dict[tuple[int, ...], int]()
    for batch in many:
        assert expected(known, batch, most) == settled(paths, batch)


@pytest.mark.parametrize("most", [900, 5000])
def test_paths_grow_and_are_forgotten_in_order(kernel: Kernel, most: int) -> None:
    """Through several turns of the rows, and with more paths than there was room for at first."""
    paths, known = kernel("tcptrace.tracker.paths").Paths(most), dict[tuple[int, ...], int]()
    for first in range(0, 6000, 300):
        batch = [(0, host, 7, 9, host % 5, -1) for host in range(first, first + 300)]
        again = [(7, 9, 0, host, -1, -1) for host in range(max(0, first - 1200), first, 7)]
        assert expected(known, batch + again, most) == settled(paths, batch + again)
