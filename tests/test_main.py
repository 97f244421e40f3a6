"""Pins that `python -m tcptrace` is the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")
SCRIPT = Path(sys.executable).with_name("tcptrace")


def printed(*command: str) -> tuple[int, str]:
    run = subprocess.run([*command], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout


def test_module_and_script_are_the_same() -> None:
    """Both print the same version."""
    status, text = printed(sys.executable, "-m", "tcptrace", "--version")
    assert (status, text) == printed(str(SCRIPT), "--version")
    assert status == 0 and text.startswith("tcptrace ")


def test_version_is_told_without_the_command_line() -> None:
    """Its imports take longer than Python's own start; `typing` alone is a third of that."""
    code = (
        "import sys; sys.argv[1:] = ['--version']\n"
        "from tcptrace.__main__ import main; main()\n"
        "print([name for name in ('click', 'typing', 'importlib.metadata') if name in sys.modules])"
    )
    status, text = printed(sys.executable, "-S", "-c", code)
    assert (0, "[]") == (status, text.splitlines()[-1])


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full here")
@pytest.mark.parametrize("words", [["--version"], ["--help"]])
def test_what_cannot_be_told_is_an_error(words: list[str]) -> None:
    """Output that nobody can take: exit status 2 and one line, as with any other command."""
    with FULL.open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "tcptrace", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (2, "tcptrace: output: No space left on device\n") == (run.returncode, run.stderr)


def test_status_is_passed_on() -> None:
    """A file that does not exist is exit status 2 here too."""
    assert (2, "") == printed(sys.executable, "-m", "tcptrace", "no-such-file.pcap")
