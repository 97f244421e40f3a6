"""What all walks share: both kernels keep the one protocol."""

from __future__ import annotations

from tcptrace.sources.blocks import BlockWalk
from tcptrace.sources.records import RecordWalk
from tcptrace.sources.walking import BLOCK, DAMAGED, FULL, LATEST_TIME, MORE, SKIP, Walk


def test_both_kernels_are_walks() -> None:
    """Each has what the reading loop looks at."""
    looked_at = [*Walk.__annotations__, "walk"]
    for walk in (RecordWalk(0, 1, 100), BlockWalk(0)):
        assert [] == [name for name in looked_at if not hasattr(walk, name)]


def test_reasons_to_stop_are_different() -> None:
    """Five reasons, five numbers."""
    assert 5 == len({MORE, FULL, DAMAGED, BLOCK, SKIP})


def test_difference_of_any_two_times_fits_64_bits() -> None:
    """That is what the clamp is for; and pcap's last second needs none."""
    assert 2 * LATEST_TIME < 2**63
    assert (2**32) * 10**9 < LATEST_TIME
