"""`Lab`: two hosts, the wire between them and the witness, driven by one thread.

A case's script opens, writes and closes sockets through the lab, and lets time pass with `wait`
and `until`; nothing else happens in between, so that each move has one cause. Sockets that
are still open when the script ends stay as they are until the last look.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable

from tcptrace.tcp.states import State

from .case import Case
from .host import LIBC, Host
from .kernel_trace import KernelTrace
from .sock_diag import SockDiag
from .wire import Wire
from .witness import Life, Witness

SERVICE_PORT = 8080
FIRST_CLIENT_PORT = 40000
ADDRESSES = {
    socket.AF_INET: {"client": "192.0.2.1", "server": "192.0.2.2"},  # RFC 5737
    socket.AF_INET6: {"client": "2001:db8::1", "server": "2001:db8::2"},  # RFC 3849
}
PREFIX_LENGTH = {socket.AF_INET: 24, socket.AF_INET6: 64}
# A namespace with a small table of sockets would otherwise have room for few TIME_WAITs.
SYSCTLS = {"ipv4/tcp_no_metrics_save": 1, "ipv4/tcp_max_tw_buckets": 4096}
IDLE_LOOK_NS = 2_000_000
FRESH_LOOK_NS = 200_000  # a look as young as this need not be repeated before an action
PATIENCE = 5.0  # seconds for what should take a round trip
TCP_REPAIR = 19  # linux/tcp.h: a socket closed in repair mode sends nothing


class Lab:
    """Where a case is played; `port` is the first of the client's ports."""

    def __init__(self, case: Case, port: int = FIRST_CLIENT_PORT) -> None:
        self.case = case
        self.family = case.family
        self.next_port = port
        self.addresses = ADDRESSES[case.family]
        self.sysctls = SYSCTLS | dict(case.sysctls)
        self.trace = KernelTrace(range(port, port + case.ports))
        self.client, self.server = (self._host(name) for name in ("client", "server"))
        self.hosts = [self.client, self.server]
        self.wire = Wire(self.hosts, case.link_type, time.monotonic_ns)
        self.wire.weather = case.weather
        self.wire.epoch = self.epoch = time.time_ns() - time.monotonic_ns()
        asked = {host.name: SockDiag(host, case.family) for host in self.hosts}
        self.witness = Witness(asked, time.monotonic_ns)
        self._open: list[socket.socket] = []

    def listen(self, backlog: int = 8) -> socket.socket:
        """The service, as a listening socket of the server."""
        listener = self.bound(self.server, SERVICE_PORT)
        listener.listen(backlog)
        return listener

    def connect(self, port: int | None = None, receive_buffer: int | None = None) -> socket.socket:
        """Send a SYN from the client's next port, or from `port`; returns before any answer."""
        if port is None:
            port, self.next_port = self.next_port, self.next_port + 1
        made = self.bound(self.client, port)
        if receive_buffer is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.dial(made, "server", SERVICE_PORT)
        return made

    def dial(self, made: socket.socket, peer: str, port: int) -> None:
        """Connect a socket that is bound already."""
        self.act(lambda: made.connect_ex((self.addresses[peer], port)))

    def accept(self, listener: socket.socket) -> socket.socket:
        """The next connection of the listener; waits for it."""
        self.until(lambda: bool(select.select([listener], [], [], 0)[0]))
        accepted, _ = listener.accept()
        accepted.setblocking(False)
        self._open.append(accepted)
        return accepted

    def open(self, listener: socket.socket | None = None) -> tuple[socket.socket, socket.socket]:
        """A connection, established: the client's socket and the server's."""
        client = self.connect()
        return client, self.accept(listener or self.listen())

    def bound(self, host: Host, port: int) -> socket.socket:
        """A socket of a host, bound to a port, neither listening nor connected."""
        made = host.socket(self.family)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((self.addresses[host.name], port))
        self._open.append(made)
        return made

    def send(self, sender: socket.socket, data: bytes) -> None:
        """Write, and wait until everything has had time to arrive and be answered."""
        self.act(lambda: sender.send(data))
        self.wait(0.1)

    def receive(self, receiver: socket.socket) -> bytes:
        """Read what has arrived."""
        try:
            return receiver.recv(1 << 20)
        except BlockingIOError:
            return b""

    def shut(self, which: socket.socket) -> None:
        """Say that nothing more will be sent, and go on reading."""
        self.act(lambda: which.shutdown(socket.SHUT_WR))

    def close(self, which: socket.socket) -> None:
        """close(), after reading what has arrived: unread data would turn it into an abort."""
        self.receive(which)
        self.act(which.close)

    def abort(self, which: socket.socket) -> None:
        """close() with SO_LINGER 0: a reset."""
        which.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.act(which.close)

    def vanish(self, which: socket.socket) -> None:
        """The socket is gone without a packet, as when its host loses power."""
        which.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        self.act(which.close)

    def disconnect(self, which: socket.socket) -> None:
        """connect() to AF_UNSPEC: the socket is as if it had never been connected."""
        unspecified = struct.pack("=H14x", socket.AF_UNSPEC)
        LIBC.connect(which.fileno(), unspecified, len(unspecified))

    def act(self, action: Callable[[], object], side: str | None = None) -> None:
        """Do something that may move a socket (of one side), with a look before and after."""
        self.witness.look(side, FRESH_LOOK_NS)
        action()
        self.witness.look(side)

    def wait(self, seconds: float) -> None:
        """Let packets travel and timers run."""
        end = time.monotonic_ns() + int(seconds * 1e9)
        while (now := time.monotonic_ns()) < end:
            self._turn(end - now)

    def until(self, reached: Callable[[], object], limit: float = PATIENCE) -> None:
        """Let time pass until something is true; TimeoutError if that takes longer than `limit`."""
        end = time.monotonic_ns() + int(limit * 1e9)
        while not reached():
            if time.monotonic_ns() > end:
                raise TimeoutError(f"not reached within {limit} s")
            self._turn(IDLE_LOOK_NS)

    def until_state(self, side: str, state: State, limit: float = PATIENCE) -> None:
        """Until the oldest socket of a side is in a state."""
        self.until(lambda: self.witness.states(side)[:1] == [state], limit)

    def lives(self) -> list[Life]:
        """The truth so far: every socket's life, joined from looks and tracepoint."""
        self.witness.look()
        return self.witness.lives(self.trace.moves())

    def tear_down(self) -> None:
        """Close everything; nothing of it is seen by the tap any more."""
        for left in self._open:
            left.close()
        self.witness.close()
        self.trace.close()
        for host in self.hosts:
            host.close()

    def _turn(self, at_most: int) -> None:
        """Sleep until a packet is sent, is due, or it is time for a look; then see to it."""
        due = self.wire.next_due()
        sleep = min(at_most, IDLE_LOOK_NS)
        if due is not None:
            sleep = min(sleep, max(0, due - time.monotonic_ns()))
        by_device = {host.device: host for host in self.hosts}
        ready = select.select(list(by_device), [], [], sleep / 1e9)[0]
        for device in ready:
            self.wire.take(by_device[device])
        arriving = self.wire.move()
        if arriving is not None:
            self.act(lambda: self.wire.arrive(arriving), arriving.receiver)
        elif not ready:
            self.witness.look(fresh=IDLE_LOOK_NS)

    def _host(self, name: str) -> Host:
        address = f"{self.addresses[name]}/{PREFIX_LENGTH[self.family]}"
        return Host(name, [address], self.sysctls, self.case.offload)
