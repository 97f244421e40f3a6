"""Cases of closing: orderly, at once, half, late, and never."""

from __future__ import annotations

import socket

from tcptrace.tcp.states import State

from .capture_file import LINKTYPE_RAW
from .case import Case
from .lab import Lab
from .openings import CLOSES_FIRST, CLOSES_SECOND, exchange, finish
from .wire import Fate, Rule

SERVER_FIRST = "SYN_RCVD ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT"
CLIENT_SECOND = "SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED"
FIN_WAIT_2_EXPIRES = "SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSED"
BOTH_AT_ONCE = "FIN_WAIT_1 CLOSING TIME_WAIT"
LARGE_REPLY = b"." * 20_000
SMALL_BUFFER = 4096


def close_by_client(lab: Lab) -> None:
    """Orderly close by the client.

    Handshake, a request, a reply; then the client closes and the server follows. Each
    endpoint's states are those of RFC 9293 figure 12. The client keeps TIME_WAIT.

    Look for the closer (the originator), for FIN_WAIT_1 → FIN_WAIT_2 → TIME_WAIT on one side
    and CLOSE_WAIT → LAST_ACK → CLOSED on the other, and for nothing among the anomalies.
    """
    client, server = lab.open()
    exchange(lab, client, server)
    finish(lab, client, server)


def close_by_server(lab: Lab) -> None:
    """Orderly close by the server.

    As `close_by_client`, with the server closing first, as HTTP/1.0 servers do. TIME_WAIT stays
    with the server.

    Look for the closer: the responder.
    """
    client, server = lab.open()
    exchange(lab, client, server)
    finish(lab, server, client)


def ipv6_close(lab: Lab) -> None:
    """Orderly close over IPv6.

    As `close_by_client`, between 2001:db8::1 and 2001:db8::2. The machine is the same.

    Look for the addresses: everything else is as over IPv4.
    """
    client, server = lab.open()
    exchange(lab, client, server)
    finish(lab, client, server)


def missing_final_ack(lab: Lab) -> None:
    """Missing final ACK: the client has gone before the last FIN comes.

    The tap stands at the server. The client closes first and its FIN is acknowledged; then its
    host loses the network, as a laptop does whose lid is shut. The server's FIN is never
    acknowledged: it is repeated from LAST_ACK, ever more slowly, until the kernel gives up
    without a word. The client has stayed in FIN_WAIT_2 until its `tcp_fin_timeout`. Then the
    network is back, and a second connection opens and closes as it should.

    Look for `missing-final-ack`, charged to the client's side, with the packet numbers of every
    FIN; for LAST_ACK lasting two minutes; and for ends on both sides whose basis is `timer`.
    """
    listener = lab.listen()
    client, server = lab.open(listener)
    exchange(lab, client, server)
    lab.close(client)
    lab.wait(0.15)
    cut = [
        lab.wire.lose(Rule("client", Fate.LOST_BEFORE_TAP)),
        lab.wire.lose(Rule("server", Fate.LOST_AFTER_TAP)),
    ]
    lab.close(server)
    lab.until_state("server", State.CLOSED, limit=150)
    lab.wait(5)
    for rule in cut:
        rule.lift()
    healthy = lab.open(listener)
    exchange(lab, *healthy)
    finish(lab, *healthy)


def final_ack_lost(lab: Lab) -> None:
    """Final ACK lost once: TIME_WAIT does its work.

    The client's last ACK passes the tap and is lost behind it. The server is not CLOSED but
    still in LAST_ACK, and repeats its FIN; the client, in TIME_WAIT, acknowledges it again.
    That is what TIME_WAIT is for (RFC 9293 section 3.6).

    Look for LAST_ACK lasting beyond the first ACK, and for TIME_WAIT starting anew. Nothing is
    missing: `missing-final-ack` must not be among the anomalies.
    """
    client, server = lab.open()
    exchange(lab, client, server)
    lab.close(client)
    lab.wait(0.15)
    lab.wire.lose(Rule("client", Fate.LOST_AFTER_TAP, times=1))
    lab.close(server)
    lab.wait(1)


def fin_wait_2_stalled(lab: Lab) -> None:
    """FIN_WAIT_2 stalled against CLOSE_WAIT: the server never closes.

    The client closes; the server's kernel acknowledges the FIN, and the server's program never
    calls close(). The client's socket waits in FIN_WAIT_2 until `tcp_fin_timeout` (60 s) takes
    it away without a packet; the server's stays in CLOSE_WAIT for as long as its program runs.
    Fifteen seconds later a second connection opens and closes as it should, which shows that
    the capture went on and both hosts were alive.

    Look for `fin-wait-2-stalled` at the client and its mirror `close-wait-leak` at the server,
    whose program is the cause of both; and for the client's CLOSED, whose basis is `timer`.
    """
    listener = lab.listen()
    client, server = lab.open(listener)
    exchange(lab, client, server)
    lab.close(client)
    lab.until_state("client", State.CLOSED, limit=90)
    lab.wait(15)
    healthy = lab.open(listener)
    exchange(lab, *healthy)
    finish(lab, *healthy)


def fin_wait_2_expired(lab: Lab) -> None:
    """FIN_WAIT_2 expired: the server closes too late.

    As `fin_wait_2_stalled`, but the server's program does call close(), after the client's
    `tcp_fin_timeout` has passed. The FIN finds no socket any more and is answered by a RST
    without ACK, which proves that the client had been CLOSED before.

    Look for the RST's form; for the client's CLOSED, lying between its last sign of life and the
    RST; for the server going from LAST_ACK to CLOSED by that RST; and for `fin-wait-2-stalled`
    and `close-wait-leak`, which say how late the server's program was.
    """
    client, server = lab.open()
    exchange(lab, client, server)
    lab.close(client)
    lab.until_state("client", State.CLOSED, limit=90)
    lab.wait(5)
    lab.close(server)
    lab.wait(0.2)


def half_close(lab: Lab) -> None:
    """Half-close: the client has said all, the server has not.

    The client calls shutdown(SHUT_WR) behind its request, as `nc -N` does. The server is in
    CLOSE_WAIT and goes on sending for five seconds; the client, in FIN_WAIT_2, acknowledges all
    of it. Nothing is wrong here.

    Look for `half-close-in-use`, an observation, and for no `fin-wait-2-stalled`.
    """
    client, server = lab.open()
    lab.send(client, b"GET /log HTTP/1.0\r\n\r\n")
    lab.shut(client)
    for line in range(5):
        lab.wait(0.9)
        lab.send(server, f"line {line}\n".encode())
    lab.close(server)
    lab.wait(0.2)
    lab.close(client)


def simultaneous_close(lab: Lab) -> None:
    """Simultaneous close: both FINs cross.

    Both programs call close() within the time that a packet needs for the way. Each endpoint
    gets a FIN that does not acknowledge its own (RFC 9293 figure 13): both go FIN_WAIT_1 →
    CLOSING → TIME_WAIT, and nobody is ever in CLOSE_WAIT or LAST_ACK.

    Look for two CLOSINGs, two TIME_WAITs, and a closer that is `both`.
    """
    client, server = lab.open()
    exchange(lab, client, server)
    lab.receive(server), lab.receive(client)
    lab.act(client.close)
    lab.act(server.close)
    lab.wait(0.2)


def zero_window(lab: Lab) -> None:
    """Zero window, then a close: FIN_WAIT_1 begins before its FIN.

    The client reads nothing for seven seconds: its window closes, the server probes it. The
    server's program has called close() meanwhile, so its kernel is in FIN_WAIT_1 while the FIN
    still waits behind data. Only when the client reads does the FIN come to the wire.

    Look for the probes, which have the sequence number before the next one and repeat nothing;
    and for FIN_WAIT_1, whose true beginning no packet shows: the kernel entered it seven seconds
    before the timeline can say so.
    """
    listener = lab.listen()
    client = lab.connect(receive_buffer=SMALL_BUFFER)
    server = lab.accept(listener)
    lab.send(client, b"GET /large HTTP/1.0\r\n\r\n")
    lab.receive(server)
    lab.send(server, LARGE_REPLY)
    lab.act(server.close)
    lab.wait(7)
    read = b""
    while len(read) < len(LARGE_REPLY):
        read += lab.receive(client)
        lab.wait(0.05)
    lab.wait(0.5)
    lab.close(client)
    lab.wait(0.2)


CASES = (
    Case(close_by_client, (CLOSES_FIRST,), (CLOSES_SECOND,)),
    Case(close_by_server, (CLIENT_SECOND,), (SERVER_FIRST,), tap="server", file="capture.pcap.gz"),
    Case(ipv6_close, (CLOSES_FIRST,), (CLOSES_SECOND,), family=socket.AF_INET6),
    Case(
        missing_final_ack,
        (FIN_WAIT_2_EXPIRES, CLOSES_FIRST),
        (CLOSES_SECOND, CLOSES_SECOND),
        anomalies=("missing-final-ack",),
        tap="server",
    ),
    Case(final_ack_lost, (CLOSES_FIRST,), (CLOSES_SECOND,), file="capture.pcap"),
    Case(
        fin_wait_2_stalled,
        (FIN_WAIT_2_EXPIRES, CLOSES_FIRST),
        ("SYN_RCVD ESTABLISHED CLOSE_WAIT", CLOSES_SECOND),
        anomalies=("close-wait-leak", "fin-wait-2-stalled"),
    ),
    Case(
        fin_wait_2_expired,
        (FIN_WAIT_2_EXPIRES,),
        (CLOSES_SECOND,),
        anomalies=("close-wait-leak", "fin-wait-2-stalled"),
        tap="client",
    ),
    Case(
        half_close,
        (CLOSES_FIRST,),
        (CLOSES_SECOND,),
        anomalies=("half-close-in-use",),
        file="capture.pcapng.gz",
    ),
    Case(
        simultaneous_close,
        (f"SYN_SENT ESTABLISHED {BOTH_AT_ONCE}",),
        (f"SYN_RCVD ESTABLISHED {BOTH_AT_ONCE}",),
    ),
    Case(
        zero_window,
        (CLIENT_SECOND,),
        (SERVER_FIRST,),
        unknowable=("server FIN_WAIT_1",),
        file="capture.pcapng.zst",
        link_type=LINKTYPE_RAW,
    ),
)
