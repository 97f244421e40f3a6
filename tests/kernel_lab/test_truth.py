"""Pins the judge: it must find what it is there to find."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .truth import SLACK_NS, disagreements

KEY = {"ip": "192.0.2.1", "port": 40000, "peer_ip": "192.0.2.2", "peer_port": 8080}
MS = 1_000_000


def facts(*states: tuple[str, int], transit: str = "") -> dict[str, Any]:
    """One client whose states began at these ms, and a last look at 100 ms."""
    steps = [
        {"state": s, "earliest": at * MS, "latest": at * MS, "transit": s == transit}
        for s, at in states
    ]
    return {"until": 100 * MS, "endpoints": [{"side": "client", **KEY, "states": steps}]}


def timeline(*rows: tuple[str, int]) -> pd.DataFrame:
    """Rows of that client which claim to know the moment exactly."""
    frame = pd.DataFrame([{"conn": 0, **KEY, "state": s, "ns": at * MS} for s, at in rows])
    moment = pd.to_datetime(frame.pop("ns"), unit="ns", utc=True)
    return frame.assign(start=moment, earliest=moment, latest=moment)


def test_same_states_at_the_same_time_agree() -> None:
    """The truth itself has nothing against it."""
    rows = (("SYN_SENT", 1), ("ESTABLISHED", 3))
    assert [] == disagreements(facts(*rows), timeline(*rows))


def test_missing_state_is_found() -> None:
    """A state that is not told."""
    truth = facts(("SYN_SENT", 1), ("ESTABLISHED", 3))
    assert 1 == len(disagreements(truth, timeline(("SYN_SENT", 1))))


def test_endpoint_that_is_not_told_is_found() -> None:
    """No rows at all, where a kernel had a socket."""
    other = timeline(("SYN_SENT", 1)).assign(port=1)
    assert 2 == len(disagreements(facts(("SYN_SENT", 1)), other))


def test_phantom_is_found() -> None:
    """Rows of a socket that no kernel had, unless they say CLOSED."""
    truth = facts() | {"endpoints": []}
    assert 1 == len(disagreements(truth, timeline(("SYN_RCVD", 1))))
    assert [] == disagreements(truth, timeline(("CLOSED", 1)))


def test_moment_outside_the_bounds_is_found() -> None:
    """The kernel's moment must lie within [earliest, latest], but for its own delay."""
    truth = facts(("SYN_SENT", 1))
    assert [] == disagreements(truth, timeline(("SYN_SENT", 1 + SLACK_NS // MS)))
    assert 1 == len(disagreements(truth, timeline(("SYN_SENT", 3))))


def test_unknowable_moment_is_not_judged() -> None:
    """One side's state whose moment no packet bounds; the other side's is judged."""
    truth = facts(("SYN_SENT", 1))
    assert [] == disagreements(truth, timeline(("SYN_SENT", 3)), ("client SYN_SENT",))
    assert 1 == len(disagreements(truth, timeline(("SYN_SENT", 3)), ("server SYN_SENT",)))


def test_transit_is_optional() -> None:
    """A state within one segment may be told or not."""
    truth = facts(("FIN_WAIT_1", 1), ("FIN_WAIT_2", 3), ("TIME_WAIT", 3), transit="FIN_WAIT_2")
    assert [] == disagreements(truth, timeline(("FIN_WAIT_1", 1), ("TIME_WAIT", 3)))
    told = (("FIN_WAIT_1", 1), ("FIN_WAIT_2", 3), ("TIME_WAIT", 3))
    assert [] == disagreements(truth, timeline(*told))


def test_what_comes_after_the_last_look_is_not_judged() -> None:
    """The end of TIME_WAIT, a minute behind the last look, is nobody's claim."""
    told = (("TIME_WAIT", 1), ("CLOSED", 60_000))
    assert [] == disagreements(facts(("TIME_WAIT", 1)), timeline(*told))


def test_move_that_is_due_at_the_last_look_may_have_come() -> None:
    """A timer's row begins behind the last look, its earliest moment lies before it."""
    told = timeline(("SYN_SENT", 1), ("CLOSED", 120))
    told.loc[1, "earliest"] = told.loc[1, "start"] - pd.Timedelta(40, "ms")
    told.loc[1, "latest"] = told.loc[1, "start"] + pd.Timedelta(40, "ms")
    assert [] == disagreements(facts(("SYN_SENT", 1)), told)
    assert [] == disagreements(facts(("SYN_SENT", 1), ("CLOSED", 99)), told)
    assert 1 == len(disagreements(facts(("SYN_SENT", 1), ("CLOSED", 40)), told))


def test_side_that_is_not_judged() -> None:
    """A side alone is left out, and what is told of it is no phantom."""
    truth = facts(("SYN_SENT", 1), ("CLOSED", 50))
    assert 1 == len(disagreements(truth, timeline(("SYN_SENT", 1))))
    assert [] == disagreements(truth, timeline(("SYN_SENT", 1)), ("client",))


def test_slack_is_what_the_caller_allows() -> None:
    """A moment may be outside its bounds by so much, and no more."""
    truth = facts(("SYN_SENT", 1))
    assert [] == disagreements(truth, timeline(("SYN_SENT", 5)), slack=4 * MS)
    assert 1 == len(disagreements(truth, timeline(("SYN_SENT", 6)), slack=4 * MS))
