"""The loop that turns a window into batches."""

from __future__ import annotations

import io

import pytest

from tcptrace.sources.facts import FileFacts
from tcptrace.sources.formats import open_window
from tcptrace.sources.packets import Packets
from tcptrace.sources.reading import BATCH, LONGEST_PACKET, longest_packet
from tests.sources.crafted import SECOND, T0, Told, pcap, pcapng, snoop

MANY = [Told(T0 + at * 1000, at.to_bytes(3, "big")) for at in range(2 * BATCH + 5)]


@pytest.mark.parametrize("crafted", [pcap, pcapng, snoop])
@pytest.mark.parametrize("chunk", [64, 1 << 16, 1 << 22])
def test_batches_hold_at_most_so_many_packets(crafted: object, chunk: int) -> None:
    """However the bytes are cut into chunks, packets come once, in order, in bounded batches."""
    octets = crafted(MANY[:300] if chunk == 64 else MANY)  # type: ignore[operator]
    facts = FileFacts("made")
    window, read = open_window(io.BytesIO(octets), facts, chunk)
    batches = list(read(window, facts, 0))
    assert max(len(batch) for batch in batches) <= BATCH
    packets = Packets.concat(batches)
    assert list(range(1, len(packets) + 1)) == packets.number.tolist()
    assert [told.time for told in MANY[: len(packets)]] == packets.time.tolist()
    last = len(packets) - 1
    assert MANY[last].octets == packets.packet_bytes(last)


def test_facts_grow_with_the_batches() -> None:
    """Someone who stops early has the facts of what was read."""
    facts = FileFacts("made")
    window, read = open_window(io.BytesIO(pcap(MANY)), facts)
    next(read(window, facts, 0))
    assert BATCH == facts.packets
    assert (T0, T0 + (BATCH - 1) * 1000) == (facts.first_time, facts.last_time)


def test_longest_packet_is_libpcaps() -> None:
    """Some link types carry longer packets; a file's own snap length counts while it is sane."""
    assert LONGEST_PACKET == longest_packet(1, 0) == longest_packet(1, 65535)
    assert 1 << 27 == longest_packet(249, 0)
    assert 1 << 20 == longest_packet(1, 1 << 20)
    assert LONGEST_PACKET == longest_packet(1, 0xFFFFFFFF)


@pytest.mark.parametrize("crafted", [pcap, pcapng, snoop])
def test_cut_at_every_octet(crafted: object) -> None:
    """Whatever is whole is told; where the cut record begins is told; an end is no cut."""
    told = [Told(T0 + at * SECOND, bytes([at]) * (at * 7)) for at in range(5)]
    whole = crafted(told)  # type: ignore[operator]
    ends = [len(crafted(told[:count])) for count in range(6)]  # type: ignore[operator]
    for size in range(ends[0], len(whole) + 1):
        facts = FileFacts("made")
        window, read = open_window(io.BytesIO(whole[:size]), facts)
        packets = Packets.concat(list(read(window, facts, 0)))
        complete = sum(end <= size for end in ends) - 1
        assert complete == len(packets) == facts.packets
        assert (None if size in ends else ends[complete]) == facts.truncated_at
        assert "" == facts.damage
