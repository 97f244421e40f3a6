"""Keeps `run` true: what the system tells of a child, and how a child may end."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import pytest

from tests.benchmarks.runs import DONE, MEMORY, TIMEOUT, Limits, Run, outcome, own_peak, run

MB = 1_000_000


def python(code: str, folder: Path, seconds: float = 60, memory: int = 4_000 * MB) -> Run:
    """One run of the interpreter."""
    limits = Limits(seconds, memory, dict(os.environ))
    return run([sys.executable, "-S", "-c", code], folder, limits, listen=True)


def test_peak_and_cpu_are_the_childs(tmp_path: Path) -> None:
    """As much memory as it filled, beside what this process had itself; and its work."""
    before = own_peak()
    told = python(f"x = b'x' * {before + 200 * MB}; sum(range(10**6))", tmp_path)
    assert DONE == told.outcome
    assert before + 200 * MB < told.peak < before + 300 * MB
    assert 0 < told.cpu and 0 < told.seconds


def test_peak_counts_what_its_own_children_had(tmp_path: Path) -> None:
    """nfstream works in processes of its own."""
    size = own_peak() + 100 * MB
    forks = (
        "import os\n"
        "child = os.fork()\n"
        f"if child == 0:\n    x = b'x' * {size}; os._exit(0)\n"
        "os.waitpid(child, 0)\n"
    )
    assert size < python(forks, tmp_path).peak


def test_one_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    """And says so; it is no failure of its own."""
    told = python("import os, time; os.fork(); time.sleep(600)", tmp_path, seconds=0.5)
    assert TIMEOUT == told.outcome


def test_one_that_wants_too_much_memory_is_refused_it(tmp_path: Path) -> None:
    """The machine stays up; the bound of this process is as it was."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    assert MEMORY == python("bytearray(2_000_000_000)", tmp_path, memory=1_000 * MB).outcome
    assert before == resource.getrlimit(resource.RLIMIT_AS)


def test_failures_are_told_by_exit_code_or_signal(tmp_path: Path) -> None:
    """So that a table can say why there is no figure."""
    assert "failed: exit 3" == python("import sys; sys.exit(3)", tmp_path).outcome
    killed = python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", tmp_path)
    assert "failed: SIGSEGV" == killed.outcome


def test_what_it_printed_is_kept_if_asked_for(tmp_path: Path) -> None:
    """The engine tells its own time."""
    assert "12\n" == python("print(12)", tmp_path).said


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [
        (0, "malloc: a word in passing", DONE),
        (1, "terminate called after throwing an instance of 'std::bad_alloc'", MEMORY),
        (-6, "Cannot allocate memory", MEMORY),
        (-9, "", "failed: SIGKILL"),
        (2, "no such file", "failed: exit 2"),
    ],
)
def test_outcome_of_exit_code_and_words(code: int, words: str, expected: str) -> None:
    """Programs say in their own ways that memory was refused."""
    assert expected == outcome(code, words)
