"""Names of the counters."""

from __future__ import annotations

import re

from tcptrace.decode.skipped import REASONS, TALLIES, Reason, Tally


def test_every_reason_and_tally_has_a_name() -> None:
    """One each, in words with hyphens, no two alike; tallies are the places of an array."""
    assert set(Reason) == set(REASONS)
    assert list(range(len(Tally))) == list(TALLIES)
    names = [*REASONS.values(), *TALLIES.values()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)
