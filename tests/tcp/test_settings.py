"""Linux's settings by name: known, near, out of range."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from tcptrace.errors import UsageError
from tcptrace.tcp.profile import MILLISECOND, SECOND, Profile
from tcptrace.tcp.settings import EFFECTS, WITHOUT_EFFECT, bare_name, field_value

KERNEL = Path("/proc/sys/net/ipv4")


def test_effects_name_fields_of_a_profile() -> None:
    """A misspelt field would be a setting that changes nothing."""
    known = {field.name for field in fields(Profile)}
    assert set() == {effect.field for effect in EFFECTS.values()} - known


def test_no_setting_is_in_both_lists() -> None:
    """A setting bears on a timeline or it does not."""
    assert set() == set(EFFECTS) & WITHOUT_EFFECT


@pytest.mark.skipif(not KERNEL.is_dir(), reason="no Linux here")
def test_every_setting_of_this_kernel_is_known() -> None:
    """A user may hand over all that `sysctl -a` prints."""
    here = {path.name for path in KERNEL.glob("tcp_*")}
    assert set() == here - set(EFFECTS) - WITHOUT_EFFECT


@pytest.mark.parametrize(
    "spelling",
    ["tcp_fin_timeout", "net.ipv4.tcp_fin_timeout", "net/ipv4/tcp_fin_timeout", " tcp_fin_timeout"],
)
def test_names_are_taken_as_sysctl_takes_them(spelling: str) -> None:
    """With the prefix or without, with dots or slashes."""
    assert "tcp_fin_timeout" == bare_name(spelling)


def test_a_near_name_is_suggested() -> None:
    """The message of a typo holds the name that was meant."""
    with pytest.raises(UsageError, match="tcp_fin_timeout"):
        bare_name("tcp_fin_timout")


def test_a_name_like_no_other_says_what_names_look_like() -> None:
    """Nothing is near: the message says how the names begin."""
    with pytest.raises(UsageError, match="begin with tcp_"):
        bare_name("zzz")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("tcp_fin_timeout", 3, 3 * SECOND),
        ("tcp_fin_timeout", "30", 30 * SECOND),
        ("tcp_rto_min_us", 5000, 5 * MILLISECOND),
        ("tcp_rto_max_ms", 1000, SECOND),
        ("tcp_syn_retries", 127, 127),
    ],
)
def test_values_are_in_the_kernels_own_unit(name: str, value: int | str, expected: int) -> None:
    """Seconds, milliseconds, microseconds or counts: as the kernel reads them."""
    assert expected == field_value(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tcp_syn_retries", 0),
        ("tcp_syn_retries", 128),
        ("tcp_retries2", 256),
        ("tcp_tw_reuse", 3),
        ("tcp_rto_max_ms", 999),
        ("tcp_fin_timeout", -1),
        ("tcp_fin_timeout", 10**12),
        ("tcp_fin_timeout", "soon"),
        ("tcp_fin_timeout", ""),
        ("tcp_fin_timeout", 2.5),
        ("tcp_fin_timeout", None),
    ],
)
def test_a_value_that_the_kernel_would_refuse_is_a_usage_error(name: str, value: object) -> None:
    """The message names the setting and the range."""
    with pytest.raises(UsageError, match=f"{name} is a whole number from"):
        field_value(name, value)  # type: ignore[arg-type]
