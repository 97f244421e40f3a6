"""Ctrl-C while reading: what is known so far is told, by a real process that gets a real signal."""

from __future__ import annotations

import array
import fcntl
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tcptrace.interrupt import INTERRUPTED, Interrupt
from tests.test_pipeline import ORDERLY, pcap

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60


def numbers(stop_at: int) -> Iterator[int]:
    for number in range(9):
        if number == stop_at:
            signal.raise_signal(signal.SIGINT)
        yield number


@pytest.mark.parametrize("stop_at", [0, 4])
def test_waiting_a_signal_ends_it_at_once(stop_at: int) -> None:
    """Nothing is raised, and what came before was given."""
    with Interrupt() as interrupt:
        assert list(range(stop_at)) == list(interrupt.until(numbers(stop_at)))
    assert interrupt.asked


def test_working_a_signal_ends_it_after_the_item() -> None:
    """The work on an item is never cut in two."""
    worked = []
    with Interrupt() as interrupt:
        for number in interrupt.until(iter(range(9))):
            if number == 2:
                signal.raise_signal(signal.SIGINT)
            worked.append(number)
    assert [0, 1, 2] == worked


def test_asked_a_second_signal_raises() -> None:
    """Who presses Ctrl-C twice wants no answer."""
    with Interrupt() as interrupt, pytest.raises(KeyboardInterrupt):
        for _ in interrupt.until(iter(range(9))):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)


def test_left_a_signal_raises_as_before() -> None:
    """The handler that was there is there again."""
    before = signal.getsignal(signal.SIGINT)
    with Interrupt():
        assert before != signal.getsignal(signal.SIGINT)
    assert before == signal.getsignal(signal.SIGINT)


def interrupted(*words: str) -> subprocess.CompletedProcess[bytes]:
    """The command on a pipe that stays open, interrupted once it has taken in what is there."""
    octets = pcap(*ORDERLY)
    command = [sys.executable, "-m", "tcptrace", *words, "-"]
    reads, writes = os.pipe()
    with subprocess.Popen(
        command, cwd=ROOT, stdin=reads, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        os.close(reads)
        os.write(writes, octets)
        try:
            wait_until_it_waits(run, writes)
            run.send_signal(signal.SIGINT)
            out, err = run.communicate(timeout=PATIENCE)
        finally:
            run.kill()  # lest it be waited for where something failed
    os.close(writes)
    return subprocess.CompletedProcess(command, run.returncode, out, err)


def state_of(task: Path) -> str:
    """`S` if a thread sleeps; of one that ended in between, nothing."""
    try:
        return task.joinpath("stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def wait_until_it_waits(run: subprocess.Popen[bytes], pipe: int) -> None:
    """Until the pipe is empty and every thread of the process sleeps."""
    calm, until = 0, time.monotonic() + PATIENCE
    while calm < 20 and time.monotonic() < until:
        unread = array.array("i", [0])
        fcntl.ioctl(pipe, termios.FIONREAD, unread)
        states = {state_of(task) for task in Path(f"/proc/{run.pid}/task").iterdir()}
        calm = calm + 1 if not unread[0] and states == {"S"} else 0
        time.sleep(0.01)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc to see it wait by")
@pytest.mark.parametrize(
    "command", ["connections", "timeline", "anomalies", "sockets --at 2023-11-15"]
)
def test_reading_a_pipe_a_signal_prints_what_is_known(command: str) -> None:
    """The rows of the packets so far, a note that it is not all, and the status of Ctrl-C."""
    run = interrupted(*command.split())
    assert INTERRUPTED == run.returncode
    assert b"interrupted after 7 packets" in run.stderr
    assert b"Traceback" not in run.stderr
    if command == "connections":
        assert b"10.0.0.9" in run.stdout


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc to see it wait by")
def test_reading_a_pipe_a_signal_prints_the_report() -> None:
    """It says that it is not of the whole."""
    run = interrupted()
    assert INTERRUPTED == run.returncode
    assert b"interrupted after 7 packets" in run.stdout
    assert b"10.0.0.9" in run.stdout


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc to see it wait by")
@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_streaming_into_a_file_a_signal_closes_it_whole(tmp_path: Path, form: str) -> None:
    """It can be read, and holds what is known so far."""
    if form == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"out.{form}"
    run = interrupted("connections", "-o", str(path))
    assert INTERRUPTED == run.returncode
    assert b"interrupted after 7 packets" in run.stderr
    read = {"parquet": pd.read_parquet, "csv": pd.read_csv}.get(form)
    rows = read(path) if read is not None else pd.read_json(path, lines=True)
    assert ["10.0.0.9"] == rows["orig_ip"].astype(str).tolist()
