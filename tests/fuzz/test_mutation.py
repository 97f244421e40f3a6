"""Changes keep what they promise: lengths that are true, and no more octets than allowed."""

from __future__ import annotations

import random
import struct
from itertools import islice

import pytest

from tests.fuzz.mutation import (
    BLOCK_CHANGES,
    PACKET_CHANGES,
    Blocks,
    Mutate,
    mutated_capture,
    mutated_packets,
)
from tests.fuzz.packet_list import Packet, PacketList
from tests.fuzz.seeds import captures, decode_seeds


def pcapngs() -> list[bytes]:
    return [octets for octets in captures() if octets.startswith(b"\x0a\x0d\x0d\x0a")]


def longer(some: bytes, most: int) -> bytes:
    """A change that libFuzzer might make."""
    return (some + b"!")[:most]


def test_blocks_are_the_file() -> None:
    """A file of whole blocks is the same after taking it apart."""
    for octets in pcapngs():
        blocks = Blocks.parse(octets)
        assert blocks is not None
        assert octets == blocks.octets()
    assert Blocks.parse(b"no pcapng at all") is None


@pytest.mark.parametrize("change", BLOCK_CHANGES)
def test_changed_blocks_have_true_lengths(change: object) -> None:
    """Each block's length stands at both of its ends and leads to the next."""
    for seed in range(40):
        blocks = Blocks.parse(pcapngs()[0])
        assert blocks is not None and callable(change)
        change(blocks, longer, random.Random(seed))
        octets, at = blocks.octets(), 0
        while at < len(octets):
            (length,) = struct.unpack_from(blocks.order + "I", octets, at + 4)
            assert length >= 12
            at += length
            assert (length,) == struct.unpack_from(blocks.order + "I", octets, at - 4)


@pytest.mark.parametrize("change", PACKET_CHANGES)
def test_changed_packets_are_packets(change: object) -> None:
    """Whatever was changed, the octets still stand for as many packets."""
    lists = list(islice(decode_seeds(), 5))
    for seed in range(40):
        for octets in lists:
            packets = PacketList.parse(octets)
            assert callable(change)
            change(packets, longer, random.Random(seed))
            assert packets == PacketList.parse(packets.octets())


@pytest.mark.parametrize("mutated", [mutated_capture, mutated_packets])
def test_no_longer_than_allowed(mutated: object) -> None:
    """Also of octets that are neither, and of none."""
    assert callable(mutated)
    mutate: Mutate = longer
    for octets in [b"", b"some octets", pcapngs()[0], next(iter(decode_seeds()))]:
        for seed in range(20):
            assert len(mutated(octets, 64, mutate, random.Random(seed))) <= 64


def test_packet_list_of_any_octets() -> None:
    """A last packet that is cut is as long as what is there; a head that is cut is none."""
    whole = PacketList([Packet(1, b"abc", 4, 5), Packet(101, b"")]).octets()
    assert [Packet(1, b"abc", 4, 5), Packet(101, b"")] == PacketList.parse(whole)
    assert [Packet(1, b"ab", 4, 5)] == PacketList.parse(whole[:10])
    assert [] == PacketList.parse(whole[:7])
    batch = PacketList.parse(whole).batch()
    assert ([3, 0], [7, 0]) == (batch.captured.tolist(), batch.length.tolist())
