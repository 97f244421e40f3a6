"""`SCENARIOS`: every named case that `pytest -m kernel` plays anew, and what no tap can tell of it.

Beside the cases that are only played, these are the recorded ones of one tap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from . import breaks, closes, closings, handshakes, openings, resets
from .case import Case
from .storm import SHORT_TIMERS
from .wire import TAPS

LONG = ("time_wait_expires",)  # a minute of TIME_WAIT: it begins first
QUICKENED = (  # with the timers of every system they would take minutes
    "fin_wait_2_expired",
    "fin_wait_2_stalled",
    "missing_final_ack",
    "syn_unanswered",
)
RECORDED = (*openings.CASES, *closings.CASES, *resets.CASES)
PLAYED = (*handshakes.CASES, *closes.CASES, *breaks.CASES)


def _quick(case: Case) -> Case:
    return replace(case, sysctls=SHORT_TIMERS) if case.name in QUICKENED else case


SCENARIOS = {case.name: case for case in (*map(_quick, RECORDED), *PLAYED)}

FAR_FROM_CLIENT = ("middle", "server")
FAR_FROM_SERVER = ("client", "middle")

# What a tap's capture cannot tell: by scenario and tap, as `Case.unknowable` has it. A side alone
# is an endpoint whose life is not judged at all.
UNTOLD: dict[str, Mapping[str, tuple[str, ...]]] = {
    # The first copy of the segment that began a state did not get as far as the tap, or came last.
    "syn_lost": {"server": ("client SYN_SENT",)},
    "syn_lost_unseen": dict.fromkeys(FAR_FROM_CLIENT, ("client SYN_SENT",)),
    "syn_overtaken": {"server": ("client SYN_SENT",)},
    # Nothing of what the endpoint did got as far as the tap.
    "syn_unanswered": {"server": ("client",)},
    "rejected_by_icmp": {"server": ("client",)},
    "refused_by_firewall": {"server": ("client",)},
    "syn_ack_never": {"client": ("server",)},
    "missing_final_ack": {"client": ("server",)},
    "peer_gone_in_fin_wait_1": {"server": ("client",)},
    "keep_alive_death": {"server": ("client",)},
    "retries_used_up": {"server": ("client",)},
    "firewall_forgets": {"client": ("server",), "server": ("client",)},
    "reset_lost": {"server": ("client CLOSED",)},
    # The ACK that never arrived was seen, or not: nothing later tells which state the RST met.
    "aborted_in_syn_rcvd": dict.fromkeys(FAR_FROM_SERVER, ("server",)),
    # Nor whether the last ACK arrived, where the FIN would not have been repeated once more.
    "last_ack_never": {
        **dict.fromkeys(FAR_FROM_SERVER, ("server CLOSED",)),
        "server": ("client",),
    },
    # A segment that its apparent sender never sent looks like any other.
    "firewall_forgets_and_resets": {
        **dict.fromkeys(FAR_FROM_SERVER, ("server",)),
        "server": ("client",),
    },
    "reset_from_the_middle": {"middle": ("client CLOSED", "server CLOSED")},
    # A program's own timer, and what a program does behind a window that stays shut.
    "user_timeout": dict.fromkeys(TAPS, ("client",)),
    "never_read": dict.fromkeys(TAPS, ("client",)),
    # The kernel made its socket when the cookie came back; RFC 9293's SYN_RCVD began at the SYN.
    "syn_cookies": dict.fromkeys(TAPS, ("server SYN_RCVD",)),
    # Without room for TIME_WAIT the socket is gone long before a segment could show it.
    "no_room_for_time_wait": dict.fromkeys(TAPS, ("client CLOSED",)),
}


def untold(name: str, tap: str) -> tuple[str, ...]:
    """Sides, or sides and states, that are not judged at a tap."""
    return (*SCENARIOS[name].unknowable, *UNTOLD.get(name, {}).get(tap, ()))


def in_order(names: list[str]) -> list[Case]:
    """The cases of these names, those that last longest first."""
    return sorted((SCENARIOS[name] for name in names), key=lambda case: case.name not in LONG)
