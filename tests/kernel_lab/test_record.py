"""Plays cases anew, where that is allowed, and holds tcptrace against this very kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tcptrace

from .expect import capture_of, facts_of
from .record import CASES
from .truth import disagreements

ROOT = Path(__file__).resolve().parents[2]
QUICK = ["close_by_client", "simultaneous_close", "half_open_recovery", "refused"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quick cases, recorded just now."""
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        pytest.skip("recording needs root and TUN devices")
    into = tmp_path_factory.mktemp("captures")
    command = [sys.executable, "-m", "tests.kernel_lab.record", "--into", str(into), *QUICK]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert 0 == run.returncode, run.stderr
    return into


@pytest.mark.parametrize("name", QUICK)
def test_fresh_record_is_told_as_it_happened(name: str, recorded: Path) -> None:
    """States, order and bounds equal what this kernel did a moment ago."""
    trace = tcptrace.read(capture_of(recorded / name), progress=False)
    assert [] == disagreements(facts_of(recorded / name), trace.timeline)


def test_unknown_case_is_a_usage_error() -> None:
    """A misspelt case is named; nothing is recorded."""
    command = [sys.executable, "-m", "tests.kernel_lab.record", "no_such_case"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert 2 == run.returncode
    assert "no_such_case" in run.stderr


def test_every_case_says_what_it_shows() -> None:
    """A script's docstring is its case's README: title, words, what to look for."""
    for case in CASES.values():
        assert case.title and "Look for" in case.text, case.name
