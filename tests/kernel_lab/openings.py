"""Cases of opening: handshakes that succeed late, never, or on one side alone."""

from __future__ import annotations

import socket
from functools import partial

from tcptrace.tcp.states import State

from .capture_file import LINKTYPE_RAW
from .case import Case
from .lab import SERVICE_PORT, Lab
from .wire import Fate, Rule

REQUEST = b"GET / HTTP/1.0\r\n\r\n"
REPLY = b"HTTP/1.0 200 OK\r\n\r\nhello\n"


def exchange(lab: Lab, client: socket.socket, server: socket.socket) -> None:
    """A request and a reply."""
    lab.send(client, REQUEST)
    lab.send(server, REPLY)


def finish(lab: Lab, first: socket.socket, second: socket.socket) -> None:
    """An orderly close, `first` first, with time for every answer."""
    lab.close(first)
    lab.wait(0.15)
    lab.close(second)
    lab.wait(0.2)


def refused(lab: Lab) -> None:
    """Refused: nobody listens on the port.

    The client's SYN reaches a host where nothing listens on the port; the host answers RST,ACK
    (RFC 9293 section 3.5.2, group 1). The client goes SYN_SENT → CLOSED. The server never had a
    socket, so it has no states to show beyond CLOSED.

    Look for `connection-refused`, charged to the server's side, and for a server that is in no
    state but CLOSED.
    """
    lab.connect()
    lab.wait(0.2)


def syn_unanswered(lab: Lab) -> None:
    """SYN unanswered: the server's host is never reached.

    Every SYN passes the tap and is lost after it, as by a firewall that drops. The client
    repeats it until `tcp_syn_retries` is used up and goes silently from SYN_SENT to CLOSED: no
    packet shows that move, only the profile's timers date it.

    Look for `syn-unanswered`, and for a last move whose basis is `timer`.
    """
    lab.wire.lose(Rule("client", Fate.LOST_AFTER_TAP))
    lab.connect()
    lab.until_state("client", State.CLOSED, limit=200)


def syn_lost(lab: Lab) -> None:
    """Retransmitted SYN: the first one is lost.

    The first SYN passes the tap and is lost behind it; the client repeats it a second later.
    The server enters SYN_RCVD at the *second* copy: its SYN,ACK echoes that copy's timestamp.

    Look for the responder's SYN_RCVD, which starts a second after the originator's SYN_SENT.
    """
    lab.wire.lose(Rule("client", Fate.LOST_AFTER_TAP, flags="S", times=1))
    client, server = lab.open()
    exchange(lab, client, server)
    finish(lab, client, server)


def handshake_ack_lost(lab: Lab) -> None:
    """Retransmitted SYN,ACK: the handshake's last ACK is lost.

    The client is ESTABLISHED once it has the SYN,ACK. Its ACK passes the tap and is lost behind
    it, so the server stays in SYN_RCVD, repeats its SYN,ACK a second later, and becomes
    ESTABLISHED by the ACK of *that*. The first ACK, seen at the tap, proves nothing.

    Look for the responder's SYN_RCVD lasting a second beyond the first ACK: the move that this
    ACK suggested is taken back, the connection's story tells it, and the anomaly is
    `handshake-ack-not-honoured`, here for no worse reason than a loss.
    """
    lab.wire.lose(Rule("client", Fate.LOST_AFTER_TAP, flags="A", times=1))
    client, server = lab.open()
    exchange(lab, client, server)
    finish(lab, client, server)


def accept_queue_overflow(lab: Lab) -> None:
    """Accept-queue overflow: established for the client, not for the server.

    The listener has room for two connections and its program is slow to accept. One client has
    connected; then two more connect at once, and the first of them takes the last room. The
    kernel drops the ACK of the other, which stays in SYN_RCVD at the server and is ESTABLISHED
    at the client: the client's data go unanswered, SYN,ACKs are repeated, and each ACK of them
    is ignored until the program has accepted the connections before it.

    Look for `handshake-ack-not-honoured` on the third connection, and for its endpoints
    becoming ESTABLISHED seconds apart.
    """
    listener = lab.listen(backlog=1)
    waiting = [lab.connect()]
    lab.wait(0.1)
    waiting += [lab.connect(), lab.connect()]
    lab.wait(0.1)
    for client in waiting:
        lab.send(client, REQUEST)
    lab.wait(4)
    for client in waiting:
        server = lab.accept(listener)
        lab.until(partial(lab.receive, server), limit=10)
        lab.send(server, REPLY)
        finish(lab, client, server)


def simultaneous_open(lab: Lab) -> None:
    """Simultaneous open: both SYNs cross.

    Two programs connect to each other at the same instant, from fixed ports, with no listener
    on either side (RFC 9293 section 3.5, figure 7). Both endpoints go SYN_SENT → SYN_RCVD →
    ESTABLISHED; the SYN,ACKs repeat the sequence numbers of the SYNs.

    Look for two endpoints in SYN_SENT. Who is called originator is only a matter of whose SYN
    passed the tap first.
    """
    port = lab.next_port
    one, other = lab.bound(lab.client, port), lab.bound(lab.server, SERVICE_PORT)
    lab.dial(one, "server", SERVICE_PORT)
    lab.dial(other, "client", port)
    lab.wait(0.2)
    exchange(lab, one, other)
    finish(lab, one, other)


CLOSES_FIRST = "SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT"
CLOSES_SECOND = "SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED"

CASES = (
    Case(
        refused,
        ("SYN_SENT CLOSED",),
        (),
        anomalies=("connection-refused",),
        file="capture.pcap",
    ),
    Case(
        syn_unanswered,
        ("SYN_SENT CLOSED",),
        (),
        anomalies=("syn-unanswered",),
        tap="client",
    ),
    Case(syn_lost, (CLOSES_FIRST,), (CLOSES_SECOND,), file="capture.pcapng.zst"),
    Case(
        handshake_ack_lost,
        (CLOSES_FIRST,),
        (CLOSES_SECOND,),
        anomalies=("handshake-ack-not-honoured",),
        file="capture.pcap.xz",
    ),
    Case(
        accept_queue_overflow,
        (CLOSES_FIRST,) * 3,
        (CLOSES_SECOND,) * 3,
        anomalies=("handshake-ack-not-honoured",),
    ),
    Case(
        simultaneous_open,
        ("SYN_SENT SYN_RCVD ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT",),
        ("SYN_SENT SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED",),
        link_type=LINKTYPE_RAW,
    ),
)
