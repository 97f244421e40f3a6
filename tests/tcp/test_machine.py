"""The literal against an independent transcription of RFC 9293, and every cell of the table."""

from __future__ import annotations

from itertools import product

import pytest

from tcptrace.tcp.machine import (
    EVENTS,
    IGNORED,
    INFERENCES,
    TABLE,
    TRANSITIONS,
    UNEXPECTED,
    Literal,
    Stay,
    dense,
    step,
)
from tcptrace.tcp.states import Event, State

# Typed from figure 5, top to bottom: from, event (of "CLOSE / snd FIN" the visible half), to.
# Do not derive it from the code.
FIGURE_5 = """
CLOSED       passive OPEN         LISTEN
CLOSED       active OPEN          SYN_SENT
LISTEN       CLOSE                CLOSED
LISTEN       rcv SYN              SYN_RCVD
LISTEN       SEND                 SYN_SENT
SYN_SENT     CLOSE                CLOSED
SYN_SENT     rcv SYN              SYN_RCVD
SYN_SENT     rcv SYN,ACK          ESTABLISHED
SYN_RCVD     rcv ACK of SYN       ESTABLISHED
SYN_RCVD     snd FIN              FIN_WAIT_1
ESTABLISHED  snd FIN              FIN_WAIT_1
ESTABLISHED  rcv FIN              CLOSE_WAIT
FIN_WAIT_1   rcv ACK of FIN       FIN_WAIT_2
FIN_WAIT_1   rcv FIN              CLOSING
CLOSE_WAIT   snd FIN              LAST_ACK
FIN_WAIT_2   rcv FIN              TIME_WAIT
CLOSING      rcv ACK of FIN       TIME_WAIT
LAST_ACK     rcv ACK of FIN       CLOSED
TIME_WAIT    Timeout=2MSL         CLOSED
"""

# The text of section 3.10 has moves that the figure leaves out.
TEXT = """
SYN_RCVD     CLOSE                FIN_WAIT_1
SYN_RCVD     rcv SYN,ACK          ESTABLISHED
SYN_RCVD     rcv FIN              CLOSE_WAIT
ESTABLISHED  CLOSE                FIN_WAIT_1
SYN_SENT     rcv RST              CLOSED
SYN_RCVD     rcv RST              CLOSED
ESTABLISHED  rcv RST              CLOSED
FIN_WAIT_1   rcv RST              CLOSED
FIN_WAIT_2   rcv RST              CLOSED
CLOSE_WAIT   rcv RST              CLOSED
CLOSING      rcv RST              CLOSED
LAST_ACK     rcv RST              CLOSED
TIME_WAIT    rcv RST              CLOSED
SYN_RCVD     ABORT                CLOSED
ESTABLISHED  ABORT                CLOSED
FIN_WAIT_1   ABORT                CLOSED
FIN_WAIT_2   ABORT                CLOSED
CLOSE_WAIT   ABORT                CLOSED
SYN_SENT     hard ICMP error      CLOSED
SYN_SENT     user timeout         CLOSED
SYN_RCVD     user timeout         CLOSED
ESTABLISHED  user timeout         CLOSED
FIN_WAIT_1   user timeout         CLOSED
CLOSE_WAIT   user timeout         CLOSED
CLOSING      user timeout         CLOSED
LAST_ACK     user timeout         CLOSED
TIME_WAIT    new incarnation      CLOSED
"""

WRITTEN = {
    "passive OPEN": Event.PASSIVE_OPEN,
    "active OPEN": Event.SND_SYN,
    "SEND": Event.SND_SYN,
    "CLOSE": Event.CLOSE,
    "rcv SYN": Event.RCV_SYN,
    "rcv SYN,ACK": Event.RCV_SYN_ACK,
    "rcv ACK of SYN": Event.RCV_ACK_OF_SYN,
    "rcv FIN": Event.RCV_FIN,
    "rcv ACK of FIN": Event.RCV_ACK_OF_FIN,
    "snd FIN": Event.SND_FIN,
    "Timeout=2MSL": Event.TIMEOUT_2MSL,
    "rcv RST": Event.RCV_RST,
    "ABORT": Event.SND_RST,
    "hard ICMP error": Event.RCV_ICMP_ERROR,
    "user timeout": Event.TIMEOUT_RETRANSMISSION,
    "new incarnation": Event.REPLACED,
}


def arrows(drawn: str) -> set[tuple[State, Event, State]]:
    """The arrows of a drawing above."""
    lines = [line.split(maxsplit=1) for line in drawn.strip().splitlines()]
    split = [(before, *rest.rsplit(maxsplit=1)) for before, rest in lines]
    return {(State[before], WRITTEN[event], State[after]) for before, event, after in split}


def moves(literal: Literal) -> set[tuple[State, Event, State]]:
    """The cells of a literal that move."""
    return {
        (state, event, following)
        for state, row in literal.items()
        for event, following in row.items()
        if isinstance(following, State)
    }


def walk(state: State, *events: Event) -> list[State]:
    """The states an endpoint goes through; what moves nothing adds none."""
    walked = [state]
    for event in events:
        following = step(walked[-1], event)
        if isinstance(following, State):
            walked.append(following)
    return walked


def test_figure_5_is_in_the_machine() -> None:
    """Every arrow that the RFC draws is a cell."""
    assert set() == arrows(FIGURE_5) - moves(TRANSITIONS)


def test_the_machine_is_in_the_rfc() -> None:
    """Every move of the reference machine is drawn in figure 5 or written in section 3.10."""
    assert set() == moves(TRANSITIONS) ^ (arrows(FIGURE_5) | arrows(TEXT))


def test_rst_in_syn_rcvd_ends_the_connection() -> None:
    """Figure 5 note 1 returns to LISTEN: the port does, its connection is CLOSED."""
    assert State.CLOSED is step(State.SYN_RCVD, Event.RCV_RST)


def test_no_inference_contradicts_the_rfc() -> None:
    """An inference fills a hole or moves where the RFC stays; it never redirects a move."""
    redirected = [
        (state, event)
        for state, row in INFERENCES.items()
        for event in row
        if isinstance(TRANSITIONS[state].get(event), State)
    ]
    assert [] == redirected


@pytest.mark.parametrize(
    ("state", "event"), list(product(State, Event)), ids=lambda member: member.name
)
def test_every_cell_is_the_literals(state: State, event: Event) -> None:
    """The dense table says what the literals say, and UNEXPECTED where both are silent."""
    reference = TRANSITIONS[state].get(event, UNEXPECTED)
    expected = INFERENCES.get(state, {}).get(event, reference)
    assert expected == step(state, event)
    assert expected == TABLE[state * EVENTS + event]
    assert reference == dense(TRANSITIONS)[state * EVENTS + event]


def test_the_two_kinds_of_no_are_no_states() -> None:
    """A kernel tells a move from a stay by one comparison."""
    assert all(stay > max(State) for stay in Stay)
    assert min(Stay) == IGNORED


@pytest.mark.parametrize("state", State, ids=lambda member: member.name)
def test_what_arrives_is_never_unexpected_but_an_ack_of_a_fin_not_sent(state: State) -> None:
    """The network may deliver anything; only what we never sent cannot be acknowledged."""
    arriving = [event for event in Event if event.name.startswith("RCV_")]
    unexpected = {event for event in arriving if step(state, event) is UNEXPECTED}
    without_fin = {State.SYN_RCVD, State.ESTABLISHED, State.CLOSE_WAIT}
    assert ({Event.RCV_ACK_OF_FIN} if state in without_fin else set()) == unexpected


ROWS = [  # RFC 9293 section 3.10, and what it says of one endpoint
    ("3.10.7.1", State.CLOSED, [Event.RCV_SYN, Event.SND_RST], []),
    ("3.10.7.1", State.CLOSED, [Event.RCV_RST], []),
    ("3.10.4", State.LISTEN, [Event.CLOSE], [State.CLOSED]),
    ("3.10.7.2", State.LISTEN, [Event.RCV_RST], []),
    ("3.10.7.2", State.LISTEN, [Event.RCV_FIN], []),
    ("3.10.7.3", State.SYN_SENT, [Event.SND_RST], []),
    ("3.10.7.3", State.SYN_SENT, [Event.RCV_ACK_OF_SYN], []),
    ("3.10.7.3", State.SYN_SENT, [Event.RCV_SYN_ACK], [State.ESTABLISHED]),
    (
        "3.5 figure 7",
        State.SYN_SENT,
        [Event.RCV_SYN, Event.SND_SYN, Event.RCV_SYN_ACK],
        [State.SYN_RCVD, State.ESTABLISHED],
    ),
    (
        "3.10.7.4",
        State.SYN_RCVD,
        [Event.RCV_ACK_OF_SYN, Event.RCV_FIN],
        [State.ESTABLISHED, State.CLOSE_WAIT],
    ),
    (
        "figure 5 note 2",
        State.FIN_WAIT_1,
        [Event.RCV_ACK_OF_FIN, Event.RCV_FIN],
        [State.FIN_WAIT_2, State.TIME_WAIT],
    ),
    (
        "3.6 figure 13",
        State.FIN_WAIT_1,
        [Event.RCV_FIN, Event.RCV_ACK_OF_FIN],
        [State.CLOSING, State.TIME_WAIT],
    ),
    ("3.10.4", State.ESTABLISHED, [Event.CLOSE, Event.SND_FIN], [State.FIN_WAIT_1]),
    ("3.10.4", State.CLOSE_WAIT, [Event.CLOSE], []),
    ("3.10.4", State.CLOSE_WAIT, [Event.CLOSE, Event.SND_FIN], [State.LAST_ACK]),
    ("3.10.7.4", State.CLOSE_WAIT, [Event.RCV_FIN], []),
    ("3.10.7.4", State.CLOSING, [Event.RCV_FIN], []),
    ("3.10.7.4", State.LAST_ACK, [Event.RCV_FIN], []),
    ("3.10.7.4", State.TIME_WAIT, [Event.RCV_FIN], []),
    ("3.10.8", State.TIME_WAIT, [Event.TIMEOUT_2MSL], [State.CLOSED]),
    ("3.6.1", State.TIME_WAIT, [Event.REPLACED], [State.CLOSED]),
    ("3.10.7.4", State.ESTABLISHED, [Event.RCV_SYN], []),
    ("no timer", State.FIN_WAIT_2, [Event.TIMEOUT_RETRANSMISSION], []),
    ("no timer", State.LISTEN, [Event.TIMEOUT_RETRANSMISSION], []),
]


@pytest.mark.parametrize(("section", "state", "events", "expected"), ROWS)
def test_section_3_10(
    section: str, state: State, events: list[Event], expected: list[State]
) -> None:
    """One sentence of the RFC a row."""
    assert [state, *expected] == walk(state, *events), section


def test_only_an_orphans_fin_wait_2_ends_by_a_timer() -> None:
    """The standard has no such timer: the reference machine must not know the event."""
    assert UNEXPECTED == TRANSITIONS[State.FIN_WAIT_2].get(Event.TIMEOUT_FIN_WAIT_2, UNEXPECTED)
    ended = {state for state in State if step(state, Event.TIMEOUT_FIN_WAIT_2) is not UNEXPECTED}
    assert {State.FIN_WAIT_2} == ended
