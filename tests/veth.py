"""`Veth`: two hosts of our own, joined by a pair of virtual Ethernet interfaces.

Each is a network namespace without a name or a process, so both vanish with this process. What is
done inside one, in the thread that entered it, sees its interfaces alone.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
ADDRESSES = ("192.0.2.1", "192.0.2.2")  # RFC 5737
NAMES = ("tap0", "tap1")
PORT = 8080


class Veth:
    """Hosts 0 and 1; interface `NAMES[i]` with address `ADDRESSES[i]` is host i's."""

    def __init__(self) -> None:
        self._spaces = [_new_space() for _ in NAMES]
        peer = f"/proc/{os.getpid()}/fd/{self._spaces[1]}"
        self.run(0, f"link add {NAMES[0]} type veth peer name {NAMES[1]} netns {peer}")
        for host, (name, address) in enumerate(zip(NAMES, ADDRESSES, strict=True)):
            self.run(host, "link set lo up")
            self.run(host, f"addr add {address}/24 dev {name}")
            self.run(host, f"link set {name} up")

    @contextmanager
    def inside(self, host: int) -> Iterator[None]:
        """Be on that host: this thread, and the threads and processes that it starts."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _enter(self._spaces[host])
        try:
            yield
        finally:
            _enter(before)
            os.close(before)

    def run(self, host: int, command: str) -> None:
        """An ip(8) command on a host."""
        with self.inside(host):
            subprocess.run(["ip", *command.split()], check=True, capture_output=True)

    def listen(self) -> socket.socket:
        """A listening socket of host 1."""
        with self.inside(1):
            return socket.create_server((ADDRESSES[1], PORT))

    def connect(self) -> socket.socket:
        """A connection from host 0 to that socket."""
        with self.inside(0):
            return socket.create_connection((ADDRESSES[1], PORT), timeout=5)

    def close(self) -> None:
        """Let go of both hosts."""
        for space in self._spaces:
            os.close(space)


@contextmanager
def two_hosts() -> Iterator[Veth]:
    """A pair for a test; the test is skipped where it cannot be had."""
    try:
        pair = Veth()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs root and network namespaces: {error}")
    try:
        yield pair
    finally:
        pair.close()


def _new_space() -> int:
    """A descriptor of a new network namespace, made by a thread that lives no longer than that."""
    made: list[int | OSError] = []

    def make() -> None:
        if LIBC.unshare(CLONE_NEWNET):
            made.append(OSError(ctypes.get_errno(), "unshare"))
        else:
            made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    (space,) = made
    if isinstance(space, OSError):
        raise space
    return space


def _enter(space: int) -> None:
    if LIBC.setns(space, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
