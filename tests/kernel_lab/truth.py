"""The kernel's record of a case held against a timeline: what agrees, and what does not.

Used on the recorded captures and on fresh ones; no endpoint is judged by what a tap cannot know:
states within one segment are optional, and what lies behind the last look is nobody's claim.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pandas as pd

SLACK_NS = 1_000_000  # the kernel's own delay between a packet and the move it makes
ENDPOINT = ["ip", "port", "peer_ip", "peer_port"]
Entry = tuple[str, int, int]  # a state, and the moments between which it began

Claimed = dict[tuple[Any, ...], list[list[Entry]]]


def disagreements(
    facts: dict[str, Any],
    timeline: pd.DataFrame,
    unknowable: tuple[str, ...] = (),
    slack: int = SLACK_NS,
) -> list[str]:
    """One line for each endpoint whose rows are not what its kernel recorded; none is best.

    `unknowable` names sides and states, as in `server FIN_WAIT_1`, whose moment is not judged, and
    sides alone, whose sequence is not judged either. A moment may be `slack` ns outside its bounds.
    """
    begun, due = (_claimed(timeline, facts["until"], by) for by in ("start", "earliest"))
    attempts = [_disagreements(facts, told, unknowable, slack) for told in (begun, due)]
    return min(attempts, key=len)  # a move that is due at the last look may have come, or not


def _disagreements(
    facts: dict[str, Any], claimed: Claimed, unknowable: tuple[str, ...], slack: int
) -> list[str]:
    wrong = []
    for endpoint in facts["endpoints"]:
        key = tuple(endpoint[name] for name in ENDPOINT)
        rows = claimed[key].pop(0) if claimed.get(key) else []
        side = endpoint["side"]
        if side in unknowable:
            continue
        free = {name.removeprefix(f"{side} ") for name in unknowable if name.startswith(side)}
        wrong += [f"{side} {key}: {fault}" for fault in _faults(endpoint, rows, free, slack)]
    phantoms = [key for key, lives in claimed.items() for rows in lives if rows]
    return wrong + [f"{key}: no kernel had this socket" for key in phantoms]


def _claimed(timeline: pd.DataFrame, until: int, by: str) -> Claimed:
    """Per endpoint, in order of connections, its entries that began `by` the last look."""
    seen = timeline[timeline[by] <= pd.Timestamp(until, tz="UTC")]
    claimed: Claimed = {}
    for (_, *key), rows in seen.groupby(["conn", *ENDPOINT], observed=True, sort=True):
        entries = zip(rows["state"], rows["earliest"], rows["latest"], strict=True)
        told = [(str(state), low.value, high.value) for state, low, high in entries]
        claimed.setdefault(tuple(key), []).append(_opened(told))
    return claimed


def _opened(entries: list[Entry]) -> list[Entry]:
    """Without the CLOSED and LISTEN before a connection: they are another socket's, or nobody's."""
    first = next((n for n, e in enumerate(entries) if e[0] not in ("CLOSED", "LISTEN")), None)
    return [] if first is None else entries[first:]


def _faults(endpoint: dict[str, Any], rows: list[Entry], free: set[str], slack: int) -> list[str]:
    names = [row[0] for row in rows]
    for taken in product((True, False), repeat=sum(s["transit"] for s in endpoint["states"])):
        choice = iter(taken)
        truth = [s for s in endpoint["states"] if not s["transit"] or next(choice)]
        if [s["state"] for s in truth] == names:
            pairs = [(s, row) for s, row in zip(truth, rows, strict=True) if row[0] not in free]
            return [_late(s, row, slack) for s, row in pairs if _late(s, row, slack)]
    return [f"recorded {[s['state'] for s in endpoint['states']]}, told {names}"]


def _late(truth: dict[str, Any], row: Entry, slack: int) -> str:
    state, low, high = row
    if low - slack <= truth["latest"] and truth["earliest"] <= high + slack:
        return ""
    off = max(low - truth["latest"], truth["earliest"] - high)
    return f"{state} began {off / 1e6:.1f} ms outside its bounds"
