"""The timers of every system that tcptrace knows, one literal; `profile` picks and changes one.

Sources: RFC 9293 and 6298; Linux include/net/tcp.h and tcp_ipv4.c:tcp_sk_init; FreeBSD
tcp_timer.h, tcp_syncache.c, tcp_timewait.c; XNU tcp_timer.h; Microsoft KB 170359, 175523 and
TechNet cc757512; gVisor protocol.go and snd.go; smoltcp socket/tcp.rs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from tcptrace.errors import UsageError
from tcptrace.tcp.profile import MILLISECOND, NEVER, SECOND, Profile, Retries, TimerCells, Window
from tcptrace.tcp.settings import EFFECTS, bare_name, field_value
from tcptrace.tcp.states import State

__all__ = [
    "MIDDLEBOXES",
    "NEVER",
    "PROFILES",
    "Middlebox",
    "Profile",
    "Retries",
    "TimerCells",
    "Window",
    "middlebox",
    "profile",
]

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
JIFFY = SECOND // 250

_LINUX = Profile(
    name="linux",
    syn_linear_timeouts=4,  # since 6.5
    fin_timeout_split=60 * SECOND,  # TCP_TIMEWAIT_LEN
    tw_reuse=2,
    tw_by_timestamp=True,  # RFC 6191
    tick=JIFFY,
)

_BSD = Profile(
    name="freebsd",
    rto_min=30 * MILLISECOND,
    rto_max=64 * SECOND,
    rto_slop=200 * MILLISECOND,  # TCPTV_CPU_VAR
    syn_give_up=75 * SECOND,  # TCPTV_KEEP_INIT
    synack_retries=3,  # SYNCACHE_MAXREXMTS
    retries2=12,  # TCP_MAXRXTSHIFT
    count_retries=True,
    silent_give_up=False,  # tcp_drop sends a RST
    fin_timeout=10 * MINUTE,  # keepcnt * keepintvl; 60 s only with fast_finwait2_recycle
    fin_wait_2_late=75 * SECOND,  # looked at again every keepintvl
    late=SECOND,
    keepalive=True,  # always_keepalive
    keepalive_probes=8,
    rfc1337=True,  # RST is dropped in TIME_WAIT
)

PROFILES: Final[dict[str, Profile]] = {
    "rfc9293": Profile(
        name="rfc9293",
        rto_min=SECOND,
        rto_max=MINUTE,
        syn_retries=7,
        syn_give_up=3 * MINUTE,  # MUST-23
        retries2=NEVER,  # the user's timeout
        fin_timeout=NEVER,  # no such timer
        time_wait=4 * MINUTE,  # 2 MSL of 2 minutes, section 3.4.2
    ),
    "linux": _LINUX,
    "linux-old": replace(_LINUX, name="linux-old", syn_linear_timeouts=0),
    "freebsd": _BSD,
    "macos": replace(
        _BSD,
        name="macos",
        rto_slop=0,  # tcp_syn_backoff
        syn_linear_timeouts=4,
        time_wait=30 * SECOND,  # MSL of 15 s
        keepalive=False,
        rfc1337=False,
    ),
    "windows": Profile(
        name="windows",
        rto_init=3 * SECOND,
        rto_min=300 * MILLISECOND,
        rto_max=MINUTE,
        syn_retries=2,  # TcpMaxConnectRetransmissions
        synack_retries=2,
        retries2=5,  # TcpMaxDataRetransmissions
        count_retries=True,
        fin_timeout=2 * MINUTE,
        fin_wait_2_held=5 * MINUTE,  # KB 813056
        time_wait=2 * MINUTE,  # TcpTimedWaitDelay since 2003
        keepalive_intvl=SECOND,
        keepalive_probes=10,
        late=SECOND,
    ),
    "gvisor": Profile(name="gvisor", count_retries=True, late=SECOND),
    "smoltcp": Profile(
        name="smoltcp",
        rto_min=SECOND,
        rto_max=MINUTE,
        syn_retries=NEVER,
        synack_retries=NEVER,
        retries2=NEVER,
        fin_timeout=NEVER,
        time_wait=10 * SECOND,
        keepalive_time=NEVER,
    ),
}


@dataclass(frozen=True)
class Middlebox:
    """How long a box on the path remembers an idle connection, ns by state; then it forgets it."""

    name: str
    idle: dict[State, int]
    unacknowledged: int


MIDDLEBOXES: Final[dict[str, Middlebox]] = {
    "nf_conntrack": Middlebox(  # nf_conntrack_proto_tcp.c:tcp_timeouts
        name="nf_conntrack",
        idle={
            State.CLOSED: 10 * SECOND,
            State.SYN_SENT: 2 * MINUTE,
            State.SYN_RCVD: MINUTE,
            State.ESTABLISHED: 5 * 24 * HOUR,
            State.FIN_WAIT_1: 2 * MINUTE,  # its FIN_WAIT, for both
            State.FIN_WAIT_2: 2 * MINUTE,
            State.CLOSE_WAIT: MINUTE,  # shorter than many a half-close
            State.LAST_ACK: 30 * SECOND,
            State.CLOSING: 30 * SECOND,  # it knows no CLOSING, a second FIN is its LAST_ACK
            State.TIME_WAIT: 2 * MINUTE,
        },
        unacknowledged=5 * MINUTE,
    ),
}


def profile(name: str = "linux", **settings: int | str) -> Profile:
    """The timers of the system `name`, with Linux's settings changed by the kernel's own names.

    `profile("linux", tcp_fin_timeout=3)`; the prefix net.ipv4. may stay. A setting that bears on
    no timeline is kept in `Profile.settings`. UsageError: no such profile or setting, a value out
    of the kernel's range, or settings for a system that is not Linux.
    """
    picked = PROFILES[_known(name, list(PROFILES), "profile")]
    if settings and not picked.name.startswith(_LINUX.name):
        raise UsageError(f"the profile {picked.name!r} takes no Linux settings")
    changes: dict[str, int] = {}
    kept: dict[str, int | str] = {}
    for setting, value in settings.items():
        bare = bare_name(setting)
        if bare in EFFECTS:
            changes[EFFECTS[bare].field] = field_value(bare, value)
        else:
            kept[bare] = value
    if "rfc1337" in changes:
        changes["rfc1337"] = bool(changes["rfc1337"])
    return replace(picked, settings=kept, **changes)  # type: ignore[arg-type]


def middlebox(name: str = "nf_conntrack") -> Middlebox:
    """How long the box `name` remembers; UsageError if there is no such profile."""
    return MIDDLEBOXES[_known(name, list(MIDDLEBOXES), "middlebox")]


def _known(name: str, names: list[str], what: str) -> str:
    if name in names:
        return name
    near = get_close_matches(str(name), names, n=1)
    advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    raise UsageError(f"no {what} is called {name!r}: {advice}")
