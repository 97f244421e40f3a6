"""Pins the hash of four-tuples: direction, collisions, removal, and growth."""

from __future__ import annotations

import ast
import os
import secrets
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from outcomes import Kernel

from tcptrace.decode.segments import Segments
from tcptrace.tracker.slots import PARTS, Slots


def numbered(count: int) -> tuple[Segments, Slots]:
    """Segments of `count` four-tuples, and a slot filled for each."""
    segments, slots = Segments.zeros(count), Slots.zeros(count)
    segments.src_lo[:], segments.dst_lo[:] = np.arange(count) + 10, 7
    segments.src_port[:], segments.dst_port[:] = 40000, 443
    slots.lo_0[:], slots.lo_1[:] = segments.src_lo, segments.dst_lo
    slots.port_0[:], slots.port_1[:] = segments.src_port, segments.dst_port
    return segments, slots


def filled(kernel: Kernel, segments: Segments, slots: Slots) -> object:
    tuples = kernel("tcptrace.tracker.four_tuples").FourTuples(12345)
    tuples.look(segments.cells, slots.cells)
    for slot in range(len(slots)):
        slots.hash[slot] = tuples.tag(slot * Segments.width())
        tuples.insert(slot, slot + 1)
    return tuples


def found_of(tuples: Any, count: int) -> list[int]:
    """What is found of the first segments."""
    places = [row * Segments.width() for row in range(count)]
    return [tuples.find(at, tuples.tag(at)) for at in places]


def test_every_tuple_is_found_after_growth(kernel: Kernel) -> None:
    """Ten thousand four-tuples pass the first size of the table and are all found again."""
    segments, slots = numbered(10_000)
    tuples = filled(kernel, segments, slots)
    found = found_of(tuples, 10_000)
    assert [2 * slot for slot in range(10_000)] == found


def test_other_direction_is_the_same_connection(kernel: Kernel) -> None:
    """A segment the other way belongs to the same slot and was sent by side 1."""
    segments, slots = numbered(3)
    tuples = filled(kernel, segments, slots)
    for one, two in (("src_lo", "dst_lo"), ("src_port", "dst_port")):
        kept = getattr(segments, one).copy()
        getattr(segments, one)[:] = getattr(segments, two)
        getattr(segments, two)[:] = kept
    assert [1, 3, 5] == found_of(tuples, 3)


def test_removed_tuple_is_not_found_and_others_are(kernel: Kernel) -> None:
    """Taking one out leaves those that were put behind it."""
    segments, slots = numbered(100)
    tuples = filled(kernel, segments, slots)
    tuples.replace(50, -1)  # type: ignore[attr-defined]
    found = found_of(tuples, 100)
    assert [-1 if slot == 50 else 2 * slot for slot in range(100)] == found


def parts(kernel: Kernel, segments: Segments) -> list[int]:
    tuples = kernel("tcptrace.tracker.four_tuples").FourTuples(secrets.randbits(62))
    tuples.look(segments.cells, segments.cells)
    found: list[int] = tuples.parts(len(segments)).tolist()
    return found


def test_part_is_of_two_addresses(kernel: Kernel) -> None:
    """The ports and the direction are nothing to it, nor is the seed; the same in every run."""
    segments, _ = numbered(40)
    segments.src_hi[:], segments.dst_hi[:] = -5, 3
    found = parts(kernel, segments)
    assert [4, 7, 0] == found[:3]
    back = Segments(segments.matrix.copy())
    for half in ("hi", "lo"):
        getattr(back, f"src_{half}")[:] = getattr(segments, f"dst_{half}")
        getattr(back, f"dst_{half}")[:] = getattr(segments, f"src_{half}")
    back.src_port[:] = np.arange(40)
    assert found == parts(kernel, back)


@pytest.mark.parametrize("column", ["src_hi", "src_lo", "dst_hi", "dst_lo"])
@pytest.mark.parametrize("step", [1, 1 << 8, 1 << 32, 1 << 40])
def test_parts_are_of_one_size(kernel: Kernel, column: str, step: int) -> None:
    """Hosts of one network, whichever bits tell them apart."""
    segments, _ = numbered(3200)
    segments.src_lo[:] = 10
    getattr(segments, column)[:] += step * np.arange(3200)
    sizes = np.bincount(parts(kernel, segments), minlength=PARTS)
    assert len(sizes) == PARTS
    assert 50 < sizes.min() <= sizes.max() < 160


IPV4 = 0xFFFF << 32
TOP_BITS = [bits << 62 for bits in range(4)]


def unsigned(column: str, segments: Segments, values: list[int]) -> None:
    """Set a column of addresses, whose uppermost bit is an int64's sign."""
    getattr(segments, column)[:] = np.array(values, np.uint64).view(np.int64)


def tags(kernel: Kernel, segments: Segments, seed: int) -> list[int]:
    tuples = kernel("tcptrace.tracker.four_tuples").FourTuples(seed)
    tuples.look(segments.cells, segments.cells)
    return [tuples.tag(row * Segments.width()) for row in range(len(segments))]


def hashes(pieces: list[bytes]) -> list[int]:
    """What Python itself makes of these octets with PYTHONHASHSEED=0."""
    if sys.hash_info.algorithm != "siphash13":
        pytest.skip(f"this Python hashes by {sys.hash_info.algorithm}")
    program = f"print([hash(piece) for piece in {pieces}])"
    command = [sys.executable, "-c", program]
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [value & (1 << 62) - 1 for value in ast.literal_eval(run.stdout)]


def test_hash_is_siphash(kernel: Kernel) -> None:
    """Under seed 0, of two addresses of IPv6 and the ports."""
    segments, _ = numbered(20)
    segments.src_hi[:], segments.dst_hi[:] = -5, 3
    words = [segments.src_hi, segments.src_lo, segments.dst_hi, segments.dst_lo]
    ports = segments.src_port << 16 | segments.dst_port
    octets = np.column_stack([*words, ports]).astype("<i8").tobytes()
    pieces = [octets[at : at + 36] for at in range(0, len(octets), 40)]
    assert hashes(pieces) == tags(kernel, segments, 0)


def test_hash_of_ipv4_is_siphash_of_fewer_words(kernel: Kernel) -> None:
    """Under seed 0, of the 32 bits of each address and the ports, ends in order."""
    segments, _ = numbered(20)
    segments.src_lo[:], segments.dst_lo[:] = IPV4 | (1 << 32) - 1 - np.arange(20), IPV4 | 7
    pairs = segments.dst_lo << 32 | segments.src_lo & 0xFFFFFFFF
    ports = segments.dst_port << 16 | segments.src_port
    octets = np.column_stack([pairs, ports]).astype("<i8").tobytes()
    pieces = [octets[at : at + 12] for at in range(0, len(octets), 16)]
    assert hashes(pieces) == tags(kernel, segments, 0)


@pytest.mark.parametrize("column", ["src_hi", "src_lo", "dst_hi", "dst_lo"])
def test_hash_of_ipv6_is_of_all_its_bits(kernel: Kernel, column: str) -> None:
    """Also of an address that is IPv4's but for one bit of its upper 96."""
    low = 32 if column.endswith("lo") else 0
    segments = Segments.zeros(65 - low)
    segments.src_lo[:], segments.dst_lo[:] = IPV4 | 9, IPV4 | 7
    others = [1 << bit for bit in range(low, 64)]
    changed = getattr(segments, column)[1:].view(np.uint64)
    changed ^= np.array(others, np.uint64)
    assert len(segments) == len(set(tags(kernel, segments, 5)))


@pytest.mark.parametrize("seed", [1, 12345, (1 << 62) - 1])
def test_addresses_that_differ_in_few_bits_do_not_collide(kernel: Kernel, seed: int) -> None:
    """Once 256 addresses that differ in their topmost bits had one hash, under every seed."""
    ends = [(a, b, c, d) for a in TOP_BITS for b in TOP_BITS for c in TOP_BITS for d in TOP_BITS]
    segments = Segments.zeros(len(ends))
    for place, column in enumerate(("src_hi", "src_lo", "dst_hi", "dst_lo")):
        unsigned(column, segments, [each[place] | 1 for each in ends])
    segments.src_port[:], segments.dst_port[:] = 40000, 443
    assert 256 == len(set(tags(kernel, segments, seed)))


def test_collisions_under_one_seed_are_none_under_another(kernel: Kernel) -> None:
    """Whoever knows the algorithm, and chose a crowded bucket by a seed of their own, gains none.

    Of 20,000 four-tuples those that fall in one of 64 parts of the table are kept, some 300; with
    the real seed they spread over all parts.
    """
    segments, _ = numbered(20_000)
    guessed = np.array(tags(kernel, segments, 1))
    chosen = segments.take(guessed & 63 == 5)
    assert 200 < len(chosen) < 450
    parts = np.bincount(np.array(tags(kernel, chosen, 2)) & 63, minlength=64)
    assert parts.max() < 25, "a chain, had the seed not mattered, of them all"
