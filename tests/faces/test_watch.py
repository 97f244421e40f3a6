"""`tcptrace live` from its opening to its summary, whatever ends it: run as a user runs it."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from veth import NAMES, Veth, two_hosts

ROOT = Path(__file__).parents[2]
STALLED = ROOT / "captures" / "fin_wait_2_stalled" / "capture.pcapng"
CLOSED = ROOT / "captures" / "close_by_client" / "capture.pcapng"
COMMAND = (sys.executable, "-m", "tcptrace", "live")
PATIENCE = 20


@pytest.fixture
def hosts() -> Iterator[Veth]:
    with two_hosts() as pair:
        yield pair


def begun(*words: str, **more: object) -> subprocess.Popen[str]:
    """The command, with pipes at its ends."""
    ends = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    ends["env"] = os.environ | {"SUDO_USER": ""}  # type: ignore[assignment]
    return subprocess.Popen([*COMMAND, *words], cwd=ROOT, text=True, **(ends | more))


def listening(hosts: Veth, *words: str) -> subprocess.Popen[str]:
    """The command on host 0, once it says that it listens."""
    with hosts.inside(0):
        process = begun("-i", NAMES[0], "--interval", "0.1", *words)
    assert process.stderr is not None
    assert "listening on tap0" in process.stderr.readline()
    return process


def talk(hosts: Veth) -> None:
    """One connection, opened and closed."""
    with hosts.listen() as listener:
        with hosts.connect():
            accepted, _ = listener.accept()
        accepted.close()


def line_with(process: subprocess.Popen[str], words: str) -> str:
    """The next line of output that holds these words."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return line
    raise AssertionError(f"no line with {words}")


@pytest.mark.live
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_summary(hosts: Veth, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM are how it is meant to end: status 0."""
    process = listening(hosts)
    talk(hosts)
    line_with(process, "LAST_ACK → CLOSED")
    process.send_signal(number)
    _, told = process.communicate(timeout=PATIENCE)
    assert 0 == process.returncode
    assert re.search(r"tap0: \d+ packets received, 0 dropped", told)
    assert "1 connection; findings: " in told


@pytest.mark.live
def test_a_vanished_interface_is_an_error_after_the_summary(hosts: Veth) -> None:
    """What was seen is summed up; status 2, and one line says why."""
    process = listening(hosts)
    talk(hosts)
    line_with(process, "LAST_ACK → CLOSED")
    hosts.run(0, f"link del {NAMES[0]}")
    _, told = process.communicate(timeout=PATIENCE)
    assert 2 == process.returncode
    *summary, why = told.splitlines()
    assert "packets received" in summary[0] and "1 connection" in summary[1]
    assert "tcptrace: tap0: the interface has vanished" == why


@pytest.mark.live
def test_a_reader_that_goes_away_ends_it_quietly(hosts: Veth) -> None:
    """Even while nothing happens that could be written."""
    process = listening(hosts)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert 141 == process.wait(timeout=PATIENCE)
    assert "" == process.stderr.read()


@pytest.mark.live
def test_no_thread_keeps_root_or_the_right_to_capture(hosts: Veth) -> None:
    """With -Z, and for who runs sudo: another user, no capability, in every thread of it."""
    for words, who in ((("-Z", "nobody"), ""), ((), "nobody")):
        with hosts.inside(0):
            environment = os.environ | {"SUDO_USER": who}
            process = begun("-i", NAMES[0], "--interval", "0.1", *words, env=environment)
        assert process.stderr is not None
        assert process.stderr.readline().endswith("as nobody\n")
        talk(hosts)
        line_with(process, "SYN_SENT")
        tasks = list(Path(f"/proc/{process.pid}/task").iterdir())
        assert len(tasks) > 1
        for task in tasks:
            status = (task / "status").read_text()
            assert re.search(r"^Uid:\t65534\t65534\t65534\t65534$", status, re.M)
            assert re.search(r"^Gid:\t65534\t65534\t65534\t65534$", status, re.M)
            for kind in ("CapPrm", "CapEff", "CapAmb"):
                assert re.search(rf"^{kind}:\t0+$", status, re.M)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert 0 == process.returncode


@pytest.mark.live
def test_a_user_that_is_not_there(hosts: Veth) -> None:
    """Before anything is listened to for long: status 2."""
    with hosts.inside(0):
        process = begun("-i", NAMES[0], "-Z", "no-such-user")
    _, told = process.communicate(timeout=PATIENCE)
    assert (2, "tcptrace: there is no user no-such-user\n") == (process.returncode, told)


def test_a_pipe_is_answered_before_its_end() -> None:
    """What was written is told while the writer goes on; the pipe's end is a good one."""
    process = begun("-", "--interval", "0.05", "-T", "jsonl", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.buffer.write(CLOSED.read_bytes()[:-600])
    process.stdin.flush()
    move = json.loads(line_with(process, '"state": "ESTABLISHED"'))
    assert ("move", "new") == (move["line"], move["change"])
    process.stdin.buffer.write(CLOSED.read_bytes()[-600:])
    process.stdin.flush()
    rest, told = process.communicate(timeout=PATIENCE)
    assert 0 == process.returncode
    assert '"state": "TIME_WAIT"' in rest
    assert "standard input: 11 packets received" in told


def test_a_pipe_that_is_no_capture() -> None:
    """Status 2, and one line; no summary of nothing is needed."""
    process = begun("-", stdin=subprocess.PIPE)
    _, told = process.communicate("tcpdump: you don't have permission\n", timeout=PATIENCE)
    assert 2 == process.returncode
    assert told.splitlines()[-1].startswith("tcptrace: standard input")


def test_a_file_at_its_own_pace_to_its_end() -> None:
    """Moves and findings as lines, one of each kind of them; quiet if asked to be."""
    process = begun("--replay", "100x", str(STALLED), "--interval", "0.05", "-q")
    lines, told = process.communicate(timeout=PATIENCE)
    assert (0, "") == (process.returncode, told)
    assert "FIN_WAIT_2 → CLOSED  Timeout=FIN_WAIT_2, timer" in lines
    assert "[notice]  192.0.2.2:8080 has not closed" in lines
    assert "[warning]  192.0.2.2:8080 has not closed" in lines


def test_a_filter_on_a_file() -> None:
    """Of a file or a pipe the filter is run here."""
    process = begun("--replay", "1000x", str(STALLED), "-f", "port 40111", "-v", "-c", "3")
    lines, told = process.communicate(timeout=PATIENCE)
    assert "40110" not in lines and "40111" in lines
    assert "1 connection;" in told


def test_one_look() -> None:
    """--once prints the table after one interval, and ends, though the file goes on for long."""
    began = time.monotonic()
    process = begun("--replay", "1x", str(STALLED), "--once", "--interval", "0.5")
    table, _ = process.communicate(timeout=PATIENCE)
    assert 0 == process.returncode
    assert "originator → responder" in table and "\x1b" not in table
    assert time.monotonic() - began < 60  # the file lasts for 78 s


def test_on_a_terminal_a_table_kept_up_to_date() -> None:
    """The other screen while it runs; then the last picture on the first one."""
    ours, its = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    words = ("--replay", "100x", str(STALLED), "--interval", "0.05")
    process = begun(*words, stdout=its, env=environment)
    os.close(its)
    seen = b""
    while process.poll() is None or select.select([ours], [], [], 0)[0]:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                seen += os.read(ours, 1 << 16)
            except OSError:  # its end is closed
                break
    process.communicate(timeout=PATIENCE)
    os.close(ours)
    before, _, after = seen.partition(b"\x1b[?1049l")
    assert b"\x1b[?1049h" in before and b"FIN_WAIT_2" in before
    assert b"CLOSE_WAIT" in after and b"[warning]" in after
