"""Pins that a case is written only if the kernel did what it is meant to show."""

from __future__ import annotations

import pytest

from tcptrace.tcp.states import State

from .case import Case
from .lab import Lab
from .sock_diag import Found
from .witness import Life, Step


def example(lab: Lab) -> None:
    """A title: of two parts.

    Words. Look for nothing.
    """


CASE = Case(example, ("SYN_SENT CLOSED",), ())


def life(side: str, *states: State) -> Life:
    found = Found(b"", "192.0.2.1", 40000, "192.0.2.2", 8080, states[0])
    return Life(side, found, [Step(0, 0, state) for state in states])


def test_name_and_title_come_from_the_script() -> None:
    """The function is the folder, its docstring the README."""
    assert ("example", "A title: of two parts") == (CASE.name, CASE.title)
    assert "Words. Look for nothing." in CASE.text


def test_what_was_meant_passes() -> None:
    """The declared states of each side, in order of birth."""
    CASE.check([life("client", State.SYN_SENT, State.CLOSED)])


def test_other_states_are_refused() -> None:
    """A kernel that went on to ESTABLISHED did not show a refusal."""
    with pytest.raises(ValueError, match=r"example, client: meant .*, happened"):
        CASE.check([life("client", State.SYN_SENT, State.ESTABLISHED)])


def test_socket_too_many_is_refused() -> None:
    """A server's socket that should not have been."""
    with pytest.raises(ValueError, match="example, server"):
        CASE.check([life("client", State.SYN_SENT, State.CLOSED), life("server", State.SYN_RCVD)])
