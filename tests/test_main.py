"""Pins that `python -m tcptrace` is the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(sys.executable).with_name("tcptrace")


def printed(*command: str) -> tuple[int, str]:
    run = subprocess.run([*command], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout


def test_module_and_script_are_the_same() -> None:
    """Both print the same version."""
    status, text = printed(sys.executable, "-m", "tcptrace", "--version")
    assert (status, text) == printed(str(SCRIPT), "--version")
    assert status == 0 and text.startswith("tcptrace ")


def test_status_is_passed_on() -> None:
    """A file that does not exist is exit status 2 here too."""
    assert (2, "") == printed(sys.executable, "-m", "tcptrace", "no-such-file.pcap")
