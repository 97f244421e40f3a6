"""Pins Zeek's machine of one endpoint, row by row of UpdateStateMachine, and its dense tables."""

from __future__ import annotations

from itertools import product

import pytest
from zeek_segments import BITS

from tcptrace.tracker import zeek_machine as machine
from tcptrace.tracker.zeek_machine import Act
from tcptrace.tracker.zeek_rows import EndpointState

# Who sends (orig or resp), its state, its peer's, flags → its state, its peer's, what else.
MOVES = """
orig INACTIVE     INACTIVE     S   SYN_SENT     INACTIVE     ATTEMPTS
orig INACTIVE     INACTIVE     SA  SYN_ACK_SENT INACTIVE     ATTEMPTS
resp INACTIVE     SYN_SENT     SA  ESTABLISHED  ESTABLISHED  SETTLES ESTABLISHES
resp INACTIVE     SYN_SENT     S   ESTABLISHED  ESTABLISHED  SETTLES ESTABLISHES
resp INACTIVE     SYN_ACK_SENT S   ESTABLISHED  ESTABLISHED  SETTLES ESTABLISHES FLIPS
resp INACTIVE     INACTIVE     SA  ESTABLISHED  INACTIVE     SETTLES ESTABLISHES
resp INACTIVE     PARTIAL      SA  ESTABLISHED  PARTIAL
orig INACTIVE     INACTIVE     F   CLOSED       INACTIVE     SETTLES CLOSES
orig INACTIVE     INACTIVE     R   RESET        INACTIVE     SETTLES CLOSES
resp INACTIVE     SYN_SENT     RA  RESET        SYN_SENT     SETTLES CLOSES
resp INACTIVE     SYN_SENT     A   INACTIVE     SYN_SENT
orig INACTIVE     ESTABLISHED  A   ESTABLISHED  ESTABLISHED  WHOLE
orig INACTIVE     INACTIVE     A   PARTIAL      INACTIVE     SETTLES
orig SYN_SENT     INACTIVE     A   SYN_SENT     INACTIVE
orig SYN_SENT     INACTIVE     F   CLOSED       INACTIVE     SETTLES CLOSES
orig SYN_SENT     ESTABLISHED  R   RESET        ESTABLISHED  CLOSES
orig PARTIAL      INACTIVE     S   SYN_SENT     INACTIVE
orig PARTIAL      INACTIVE     SA  PARTIAL      INACTIVE
orig ESTABLISHED  ESTABLISHED  S   ESTABLISHED  ESTABLISHED
orig ESTABLISHED  ESTABLISHED  FA  CLOSED       ESTABLISHED  CLOSES
orig ESTABLISHED  ESTABLISHED  FR  RESET        ESTABLISHED  CLOSES
orig ESTABLISHED  RESET        F   CLOSED       RESET        CLOSES REVIVES
orig CLOSED       ESTABLISHED  R   RESET        ESTABLISHED  CLOSES
orig CLOSED       CLOSED       R   CLOSED       CLOSED
orig CLOSED       ESTABLISHED  F   CLOSED       ESTABLISHED
orig RESET        ESTABLISHED  S   RESET        ESTABLISHED
"""


def bits_of(letters: str) -> int:
    return sum(BITS[letter] for letter in letters)


@pytest.mark.parametrize("row", MOVES.strip().splitlines())
def test_every_move(row: str) -> None:
    """No sequence number guards any of them."""
    sender, state, peer, flags, state_then, peer_then, *acts = row.split()
    step = machine.move(sender == "orig", EndpointState[state], EndpointState[peer], bits_of(flags))
    assert (state_then, peer_then) == (step.state.name, step.peer.name)
    assert sum(Act[act] for act in acts) == step.acts


def test_state_before_is_the_last_one_left() -> None:
    """A SYN that carries a RST is in its new state for an instant."""
    step = machine.move(False, EndpointState.INACTIVE, EndpointState.SYN_SENT, bits_of("SR"))
    assert (EndpointState.RESET, EndpointState.ESTABLISHED) == (step.state, step.before)


@pytest.mark.parametrize("is_orig", [True, False])
def test_tables_are_the_machine(is_orig: bool) -> None:
    """What the kernel looks up is what `move` says, for every pair of states and all flags."""
    for state, peer, has_payload in product(EndpointState, EndpointState, (False, True)):
        for letters in ("", "S", "F", "R", "SF", "SR", "FR", "SFR", "A", "SA", "FA", "RA", "SFRA"):
            step = machine.move(is_orig, state, peer, bits_of(letters), has_payload)
            place = machine.place(is_orig, state, peer, bits_of(letters), has_payload)
            before = machine.STATES if step.before is None else step.before
            expected = (step.state, step.peer, before, step.acts)
            tables = (machine.STATE_AFTER, machine.PEER_AFTER, machine.BEFORE, machine.ACTS)
            assert expected == tuple(table[place] for table in tables)


@pytest.mark.parametrize(
    ("flags", "has_payload", "letter"),
    [
        *(("S", False, "S"), ("S", True, "S"), ("SA", False, "H"), ("FA", True, "F")),
        *(("R", True, "R"), ("FR", False, "I"), ("SFR", False, "I"), ("SF", False, "Q")),
        *(("SR", True, "Q"), ("A", False, "A"), ("A", True, "D"), ("", True, "D"), ("", False, "")),
    ],
)
def test_letter_of_a_segment(flags: str, has_payload: bool, letter: str) -> None:
    """Payload on a SYN, FIN or RST adds no D, and none of them an A."""
    assert letter == machine.letter(bits_of(flags), has_payload)


@pytest.mark.parametrize(
    ("port", "is_server", "is_patient"),
    [(80, 1, 0), (22, 1, 1), (23, 0, 1), (110, 0, 0), (0, 0, 0), (65535, 0, 0)],
)
def test_what_a_port_says(port: int, is_server: int, is_patient: int) -> None:
    """Whether a likely server has it, and one that is borne silent for an hour."""
    assert (is_server, is_patient) == (machine.IS_SERVER[port], machine.IS_PATIENT[port])
