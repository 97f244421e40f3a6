"""The targets keep their contract on every seed and on changes drawn anew; they see it broken."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Segments
from tcptrace.sources import capture, reading
from tests.fuzz import seeds, targets
from tests.fuzz.blind import changed
from tests.fuzz.mutation import mutated_capture, mutated_packets
from tests.fuzz.packet_list import Packet, PacketList

MOST = 4096
ROUNDS = 600


@pytest.fixture(autouse=True)
def sizes_as_they_were() -> Iterator[None]:
    """The target `sources` reads in other pieces than users do."""
    with restored():
        yield


@contextmanager
def restored() -> Iterator[None]:
    chunk, batch = capture.CHUNK, reading.BATCH
    yield
    capture.CHUNK, reading.BATCH = chunk, batch


@pytest.mark.parametrize("target", ["sources", "decode"])
def test_every_seed(target: str) -> None:
    """Captures and stacks as they are."""
    count = 0
    for octets in seeds.SEEDS[target]():
        targets.TARGETS[target](octets)
        count += 1
    assert count >= 30


def test_whole_traces_of_captures() -> None:
    """To every table."""
    for octets in seeds.captures()[:6]:
        targets.whole(octets)


@pytest.mark.parametrize("seed", range(3))
def test_changed_captures(seed: int) -> None:
    """Some hundreds of changed capture files: a breath of what the fuzzer does for an hour."""
    chance = random.Random(seed)
    files = list(seeds.sources_seeds())
    for _ in range(ROUNDS):
        octets = chance.choice(files)
        mutate = lambda some, most: changed(some, most, chance)  # noqa: E731
        targets.sources(mutated_capture(octets, MOST, mutate, chance))


@pytest.mark.parametrize("seed", range(3))
def test_changed_packets(seed: int) -> None:
    """The same of packets, several changes deep."""
    chance = random.Random(seed)
    lists = list(seeds.decode_seeds())
    for _ in range(ROUNDS):
        octets = chance.choice(lists)
        mutate = lambda some, most: changed(some, most, chance)  # noqa: E731
        for _ in range(chance.randrange(1, 4)):
            octets = mutated_packets(octets, MOST, mutate, chance)
        targets.decode(octets)


def test_packets_out_of_their_ranges_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port beyond 16 bits would be told."""
    feed = Decoder.feed

    def spoilt(self: Decoder, packets: targets.Packets) -> Segments:
        segments = feed(self, packets)
        segments.src_port[:] = 1 << 16
        return segments

    monkeypatch.setattr(Decoder, "feed", spoilt)
    with pytest.raises(targets.Broken, match="out of their ranges"):
        targets.decode(next(iter(seeds.decode_seeds())))


def test_packets_that_are_not_accounted_for_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A packet that is neither a row nor a reason would be told."""
    monkeypatch.setattr(Decoder, "skipped", property(lambda self: {}))
    with pytest.raises(targets.Broken, match="1 packets, 0 rows"):
        targets.decode(PacketList([Packet(1, b"short")]).octets())
