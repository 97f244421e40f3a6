"""Playing cases: one in this process, or many at a time, each into a folder of its own.

Such a folder holds `client.pcap`, `middle.pcap`, `server.pcap` and `states.json`, the record.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random

from .case import Case
from .facts import Played, facts
from .lab import Lab

FIRST_PORT, LAST_PORT = 10_000, 32_000  # below FIRST_CLIENT_PORT, so that `record` is undisturbed
PORTS_AT_A_TIME = 100
AT_A_TIME = 8
STORMS_AT_A_TIME = os.cpu_count() or 1  # they do not only wait
AHEAD_OF_OTHERS = -10  # niceness: a wire that waits for the processor is longer than it says


def play(case: Case, port: int) -> Played:
    """Play a case; ValueError if looks and tracepoint contradict each other."""
    lab = Lab(case, port)
    try:
        case.script(lab)
        lives = lab.lives()
        until = lab.epoch + time.monotonic_ns()
    finally:
        lab.tear_down()
    wire = lab.wire
    return Played(
        wire.captures, lives, lab.sysctls, wire.rules, lab.epoch, until, wire.delay, wire.late
    )


def play_all(cases: Sequence[Case], into: Path, at_a_time: int = AT_A_TIME) -> dict[str, str]:
    """Play cases, each into `into`/NAME; what went wrong by name, an empty text where nothing did.

    Most cases only wait, so several are played at a time, each in a process of its own.
    """
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(at_a_time, mp_context=fresh) as processes:
        played = {case.name: processes.submit(play_into, case, into / case.name) for case in cases}
    return {
        name: _trouble(future.exception()) or future.result() for name, future in played.items()
    }


def play_into(case: Case, folder: Path) -> str:
    """Play a case and write what is left of it; how the kernel did something else than meant."""
    os.setpriority(os.PRIO_PROCESS, 0, AHEAD_OF_OTHERS)
    with claimed_ports() as port:
        played = play(case, port)
    folder.mkdir(parents=True, exist_ok=True)
    for tap, capture in played.captures.items():
        capture.write(folder / f"{tap}.pcap")
    (folder / "states.json").write_text(json.dumps(facts(case, played), indent=1) + "\n")
    try:
        case.check(played.lives)
    except ValueError as error:
        return str(error)
    return ""


@contextmanager
def claimed_ports() -> Iterator[int]:
    """The first of PORTS_AT_A_TIME client ports that no other lab of this machine uses.

    The tracepoint knows no namespace, so labs are told apart by port. The claim is an
    abstract Unix socket's name: it ends with the process, however that ends.
    """
    firsts = list(range(FIRST_PORT, LAST_PORT, PORTS_AT_A_TIME))
    Random(os.urandom(8)).shuffle(firsts)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
        yield next(first for first in firsts if _claims(claim, first))


def _claims(claim: socket.socket, first: int) -> bool:
    try:
        claim.bind(f"\0tcptrace_lab_ports_{first}")
    except OSError:
        return False
    return True


def _trouble(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}" if error else ""
