"""Holds every shipped case to its folder: complete, fresh, and true to the kernel's record."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import tcptrace
from tcptrace.anomalies.catalogue import CATALOGUE
from tests.kernel_lab.expect import TABLES, capture_of, facts_of, tables_of
from tests.kernel_lab.readme import readme
from tests.kernel_lab.record import CAPTURES, CASES
from tests.kernel_lab.truth import disagreements

FOLDERS = sorted(folder for folder in CAPTURES.iterdir() if folder.is_dir())
NAMES = [folder.name for folder in FOLDERS]
LARGEST = 10_000_000  # bytes, of all of captures/
FURTHER = [(CAPTURES / case.name, tap) for case in CASES.values() for tap in case.further]

each_case = pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)


@cache
def trace_of(folder: Path) -> tcptrace.Trace:
    return tcptrace.read(capture_of(folder), progress=False)


def test_folders_are_the_cases() -> None:
    """Each case that the lab knows is recorded, and nothing else is."""
    assert sorted(CASES) == NAMES


@each_case
def test_folder_is_complete(folder: Path) -> None:
    """README, one capture, the truth and a table each; nothing that README does not name."""
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    expected = {"states.json", *(f"{table}.csv" for table in TABLES)}
    captures = set(CASES[folder.name].files.values())
    assert {f"expected/{name}" for name in expected} | {"README.md"} | captures == files
    text = (folder / "README.md").read_text()
    assert [] == [name for name in files - {"README.md"} if f"`{name}`" not in text]


@each_case
def test_readme_is_fresh(folder: Path) -> None:
    """README is the script's docstring and the kernel's record, as they are now."""
    assert readme(CASES[folder.name], facts_of(folder)) == (folder / "README.md").read_text()


@each_case
def test_readme_names_commands_on_files_that_exist(folder: Path) -> None:
    """Whoever copies a line from README reads a capture with it."""
    named = re.findall(r"tcptrace.* (captures/\S+)", (folder / "README.md").read_text())
    assert named
    assert [] == [name for name in named if not (CAPTURES.parent / name).is_file()]


@each_case
def test_tables_are_as_expected(folder: Path) -> None:
    """What tcptrace says of a capture changes only on purpose: `tests.kernel_lab.expect`."""
    made = tables_of(trace_of(folder))
    kept = {name: (folder / "expected" / name).read_text() for name in made}
    assert kept == made


@each_case
def test_timeline_is_what_the_kernels_recorded(folder: Path) -> None:
    """Both endpoints' states in their order, and each of the kernel's moments within bounds."""
    unknowable = CASES[folder.name].unknowable
    assert [] == disagreements(facts_of(folder), trace_of(folder).timeline, unknowable)


@pytest.mark.parametrize(
    ("folder", "tap"), FURTHER, ids=lambda value: getattr(value, "name", value)
)
def test_timeline_of_a_further_tap_is_what_the_kernels_recorded(folder: Path, tap: str) -> None:
    """The same kernels, seen by other packets from elsewhere: the same states, other bounds."""
    facts = facts_of(folder)
    kept = facts["further_taps"][tap]
    trace = tcptrace.read(folder / kept["capture"], progress=False)
    assert kept["packets"] == trace.capture.packets
    assert [] == disagreements(facts, trace.timeline, CASES[folder.name].unknowable)


@each_case
def test_anomalies_are_those_it_shows(folder: Path) -> None:
    """Each anomaly that the case is there to show, and no other."""
    assert list(CASES[folder.name].anomalies) == sorted(trace_of(folder).anomalies["code"])


@each_case
def test_readme_tells_of_each_anomaly(folder: Path) -> None:
    """What is found is explained, and no code is named that is not in the catalogue."""
    text = (folder / "README.md").read_text()
    named = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", text))
    assert named >= set(CASES[folder.name].anomalies)
    assert set() == named - {anomaly.code for anomaly in CATALOGUE}


@each_case
def test_every_packet_is_read(folder: Path) -> None:
    """As many packets as the tap wrote."""
    assert facts_of(folder)["packets"] == trace_of(folder).capture.packets


def test_captures_are_small() -> None:
    """All of captures/ together stays far below what a clone would notice."""
    assert sum(path.stat().st_size for path in CAPTURES.rglob("*") if path.is_file()) < LARGEST


@pytest.mark.parametrize(
    ("name", "state", "event"),
    [
        ("syn_lost", "SYN_RCVD", "rcv SYN"),
        ("handshake_ack_lost", "ESTABLISHED", "rcv ACK of SYN"),
        ("final_ack_lost", "CLOSED", "rcv ACK of FIN"),
    ],
)
def test_move_taken_back_is_in_the_story_alone(name: str, state: str, event: str) -> None:
    """The responder did not take the first copy in: only the second made the move."""
    trace = trace_of(CAPTURES / name)
    told = [line for line in trace.connection(0).story() if f"→ {state} by {event}" in line]
    assert [True, False] == [" not " in line and "taken back" in line for line in told]
    rows = trace.timeline.query("role == 'responder' and state == @state and event == @event")
    assert 1 == len(rows)
