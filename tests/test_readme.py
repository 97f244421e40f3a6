"""Keeps README.md true: generated parts are fresh, its lines are what CI runs, its code runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tcptrace.faces.cli import COMMANDS
from tests.readme import KINDS, PART, README, ROOT, drawn, fresh

TEXT = README.read_text()
SET_UP = re.findall(r"^python3 -m venv .*$", TEXT, re.MULTILINE)
SHELL = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line not in SET_UP
]
PYTHON = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_generated_parts_are_fresh() -> None:
    """Every output, table and drawing is what the code gives now: `python -m tests.readme`."""
    assert fresh(TEXT) == TEXT


def test_there_are_parts_of_every_kind() -> None:
    """A marker that lost its form would be no part at all."""
    assert TEXT.count("<!-- begin ") == len(PART.findall(TEXT)) == TEXT.count("<!-- end -->")
    assert set(KINDS) == {m["kind"] for m in PART.finditer(TEXT)}


@pytest.mark.parametrize(
    "command", [part["argument"] for part in PART.finditer(TEXT) if part["kind"] == "picture"]
)
def test_pictures_are_fresh(command: str, tmp_path: Path) -> None:
    """Every picture is what its command draws now: `python -m tests.readme`."""
    path = ROOT / command.split()[-1]
    shown, now = path.read_text(encoding="utf-8"), drawn(command, tmp_path / path.name)
    if "matplotlib" in now:  # whose releases place things differently
        shown, now = said(shown), said(now)
    assert shown == now


def said(svg: str) -> str:
    """What a drawing says in words and colours, wherever these stand."""
    words = re.findall(r">([^<>]*[^<>\s][^<>]*)<", svg)
    return "\n".join([*words, *sorted(set(re.findall("#[0-9a-f]{6}", svg)))])


def test_first_lines_tell_it_from_the_other_program() -> None:
    """Debian has a C program of this name."""
    head = " ".join(TEXT.split("\n\n")[1].split())
    assert "Debian" in head and "another program" in head


def test_two_lines_set_up() -> None:
    """One prints the report of a shipped capture, one passes the tests; CI runs these lines."""
    report, tests = SET_UP
    capture = report.rpartition(" ")[2]
    assert (ROOT / capture).is_file()
    assert tests.endswith("&& .venv/bin/python -m pytest")
    assert "'^python3 -m venv' README.md" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("code", PYTHON)
def test_python_runs(code: str) -> None:
    """What README shows in Python works as it stands."""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (0, "") == (run.returncode, run.stderr)


@pytest.mark.parametrize("line", SHELL)
def test_example_line_runs(line: str, tmp_path: Path) -> None:
    """What README shows in the shell works as it stands, and prints or writes something."""
    (tmp_path / "captures").symlink_to(ROOT / "captures")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["bash", "-o", "pipefail", "-c", line]
    run = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout or len(list(tmp_path.iterdir())) > 1


def test_every_command_is_named() -> None:
    """A command that README does not name is not found."""
    assert [] == [name for name in COMMANDS if f"`{name}`" not in TEXT and f"e {name}" not in TEXT]


def test_files_that_are_named_exist() -> None:
    """Paths into the tree lead somewhere."""
    named = re.findall(r"(?:captures|tests|tcptrace|\.ci)/[\w./]*\w", TEXT)
    assert [] == [name for name in named if not Path(ROOT, name).exists()]
