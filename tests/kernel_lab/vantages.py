"""Cases of one traffic seen from several places at once."""

from __future__ import annotations

from tcptrace.tcp.states import State

from .case import Case
from .lab import Lab
from .openings import CLOSES_FIRST, CLOSES_SECOND, exchange
from .wire import Fate, Rule

LONG_WAY = 30_000_000  # ns: long enough that the taps' stamps are seen to differ


def three_taps(lab: Lab) -> None:
    """Three taps: one traffic, seen from the client's end, from half way and from the server's.

    The client closes first. The server's ACK of that FIN gets as far as half way and is lost
    before the client: the client stays in FIN_WAIT_1 and repeats its FIN. Later the client's
    last ACK is lost between half way and the server: the server stays in LAST_ACK and repeats
    its FIN. Each tap sees what passed it, so no two captures hold the same packets, and two of
    the three hold an ACK that never arrived.

    Look for how far apart `earliest` and `latest` are: at the tap beside an endpoint its own
    moves are dated best. Look for what each capture says if it is cut behind the lost ACK:
    that move is `presumed`, and was never made. And look for the end of TIME_WAIT, which no
    packet shows at any tap.
    """
    lab.wire.delay = LONG_WAY
    client, server = lab.open()
    exchange(lab, client, server)
    lab.wire.lose(Rule("server", Fate.LOST_AFTER_TAP, flags="A", times=1))
    lab.close(client)
    lab.until_state("client", State.FIN_WAIT_2)
    lab.wait(0.5)
    lab.wire.lose(Rule("client", Fate.LOST_AFTER_TAP, times=1))
    lab.close(server)
    lab.until_state("client", State.CLOSED, limit=90)


CASES = (
    Case(
        three_taps,
        (CLOSES_FIRST + " CLOSED",),
        (CLOSES_SECOND,),
        file="middle.pcapng",
        further=("client", "server"),
    ),
)
