"""Playing cases: one in this process, or many at a time, each into a folder of its own.

A folder holds `client.pcap`, `middle.pcap`, `server.pcap` and `states.json`, the kernels' record.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from .capture_file import CaptureFile
from .case import Case
from .lab import Lab
from .wire import Rule
from .witness import Life

FIRST_PORT, LAST_PORT = 10_000, 32_000  # below FIRST_CLIENT_PORT, so that `record` is undisturbed
PORTS_AT_A_TIME = 100


@dataclass
class Played:
    """What is left of a lab after a case; times of lives are monotonic, `until` is not."""

    captures: dict[str, CaptureFile]
    lives: list[Life]
    sysctls: dict[str, int]
    rules: list[Rule]
    epoch: int
    until: int
    delay: int = field(default=0)


def play(case: Case, port: int) -> Played:
    """Play a case; ValueError if the kernel did something else than the case is meant to show."""
    lab = Lab(case, port)
    try:
        case.script(lab)
        lives = lab.lives()
        until = lab.epoch + time.monotonic_ns()
        case.check(lives)
    finally:
        lab.tear_down()
    wire = lab.wire
    return Played(wire.captures, lives, lab.sysctls, wire.rules, lab.epoch, until, wire.delay)


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
