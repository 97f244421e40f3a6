"""Scenarios of closing: in three segments, under loss, at once, behind a shut window, alone."""

from __future__ import annotations

import socket

from .case import Case
from .closings import BOTH_AT_ONCE
from .handshakes import ORDINARY, SECOND, whole_life
from .lab import Lab
from .openings import CLOSES_FIRST, CLOSES_SECOND, REQUEST, exchange, finish
from .storm import JITTER_NS, SHORT_TIMERS
from .weather import Weather
from .wire import Fate, Rule

TCP_LINGER2 = 8  # linux/tcp.h
FOUR_KIB = 4096
MORE_THAN_FITS = b"." * 20_000
FIN = "FA"


def at_once(lab: Lab, first: socket.socket, second: socket.socket) -> None:
    """The second program closes as soon as it hears that the first one has."""
    lab.receive(first)
    lab.act(first.close)
    lab.until(lambda: at_end(second))
    lab.act(second.close)
    lab.wait(0.3)


def at_end(which: socket.socket) -> bool:
    """Whether a FIN has come and everything before it is read."""
    try:
        return which.recv(1 << 20) == b""
    except BlockingIOError:
        return False


def closed_in_three(lab: Lab) -> None:
    """The server closes before it has acknowledged the FIN: FIN,ACK of the FIN in one segment."""
    client, server = lab.open()
    exchange(lab, client, server)
    at_once(lab, client, server)


def last_data_with_fin(lab: Lab) -> None:
    """FIN rides on the last data, both ways."""
    client, server = lab.open()
    for speaker in (client, server):
        lab.receive(speaker)
        lab.act(lambda who=speaker: who.send(REQUEST, socket.MSG_MORE))
        lab.act(lambda who=speaker: who.shutdown(socket.SHUT_WR))
        lab.wait(0.2)


def nothing_said(lab: Lab) -> None:
    """A connection without data."""
    finish(lab, *lab.open())


def shut_both_ways(lab: Lab) -> None:
    """shutdown(SHUT_RDWR) instead of close(): the same segments, and a socket that stays."""
    client, server = lab.open()
    exchange(lab, client, server)
    lab.receive(client)
    lab.act(lambda: client.shutdown(socket.SHUT_RDWR))
    lab.wait(0.15)
    lab.close(server)
    lab.wait(0.2)


def shut_and_waiting(lab: Lab) -> None:
    """After shutdown() FIN_WAIT_2 has no timer: it outlasts tcp_fin_timeout."""
    client, server = lab.open()
    exchange(lab, client, server)
    lab.shut(client)
    lab.wait(6)
    lab.close(server)
    lab.wait(0.2)


def spoiled_close(lab: Lab, rule: Rule, wait: float = 1.5) -> None:
    """The client closes first, the server after a while; a rule is there from the close on."""
    client, server = lab.open()
    exchange(lab, client, server)
    lab.wire.lose(rule)
    lab.close(client)
    lab.wait(wait)
    lab.close(server)
    lab.wait(wait)


def fin_lost_unseen(lab: Lab) -> None:
    """The client's FIN is lost before the tap, and repeated."""
    spoiled_close(lab, Rule("client", Fate.LOST_BEFORE_TAP, FIN, times=1))


def fin_lost(lab: Lab) -> None:
    """The client's FIN is lost behind the tap, and repeated."""
    spoiled_close(lab, Rule("client", Fate.LOST_AFTER_TAP, FIN, times=1))


def fin_doubled(lab: Lab) -> None:
    """The client's FIN arrives twice."""
    spoiled_close(lab, Rule("client", Fate.DOUBLED_BEFORE_TAP, FIN))


def fin_held(lab: Lab) -> None:
    """The client's FIN comes late, behind its own retransmission."""
    spoiled_close(lab, Rule("client", Fate.HELD_AFTER_TAP, FIN, times=1, hold=SECOND // 2))


def fin_filtered(lab: Lab) -> None:
    """The client's FIN is dropped by the server's own firewall, past every tap."""
    spoiled_close(lab, Rule("client", Fate.REFUSED_BY_HOST, FIN, times=1))


def ack_of_fin_lost(lab: Lab) -> None:
    """The ACK of the client's FIN is lost: the FIN is repeated."""
    spoiled_close(lab, Rule("server", Fate.LOST_AFTER_TAP, "A", times=1))


def ack_of_fin_covered(lab: Lab) -> None:
    """The ACK of the client's FIN is lost, but the server's FIN acknowledges it too."""
    client, server = lab.open()
    exchange(lab, client, server)
    lab.wire.lose(Rule("server", Fate.LOST_AFTER_TAP, "A"))
    lab.close(client)
    lab.wait(0.06)
    lab.close(server)
    lab.wait(1)


def second_fin_lost(lab: Lab) -> None:
    """The server's FIN is lost behind the tap, and repeated from LAST_ACK."""
    spoiled_close(lab, Rule("server", Fate.LOST_AFTER_TAP, FIN, times=1))


def last_ack_lost_unseen(lab: Lab) -> None:
    """The last ACK is lost before the tap."""
    spoiled_close(lab, Rule("client", Fate.LOST_BEFORE_TAP, "A", times=1))


def last_ack_held(lab: Lab) -> None:
    """The last ACK comes after the FIN was repeated: the second ACK finds nobody, its RST kills
    TIME_WAIT."""
    spoiled_close(lab, Rule("client", Fate.HELD_AFTER_TAP, "A", times=1, hold=SECOND // 2))


def last_ack_held_rfc1337(lab: Lab) -> None:
    """As above, where a RST may not end TIME_WAIT (RFC 1337)."""
    last_ack_held(lab)


def last_ack_never(lab: Lab) -> None:
    """The last ACK never arrives: LAST_ACK ends silently."""
    spoiled_close(lab, Rule("client", Fate.LOST_AFTER_TAP, "A"), wait=2)
    lab.wait(4)


def fin_before_data(lab: Lab) -> None:
    """The FIN overtakes the last data: CLOSE_WAIT begins when the hole is filled."""
    client, server = lab.open()
    exchange(lab, client, server)
    lab.wire.lose(Rule("client", Fate.LOST_AFTER_TAP, times=1, payload=True))
    lab.act(lambda: client.send(REQUEST))
    lab.close(client)
    lab.wait(1)
    lab.close(server)
    lab.wait(0.5)


def both_close_acks_lost(lab: Lab) -> None:
    """Both close at once, and both ACKs of the FINs are lost."""
    client, server = lab.open()
    exchange(lab, client, server)
    for sender in ("client", "server"):
        lab.wire.lose(Rule(sender, Fate.LOST_AFTER_TAP, "A", times=1))
    for which in (client, server):
        lab.receive(which)
        lab.act(which.close)
    lab.wait(2)


def both_close_fin_lost(lab: Lab) -> None:
    """Both close at once, and the server's FIN is lost: the client is never CLOSING."""
    client, server = lab.open()
    exchange(lab, client, server)
    lab.wire.lose(Rule("server", Fate.LOST_AFTER_TAP, FIN, times=1))
    for which in (client, server):
        lab.receive(which)
        lab.act(which.close)
    lab.wait(2)


def everything_doubled(lab: Lab) -> None:
    """Every packet arrives twice: the second last ACK finds nobody, its RST kills TIME_WAIT."""
    for sender in ("client", "server"):
        lab.wire.lose(Rule(sender, Fate.DOUBLED_BEFORE_TAP))
    whole_life(lab)


def much_jitter(lab: Lab) -> None:
    """Jitter of ten times the usual reorders a transfer, and the close."""
    client, server = lab.open()
    for _ in range(3):
        lab.send(client, REQUEST)
        lab.send(server, MORE_THAN_FITS)
        lab.receive(client)
    lab.wait(1)
    lab.close(client)
    lab.wait(1)
    lab.close(server)
    lab.wait(2)


def time_wait_expires(lab: Lab) -> None:
    """TIME_WAIT to its end, which takes Linux a minute."""
    whole_life(lab)
    lab.wait(63)


def no_room_for_time_wait(lab: Lab) -> None:
    """tcp_max_tw_buckets is 0: the active closer has no TIME_WAIT."""
    whole_life(lab)


def peer_gone_in_fin_wait_1(lab: Lab) -> None:
    """The network is gone, the client closes: FIN_WAIT_1 gives up without a word."""
    client, server = lab.open()
    exchange(lab, client, server)
    lab.wire.lose(Rule("client", Fate.LOST_AFTER_TAP))
    lab.close(client)
    lab.wait(4)


def closed_behind_shut_window(lab: Lab) -> None:
    """The client closes with data that do not fit the server's window, and the server reads."""
    listener = lab.listen()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, FOUR_KIB)
    client, server = lab.open(listener)
    lab.send(client, MORE_THAN_FITS)
    lab.close(client)
    lab.wait(2)
    while not at_end(server):
        lab.wait(0.05)
    lab.close(server)
    lab.wait(0.5)


def never_read(lab: Lab) -> None:
    """As above, but the server never reads: FIN_WAIT_1 lasts as long as its window is shut."""
    listener = lab.listen()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, FOUR_KIB)
    client, _ = lab.open(listener)
    lab.send(client, MORE_THAN_FITS)
    lab.close(client)
    lab.wait(8)


def late_closer(lab: Lab) -> None:
    """The server closes after the client's FIN_WAIT_2 has expired: its FIN draws a RST."""
    client, server = lab.open()
    exchange(lab, client, server)
    lab.close(client)
    lab.wait(6)
    lab.close(server)
    lab.wait(0.3)


def linger2_negative(lab: Lab) -> None:
    """TCP_LINGER2 below 0: no FIN_WAIT_2 for an orphan, the ACK of its FIN is its end."""
    client, server = lab.open()
    exchange(lab, client, server)
    client.setsockopt(socket.IPPROTO_TCP, TCP_LINGER2, -1)
    lab.close(client)
    lab.wait(0.3)
    lab.close(server)
    lab.wait(0.3)


MERGED = CLOSES_FIRST.replace("FIN_WAIT_2", "(FIN_WAIT_2)")
KILLED = (f"{CLOSES_FIRST} CLOSED",)
RFC_1337 = {"ipv4/tcp_rfc1337": 1}
EXPIRED = "SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSED"
SKIPPED = EXPIRED.replace("FIN_WAIT_2", "(FIN_WAIT_2)")
NO_ROOM = {"ipv4/tcp_max_tw_buckets": 0}
NO_ROOM = {"ipv4/tcp_max_tw_buckets": 0}
GIVES_UP = "SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSED"
FIN_WAIT_1_HELD = ("client FIN_WAIT_1",)

CASES = (
    Case(closed_in_three, (MERGED,), (CLOSES_SECOND,)),
    Case(last_data_with_fin, *ORDINARY),
    Case(nothing_said, *ORDINARY),
    Case(shut_both_ways, *ORDINARY),
    Case(shut_and_waiting, *ORDINARY, sysctls=SHORT_TIMERS),
    Case(fin_lost_unseen, *ORDINARY),
    Case(fin_lost, *ORDINARY),
    Case(fin_doubled, *ORDINARY),
    Case(fin_held, *ORDINARY),
    Case(fin_filtered, *ORDINARY),
    Case(ack_of_fin_lost, *ORDINARY),
    Case(ack_of_fin_covered, (MERGED,), (CLOSES_SECOND,)),
    Case(second_fin_lost, *ORDINARY),
    Case(last_ack_lost_unseen, *ORDINARY),
    Case(last_ack_held, KILLED, (CLOSES_SECOND,)),
    Case(last_ack_held_rfc1337, *ORDINARY, sysctls=RFC_1337),
    Case(last_ack_never, *ORDINARY, sysctls=SHORT_TIMERS),
    Case(fin_before_data, *ORDINARY),
    Case(
        both_close_acks_lost,
        (f"SYN_SENT ESTABLISHED {BOTH_AT_ONCE}",),
        (f"SYN_RCVD ESTABLISHED {BOTH_AT_ONCE}",),
        family=socket.AF_INET6,
    ),
    Case(
        both_close_fin_lost,
        (CLOSES_FIRST,),
        (f"SYN_RCVD ESTABLISHED {BOTH_AT_ONCE}",),
    ),
    Case(everything_doubled, KILLED, (CLOSES_SECOND,)),
    Case(much_jitter, *ORDINARY, weather=Weather(7, jitter=10 * JITTER_NS)),
    Case(time_wait_expires, KILLED, (CLOSES_SECOND,)),
    Case(no_room_for_time_wait, (SKIPPED,), (CLOSES_SECOND,), sysctls=NO_ROOM),
    Case(peer_gone_in_fin_wait_1, (GIVES_UP,), ("SYN_RCVD ESTABLISHED",), sysctls=SHORT_TIMERS),
    Case(closed_behind_shut_window, *ORDINARY, unknowable=FIN_WAIT_1_HELD),
    Case(never_read, ("SYN_SENT ESTABLISHED FIN_WAIT_1",), ("SYN_RCVD ESTABLISHED",)),
    Case(late_closer, (EXPIRED,), (CLOSES_SECOND,), sysctls=SHORT_TIMERS),
    Case(linger2_negative, (SKIPPED,), ("SYN_RCVD ESTABLISHED CLOSE_WAIT CLOSED",)),
)
