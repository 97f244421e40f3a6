"""Pins how labs share a machine, and what a storm is made of."""

from __future__ import annotations

import pickle

from .conversations import CONVERSATIONS
from .play import PORTS_AT_A_TIME, claimed_ports
from .scenarios import SCENARIOS, UNTOLD, in_order
from .storm import CONNECTIONS, storm
from .wire import TAPS


def test_two_labs_never_have_the_same_ports() -> None:
    """The tracepoint tells no namespaces apart; ports are free again when a lab is done."""
    with claimed_ports() as one, claimed_ports() as other:
        assert abs(one - other) >= PORTS_AT_A_TIME
    assert CONNECTIONS <= PORTS_AT_A_TIME


def test_storm_is_its_seed() -> None:
    """The same seed is the same weather; an even one blows over IPv4, an odd one over IPv6."""
    assert str(storm(6).weather) == str(storm(6).weather) != str(storm(8).weather)
    assert (4, 6) == tuple({2: 4, 10: 6}[storm(seed).family] for seed in (6, 7))


def test_cases_travel_to_other_processes() -> None:
    """What is played in a process of its own has to be sent there."""
    for case in (storm(1), *SCENARIOS.values()):
        assert case.name == pickle.loads(pickle.dumps(case)).name


def test_there_are_enough_scenarios() -> None:
    """Forty and more, each with what it shows; the one that lasts a minute begins first."""
    assert len(SCENARIOS) >= 40
    assert [] == [name for name, case in SCENARIOS.items() if not case.title]
    assert "time_wait_expires" == in_order(sorted(SCENARIOS))[0].name


def test_list_of_what_is_not_judged_names_what_there_is() -> None:
    """Scenarios, taps, sides: a misspelt line would hide nothing and say nothing."""
    assert set() == UNTOLD.keys() - SCENARIOS.keys()
    assert set() == {tap for by_tap in UNTOLD.values() for tap in by_tap} - set(TAPS)
    entries = {entry for by_tap in UNTOLD.values() for own in by_tap.values() for entry in own}
    assert {"client", "server"} >= {entry.partition(" ")[0] for entry in entries}


def test_every_conversation_says_what_it_is() -> None:
    """Each has a docstring and a weight."""
    assert [] == [play.__name__ for play, weight in CONVERSATIONS.items() if weight < 1]
    assert [] == [play.__name__ for play in CONVERSATIONS if not play.__doc__]
