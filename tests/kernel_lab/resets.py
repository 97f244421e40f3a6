"""Cases of resets and of four-tuples used again."""

from __future__ import annotations

from .case import Case
from .lab import Lab
from .openings import CLOSES_FIRST, CLOSES_SECOND, REQUEST, exchange, finish


def abort(lab: Lab) -> None:
    """Abort: the client resets an open connection.

    The client's program closes with SO_LINGER 0, as a program that is killed amid unread data
    does without meaning to. The kernel sends RST,ACK with the connection's own sequence number;
    both endpoints go from ESTABLISHED to CLOSED, and nobody keeps TIME_WAIT.

    Look for `connection-aborted`, charged to the client, and a close_kind that is `rst`.
    """
    client, server = lab.open()
    exchange(lab, client, server)
    lab.abort(client)
    lab.wait(0.2)


def data_after_close(lab: Lab) -> None:
    """Data after close: a reset instead of TIME_WAIT.

    The server closes; the client has not noticed and writes once more. The server's socket is
    an orphan in FIN_WAIT_2: nobody is there to read, so its kernel answers RST (RFC 1122
    section 4.2.2.13) and goes straight to CLOSED. The client dies of it in CLOSE_WAIT.

    Look for the RST's form, without ACK and options: an answer, no program's wish, which ends the
    connection as `connection-aborted` all the same. After shutdown() instead of close() the same
    data would have been welcome; compare `half_close`.
    """
    client, server = lab.open()
    exchange(lab, client, server)
    lab.close(server)
    lab.wait(0.1)
    lab.send(client, REQUEST)
    lab.wait(0.2)


def half_open_recovery(lab: Lab) -> None:
    """Half-open: a client that has rebooted comes back on the same ports.

    The client's socket vanishes without a packet, as when its host loses power. Its new program
    connects from the same port: the SYN meets an ESTABLISHED server, which answers with an ACK
    of the old numbers (a challenge ACK, RFC 5961); that makes the client reset the *old*
    connection from SYN_SENT, and its repeated SYN opens a new one (RFC 9293 section 3.5.1,
    figure 9).

    Look for two incarnations of one four-tuple, the first of which ends in `connection-aborted`.
    The client is in SYN_SENT throughout: its own RST does not close it.
    """
    listener = lab.listen()
    client, server = lab.open(listener)
    exchange(lab, client, server)
    port = client.getsockname()[1]
    lab.wait(1)
    lab.vanish(client)
    lab.wait(1)
    reborn = lab.connect(port=port)
    again = lab.accept(listener)
    exchange(lab, reborn, again)
    finish(lab, reborn, again)


def time_wait_reuse(lab: Lab) -> None:
    """TIME_WAIT cut short by a new connection.

    The server closes first and keeps TIME_WAIT. Two seconds later the same client connects from
    the same port: its SYN has a newer timestamp, so the server's kernel gives TIME_WAIT up for
    it (RFC 9293 section 3.6.1, MAY-2) and takes its new sequence number from the old one's
    neighbourhood.

    Look for two incarnations of one four-tuple, the first one's TIME_WAIT ending with the SYN
    rather than by a timer, and an end_reason that is `port_reused`.
    """
    listener = lab.listen()
    client, server = lab.open(listener)
    exchange(lab, client, server)
    port = client.getsockname()[1]
    finish(lab, server, client)
    lab.wait(2)
    reborn = lab.connect(port=port)
    again = lab.accept(listener)
    exchange(lab, reborn, again)
    finish(lab, reborn, again)


CASES = (
    Case(
        abort,
        ("SYN_SENT ESTABLISHED CLOSED",),
        ("SYN_RCVD ESTABLISHED CLOSED",),
        anomalies=("connection-aborted",),
    ),
    Case(
        data_after_close,
        ("SYN_SENT ESTABLISHED CLOSE_WAIT CLOSED",),
        ("SYN_RCVD ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSED",),
        anomalies=("connection-aborted",),
        tap="client",
        file="capture.pcap.bz2",
    ),
    Case(
        half_open_recovery,
        ("SYN_SENT ESTABLISHED CLOSED", CLOSES_FIRST),
        ("SYN_RCVD ESTABLISHED CLOSED", CLOSES_SECOND),
        anomalies=("connection-aborted",),
    ),
    Case(
        time_wait_reuse,
        ("SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED", CLOSES_FIRST),
        ("SYN_RCVD ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED", CLOSES_SECOND),
    ),
)
