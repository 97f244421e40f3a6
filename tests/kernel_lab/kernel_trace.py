"""`KernelTrace`: the kernel's own report of each move, from sock:inet_sock_set_state.

The tracepoint is exact in time, but knows neither request sockets nor minisockets: it tells
SYN_RCVD only when the handshake's ACK comes, and CLOSED where a socket becomes a minisocket.
"""

from __future__ import annotations

import ctypes
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tcptrace.tcp.states import State, parse_state

from .host import LIBC, called

CLONE_NEWNS = 0x00020000  # linux/sched.h
MS_REC = 1 << 14  # linux/mount.h, as is the next
MS_PRIVATE = 1 << 18
TRACEFS = Path("/sys/kernel/tracing")
INSTANCES = TRACEFS / "instances"
PREFIX = "tcptrace_lab_"
EVENT = "events/sock/inet_sock_set_state"

LINE = re.compile(
    r"(?P<seconds>\d+)\.(?P<micros>\d{6}): inet_sock_set_state: .*"
    r"sport=(?P<port>\d+) dport=(?P<peer_port>\d+) .*oldstate=(?P<old>\w+) newstate=(?P<state>\w+)"
)


@dataclass(frozen=True)
class Move:
    """One move of one socket, at a monotonic time in ns, exact to the microsecond."""

    at: int
    port: int
    peer_port: int
    state: State


class KernelTrace:
    """A tracing instance of our own; its mount is seen by this process alone and ends with it.

    It tells of sockets with a local or peer port in `ports`: the tracepoint knows no namespace.
    """

    def __init__(self, ports: range) -> None:
        _mount_tracefs()
        _sweep()
        self._instance = INSTANCES / f"{PREFIX}{os.getpid()}"
        self._instance.mkdir()
        self._write("trace_clock", "mono")
        asked = (f"{end} >= {ports.start} && {end} < {ports.stop}" for end in ("sport", "dport"))
        self._write(f"{EVENT}/filter", " || ".join(f"({condition})" for condition in asked))
        self._write(f"{EVENT}/enable", "1")

    def moves(self) -> list[Move]:
        """What was traced so far, in the order of time."""
        return moves_in((self._instance / "trace").read_text())

    def close(self) -> None:
        """Stop tracing and take the instance away."""
        self._write(f"{EVENT}/enable", "0")
        self._instance.rmdir()

    def _write(self, name: str, text: str) -> None:
        (self._instance / name).write_text(text)


def moves_in(text: str) -> list[Move]:
    """The moves that a trace tells of, in the order of time.

    close() in FIN_WAIT_2 or CLOSING sets the state that is there already (tcp_close_state), which
    the tracepoint tells, too; it is no move.
    """
    told = (match for match in LINE.finditer(text) if match["old"] != match["state"])
    return sorted(map(_move, told), key=lambda move: move.at)


def _move(match: re.Match[str]) -> Move:
    at = int(match["seconds"]) * 1_000_000_000 + int(match["micros"]) * 1000
    return Move(at, int(match["port"]), int(match["peer_port"]), parse_state(match["state"]))


def _mount_tracefs() -> None:
    """See tracefs, where nobody else does if nobody else did."""
    called(LIBC.unshare(CLONE_NEWNS))
    if INSTANCES.is_dir():
        return
    LIBC.mount.argtypes = [ctypes.c_char_p] * 3 + [ctypes.c_ulong, ctypes.c_char_p]
    called(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    called(LIBC.mount(b"none", os.fsencode(TRACEFS), b"tracefs", 0, None))


def _sweep() -> None:
    """Take away the instances of runs that were killed: what only the kernel remembers."""
    for left in INSTANCES.glob(f"{PREFIX}*"):
        if not Path("/proc", left.name.removeprefix(PREFIX)).exists():
            (left / EVENT / "enable").write_text("0")
            left.rmdir()
