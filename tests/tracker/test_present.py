"""What is at hand of a live capture: verdicts that replace each other, and are given up."""

from __future__ import annotations

import numpy as np

from tcptrace.tracker.present import Present
from tcptrace.tracker.transitions import Connections, Endpoints, Transitions
from tcptrace.tracker.verdict import Verdict


def verdict(*ordinals: int, end: int = 0, strays: tuple[tuple[int, int], ...] = ()) -> Verdict:
    """A verdict on these connections, a move of each endpoint; `end` tells it from others."""
    count = len(ordinals)
    connections, endpoints = Connections.zeros(count), Endpoints.zeros(2 * count)
    moves = Transitions.zeros(2 * count)
    connections.conn[:] = ordinals
    connections.time_end[:] = end
    connections.orig_port[:] = np.array(ordinals) + 1  # four-tuples of their own
    for rows in (endpoints, moves):
        rows.conn[:] = np.repeat(ordinals, 2)
        rows.role[:] = np.tile([0, 1], count)
    return Verdict(connections, endpoints, moves, [f"h{each}" for each in ordinals], list(strays))


def at_hand(present: Present) -> dict[int, int]:
    """The ordinals, and which verdict stands of each."""
    found, ordinals = present.reconstruction()
    assert list(range(len(ordinals))) == found.connections.conn.tolist()
    assert np.repeat(np.arange(len(ordinals)), 2).tolist() == found.endpoints.conn.tolist()
    assert [f"h{each}" for each in ordinals.tolist()] == found.histories
    return dict(zip(ordinals.tolist(), found.connections.time_end.tolist(), strict=True))


def test_a_later_verdict_replaces_an_earlier_one() -> None:
    """Each connection is there once, as it was judged last."""
    present = Present()
    assert [5, 2] == present.take([], [verdict(5, 2, end=1)]).tolist()
    assert [2, 7] == present.take([], [verdict(2, 7, end=2)]).tolist()
    assert {2: 2, 5: 1, 7: 2} == at_hand(present)


def test_what_is_told_for_good_outdoes_what_was_judged() -> None:
    """Even where both come together."""
    present = Present()
    present.take([verdict(1, end=9)], [verdict(1, 3, end=1)])
    assert {1: 9, 3: 1} == at_hand(present)
    assert 2 == len(present)


def test_a_stray_syn_is_no_connection_any_more() -> None:
    """It was one until more was known; it is touched, and gone."""
    present = Present()
    present.take([], [verdict(1, 2)])
    touched = present.take([], [verdict(1, strays=((2, 1),))])
    assert {1, 2} == set(touched.tolist())
    assert [1] == list(at_hand(present))


def test_given_up_and_judged_again() -> None:
    """What was given up is not at hand, until it moves again."""
    present = Present()
    present.take([verdict(0)], [verdict(1, 2)])
    present.give_up(np.array([0, 2]))
    assert [1] == list(at_hand(present))
    present.take([], [verdict(2, end=4)])
    assert {1: 0, 2: 4} == at_hand(present)


def test_nothing_at_all() -> None:
    """Before the first packet there is nothing, and that is no mistake."""
    present = Present()
    assert [] == present.take([], []).tolist()
    assert {} == at_hand(present)
