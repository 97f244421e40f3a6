"""Facts of a file, counted batch by batch."""

from __future__ import annotations

import numpy as np

from tcptrace.sources.facts import FileFacts
from tcptrace.sources.packets import Packets


def batch(times: list[int], link_types: list[int]) -> Packets:
    packets = Packets.zeros(len(times))
    packets.time[:] = np.array(times)
    packets.link_type[:] = np.array(link_types)
    return packets


def test_span_is_from_the_earliest_to_the_latest() -> None:
    """Also where times run backwards, within a batch and from one to the next."""
    facts = FileFacts("made")
    facts.count(batch([50, 40], [1, 1]))
    facts.count(batch([45, 30, 41], [1, 101, 1]))
    assert (30, 50, 5) == (facts.first_time, facts.last_time, facts.packets)
    assert {1, 101} == facts.link_types


def test_stretches_of_a_file_are_joined() -> None:
    """Counts are added up; how it ends is what the last one says."""
    first = FileFacts("made", "pcap", size=9, packets=2, first_time=5, last_time=9, link_types={1})
    last = FileFacts("made", "pcap", packets=1, first_time=4, last_time=4, link_types={101})
    last.truncated_at, last.damage, last.invalid_times = 70, "at byte 70", 3
    joined = FileFacts.join([first, FileFacts("made"), last])
    expected = FileFacts("made", "pcap", size=9, packets=3, first_time=4, last_time=9)
    expected.link_types = {1, 101}
    expected.truncated_at, expected.damage, expected.invalid_times = 70, "at byte 70", 3
    assert expected == joined


def test_nothing_is_known_of_an_unread_file() -> None:
    """No packets, no times."""
    facts = FileFacts("made")
    assert (0, None, None, None) == (
        facts.packets,
        facts.first_time,
        facts.last_time,
        facts.truncated_at,
    )
