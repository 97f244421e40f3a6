"""Pins the table `sockets`: what ss would have shown, held to the kernels' own record."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pandas as pd
import pytest

import tcptrace
from tcptrace.errors import UsageError
from tcptrace.tables.schema import SOCKETS
from tcptrace.tables.sockets import moment, sockets
from tcptrace.tables.timeline import timeline
from tests.kernel_lab.expect import capture_of, facts_of
from tests.kernel_lab.record import CAPTURES, CASES
from tests.tables.written import SECOND, Written, at, orderly_close

SLACK = 2_000_000  # ns: the kernel's own delay between a packet and the move it makes
NOBODY = {"CLOSED", "LISTEN"}
Socket = tuple[str, int, int, str]  # address, port, peer's port, state


def closed() -> pd.DataFrame:
    """The timeline of one orderly close."""
    written = Written()
    orderly_close(written)
    return timeline(written.reconstruction())


def moments(endpoints: list[dict]) -> list[int]:
    """A moment in each stretch in which no socket of the record moved."""
    edges = sorted(t for e in endpoints for s in e["states"] for t in (s["earliest"], s["latest"]))
    return [(low + high) // 2 for low, high in pairwise(edges) if high - low > 2 * SLACK]


def recorded(endpoints: list[dict], when: int) -> set[Socket]:
    """What the kernels had at a moment."""
    found = set()
    for endpoint in endpoints:
        past = [step["state"] for step in endpoint["states"] if step["latest"] <= when]
        if past and past[-1] not in NOBODY:
            found.add((endpoint["ip"], endpoint["port"], endpoint["peer_port"], past[-1]))
    return found


def told(table: pd.DataFrame) -> set[Socket]:
    """What a table of sockets says, listeners left out."""
    rows = table[table["peer_port"].notna()]
    cells = [rows[name].astype(object) for name in ("ip", "port", "peer_port", "state")]
    return set(zip(*cells, strict=True))


def undecided(table: pd.DataFrame, when: int) -> set[tuple[str, int, int]]:
    """Endpoints that may or may not have moved yet, by the bounds of the timeline itself."""
    time = pd.Timestamp(when, tz="UTC")
    slack = pd.Timedelta(SLACK, "ns")
    rows = table[(table["earliest"] - slack <= time) & (time <= table["latest"] + slack)]
    return set(zip(rows["ip"], rows["port"], rows["peer_port"], strict=True))


@pytest.mark.parametrize("name", [n for n, case in CASES.items() if not case.unknowable])
def test_sockets_are_those_that_the_kernels_had(name: str) -> None:
    """At every moment of every shipped case, but where the timeline itself leaves it open."""
    endpoints = facts_of(CAPTURES / name)["endpoints"]
    trace = tcptrace.read(capture_of(CAPTURES / name), progress=False)
    compared = 0
    for when in [m for m in moments(endpoints) if m < trace.end]:
        had, shown = recorded(endpoints, when), told(sockets(trace.timeline, when))
        open_to_doubt = undecided(trace.timeline, when)
        compared += len(had)
        assert {s for s in had ^ shown if s[:3] not in open_to_doubt} == set(), when
    assert compared or name == "refused"


def test_columns_are_declared() -> None:
    """With rows, and without."""
    assert [] == SOCKETS.faults(sockets(closed(), at(0.3)))
    assert [] == SOCKETS.faults(sockets(closed(), at(-1)))
    assert [] == SOCKETS.faults(sockets(timeline(Written().reconstruction()), at(0)))


def test_listener_stands_first_on_its_host() -> None:
    """One row without a peer, beside its child."""
    table = sockets(closed(), at(0.3))
    assert ["ESTABLISHED", "LISTEN", "ESTABLISHED"] == table["state"].tolist()
    listener = table.iloc[1]
    assert ("10.0.0.5", 8080, "assumed") == (listener["ip"], listener["port"], listener["basis"])
    assert listener[["peer_ip", "peer_port", "conn", "role"]].isna().all()


def test_age_is_counted_to_the_moment() -> None:
    """`since` is the timeline's start; a stay begins at its start and has left at its end."""
    table = sockets(closed(), at(0.6))
    row = table[table["role"] == "originator"].iloc[0]
    assert ("FIN_WAIT_2", pd.Timedelta(0)) == (row["state"], row["age"])
    later = sockets(closed(), at(0.65)).query("role == 'originator'").iloc[0]
    assert pd.Timedelta(50, "ms") == later["age"]


def test_silent_end_follows_the_profile() -> None:
    """TIME_WAIT is there until its timer is due, CLOSED is no socket."""
    assert "TIME_WAIT" in sockets(closed(), at(60.6))["state"].tolist()
    assert "TIME_WAIT" not in sockets(closed(), at(60.7))["state"].tolist()


@pytest.mark.parametrize(
    "when",
    [
        "2023-11-14T22:13:20.5Z",
        "2023-11-14 23:13:20.500+01:00",
        pd.Timestamp("2023-11-14T22:13:20.5"),
        datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC),
        1_700_000_000 * SECOND + SECOND // 2,
    ],
)
def test_moment_is_taken_in_any_form(when: object) -> None:
    """UTC where no zone is said."""
    assert at(0.5) == moment(when)


@pytest.mark.parametrize("when", ["noon-ish", None, [], "9999-01-01T00:00:00Z", object()])
def test_what_is_no_moment(when: object) -> None:
    """A sentence and no traceback."""
    with pytest.raises(UsageError, match="is no time such as"):
        moment(when)
