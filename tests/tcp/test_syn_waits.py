"""Pins how long a SYN that is to come is waited for, against the schedule that it comes by."""

from __future__ import annotations

import pytest

from tcptrace.tcp.profile import NEVER
from tcptrace.tcp.syn_waits import SynWaits, syn_waits
from tcptrace.tcp.timers import PROFILES, profile


@pytest.mark.parametrize("name", PROFILES)
def test_waits_are_those_between_the_moments_of_the_schedule(name: str) -> None:
    """As many rows as SYNs; what has no SYN any more is not waited for."""
    picked = PROFILES[name]
    sends = picked.syn_schedule()
    waits = syn_waits(picked)
    assert len(sends) == len(waits)
    assert [NEVER] * SynWaits.width() == waits.matrix[0].tolist()
    for sent in range(1, len(sends)):
        assert (waits.next[sent], waits.next_late[sent]) == picked.window(
            sends[sent] - sends[sent - 1]
        )
    for sent in range(1, len(sends) - 1):
        late = picked.window(sends[sent + 1] - sends[sent - 1]).latest
        assert late == waits.second_late[sent]
    assert NEVER == waits.second_late[-1]


def test_waits_of_linux_double() -> None:
    """One second, then two, four and so on; after the last of seven SYNs none comes."""
    waits = syn_waits(profile("linux", tcp_syn_linear_timeouts=0))
    assert [1, 2, 4, 8, 16, 32] == [wait // 1_000_000_000 for wait in waits.next[1:].tolist()]
