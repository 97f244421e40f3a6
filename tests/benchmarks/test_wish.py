"""Keeps `wish` true."""

from __future__ import annotations

import pytest

from tests.benchmarks.wish import SNAP, Mix, Wish


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web-1M", Wish(Mix.WEB, 1_000_000, SNAP)),
        ("elephants-5M-full", Wish(Mix.ELEPHANTS, 5_000_000, 0)),
        ("scan-20k", Wish(Mix.SCAN, 20_000, SNAP)),
        ("synflood-7", Wish(Mix.SYNFLOOD, 7, SNAP)),
    ],
)
def test_a_name_says_mix_size_and_cut(name: str, expected: Wish) -> None:
    """As the command's help tells it."""
    assert expected == Wish.named(name)


@pytest.mark.parametrize("name", ["web", "web-0", "web-1G", "torrent-1M", "web-1M-half", "a.pcap"])
def test_another_name_is_no_load(name: str) -> None:
    """It may be a file's."""
    assert Wish.named(name) is None
