"""The literal of profiles, and picking one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tcptrace.errors import UsageError
from tcptrace.tcp.states import State
from tcptrace.tcp.timers import MIDDLEBOXES, PROFILES, middlebox, profile

SECOND = 1_000_000_000
NEVER = (-1, -1)


def test_each_profile_knows_its_name() -> None:
    """The key of the literal and the field are one truth."""
    assert list(PROFILES) == [picked.name for picked in PROFILES.values()]
    assert list(MIDDLEBOXES) == [box.name for box in MIDDLEBOXES.values()]


def test_linux_is_what_one_gets() -> None:
    """`profile()` without a name."""
    assert PROFILES["linux"] == profile()


@pytest.mark.parametrize(
    ("name", "schedule", "give_up"),
    [
        ("linux", [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67], 131),
        ("linux-old", [0, 1, 3, 7, 15, 31, 63], 127),
        ("freebsd", [0, 1, 3.2, 7.4, 15.6, 31.8, 64], 75),
        ("macos", [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67], 75),
        ("windows", [0, 3, 9], 21),
        ("gvisor", [0, 1, 3, 7, 15, 31, 63], 127),
        ("rfc9293", [0, 1, 3, 7, 15, 31, 63, 123], 180),
    ],
)
def test_syns_of_each_system(name: str, schedule: list[float], give_up: float) -> None:
    """When an unanswered SYN is repeated, and when connect() fails, in seconds."""
    picked = profile(name)
    assert [round(moment * SECOND) for moment in schedule] == picked.syn_schedule()
    assert give_up * SECOND == picked.syn_gives_up().earliest


@pytest.mark.parametrize(
    ("name", "schedule", "give_up"),
    [
        ("linux", [0, 1, 3, 7, 15, 31], 63),
        ("freebsd", [0, 1, 3.2, 7.4], 15.6),
        ("windows", [0, 3, 9], 21),
    ],
)
def test_syn_acks_of_each_system(name: str, schedule: list[float], give_up: float) -> None:
    """When an unacknowledged SYN,ACK is repeated and when SYN_RCVD ends, in seconds."""
    picked = profile(name)
    assert [round(moment * SECOND) for moment in schedule] == picked.syn_ack_schedule()
    assert give_up * SECOND == picked.syn_ack_gives_up().earliest


@pytest.mark.parametrize(
    ("name", "time_wait", "fin_wait_2"),
    [
        ("rfc9293", 240, None),
        ("linux", 60, 60),
        ("freebsd", 60, 600),
        ("macos", 30, 600),
        ("windows", 120, 120),
        ("gvisor", 60, 60),
        ("smoltcp", 10, None),
    ],
)
def test_closing_states_of_each_system(name: str, time_wait: int, fin_wait_2: int | None) -> None:
    """How long TIME_WAIT and an orphan's FIN_WAIT_2 last, in seconds."""
    picked = profile(name)
    assert time_wait * SECOND == picked.time_waits().earliest
    expected = -1 if fin_wait_2 is None else fin_wait_2 * SECOND
    assert expected == picked.fin_wait_2().earliest


def test_a_system_without_a_timer_waits_for_ever() -> None:
    """smoltcp gives up nothing by itself."""
    picked = profile("smoltcp")
    assert NEVER == picked.syn_gives_up()
    assert NEVER == picked.syn_ack_gives_up()
    assert NEVER == picked.syn_ack_wait()
    assert NEVER == picked.fin_wait_2()
    assert NEVER == picked.keepalive_gives_up()


def test_settings_change_their_field_alone() -> None:
    """tcp_fin_timeout does not shorten TIME_WAIT, whatever is said of it."""
    changed = profile("linux", tcp_fin_timeout=30)
    assert replace(profile(), fin_timeout=30 * SECOND) == changed
    assert profile().time_waits() == changed.time_waits()


def test_settings_may_keep_their_prefix() -> None:
    """A line of sysctl.conf can be handed over as it stands."""
    assert profile(tcp_syn_retries=2) == profile(**{"net.ipv4.tcp_syn_retries": "2"})


def test_a_setting_that_bears_on_no_timeline_is_kept() -> None:
    """It is known, it changes no timer, and it can be shown."""
    kept = profile("linux", **{"net.ipv4.tcp_sack": 0})
    assert {"tcp_sack": 0} == kept.settings
    assert profile().cells().tolist() == kept.cells().tolist()


def test_an_unknown_setting_is_a_usage_error() -> None:
    """With the near name."""
    with pytest.raises(UsageError, match="tcp_fin_timeout"):
        profile("linux", tcp_fin_timeot=3)


def test_linux_settings_are_no_one_elses() -> None:
    """FreeBSD would not know the name, and must not silently ignore it."""
    with pytest.raises(UsageError, match="freebsd"):
        profile("freebsd", tcp_fin_timeout=3)
    assert 3 * SECOND == profile("linux-old", tcp_fin_timeout=3).fin_timeout


def test_rfc1337_is_a_truth() -> None:
    """Any number but 0 switches it on."""
    assert profile(tcp_rfc1337=2).rfc1337 is True
    assert profile(tcp_rfc1337=0).rfc1337 is False


@pytest.mark.parametrize(("name", "advice"), [("linx", "linux"), ("beos", "there are rfc9293")])
def test_an_unknown_profile_is_a_usage_error(name: str, advice: str) -> None:
    """With the near name, or with all of them."""
    with pytest.raises(UsageError, match=advice):
        profile(name)


def test_a_middlebox_forgets_close_wait_first() -> None:
    """A half-close idle for over a minute loses its entry while both hosts hold sockets."""
    box = middlebox()
    assert 60 * SECOND == box.idle[State.CLOSE_WAIT]
    assert box.idle[State.CLOSE_WAIT] < box.idle[State.FIN_WAIT_2] < box.idle[State.ESTABLISHED]
    with pytest.raises(UsageError, match="nf_conntrack"):
        middlebox("nf-conntrack")
