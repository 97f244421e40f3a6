"""The bar: on a terminal it shows how far the reading is; elsewhere nothing is shown."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from tests.test_pipeline import ORDERLY, pcap

ROOT = Path(__file__).resolve().parent.parent
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def shown_on_a_terminal(*words: str) -> str:
    """What a command shows on stderr, a terminal of 120 columns; control sequences left out."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tcptrace", *words]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=theirs
    ) as run:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # Linux says so once nobody holds the other end
            pass
        assert 0 == run.wait(60)
    os.close(ours)
    return CONTROLS.sub("", shown.decode())


def test_a_terminal_shows_bytes_rate_connections_and_time(tmp_path: Path) -> None:
    """By a process whose stderr is a pseudo-terminal."""
    path = tmp_path / "office.pcap"
    path.write_bytes(pcap(*ORDERLY))
    shown = shown_on_a_terminal("connections", str(path), "-T", "csv")
    size = path.stat().st_size
    assert f"{size}/{size} bytes" in shown
    assert re.search(r"[\d,]+ packets/s +1 connection", shown)
    assert re.search(r"left 0:00:00", shown)


def test_quiet_on_a_terminal_shows_nothing(tmp_path: Path) -> None:
    """-q leaves the answer alone."""
    path = tmp_path / "office.pcap"
    path.write_bytes(pcap(*ORDERLY))
    assert "" == shown_on_a_terminal("connections", str(path), "-T", "csv", "-q")
