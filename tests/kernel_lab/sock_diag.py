"""`SockDiag`: the TCP sockets that a host has at this instant, asked of the kernel as `ss` does.

Request sockets show as SYN_RCVD, and what has become a minisocket (an orphan in FIN_WAIT_2,
TIME_WAIT) shows its own state; linux/inet_diag.h, net/ipv4/inet_diag.c.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tcptrace.tcp.states import State

from .host import Host

NETLINK_SOCK_DIAG = 4  # linux/netlink.h
SOCK_DIAG_BY_FAMILY = 20  # linux/sock_diag.h
NLMSG_DONE = 3  # linux/netlink.h
NLM_F_REQUEST_DUMP = 0x301
RECEIVE = 65536

HEADER = struct.Struct("=IHHII")  # nlmsghdr
REQUEST = struct.Struct("=BBBBI48x")  # inet_diag_req_v2
FOUND = struct.Struct("!BBBBHH16s16s4x8s")  # inet_diag_msg, up to the cookie
STATE, COOKIE = slice(1, 2), slice(44, 52)  # where that has them

# include/net/tcp_states.h; TCP_NEW_SYN_RECV is shown as SYN_RECV.
KERNEL_STATES = {
    1: State.ESTABLISHED,
    2: State.SYN_SENT,
    3: State.SYN_RCVD,
    4: State.FIN_WAIT_1,
    5: State.FIN_WAIT_2,
    6: State.TIME_WAIT,
    7: State.CLOSED,
    8: State.CLOSE_WAIT,
    9: State.LAST_ACK,
    10: State.LISTEN,
    11: State.CLOSING,
    12: State.SYN_RCVD,
}

# Listeners and sockets that are only bound are nobody's connection, and slow to list.
ASKED = sum(
    1 << n for n, state in KERNEL_STATES.items() if state not in (State.CLOSED, State.LISTEN)
)


@dataclass(frozen=True)
class Found:
    """One socket: the cookie names it for life, from request socket to minisocket."""

    cookie: bytes
    ip: str
    port: int
    peer_ip: str
    peer_port: int
    state: State


class SockDiag:
    """A netlink socket of one host, to be asked often."""

    def __init__(self, host: Host, family: int) -> None:
        self._family = family
        self._known: dict[bytes, Found] = {}
        self._netlink = host.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        self._netlink.setblocking(True)
        self._netlink.settimeout(5)

    def sockets(self) -> list[Found]:
        """Every TCP socket but the listening ones."""
        body = REQUEST.pack(self._family, socket.IPPROTO_TCP, 0, 0, ASKED)
        header = HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 1, 0)
        self._netlink.send(header + body)
        return list(self._answers())

    def close(self) -> None:
        """Ask no more."""
        self._netlink.close()

    def _answers(self) -> Iterator[Found]:
        while True:
            batch = self._netlink.recv(RECEIVE)
            offset = 0
            while offset < len(batch):
                length, kind, *_ = HEADER.unpack_from(batch, offset)
                if kind == NLMSG_DONE:
                    return
                yield self._found(batch[offset + HEADER.size : offset + length])
                offset += -(-length // 4) * 4  # netlink messages are padded to 4 bytes

    def _found(self, message: bytes) -> Found:
        """What a message tells; one that tells nothing new is not taken apart."""
        key = message[STATE] + message[COOKIE]
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _found(message)
        return found


def _found(message: bytes) -> Found:
    family, state, _, _, port, peer_port, source, peer, cookie = FOUND.unpack_from(message)
    length = 4 if family == socket.AF_INET else 16
    return Found(
        cookie,
        socket.inet_ntop(family, source[:length]),
        port,
        socket.inet_ntop(family, peer[:length]),
        peer_port,
        KERNEL_STATES[state],
    )
