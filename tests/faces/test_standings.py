"""Where endpoints stand, and which connections matter most."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tcptrace
from tcptrace.faces.standings import Standings
from tcptrace.look import Known, Look
from tcptrace.tcp.states import State
from tcptrace.tracker.tracker import Tracker
from tcptrace.tracker.transitions import Basis

CAPTURES = Path(__file__).parents[2] / "captures"


def look_at(case: str, shift: int = 0) -> Look:
    """A capture as a look at its end, `shift` ns later."""
    (path,) = (CAPTURES / case).glob("capture.*")
    trace = tcptrace.read(path)
    names, now = np.arange(len(trace)) + 10, trace.end + shift
    return Look(
        trace.found, names, trace.capture, trace.profile, now, Known.nothing()
    ).with_findings()


def made(states: list[tuple[State, State]], since: list[int], gravest: list[int]) -> Standings:
    """Standings of connections; both endpoints have been in their state for as long."""
    state = np.array(states, np.int64)
    return Standings(
        state, np.stack([since, since], axis=1), np.zeros_like(state), np.array(gravest), {}
    )


def test_the_last_move_of_each_endpoint() -> None:
    """State, time and basis, and what findings say of the connection."""
    standings = Standings.of(look_at("fin_wait_2_stalled"))
    assert [State.CLOSED, State.CLOSE_WAIT] == standings.state[0].tolist()
    assert [Basis.TIMER, Basis.CONFIRMED] == standings.basis[0].tolist()
    assert (standings.since[0] > 0).all()
    assert [2, -1] == standings.gravest.tolist()
    assert {0: ["close-wait-leak", "fin-wait-2-stalled"]} == standings.codes


def test_an_endpoint_of_which_nothing_is_known() -> None:
    """A SYN that was never answered says nothing of who should have answered it."""
    standings = Standings.of(look_at("syn_unanswered"))
    assert State.SYN_SENT in standings.state[:, 0] or State.CLOSED in standings.state[:, 0]
    assert (standings.state[:, 1] == -1).any()


def test_the_gravest_then_the_longest_waiting_then_the_latest() -> None:
    """Those that are over and of which nothing was found are left out."""
    standings = made(
        [
            (State.ESTABLISHED, State.ESTABLISHED),
            (State.FIN_WAIT_2, State.CLOSE_WAIT),
            (State.CLOSED, State.CLOSED),
            (State.SYN_SENT, State.LISTEN),
            (State.CLOSED, State.CLOSED),
            (State.ESTABLISHED, State.ESTABLISHED),
            (State.TIME_WAIT, State.CLOSED),
        ],
        since=[10, 30, 5, 20, 6, 50, 40],
        gravest=[-1, -1, 2, -1, -1, -1, -1],
    )
    assert [2, 3, 1, 5, 6, 0] == standings.first(99)
    assert [2, 3] == standings.first(2)


def test_of_nothing_nothing() -> None:
    """No connection, no row."""
    standings = Standings.of(_empty())
    assert ([], {}) == (standings.first(5), standings.population())


def test_population_by_role() -> None:
    """How many originators and responders are in each state."""
    standings = made([(State.ESTABLISHED, State.SYN_RCVD)] * 2, [1, 1], [-1, -1])
    assert {State.SYN_RCVD: (0, 2), State.ESTABLISHED: (2, 0)} == standings.population()


def _empty() -> Look:
    look = look_at("abort")
    found = Tracker().finish()
    return Look(found, np.zeros(0, np.int64), look.facts, look.profile, 0, Known.nothing())
