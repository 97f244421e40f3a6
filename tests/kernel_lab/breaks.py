"""Scenarios of resets, silence and second use: aborts, forgeries, keep-alive, firewalls, ports."""

from __future__ import annotations

import socket

from tcptrace.tcp.flags import ACK, RST, SYN

from .case import Case
from .closings import CLIENT_SECOND, SERVER_FIRST
from .forgery import Forged
from .handshakes import ORDINARY
from .lab import Lab
from .openings import CLOSES_FIRST, CLOSES_SECOND, REPLY, REQUEST, exchange, finish
from .storm import SHORT_TIMERS
from .wire import Fate, Rule

TCP_NODELAY, TCP_USER_TIMEOUT = 1, 18  # linux/tcp.h
KEEPALIVE = ((4, 1), (5, 1), (6, 2))  # TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT
LARGE = b"." * 200_000
IN_WINDOW = 1000


def talking(lab: Lab) -> tuple[socket.socket, socket.socket]:
    """A connection that has exchanged something, and all of it is read."""
    client, server = lab.open()
    exchange(lab, client, server)
    lab.receive(client), lab.receive(server)
    return client, server


def cut(lab: Lab) -> list[Rule]:
    """From now on nothing gets through, either way."""
    return [lab.wire.lose(Rule(sender, Fate.LOST_AFTER_TAP)) for sender in ("client", "server")]


def server_aborts(lab: Lab) -> None:
    """SO_LINGER 0 at the server."""
    _, server = talking(lab)
    lab.abort(server)
    lab.wait(0.2)


def reset_lost(lab: Lab) -> None:
    """The client's RST is lost: the server is half-open until it sends."""
    client, server = talking(lab)
    lab.wire.lose(Rule("client", Fate.LOST_AFTER_TAP, times=1))
    lab.abort(client)
    lab.wait(1)
    lab.send(server, REPLY)
    lab.wait(0.2)


def unread(lab: Lab) -> None:
    """close() with unread data: RST instead of FIN."""
    client, server = lab.open()
    lab.send(client, REQUEST)
    lab.act(server.close)
    lab.wait(0.2)


def aborted_in_fin_wait_2(lab: Lab) -> None:
    """The client shuts its side, then aborts."""
    client, _ = talking(lab)
    lab.shut(client)
    lab.wait(0.3)
    lab.abort(client)
    lab.wait(0.2)


def aborted_in_close_wait(lab: Lab) -> None:
    """The server aborts instead of closing after the client's FIN."""
    client, server = talking(lab)
    lab.close(client)
    lab.wait(0.3)
    lab.abort(server)
    lab.wait(0.2)


def closed_under_data(lab: Lab) -> None:
    """The server closes while data are on their way to it: first its FIN, then a RST."""
    client, server = talking(lab)
    lab.act(lambda: client.send(REQUEST))
    lab.act(server.close)
    lab.wait(0.3)


def disconnected(lab: Lab) -> None:
    """connect() to AF_UNSPEC takes an open connection away: RST."""
    client, _ = talking(lab)
    lab.act(lambda: lab.disconnect(client))
    lab.wait(0.2)


def reset_from_the_middle(lab: Lab) -> None:
    """A box half way resets both ends with exact numbers."""
    talking(lab)
    latest = dict(lab.wire.latest)
    lab.wire.inject("server", Forged(RST).answering(latest["client"]))
    lab.wire.inject("client", Forged(RST).like(latest["client"]))
    lab.wait(0.2)


def reset_not_exact(lab: Lab) -> None:
    """A forged RST within the window, but not at its edge, is challenged (RFC 5961)."""
    client, server = talking(lab)
    lab.wire.inject("client", Forged(RST, seq=IN_WINDOW).like(lab.wire.latest["client"]))
    lab.wait(0.2)
    finish(lab, client, server)


def syn_inside(lab: Lab) -> None:
    """A SYN inside a connection is challenged, too, and moves nobody."""
    client, server = talking(lab)
    lab.wire.inject("client", Forged(SYN, seq=IN_WINDOW).like(lab.wire.latest["client"]))
    lab.wait(0.2)
    finish(lab, client, server)


def ack_of_nothing(lab: Lab) -> None:
    """An ACK of what was never sent is answered by an ACK (RFC 9293 section 3.10.7.4)."""
    client, server = talking(lab)
    lab.wire.inject("client", Forged(ACK, ack=IN_WINDOW).like(lab.wire.latest["client"]))
    lab.wait(0.2)
    finish(lab, client, server)


def kept_alive(which: socket.socket) -> None:
    """Probe after a second of silence, and believe the peer dead after two probes."""
    which.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE:
        which.setsockopt(socket.IPPROTO_TCP, option, value)


def keep_alive_answered(lab: Lab) -> None:
    """Keep-alive probes, answered."""
    client, server = talking(lab)
    kept_alive(client)
    lab.wait(3.5)
    finish(lab, client, server)


def keep_alive_death(lab: Lab) -> None:
    """Keep-alive probes that nobody answers: the client resets and goes."""
    client, _ = talking(lab)
    kept_alive(client)
    cut(lab)
    lab.wait(5)


def user_timeout(lab: Lab) -> None:
    """TCP_USER_TIMEOUT ends a connection whose data are not acknowledged; no RST."""
    client, _ = talking(lab)
    client.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 1500)
    cut(lab)
    lab.send(client, REQUEST)
    lab.wait(5)


def retries_used_up(lab: Lab) -> None:
    """The network is gone and the client sends until tcp_retries2 is used up."""
    client, _ = talking(lab)
    cut(lab)
    lab.send(client, REQUEST)
    lab.wait(12)


def firewall_forgets(lab: Lab) -> None:
    """A firewall forgets an idle connection and drops all of it; both ends try in vain."""
    client, server = talking(lab)
    lab.wait(2)
    cut(lab)
    lab.send(client, REQUEST)
    lab.send(server, REPLY)
    lab.wait(12)


def firewall_forgets_and_resets(lab: Lab) -> None:
    """A firewall that has forgotten answers the client by RST; the server never hears of it."""
    client, _ = talking(lab)
    lab.wait(2)
    cut(lab)
    lab.send(client, REQUEST)
    lab.wire.inject("server", Forged(RST).answering(lab.wire.latest["client"]))
    lab.wait(0.3)


def port_again_after_reset(lab: Lab) -> None:
    """Three connections from one port, two of them aborted."""
    listener = lab.listen()
    port = lab.next_port
    for aborted in (True, True, False):
        client = lab.connect(port=port)
        server = lab.accept(listener)
        exchange(lab, client, server)
        lab.receive(client), lab.receive(server)
        if aborted:
            lab.abort(client)
            lab.wait(0.3)
        else:
            finish(lab, client, server)


def port_again_in_time_wait(lab: Lab) -> None:
    """The client, in TIME_WAIT, connects from the same port again (tcp_tw_reuse)."""
    listener = lab.listen()
    port = lab.next_port
    for _ in range(2):
        client = lab.connect(port=port)
        server = lab.accept(listener)
        exchange(lab, client, server)
        finish(lab, client, server)
        lab.wait(1.5)


def silence(lab: Lab) -> None:
    """Six seconds in which nobody says a word, and all is well."""
    client, server = talking(lab)
    lab.wait(6)
    exchange(lab, client, server)
    finish(lab, client, server)


def byte_by_byte(lab: Lab) -> None:
    """Segments of one byte."""
    client, server = lab.open()
    client.setsockopt(socket.IPPROTO_TCP, TCP_NODELAY, 1)
    for _ in range(40):
        lab.act(lambda: client.send(b"."))
        lab.wait(0.004)
    lab.wait(0.1)
    lab.send(server, REPLY)
    finish(lab, client, server)


def large_segments(lab: Lab) -> None:
    """Segmentation is left to the devices: segments beyond any MTU, checksums that nobody made."""
    client, server = lab.open()
    lab.send(client, REQUEST)
    lab.receive(server)
    sent = 0
    while sent < len(LARGE):
        sent += server.send(LARGE[sent:])
        lab.wait(0.05)
        lab.receive(client)
    lab.wait(0.3)
    finish(lab, server, client)


ABORTED = (("SYN_SENT ESTABLISHED CLOSED",), ("SYN_RCVD ESTABLISHED CLOSED",))
CLIENT_ALONE = (("SYN_SENT ESTABLISHED CLOSED",), ("SYN_RCVD ESTABLISHED",))

CASES = (
    Case(server_aborts, *ABORTED),
    Case(reset_lost, *ABORTED),
    Case(unread, *ABORTED),
    Case(
        aborted_in_fin_wait_2,
        ("SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSED",),
        ("SYN_RCVD ESTABLISHED CLOSE_WAIT CLOSED",),
    ),
    Case(
        aborted_in_close_wait,
        ("SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSED",),
        ("SYN_RCVD ESTABLISHED CLOSE_WAIT CLOSED",),
    ),
    Case(
        closed_under_data,
        ("SYN_SENT ESTABLISHED CLOSE_WAIT CLOSED",),
        ("SYN_RCVD ESTABLISHED FIN_WAIT_1 CLOSED",),
    ),
    Case(disconnected, *ABORTED),
    Case(reset_from_the_middle, *ABORTED, family=socket.AF_INET6),
    Case(reset_not_exact, *ORDINARY),
    Case(syn_inside, *ORDINARY),
    Case(ack_of_nothing, *ORDINARY),
    Case(keep_alive_answered, *ORDINARY),
    Case(keep_alive_death, *CLIENT_ALONE),
    Case(user_timeout, *CLIENT_ALONE),
    Case(retries_used_up, *CLIENT_ALONE, sysctls=SHORT_TIMERS),
    Case(firewall_forgets, *ABORTED, sysctls=SHORT_TIMERS),
    Case(firewall_forgets_and_resets, *CLIENT_ALONE),
    Case(
        port_again_after_reset,
        (*ABORTED[0] * 2, CLOSES_FIRST),
        (*ABORTED[1] * 2, CLOSES_SECOND),
    ),
    Case(
        port_again_in_time_wait,
        (f"{CLOSES_FIRST} CLOSED", CLOSES_FIRST),
        (CLOSES_SECOND,) * 2,
        sysctls={"ipv4/tcp_tw_reuse": 1},
    ),
    Case(silence, *ORDINARY),
    Case(byte_by_byte, *ORDINARY),
    Case(large_segments, (CLIENT_SECOND,), (SERVER_FIRST,), offload=True),
)
