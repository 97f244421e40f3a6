"""Numbers, spellings and labels of states and events."""

from __future__ import annotations

import pytest

from tcptrace.errors import UsageError
from tcptrace.tcp.states import ALIASES, LABELS, Event, Role, State, parse_state


def test_numbers_are_stable() -> None:
    """Kernels, saved tables and the dense machine rest on them."""
    names = (
        "CLOSED LISTEN SYN_SENT SYN_RCVD ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSE_WAIT CLOSING "
        "LAST_ACK TIME_WAIT"
    )
    assert names.split() == [State(number).name for number in range(len(State))]
    assert [0, 1] == [Role.ORIGINATOR, Role.RESPONDER]
    assert list(range(len(Event))) == [int(event) for event in Event]
    assert (0, 16) == (Event.PASSIVE_OPEN, Event.MID_STREAM)


@pytest.mark.parametrize("spelling", ["fin-wait-2", "FINWAIT2", "FIN_WAIT2", " Fin Wait 2 "])
def test_every_spelling_of_a_state_is_understood(spelling: str) -> None:
    """What ss, netstat, the kernel and the RFC write for one state."""
    assert State.FIN_WAIT_2 is parse_state(spelling)


@pytest.mark.parametrize("name", [*State.__members__, *ALIASES])
def test_names_and_aliases_name_a_state(name: str) -> None:
    """Lower case, hyphens and the kernel's TCP_ in front change nothing."""
    expected = ALIASES[name] if name in ALIASES else State[name]
    assert expected is parse_state("tcp_" + name.lower().replace("_", "-"))


def test_an_unknown_state_is_a_usage_error() -> None:
    """The message lists the states there are."""
    with pytest.raises(UsageError, match="TIME_WAIT"):
        parse_state("OPEN")


def test_every_event_has_its_own_label() -> None:
    """The story and the diagrams name each event; two events never share a name."""
    assert set(Event) == set(LABELS)
    assert len(Event) == len(set(LABELS.values()))
