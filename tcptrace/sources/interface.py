"""`Interface`: packets from a network interface of Linux as they pass, and its counters.

The socket is scapy's (`L2ListenSocket`), the filter is compiled by libpcap and run by the kernel,
the packets come through a `Ring`; nothing is dissected here. packet(7).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import logging
import os
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from tcptrace.errors import CaptureError, UsageError
from tcptrace.sources import filter as filters
from tcptrace.sources.bpf import INSTRUCTION_COLUMNS
from tcptrace.sources.facts import FileFacts, InterfaceFacts
from tcptrace.sources.live_source import Counters
from tcptrace.sources.packets import Packets
from tcptrace.sources.ring import Ring

ANY = "any"
BUFFER = 64 << 20
ETHERNET, RAW = 1, 101  # LINKTYPE numbers

# ARPHRD numbers of linux/if_arp.h whose packets begin otherwise than with the IP header.
LINK_TYPES = {1: ETHERNET, 772: ETHERNET, 801: 105, 802: 119, 803: 127}

_SEGMENTS = (
    "tcp"
    " or (icmp and (icmp[0] = 3 or icmp[0] = 4 or icmp[0] = 11 or icmp[0] = 12) and icmp[17] = 6)"
    " or (icmp6 and icmp6[0] <= 4 and icmp6[14] = 6)"
)
# TCP and the ICMP errors about it; `vlan` moves what follows it by a tag.
DEFAULT_FILTER = f"{_SEGMENTS} or (vlan and ({_SEGMENTS} or (vlan and ({_SEGMENTS}))))"

SO_ATTACH_FILTER = 26
_ALL = 3  # ETH_P_ALL
_SIOCGIFFLAGS = 0x8913
_IFF_UP = 1
_INSTRUCTION = struct.Struct("HBBI")  # struct sock_filter
_WAIT_MS = 100
_LINK = Path("/sys/class/net")
# What libpcap calls ps_ifdrop.
_INTERFACE_DROPS = ("rx_missed_errors", "rx_fifo_errors")


class Interface:
    """A network interface being listened to, promiscuously; `any` is all of them.

    filter : in tcpdump's language; TCP and ICMP errors about it, with or without VLAN tags
    buffer : octets of the ring that packets wait in
    snap_length : octets to keep of each packet

    CaptureError, in a line that says what to do, for an interface that cannot be listened to;
    UsageError for a filter that is wrong.
    """

    def __init__(
        self,
        name: str,
        filter: str | None = None,
        buffer: int = BUFFER,
        snap_length: int = filters.SNAP_LENGTH,
    ) -> None:
        self.name = name
        self._stopped = self._closed = False
        self._number = 0
        self._counters = Counters(dropped=0)
        self._listening = _listen(name)
        try:
            self._index = 0 if name == ANY else socket.if_nametoindex(name)
            self._link_type = None if name == ANY else _link_type(self._hardware())
            self._filter = self._attach(filter, snap_length)
            self._ring = Ring(self._listening.ins, buffer)
        except OSError as error:
            self._listening.close()
            raise CaptureError(name, _refusal(name, error)) from None
        except UsageError:
            self._listening.close()
            raise
        self._drops_before = self._interface_drops()
        self.facts = FileFacts(name, format="live")
        self.facts.interfaces.append(
            InterfaceFacts(self._link_type or ETHERNET, snap_length, name, filter=filter)
        )

    @property
    def buffer(self) -> int:
        """Octets of the ring."""
        return self._ring.size

    def batches(self) -> Iterator[Packets]:
        """Packets as they pass; CaptureError once the interface has vanished."""
        while not self._stopped:
            packets = self._take()
            if len(packets):
                self._counters.behind = max(0, self.now() - int(packets.time[-1]))
                yield packets
            else:
                self._counters.behind = 0
                self._wait()

    def now(self) -> int:
        """The system's clock, which stamps the packets."""
        return time.time_ns()

    def counters(self) -> Counters:
        """Of the packets that passed the filter."""
        counters, facts = self._counters, self.facts.interfaces[0]
        if self._closed:
            return counters
        counters.received = self._number
        counters.dropped = facts.dropped_by_system = self._ring.count_drops()
        drops = self._interface_drops()
        if drops is not None and self._drops_before is not None:
            counters.dropped_by_interface = facts.dropped = drops - self._drops_before
        return counters

    def stop(self) -> None:
        """No more packets."""
        self._stopped = True

    def close(self) -> None:
        """Stop listening; the counters stay as they are."""
        self.counters()
        self._closed = True
        self._ring.close()
        self._listening.close()

    def _take(self) -> Packets:
        packets = self._ring.take()
        if not len(packets):
            return packets
        packets.link_type[:] = _link_types(packets.link_type)
        packets.number[:] = np.arange(self._number + 1, self._number + 1 + len(packets))
        self._number += len(packets)
        self.facts.count(packets)
        return packets if self._filter is None else self._filter.apply(packets)

    def _wait(self) -> None:
        try:
            self._ring.wait(_WAIT_MS)
        except OSError as error:
            if self._is_there():  # it went down, and may come up again
                time.sleep(_WAIT_MS / 1000)
                return
            raise CaptureError(self.name, "the interface has vanished") from error

    def _is_there(self) -> bool:
        try:
            return self.name == ANY or socket.if_nametoindex(self.name) == self._index
        except OSError:
            return False

    def _hardware(self) -> int:
        return int(self._listening.ins.getsockname()[3])

    def _attach(self, wanted: str | None, snap_length: int) -> filters.Filter | None:
        """Have the kernel filter; what it cannot, the returned filter has to.

        It can neither tell the link types of `any` apart nor look for tags, which it takes out.
        """
        expression = DEFAULT_FILTER if wanted is None else wanted
        checked = filters.Filter(expression)
        tagged = wanted is not None and "vlan" in wanted
        if self._link_type is None or tagged:
            return checked
        if wanted is None and self._link_type != ETHERNET:
            expression = _SEGMENTS
        program = filters.compiled(expression, self._link_type, snap_length)
        _attach(self._listening.ins, program)
        return None

    def _interface_drops(self) -> int | None:
        folder = _LINK / self.name
        try:
            if int((folder / "ifindex").read_text()) != self._index:
                return None  # /sys is that of another network namespace
            return sum(int((folder / "statistics" / n).read_text()) for n in _INTERFACE_DROPS)
        except (OSError, ValueError):
            return None


def interfaces() -> list[tuple[str, bool]]:
    """The names of the interfaces that can be listened to, and whether each is up."""
    names = [name for _, name in socket.if_nameindex()]
    return [*((name, _is_up(name)) for name in names), (ANY, True)]


def _is_up(name: str) -> bool:
    asked = struct.pack("16sH14x", name.encode(), 0)  # struct ifreq
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            told = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked)
        except OSError:  # it has just gone
            return False
    return bool(struct.unpack("16sH14x", told)[1] & _IFF_UP)


def _listen(name: str) -> Any:
    """scapy's listening socket, without a filter."""
    if not sys.platform.startswith("linux"):
        raise CaptureError(name, f"live capture needs Linux; elsewhere {_piped(name)}")
    scapy = logging.getLogger("scapy.runtime")
    scapy.addFilter(_is_error)  # it warns of a link type that only its dissectors would need
    from scapy.arch.linux import L2ListenSocket

    try:
        if name == ANY:
            every = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL))
            return SimpleNamespace(ins=every, close=every.close)
        socket.if_nametoindex(name)
        return L2ListenSocket(iface=name, nofilter=1)
    except OSError as error:
        raise CaptureError(name, _refusal(name, error)) from None
    finally:
        scapy.removeFilter(_is_error)


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


def _refusal(name: str, error: OSError) -> str:
    """Why the interface cannot be listened to, and what to run."""
    if error.errno in (errno.EPERM, errno.EACCES):
        return f"listening needs root or CAP_NET_RAW: run {_command(name)}, or {_piped(name)}"
    if error.errno == errno.ENETDOWN:
        return f"the interface is down: ip link set {name} up"
    there = name in (known for known, _ in interfaces())
    if error.errno == errno.ENODEV or not there:
        return f"no such interface; there are {', '.join(known for known, _ in interfaces())}"
    why = os.strerror(error.errno) if error.errno else str(error)
    return f"{why}; try {_piped(name)}"


def _command(name: str) -> str:
    ours = Path(sys.argv[0])
    return f"sudo {ours if ours.name == 'tcptrace' else 'tcptrace'} live -i {name}"


def _piped(name: str) -> str:
    return f"sudo tcpdump -i {name} -U -w - tcp | tcptrace live -"


def _link_type(hardware: int) -> int:
    return LINK_TYPES.get(hardware, RAW)


def _link_types(hardware: Any) -> Any:
    kinds, places = np.unique(hardware, return_inverse=True)
    return np.array([_link_type(kind) for kind in kinds.tolist()], np.int64)[places]


def _attach(listening: socket.socket, program: memoryview) -> None:
    """SO_ATTACH_FILTER; struct sock_fprog is a count and a pointer."""
    rows = np.asarray(program).reshape(-1, len(INSTRUCTION_COLUMNS)).tolist()
    octets = b"".join(_INSTRUCTION.pack(*row) for row in rows)
    held = ctypes.create_string_buffer(octets)
    described = struct.pack("HP", len(rows), ctypes.addressof(held))
    listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, described)
