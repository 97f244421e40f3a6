"""Plays every scenario on this kernel, and storms from fresh seeds, and holds tcptrace to them.

`pytest -m kernel` runs these tests alone. The storms' seeds are those in TCPTRACE_STORM_SEEDS,
or fresh ones; they are the names of the folders that are kept where a test fails.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

import tcptrace

from .facts import profile_of
from .fidelity import fresh_seeds, scored
from .play import STORMS_AT_A_TIME, play_all
from .scenarios import SCENARIOS, in_order, untold
from .score import Score
from .storm import storm
from .truth import SLACK_NS, disagreements
from .wire import TAPS

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(
        os.geteuid() != 0 or not Path("/dev/net/tun").exists(),
        reason="the kernel lab needs root and TUN devices",
    ),
]
KEPT = Path(tempfile.gettempdir(), "tcptrace_lab_failures")
SEEDS = [int(seed) for seed in os.environ.get("TCPTRACE_STORM_SEEDS", "").split()]
STORMS = 4
AT_A_TIME = 12

# What chance may not take from any few storms; README has the figures of many.
LEAST = {"exact": 0.96, "claims": 0.996}


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """The folder of the scenarios that this run asks for, and what went wrong with each."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    names = {call.params.get("name") for call in calls if call is not None}
    into = tmp_path_factory.mktemp("scenarios")
    return into, play_all(in_order(sorted(names & SCENARIOS.keys())), into, AT_A_TIME)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_is_told_as_it_happened(name: str, played: tuple[Path, dict[str, str]]) -> None:
    """The kernel does what the RFC says, and each tap's timeline says what the kernel did."""
    into, troubles = played
    assert "" == troubles[name], f"kept in {kept(into / name)}"
    facts = json.loads((into / name / "states.json").read_text())
    profile = tcptrace.profile("linux", **profile_of(facts))
    wrong = []
    for tap in TAPS:
        trace = tcptrace.read(into / name / f"{tap}.pcap", profile=profile, progress=False)
        faults = disagreements(facts, trace.timeline, untold(name, tap), slack(facts, name))
        wrong += [f"from the {tap}: {fault}" for fault in faults]
    assert [] == wrong, f"kept in {kept(into / name)}"


def test_storms_are_told_as_they_happened(tmp_path: Path) -> None:
    """From fresh seeds: nearly every endpoint exact, and next to no claim wrong."""
    seeds = SEEDS or fresh_seeds(STORMS)
    print("seeds", *seeds)
    troubles = play_all([storm(seed) for seed in seeds], tmp_path, STORMS_AT_A_TIME)
    assert dict.fromkeys(troubles, "") == troubles
    total = Score()
    for name in troubles:
        facts = json.loads((tmp_path / name / "states.json").read_text())
        for tap in TAPS:
            total += scored(facts, tmp_path / name / f"{tap}.pcap")
    print(*total.faults, sep="\n")
    reached = {figure: total.share(figure) for figure in LEAST}
    few = {figure: share for figure, share in reached.items() if share < LEAST[figure]}
    assert {} == few, f"seeds {seeds}, kept in {[kept(tmp_path / name) for name in troubles]}"


def slack(facts: dict[str, Any], name: str) -> int:
    """What a busy machine, or a path with jitter, may add to the way that bounds are made from."""
    late = 2 * int(facts["late_ms"] * 1_000_000)
    return SLACK_NS + late + SCENARIOS[name].weather.jitter


def kept(folder: Path) -> Path:
    """Where a folder of captures stays, for whoever looks into a failure."""
    into = KEPT / folder.name
    if folder.is_dir():
        shutil.copytree(folder, into, dirs_exist_ok=True)
    return into
