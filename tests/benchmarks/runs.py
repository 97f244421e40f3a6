"""`run`: one program started once, with what the system says that it took.

The peak that the system counts for a child includes what the process that started it had in
memory at that moment: whoever calls this stays small (`own_peak`), and imports no NumPy.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DONE, TIMEOUT, MEMORY = "done", "timeout", "out of memory"
# What a program says that was refused memory, and the signal that the system ends it with.
REFUSALS = ("memoryerror", "bad_alloc", "out of memory", "cannot allocate", "malloc")


@dataclass(frozen=True)
class Run:
    """seconds : from start to end; cpu : s of all cores; peak : octets in memory at most;
    outcome : `DONE`, `TIMEOUT`, `MEMORY`, or in a few words how it failed; said : its stdout,
    where that was asked for."""

    seconds: float
    cpu: float
    peak: int
    outcome: str = DONE
    said: str = ""


@dataclass(frozen=True)
class Limits:
    """What a program may take: s, and octets of address space; `environment` is what it gets."""

    seconds: float
    memory: int
    environment: dict[str, str]


def run(command: list[str], folder: Path, limits: Limits, listen: bool = False) -> Run:
    """Start a program in a folder and wait for it; one that takes too long is killed."""
    with (folder / "stderr").open("w+b") as told, (folder / "stdout").open("w+b") as said:
        began = time.monotonic()
        with _bounded(limits.memory):
            child = subprocess.Popen(
                command,
                cwd=folder,
                env=limits.environment,
                stdin=subprocess.DEVNULL,
                stdout=said if listen else subprocess.DEVNULL,
                stderr=told,
                start_new_session=True,
            )
        alarm = _Alarm(child.pid, limits.seconds)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        rang = alarm.off()
        told.seek(0)
        said.seek(0)
        words = told.read().decode(errors="replace")
        return Run(
            seconds,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss * 1024,
            TIMEOUT if rang else outcome(child.returncode, words),
            said.read().decode(errors="replace") if listen else "",
        )


def outcome(code: int, words: str) -> str:
    """How a program ended, from its exit code (below 0: the signal) and its stderr."""
    if code == 0:
        return DONE
    if any(word in words.lower() for word in REFUSALS):
        return MEMORY
    return f"failed: {signal.Signals(-code).name if code < 0 else f'exit {code}'}"


def own_peak() -> int:
    """Octets that this process had in memory at most: no child can show less."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextmanager
def _bounded(memory: int) -> Iterator[None]:
    """Children inherit the bound; some drop the rights by which it could be set later."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (memory, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class _Alarm:
    """Kills the session of a child that has not ended in time."""

    def __init__(self, child: int, seconds: float) -> None:
        self._child = child
        self._rang = False
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.start()

    def _ring(self) -> None:
        self._rang = True
        os.killpg(self._child, signal.SIGKILL)

    def off(self) -> bool:
        """Whether it rang."""
        self._timer.cancel()
        self._timer.join()
        return self._rang
