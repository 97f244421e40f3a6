"""What follows from timers, held against moments that a Linux 6.18 kernel recorded of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.tcp.profile import MILLISECOND, NEVER, SECOND, Retries, TimerCells, Window
from tcptrace.tcp.settings import EFFECTS
from tcptrace.tcp.timers import PROFILES, Profile, profile

NEITHER = Window(NEVER, NEVER)


class Lab:
    """One recorded scenario: its profile, and the states and events of an endpoint."""

    def __init__(self, folder: Path, side: str) -> None:
        truth: dict[str, Any] = json.loads((folder / "truth.json").read_text())
        self.profile = profile("linux", **truth["sysctls"])
        self.endpoint = next(e for e in truth["endpoints"] if side == e["side"])
        self.states = {state: moment for moment, state in self.endpoint["states"]}

    def events(self, name: str) -> list[int]:
        """When the kernel recorded `name`."""
        return [event[0] for event in self.endpoint["events"] if name == event[1]]

    def elapsed(self, before: str) -> int:
        """From the entry of a state to CLOSED, ns."""
        return self.states["CLOSED"] - self.states[before]


def inside(window: Window, moment: int) -> bool:
    return window.earliest <= moment <= window.latest


def lab(shared: Path, name: str, side: str = "client") -> Lab:
    return Lab(shared / "lab" / "data" / name, side)


def test_an_unanswered_syn_as_recorded(shared: Path) -> None:
    """tcp_syn_retries=2: five more SYNs, a second apart, and the end at 7.1 s."""
    recorded = lab(shared, "syn_timeout")
    sent = recorded.states["SYN_SENT"]
    schedule = recorded.profile.syn_schedule()[1:]
    again = [moment - sent for moment in recorded.events("retransmit")]
    assert len(again) == len(schedule)
    assert all(
        0 <= got - planned < SECOND // 8 for got, planned in zip(again, schedule, strict=True)
    )
    assert inside(recorded.profile.syn_gives_up(), recorded.elapsed("SYN_SENT"))


def test_a_request_that_nobody_acknowledges_as_recorded(shared: Path) -> None:
    """The peer's repeated SYNs draw SYN,ACKs too: only the wait after the last one is fixed."""
    recorded = lab(shared, "synack_never", "server")
    last = recorded.events("retransmit_synack")[-1]
    assert inside(recorded.profile.syn_ack_wait(), recorded.states["CLOSED"] - last)


def test_a_request_that_its_listener_does_not_take_as_recorded(shared: Path) -> None:
    """Without repeated SYNs the whole life is fixed: 1 + 2 + 4 s with tcp_synack_retries=2."""
    recorded = lab(shared, "backlog_full_expire", "server")
    assert inside(recorded.profile.syn_ack_gives_up(), recorded.elapsed("SYN_RCVD"))


@pytest.mark.parametrize("name", ["close_wait_leak", "fin_wait2_expired_then_data"])
def test_an_orphan_in_fin_wait_2_as_recorded(shared: Path, name: str) -> None:
    """tcp_fin_timeout=3, silently over after 3.0 to 3.3 s."""
    recorded = lab(shared, name)
    assert inside(recorded.profile.fin_wait_2(), recorded.elapsed("FIN_WAIT_2"))


def test_time_wait_as_recorded(shared: Path) -> None:
    """62.03 s, although tcp_fin_timeout is 3."""
    recorded = lab(shared, "time_wait_expiry")
    assert inside(recorded.profile.time_waits(), recorded.elapsed("TIME_WAIT"))


@pytest.mark.parametrize(
    ("name", "side", "state", "orphan"),
    [
        ("last_ack_never", "server", "LAST_ACK", True),
        ("vanish_fin_wait1", "client", "FIN_WAIT_1", True),
    ],
)
def test_giving_up_a_fin_as_recorded(
    shared: Path, name: str, side: str, state: str, orphan: bool
) -> None:
    """tcp_orphan_retries=2, a loss probe among the copies; predicted from any two of them on."""
    recorded = lab(shared, name, side)
    sends = [recorded.states[state], *recorded.events("retransmit")]
    for known in range(3, len(sends) + 1):
        window = recorded.profile.gives_up(Retries.of(sends[:known]), orphan)
        assert inside(window, recorded.states["CLOSED"]), known


def test_giving_up_data_as_recorded(shared: Path) -> None:
    """tcp_retries2=4; the segment itself is not in the kernel's record, its first retry is."""
    recorded = lab(shared, "vanish_established")
    sends = recorded.events("retransmit")
    for known in range(3, len(sends) + 1):
        window = recorded.profile.gives_up(Retries.of(sends[:known]), orphan=False)
        assert inside(window, recorded.states["CLOSED"]), known


@pytest.mark.parametrize(
    ("setting", "measured"),
    [(30, 31.3), (60, 61.8), (61, 2.1), (70, 20.4), (100, 82.5), (120, 123.2)],
)
def test_fin_timeout_above_sixty_is_two_short_stretches(setting: int, measured: float) -> None:
    """What Linux takes tcp_fin_timeout for, measured to 0.1 s: 61 is shorter than 60."""
    window = profile(tcp_fin_timeout=setting).fin_wait_2()
    rounding = 50 * MILLISECOND
    widened = Window(window.earliest - rounding, window.latest + rounding)
    assert inside(widened, round(measured * SECOND))


def test_fin_timeout_has_a_floor() -> None:
    """tcp.h:tcp_fin_time: never less than 3.5 retransmission timeouts."""
    assert 700 * MILLISECOND == profile(tcp_fin_timeout=0).fin_wait_2().earliest
    assert 7 * SECOND == profile(tcp_fin_timeout=3).fin_wait_2(rto=2 * SECOND).earliest


@pytest.mark.parametrize(("retries", "seconds"), [(1, 3), (2, 7), (3, 19), (4, 35), (6, 131)])
def test_syn_retries_end_by_time_or_by_count(retries: int, seconds: int) -> None:
    """tcp_timer.c:tcp_write_timeout: below three retries the time is up before the count."""
    assert seconds * SECOND == profile(tcp_syn_retries=retries).syn_gives_up().earliest


def test_patience_is_the_kernels_model() -> None:
    """ip-sysctl: tcp_retries2=15 is 924.6 s; tcp_orphan_retries=0 stands for 8, 102.2 s."""
    assert 924_600 * MILLISECOND == profile().patience(orphan=False)
    assert 102_200 * MILLISECOND == profile().patience(orphan=True)
    assert 8 == profile().retries(orphan=True)


def test_giving_up_by_count() -> None:
    """Windows resends five times, each wait twice the one before, then drops the connection."""
    picked = profile("windows")
    retries = Retries.of([0, SECOND, 3 * SECOND])
    assert 5 == picked.retries(orphan=True)
    expected = sum([3, 4, 8, 16, 32]) * SECOND
    window = picked.gives_up(retries, orphan=True)
    assert inside(window, expected)


def test_giving_up_needs_a_retry() -> None:
    """One copy alone tells no timeout; a system that never gives up has none."""
    assert NEITHER == profile().gives_up(Retries.of([5]), orphan=True)
    assert NEITHER == profile("smoltcp").gives_up(Retries.of([0, 1, 3]), orphan=True)


@given(
    st.lists(st.integers(0, 10**18), min_size=2, max_size=6).map(sorted),
    st.sampled_from(sorted(PROFILES)),
    st.booleans(),
)
def test_giving_up_comes_after_what_was_seen(sends: list[int], name: str, orphan: bool) -> None:
    """Bounds are in order and lie ahead, whatever the gaps."""
    window = PROFILES[name].gives_up(Retries.of(sends), orphan)
    assert NEITHER == window or sends[-1] < window.earliest <= window.latest


def test_a_timer_fires_late_by_its_level_of_the_wheel() -> None:
    """kernel/time/timer.c at 250 Hz: 4 ms up to 252 ms, then 32, 256, 2048 ms."""
    tick = 4 * MILLISECOND
    slacks = [profile().slack(d * MILLISECOND) - 2 * tick for d in (200, 252, 2_015, 2_016, 60_000)]
    assert [4, 32, 32, 256, 2048] == [slack // MILLISECOND for slack in slacks]


@given(st.integers(0, 10**13), st.integers(0, 1000))
def test_level_is_told_by_how_long_a_timer_ran(duration: int, part: int) -> None:
    """Whenever it fires in its window, it is not taken for a longer one."""
    waited = duration + profile().slack(duration) * part // 1000
    assert profile().sure_level(waited) <= profile().level(duration)


@given(st.integers(1, 8))
def test_level_is_sure_after_its_least_wait(level: int) -> None:
    """Nothing of a lower level takes as long."""
    wait = profile().least_wait(level)
    assert (level, level - 1) == (profile().sure_level(wait), profile().sure_level(wait - 1))


@pytest.mark.parametrize(("setting", "seconds"), [(3, 3), (60, 60), (70, 10), (120, 60)])
def test_last_timer_of_fin_wait_2(setting: int, seconds: int) -> None:
    """Above 60 s there are two, and the second ends it."""
    assert seconds * SECOND == profile(tcp_fin_timeout=setting).fin_wait_2_timer()


@given(st.integers(0, 10**16))
def test_slack_is_a_small_part(duration: int) -> None:
    """At most 13 % and three ticks: give-ups of hours are not known to the second."""
    assert profile().slack(duration) <= duration * 13 // 100 + 12 * MILLISECOND


def test_keep_alive_gives_up() -> None:
    """7200 s of silence and 9 probes 75 s apart."""
    assert (7200 + 9 * 75) * SECOND == profile().keepalive_gives_up().earliest
    assert (7200 + 8 * 75) * SECOND == profile("freebsd").keepalive_gives_up().earliest


@pytest.mark.parametrize("picked", PROFILES.values(), ids=PROFILES)
def test_cells_say_what_the_profile_says(picked: Profile) -> None:
    """One int64 a column, in the order that kernels ask for."""
    row = dict(zip(TimerCells.COLUMNS, picked.cells().tolist(), strict=True))
    assert picked.syn_gives_up() == (row["syn_give_up_min"], row["syn_give_up_max"])
    assert picked.fin_wait_2() == (row["fin_wait_2_min"], row["fin_wait_2_max"])
    assert picked.time_waits() == (row["time_wait_min"], row["time_wait_max"])
    assert picked.syn_ack_wait() == (row["syn_ack_wait_min"], row["syn_ack_wait_max"])
    assert picked.patience(orphan=True) == row["orphan_give_up"]
    assert int(picked.rfc1337) == row["rfc1337"]


@given(st.data())
def test_any_settings_that_linux_takes_give_a_profile(data: st.DataObject) -> None:
    """The kernel's whole ranges, together: every derived moment exists and fits 64 bits."""
    settings = {
        name: data.draw(st.integers(effect.lowest, effect.highest), label=name)
        for name, effect in EFFECTS.items()
    }
    picked = profile("linux", **settings)
    assert TimerCells.width() == len(picked.cells())
    assert len(picked.syn_schedule()) <= 1 + 2 * 127
    picked.gives_up(Retries.of([0, 1, 2]), orphan=True)
