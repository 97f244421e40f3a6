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
TUNSETOFFLOAD = 0x400454D0
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
IFF_VNET_HDR = 0x4000
SEGMENTATION = 0x01 | 0x02 | 0x04  # TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6
DEVICE = "wire"
LARGEST_PACKET = 65535 + 10  # struct virtio_net_hdr comes before it, with offload
MTU = 1500

VNET_HEADER = struct.Struct("=BBHHHH")  # linux/virtio_net.h
NEEDS_CHECKSUM = 1
GSO_NONE, GSO_TCP = 0, {4: 1, 6: 4}
TCP_DATA_OFFSET = 12
TCP_CHECKSUM = 16
# A table of its own for the host's sockets, set in a namespace before it: the machine's is so large
# that listing it takes longer than a packet needs to travel.
FEW_SOCKETS = "16"

LIBC = ctypes.CDLL(None, use_errno=True)


class Host:
    """One end of the wire: its addresses, its settings, and the packets it sends and receives.

    `sysctls` are names and values below /proc/sys/net, for example `ipv4/tcp_fin_timeout`. A host
    with `offload` leaves checksums and the cutting of large segments to its device, as hosts do.
    Raises OSError where the process may not make namespaces or TUN devices.
    """

    def __init__(
        self, name: str, addresses: list[str], sysctls: dict[str, int], offload: bool = False
    ) -> None:
        self.name = name
        self.addresses = addresses
        self._offload = Offload() if offload else None
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        called(LIBC.unshare(CLONE_NEWNET))
        try:
            Path("/proc/sys/net/ipv4/tcp_child_ehash_entries").write_text(FEW_SOCKETS)
            called(LIBC.unshare(CLONE_NEWNET))
            self._namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            self.device = _tun_device(offload)
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
                packet = os.read(self.device, LARGEST_PACKET)
            except BlockingIOError:
                return
            yield packet[VNET_HEADER.size :] if self._offload else packet

    def receive(self, packet: bytes) -> None:
        """Hand an IP packet to the host; its kernel has dealt with it when this returns."""
        if self._offload:
            packet = self._offload.header(packet) + packet
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


class Offload:
    """What is told to a device's kernel with each packet: struct virtio_net_hdr."""

    def header(self, packet: bytes) -> bytes:
        """Believe the checksum; a packet beyond the device's MTU came from many segments."""
        version = packet[0] >> 4
        network = 40 if version == 6 else (packet[0] & 0x0F) * 4
        headers = network + (packet[network + TCP_DATA_OFFSET] >> 4) * 4
        kind, size = GSO_NONE, 0
        if len(packet) > MTU:
            kind, size = GSO_TCP[version], MTU - headers
        return VNET_HEADER.pack(NEEDS_CHECKSUM, kind, headers, size, network, TCP_CHECKSUM)


def _tun_device(offload: bool) -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    flags = IFF_TUN | IFF_NO_PI | (IFF_VNET_HDR if offload else 0)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), flags))
    if offload:
        fcntl.ioctl(descriptor, TUNSETOFFLOAD, SEGMENTATION)
    return descriptor


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=10)


def called(result: int) -> None:
    """OSError if a call into the C library did not return 0."""
    if result:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
