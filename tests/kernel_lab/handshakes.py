"""Scenarios of opening: handshakes under loss, without room, with cookies, with forged answers.

States are written down from RFC 9293 and what it lets a host choose, for the kernel to agree with.
"""

from __future__ import annotations

import socket
import struct

from tcptrace.tcp.flags import ACK, RST

from .case import Case
from .forgery import Forged
from .lab import SERVICE_PORT, Lab
from .openings import CLOSES_FIRST, CLOSES_SECOND, REPLY, REQUEST, exchange, finish
from .storm import SHORT_TIMERS
from .wire import Fate, Rule

TCP_DEFER_ACCEPT = 9  # linux/tcp.h, as are the rest
TCP_FASTOPEN = 23
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
TCP_SEND_QUEUE, REPAIR_OFF = 2, -1
MSG_FASTOPEN = 0x20000000
FAST_OPEN_BOTH_SIDES = 3
ALWAYS = 2
SECOND = 1_000_000_000
JUST_BELOW_THE_WRAP = 0xFFFFFFFF - 40
NUMBERED = (
    (TCP_REPAIR, 1),
    (TCP_REPAIR_QUEUE, TCP_SEND_QUEUE),
    (TCP_QUEUE_SEQ, JUST_BELOW_THE_WRAP),
    (TCP_REPAIR, REPAIR_OFF),
)


def whole_life(lab: Lab) -> None:
    """Open, exchange, the client closes first."""
    client, server = lab.open()
    exchange(lab, client, server)
    finish(lab, client, server)


def syn_doubled(lab: Lab) -> None:
    """The SYN arrives twice."""
    lab.wire.lose(Rule("client", Fate.DOUBLED_BEFORE_TAP, "S"))
    whole_life(lab)


def syn_lost_unseen(lab: Lab) -> None:
    """The first SYN is lost before the tap."""
    lab.wire.lose(Rule("client", Fate.LOST_BEFORE_TAP, "S", times=1))
    whole_life(lab)


def syn_damaged(lab: Lab) -> None:
    """The first SYN arrives with a wrong checksum."""
    lab.wire.lose(Rule("client", Fate.DAMAGED_AFTER_TAP, "S", times=1))
    whole_life(lab)


def syn_filtered(lab: Lab) -> None:
    """The first SYN is dropped by the server's own firewall, past every tap."""
    lab.wire.lose(Rule("client", Fate.REFUSED_BY_HOST, "S", times=1))
    whole_life(lab)


def syn_overtaken(lab: Lab) -> None:
    """The second copy of the SYN overtakes the first."""
    lab.wire.lose(Rule("client", Fate.HELD_AFTER_TAP, "S", times=1, hold=SECOND + SECOND // 5))
    whole_life(lab)


def syn_ack_lost(lab: Lab) -> None:
    """The first SYN,ACK is lost behind the tap."""
    lab.wire.lose(Rule("server", Fate.LOST_AFTER_TAP, "SA", times=1))
    whole_life(lab)


def syn_ack_doubled(lab: Lab) -> None:
    """The SYN,ACK arrives twice: the second copy draws an ACK."""
    lab.wire.lose(Rule("server", Fate.DOUBLED_AFTER_TAP, "SA"))
    whole_life(lab)


def syn_ack_never(lab: Lab) -> None:
    """No SYN,ACK arrives: both sides give up without a word."""
    lab.wire.lose(Rule("server", Fate.LOST_AFTER_TAP))
    lab.listen()
    lab.connect()
    lab.wait(16)


def handshake_ack_lost_data_follows(lab: Lab) -> None:
    """The handshake's ACK is lost, the request behind it opens the connection."""
    lab.wire.lose(Rule("client", Fate.LOST_AFTER_TAP, "A", times=1))
    listener = lab.listen()
    client = lab.connect()
    lab.wait(0.05)
    lab.send(client, REQUEST)
    server = lab.accept(listener)
    lab.send(server, REPLY)
    finish(lab, client, server)


def handshake_ack_lost_fin_follows(lab: Lab) -> None:
    """The handshake's ACK is lost, the FIN behind it opens and half-closes the connection."""
    lab.wire.lose(Rule("client", Fate.LOST_AFTER_TAP, "A", times=1))
    listener = lab.listen()
    client = lab.connect()
    lab.wait(0.05)
    lab.close(client)
    server = lab.accept(listener)
    lab.wait(0.15)
    lab.close(server)
    lab.wait(0.2)


def handshake_ack_held(lab: Lab) -> None:
    """The handshake's ACK comes late, behind a second SYN,ACK."""
    lab.wire.lose(Rule("client", Fate.HELD_AFTER_TAP, "A", times=1, hold=SECOND + SECOND // 5))
    whole_life(lab)


def given_up_in_syn_sent(lab: Lab) -> None:
    """The client closes in SYN_SENT; nothing tells, until the SYN,ACK draws a RST."""
    lab.listen()
    client = lab.connect()
    lab.act(client.close)
    lab.wait(0.2)


def syn_cookies(lab: Lab) -> None:
    """SYN cookies: the server remembers nothing before the handshake's ACK."""
    whole_life(lab)


def queue_full_for_syn(lab: Lab) -> None:
    """No room in the accept queue: SYNs are ignored, nobody has a socket."""
    listener = lab.listen(backlog=0)
    first = lab.connect()
    lab.wait(0.1)
    lab.connect()
    lab.wait(8)
    finish(lab, first, lab.accept(listener))


def queue_full_forever(lab: Lab) -> None:
    """No room for the handshake's ACK, ever: the client's late data draw a RST."""
    lab.listen(backlog=1)
    _, _, third = crowd(lab)
    lab.wait(16)
    lab.send(third, REQUEST)
    lab.wait(0.3)


def queue_full_reset(lab: Lab) -> None:
    """No room for the handshake's ACK, and the server says so (tcp_abort_on_overflow)."""
    lab.listen(backlog=1)
    crowd(lab)
    lab.wait(0.3)


def crowd(lab: Lab) -> list[socket.socket]:
    """One connection, then two more at once, where there is room for two."""
    first = lab.connect()
    lab.wait(0.1)
    return [first, lab.connect(), lab.connect()]


def listener_closed(lab: Lab) -> None:
    """The listener is closed with a connection still in its queue: RST."""
    listener = lab.listen()
    lab.connect()
    lab.wait(0.1)
    lab.act(listener.close)
    lab.wait(0.2)


def fast_open(lab: Lab) -> None:
    """Fast Open: a first connection fetches the cookie, a second has data on its SYN."""
    listener = lab.listen()
    listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 5)
    for _ in range(2):
        client = lab.bound(lab.client, lab.next_port)
        lab.next_port += 1
        to = (lab.addresses["server"], SERVICE_PORT)
        lab.act(lambda who=client, to=to: fast_opened(who, to))
        server = lab.accept(listener)
        lab.wait(0.1)
        lab.send(server, REPLY)
        finish(lab, client, server)


def fast_opened(client: socket.socket, to: tuple[str, int]) -> None:
    """Send before a connection is there; without a cookie the kernel only asks for one."""
    try:
        client.sendto(REQUEST, MSG_FASTOPEN, to)
    except BlockingIOError:
        return


def deferred(lab: Lab, seconds: int) -> socket.socket:
    """A listener that accepts no connection before data have come (TCP_DEFER_ACCEPT)."""
    listener = lab.listen()
    listener.setsockopt(socket.IPPROTO_TCP, TCP_DEFER_ACCEPT, seconds)
    return listener


def accept_deferred(lab: Lab) -> None:
    """The handshake's ACK is ignored without being lost: data end SYN_RCVD."""
    listener = deferred(lab, 5)
    client = lab.connect()
    lab.wait(0.3)
    lab.send(client, REQUEST)
    server = lab.accept(listener)
    lab.send(server, REPLY)
    finish(lab, client, server)


def accept_deferred_silence(lab: Lab) -> None:
    """As above with a silent client: a SYN,ACK is repeated, and its ACK ends SYN_RCVD."""
    listener = deferred(lab, 1)
    client = lab.connect()
    lab.wait(2.5)
    finish(lab, client, lab.accept(listener))


def rejected_by_icmp(lab: Lab) -> None:
    """ICMP port unreachable answers the SYN: the client is CLOSED, no segment says so."""
    lab.wire.lose(Rule("client", Fate.REJECTED, "S"))
    lab.connect()
    lab.wait(0.2)


def refused_by_firewall(lab: Lab) -> None:
    """A firewall half way answers the SYN by RST,ACK; the server never hears of it."""
    lab.wire.lose(Rule("client", Fate.LOST_AFTER_TAP, "S"))
    lab.connect()
    lab.wait(0.02)
    lab.wire.inject("server", Forged(RST | ACK).answering(lab.wire.latest["client"]))
    lab.wait(0.2)


def wrong_reset_in_syn_sent(lab: Lab) -> None:
    """A RST that acknowledges something else does not end SYN_SENT."""
    listener = lab.listen()
    client = lab.connect()
    lab.wait(0.008)
    lab.wire.inject("server", Forged(RST | ACK, ack=7).answering(lab.wire.latest["client"]))
    server = lab.accept(listener)
    exchange(lab, client, server)
    finish(lab, client, server)


def aborted_in_syn_rcvd(lab: Lab) -> None:
    """The client aborts while the server, whose ACK was lost, is in SYN_RCVD."""
    lab.wire.lose(Rule("client", Fate.LOST_AFTER_TAP, "A", times=1))
    lab.listen()
    client = lab.connect()
    lab.wait(0.1)
    lab.abort(client)
    lab.wait(0.2)


def crossing_syns(lab: Lab) -> None:
    """Both connect to each other; the SYN,ACK of one is lost behind the tap."""
    lab.wire.lose(Rule("server", Fate.LOST_AFTER_TAP, "SA", times=1))
    port = lab.next_port
    one, other = lab.bound(lab.client, port), lab.bound(lab.server, SERVICE_PORT)
    lab.dial(one, "server", SERVICE_PORT)
    lab.dial(other, "client", port)
    lab.wait(3)
    exchange(lab, one, other)
    finish(lab, one, other)


def numbers_wrap(lab: Lab) -> None:
    """Sequence numbers pass 2**32 within the request, and the FIN comes after it."""
    listener = lab.listen()
    client = lab.bound(lab.client, lab.next_port)
    for option, value in NUMBERED:
        client.setsockopt(socket.IPPROTO_TCP, option, struct.pack("=q", value)[:4])
    lab.dial(client, "server", SERVICE_PORT)
    server = lab.accept(listener)
    lab.send(client, REQUEST * 10)
    lab.send(server, REPLY)
    finish(lab, client, server)


GIVES_UP = "SYN_SENT CLOSED"
COOKIE_LIFE = "(SYN_RCVD) ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED"
FIN_OPENS = "SYN_RCVD (ESTABLISHED) CLOSE_WAIT LAST_ACK CLOSED"
NO_COOKIES = SHORT_TIMERS | {"ipv4/tcp_syncookies": 0}
ORDINARY = ((CLOSES_FIRST,), (CLOSES_SECOND,))

CASES = (
    Case(syn_doubled, *ORDINARY),
    Case(syn_lost_unseen, *ORDINARY),
    Case(syn_damaged, *ORDINARY),
    Case(syn_filtered, *ORDINARY),
    Case(syn_overtaken, *ORDINARY),
    Case(syn_ack_lost, *ORDINARY),
    Case(syn_ack_doubled, *ORDINARY),
    Case(syn_ack_never, (GIVES_UP,), ("SYN_RCVD CLOSED",), sysctls=SHORT_TIMERS),
    Case(handshake_ack_lost_data_follows, *ORDINARY),
    Case(handshake_ack_lost_fin_follows, (CLOSES_FIRST,), (FIN_OPENS,)),
    Case(handshake_ack_held, *ORDINARY),
    Case(given_up_in_syn_sent, (GIVES_UP,), ("SYN_RCVD CLOSED",)),
    Case(syn_cookies, (CLOSES_FIRST,), (COOKIE_LIFE,), sysctls={"ipv4/tcp_syncookies": ALWAYS}),
    Case(
        queue_full_for_syn,
        (CLOSES_FIRST, GIVES_UP),
        (CLOSES_SECOND,),
        sysctls=NO_COOKIES,
    ),
    Case(
        queue_full_forever,
        ("SYN_SENT ESTABLISHED", "SYN_SENT ESTABLISHED", "SYN_SENT ESTABLISHED CLOSED"),
        ("SYN_RCVD ESTABLISHED", "SYN_RCVD ESTABLISHED", "SYN_RCVD CLOSED"),
        sysctls=NO_COOKIES,
    ),
    Case(
        queue_full_reset,
        ("SYN_SENT ESTABLISHED", "SYN_SENT ESTABLISHED", "SYN_SENT ESTABLISHED CLOSED"),
        ("SYN_RCVD ESTABLISHED", "SYN_RCVD ESTABLISHED", "SYN_RCVD CLOSED"),
        sysctls=NO_COOKIES | {"ipv4/tcp_abort_on_overflow": 1},
    ),
    Case(listener_closed, ("SYN_SENT ESTABLISHED CLOSED",), ("SYN_RCVD ESTABLISHED CLOSED",)),
    Case(
        fast_open,
        (CLOSES_FIRST,) * 2,
        (CLOSES_SECOND,) * 2,
        sysctls={"ipv4/tcp_fastopen": FAST_OPEN_BOTH_SIDES},
    ),
    Case(accept_deferred, *ORDINARY),
    Case(accept_deferred_silence, *ORDINARY),
    Case(rejected_by_icmp, (GIVES_UP,), ()),
    Case(refused_by_firewall, (GIVES_UP,), ()),
    Case(wrong_reset_in_syn_sent, *ORDINARY),
    Case(aborted_in_syn_rcvd, ("SYN_SENT ESTABLISHED CLOSED",), ("SYN_RCVD CLOSED",)),
    Case(
        crossing_syns,
        ("SYN_SENT SYN_RCVD ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT",),
        ("SYN_SENT SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED",),
        family=socket.AF_INET6,
    ),
    Case(numbers_wrap, *ORDINARY),
)
