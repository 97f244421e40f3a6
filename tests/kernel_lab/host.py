"""`Host`: a network namespace of this process with one TUN device in it.

The namespace has no name and no process but ours, and the device no owner but our descriptor,
so both vanish with the process, however it ends.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000  # linux/sched.h
TUNSETIFF = 0x400454CA  # linux/if_tun.h, as are the two below
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
DEVICE = "wire"
LARGEST_PACKET = 65535
# A table of its own for the host's sockets, set in a namespace before it: the machine's is so large
# that listing it takes longer than a packet needs to travel.
FEW_SOCKETS = "16"

LIBC = ctypes.CDLL(None, use_errno=True)


class Host:
    """One end of the wire: its addresses, its settings, and the packets it sends and receives.

    `sysctls` are names and values below /proc/sys/net, for example `ipv4/tcp_fin_timeout`.
    Raises OSError where the process may not make namespaces or TUN devices.
    """

    def __init__(self, name: str, addresses: list[str], sysctls: dict[str, int]) -> None:
        self.name = name
        self.addresses = addresses
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        called(LIBC.unshare(CLONE_NEWNET))
        try:
            Path("/proc/sys/net/ipv4/tcp_child_ehash_entries").write_text(FEW_SOCKETS)
            called(LIBC.unshare(CLONE_NEWNET))
            self._namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            self.device = _tun_device()
            self._bring_up(sysctls)
        finally:
            called(LIBC.setns(self._home, CLONE_NEWNET))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """What is opened or run in this block belongs to the host."""
        called(LIBC.setns(self._namespace, CLONE_NEWNET))
        try:
            yield
        finally:
            called(LIBC.setns(self._home, CLONE_NEWNET))

    def socket(
        self, family: int, kind: int = socket.SOCK_STREAM, protocol: int = 0
    ) -> socket.socket:
        """A socket of this host, non-blocking."""
        with self.inside():
            made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    def sent(self) -> Iterator[bytes]:
        """The IP packets that the host has sent since it was last asked."""
        while True:
            try:
                yield os.read(self.device, LARGEST_PACKET)
            except BlockingIOError:
                return

    def receive(self, packet: bytes) -> None:
        """Hand an IP packet to the host; its kernel has dealt with it when this returns."""
        os.write(self.device, packet)

    def close(self) -> None:
        """Give the device and the namespace back."""
        for descriptor in (self.device, self._namespace, self._home):
            os.close(descriptor)

    def _bring_up(self, sysctls: dict[str, int]) -> None:
        for name, value in sysctls.items():
            Path("/proc/sys/net", name).write_text(str(value))
        _ip("link", "set", "lo", "up")
        _ip("link", "set", DEVICE, "up")
        for address in self.addresses:
            _ip("address", "add", address, "dev", DEVICE, *(["nodad"] if ":" in address else []))


def _tun_device() -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    request = struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI)
    fcntl.ioctl(descriptor, TUNSETIFF, request)
    return descriptor


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=10)


def called(result: int) -> None:
    """OSError if a call into the C library did not return 0."""
    if result:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
