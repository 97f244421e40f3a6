"""Pins the score: the truth scores all, and each kind of error costs the figure it belongs to."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tcptrace

from .score import SLACK_NS, TOLERANCE_NS, Score, score

CLIENT = {"ip": "192.0.2.1", "port": 40000, "peer_ip": "192.0.2.2", "peer_port": 8080}
MS = 1_000_000
FIGURES = ("exact", "on_time", "claims", "bounds")
LIFE = [("SYN_SENT", 100), ("ESTABLISHED", 120), ("FIN_WAIT_1", 200), ("CLOSED", 900)]
VANTAGES = ("client", "middle", "server")


def recorded(*states: tuple[str, int], transit: str = "") -> dict[str, Any]:
    """One socket of the client, whose states began at these ms."""
    steps = [
        {"state": s, "earliest": at * MS, "latest": at * MS, "transit": s == transit}
        for s, at in states
    ]
    return {"side": "client", **CLIENT, "states": steps}


def facts(*endpoints: dict[str, Any]) -> dict[str, Any]:
    """A record whose last look was at a second."""
    return {"until": 1000 * MS, "endpoints": list(endpoints)}


def told(*states: tuple[str, int], conn: int = 0, basis: str = "observed") -> pd.DataFrame:
    """Rows of the client that claim to know the moment exactly."""
    rows = [{"conn": conn, **CLIENT, "state": s, "basis": basis, "ns": at * MS} for s, at in states]
    columns = ["conn", *CLIENT, "state", "basis", "ns"]
    frame = pd.DataFrame(rows, columns=columns)
    moment = pd.to_datetime(frame.pop("ns"), unit="ns", utc=True)
    return frame.assign(start=moment, earliest=moment, latest=moment, packet=1)


def shares(made: Score) -> tuple[float, ...]:
    return tuple(made.share(name) for name in FIGURES)


def test_truth_scores_all() -> None:
    """What the kernel recorded is exact, on time, claimed rightly and within its bounds."""
    made = score(facts(recorded(*LIFE)), told(*LIFE))
    assert (1, 0, (1.0, 1.0, 1.0, 1.0), []) == (
        made.endpoints,
        made.phantoms,
        shares(made),
        made.faults,
    )


def test_missing_state_is_not_exact() -> None:
    """A sequence with a hole is wrong, and nothing of it is on time; its claims still count."""
    made = score(facts(recorded(*LIFE)), told(LIFE[0], *LIFE[2:]))
    assert (0.0, 0.0, 1.0, 1.0) == shares(made)
    assert 1 == len(made.faults)


def test_late_move_is_exact_but_not_on_time() -> None:
    """Beyond the tolerance a right sequence is late; within it, it is not."""
    at = 100 + TOLERANCE_NS // MS
    assert 1.0 == score(facts(recorded(("SYN_SENT", 100))), told(("SYN_SENT", at))).share("on_time")
    made = score(facts(recorded(("SYN_SENT", 100))), told(("SYN_SENT", at + 1)))
    assert (1.0, 0.0) == (made.share("exact"), made.share("on_time"))


def test_interval_of_the_record_is_no_error() -> None:
    """Where two looks enclose a move, any moment between them is on time."""
    endpoint = recorded(("SYN_SENT", 100))
    endpoint["states"][0]["latest"] = 400 * MS
    assert 1.0 == score(facts(endpoint), told(("SYN_SENT", 440))).share("on_time")
    assert 0.0 == score(facts(endpoint), told(("SYN_SENT", 451))).share("on_time")


def test_wrong_proof_costs_claims() -> None:
    """A state that no kernel recorded there must not be called observed or confirmed."""
    truth = facts(recorded(*LIFE))
    rows = (*LIFE[:3], ("FIN_WAIT_2", 300))
    assert 0.75 == score(truth, told(*rows, basis="confirmed")).share("claims")
    assert 1.0 == score(truth, told(*rows, basis="presumed")).share("claims")


def test_moment_outside_the_bounds_costs_bounds() -> None:
    """Bounds are judged where a packet is behind them, but for the kernel's own delay."""
    truth = facts(recorded(("SYN_SENT", 100)))
    near, far = 100 + SLACK_NS // MS, 103
    assert 1.0 == score(truth, told(("SYN_SENT", near))).share("bounds")
    assert 0.0 == score(truth, told(("SYN_SENT", far))).share("bounds")
    assert 0 == score(truth, told(("SYN_SENT", far), basis="timer")).bounds


def test_phantom_is_a_miss() -> None:
    """An endpoint that no kernel had is one more that is wrong, unless it is only CLOSED."""
    made = score(facts(), told(*LIFE))
    assert (0, 1, 0.0) == (made.endpoints, made.phantoms, made.share("exact"))
    assert 0 == score(facts(), told(("CLOSED", 100))).phantoms


def test_endpoint_that_is_not_told_is_a_miss() -> None:
    """Where a kernel had a socket, silence is not exact."""
    made = score(facts(recorded(*LIFE)), told())
    assert (1, 0.0) == (made.endpoints, made.share("exact"))


def test_transit_may_be_told_or_not() -> None:
    """A state of a moment is optional, and its time is not judged."""
    states = [("FIN_WAIT_1", 100), ("FIN_WAIT_2", 200), ("TIME_WAIT", 200)]
    truth = facts(recorded(*states, transit="FIN_WAIT_2"))
    assert 1.0 == score(truth, told(states[0], states[2])).share("on_time")
    late = told(states[0], ("FIN_WAIT_2", 300), states[2])
    assert 1.0 == score(truth, late).share("on_time")


def test_what_comes_after_the_last_look_is_nobodys_claim() -> None:
    """The predicted end of TIME_WAIT lies behind the record."""
    truth = facts(recorded(("TIME_WAIT", 100)))
    assert 1.0 == score(truth, told(("TIME_WAIT", 100), ("CLOSED", 60_000))).share("exact")
    assert 0.0 == score(truth, told(("TIME_WAIT", 100), ("CLOSED", 900))).share("exact")


def test_lives_of_one_four_tuple_are_told_apart() -> None:
    """Each recorded life is held against the told one that begins nearest."""
    second = [("SYN_SENT", 950), ("ESTABLISHED", 970)]
    truth = facts(recorded(*LIFE), recorded(*second))
    both = pd.concat([told(*second, conn=1), told(*LIFE, conn=0)])
    assert (2, (1.0, 1.0, 1.0, 1.0)) == (
        score(truth, both).endpoints,
        shares(score(truth, both)),
    )
    assert 0.5 == score(truth, told(*LIFE)).share("exact")


def test_beginning_of_a_cut_capture_is_not_judged() -> None:
    """What was before is one state whose time is nobody's claim; what was over is no endpoint."""
    truth = facts(recorded(*LIFE))
    assert 1.0 == score(truth, told(("ESTABLISHED", 180), *LIFE[2:]), since=180 * MS).share(
        "on_time"
    )
    assert 0 == score(truth, told(), since=950 * MS).endpoints


def test_closed_and_listen_before_a_life_belong_to_nobody() -> None:
    """The assumed LISTEN of a responder is another socket's."""
    rows = (("CLOSED", 1), ("LISTEN", 2), *LIFE)
    assert 1.0 == score(facts(recorded(*LIFE)), told(*rows)).share("exact")


def test_scores_add_up() -> None:
    """Two captures count as one."""
    right = score(facts(recorded(*LIFE)), told(*LIFE))
    wrong = score(facts(recorded(*LIFE)), told())
    assert (2, 0.5) == ((right + wrong).endpoints, (right + wrong).share("exact"))


@pytest.mark.parametrize("storm", ["storm_2", "storm_3", "storm_4"])
def test_another_judge_counts_the_same(storm: str, shared: Path) -> None:
    """Where another judge of timelines is at hand, it finds as many exact endpoints and claims."""
    sys.path[:0] = [str(shared / "lab")]
    try:
        judge = _module(shared / "checks" / "fidelity.py")
    finally:
        sys.path.remove(str(shared / "lab"))
    folder = shared / "lab" / "data" / storm
    document = json.loads((folder / "truth.json").read_text())
    document["endpoints"] = [e for e in document["endpoints"] if e.get("kernel_socket", True)]
    settings = {k.rpartition(".")[2]: v for k, v in document["sysctls"].items()}
    profile = tcptrace.profile("linux", **settings)
    for vantage in VANTAGES:
        rows = judge.timeline(folder / f"{vantage}.pcap", document)
        results = judge.score.score(document, judge.candidate(rows), vantage)
        trace = tcptrace.read(folder / f"{vantage}.pcap", profile=profile, progress=False)
        made = score(_converted(document), trace.timeline)
        assert (sum(r["exact"] for r in results), judge.claims(rows, document)) == (
            made.exact,
            (made.claims_true, made.claims),
        )


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("another_judge", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _converted(document: dict[str, Any]) -> dict[str, Any]:
    """The other record in our words."""
    endpoints = []
    for endpoint in document["endpoints"]:
        pairs = zip(endpoint["states"], endpoint["witness"], strict=True)
        steps = [_step(at, state, witness) for (at, state), witness in pairs]
        while steps and steps[0]["state"] in ("LISTEN", "CLOSED"):
            steps.pop(0)
        endpoints.append({**endpoint, "states": steps})
    return {"until": document["run_ns"][1], "endpoints": endpoints}


def _step(at: Any, state: str, witness: dict[str, Any]) -> dict[str, Any]:
    low, high = at if isinstance(at, list) else (at, at)
    name = {"SYN_RECV": "SYN_RCVD", "CLOSE": "CLOSED"}.get(state, state)
    return {
        "state": name,
        "earliest": low,
        "latest": high,
        "transit": bool(witness.get("transit")),
    }
