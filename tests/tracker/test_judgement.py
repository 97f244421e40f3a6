"""Pins `Judgement`: what gaps in a capture must not spoil."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
from exchange import CLOSE, OPEN, SECOND, exchange, lives
from zeek_segments import decoded

from tcptrace.decode.segments import Segments
from tcptrace.tcp.states import State, parse_state
from tcptrace.tcp.timers import profile
from tcptrace.tracker.tracker import Reconstruction, Tracker
from tcptrace.tracker.transitions import Basis

SAMPLE = [
    "normal_client_close",
    "normal_server_close",
    "hs_ack_lost",
    "backlog_full",
    "simultaneous_close",
    "simultaneous_open",
    "server_fin_lost",
    "last_ack_lost",
    "fin_before_data",
    "half_close",
    "rst_linger0",
    "rst_data_after_close",
    "reuse_time_wait_server",
    "reuse_half_open",
    "storm_1",
    "storm_2",
    "tfo",
    "seq_wrap",
]
EXTRA = {State.CLOSED, State.LISTEN}


def track(*batches: Segments) -> Reconstruction:
    tracker = Tracker()
    for batch in batches:
        tracker.feed(batch)
    return tracker.finish()


def losses(segments: Segments, chance: random.Random) -> dict[str, Segments]:
    """The capture with 5 % of its packets missing, one direction only, and without its head."""
    kept = np.array([chance.random() >= 0.05 for _ in range(len(segments))], np.bool_)
    forward = segments.src_lo == segments.src_lo[0]
    return {
        "random": segments.take(kept),
        "one direction": segments.take(forward),
        "other direction": segments.take(~forward),
        "head": segments.take(slice(len(segments) // 4, None)),
        "tail": segments.take(slice(len(segments) // 2)),
    }


def claims(found: Reconstruction, truth: list[dict]) -> list[bool]:
    """Of each observed or confirmed row: was its endpoint ever in that state."""
    known: dict[tuple[int, int], set[State]] = defaultdict(lambda: set(EXTRA))
    for end in truth:
        states = {parse_state(state) for _, state in end["states"]}
        known[end["port"], end["peer_port"]] |= states
    rows, connections = found.transitions, found.connections
    sure = rows.take(rows.basis <= Basis.CONFIRMED)
    held = []
    for conn, role, state in zip(sure.conn, sure.role, sure.state, strict=True):
        ports = connections.orig_port[conn], connections.resp_port[conn]
        key = (int(ports[role]), int(ports[1 - role]))
        if key in known:
            held.append(State(state) in known[key])
    return held


def test_what_is_claimed_under_loss_is_true(shared: Path) -> None:
    """Gaps may hide moves; at least 99 of 100 that are claimed as seen or proved still happened."""
    chance, made = random.Random(9293), defaultdict(list)
    for name in SAMPLE:
        folder = shared / "lab" / "data" / name
        doc = json.loads((folder / "truth.json").read_text())
        settings = {key.rsplit(".", 1)[-1]: value for key, value in doc["sysctls"].items()}
        for kind, segments in losses(decoded(folder / "middle.pcap"), chance).items():
            tracker = Tracker(profile("linux", **settings))
            tracker.feed(segments)
            made[kind] += claims(tracker.finish(), doc["endpoints"])
    assert all(len(held) > 100 for held in made.values())
    assert {} == {kind: np.mean(held) for kind, held in made.items() if np.mean(held) < 0.99}


def test_halves_of_a_connection_are_one_sided() -> None:
    """One direction only: the unseen end is told as far as the seen one proves it."""
    rows = exchange(OPEN + CLOSE)
    found = track(rows.take(rows.src_port == 40000))
    assert [1] == found.connections.one_sided.tolist()
    assert lives(found)[0].startswith("SYN_SENT ESTABLISHED FIN_WAIT_1")
    assert SECOND < found.transitions.time[-1] - rows.time[0]


def basis_of(found: Reconstruction, state: State) -> list[Basis]:
    rows = found.transitions
    return [Basis(basis) for basis in rows.basis[rows.state == state]]


def test_fin_behind_a_gap_is_presumed() -> None:
    """It acknowledges what the capture lacks: the peer's FIN may lie in that, and came before."""
    seen = track(exchange(OPEN + "0.9 S PA 1+100 a1\n1.0 C FA 1 a101"))
    assert [Basis.OBSERVED] == basis_of(seen, State.FIN_WAIT_1)
    lacking = track(exchange(OPEN + "1.0 C FA 1 a101"))
    assert [Basis.PRESUMED] == basis_of(lacking, State.FIN_WAIT_1)


def test_fin_of_a_connection_joined_late_is_presumed() -> None:
    """FIN_WAIT_1 or LAST_ACK, until the peer is seen to send what is new."""
    fin = "0 C FA 100 a100\n0.02 S A 100 a101"
    assert [Basis.PRESUMED] == basis_of(track(exchange(fin)), State.FIN_WAIT_1)
    data = track(exchange(fin + "\n1 S PA 100+50 a101"))
    assert [Basis.OBSERVED] == basis_of(data, State.FIN_WAIT_1)
