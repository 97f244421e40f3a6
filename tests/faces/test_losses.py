"""The counters of a live capture in words."""

from __future__ import annotations

from tcptrace.faces.losses import losses
from tcptrace.sources.live_source import Counters


def test_only_what_the_source_can_know() -> None:
    """A pipe does not know what was dropped before it, and says nothing of it."""
    assert [("0.0 s behind", False)] == losses(Counters())


def test_nothing_lost() -> None:
    """Zeros are told, and are no bad sign."""
    told = losses(Counters(dropped=0, dropped_by_interface=0, behind=2_000_000))
    assert [
        ("0 dropped", False),
        ("0 dropped by interface", False),
        ("0.0 s behind", False),
    ] == told


def test_whatever_is_lost_is_a_bad_sign() -> None:
    """Drops of either kind, lateness, and what was let go to bound memory."""
    told = losses(Counters(9, 1200, 3, 1_500_000_000, 7, 8))
    assert [
        "1,200 dropped",
        "3 dropped by interface",
        "1.5 s behind",
        "7 evicted",
        "8 forgotten",
    ] == [words for words, _ in told]
    assert all(bad for _, bad in told)
