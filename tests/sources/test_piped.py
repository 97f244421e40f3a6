"""A capture that comes through a pipe while it is being made."""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcptrace.errors import CaptureError
from tcptrace.sources.piped import Piped

SECOND = 1_000_000_000
HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[Piped, int]]:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writing = os.open(path, os.O_RDWR)  # lest opening the other end wait for a writer
    source = Piped(str(path))
    only = os.open(path, os.O_WRONLY)
    os.close(writing)
    yield source, only
    source.close()


def record(time_ns: int) -> bytes:
    """A packet of one octet."""
    return struct.pack("<IIII", *divmod(time_ns, SECOND), 1, 1) + b"x"


def test_a_packet_is_there_before_the_pipe_ends(ends: tuple[Piped, int]) -> None:
    """One packet written is one packet read, though the writer goes on."""
    source, writing = ends
    os.write(writing, HEADER + record(5 * SECOND))
    batches = source.batches()
    assert [5 * SECOND] == next(batches).time.tolist()
    os.write(writing, record(6 * SECOND)[:-1])
    os.write(writing, b"x")
    assert [6 * SECOND] == next(batches).time.tolist()
    os.close(writing)
    assert [] == list(batches)
    assert (2, None) == (source.counters().received, source.facts.truncated_at)


def test_the_writer_dies_inside_a_packet(ends: tuple[Piped, int]) -> None:
    """What came whole is there, and the facts say where it was cut."""
    source, writing = ends
    os.write(writing, HEADER + record(SECOND) + record(2 * SECOND)[:10])
    os.close(writing)
    assert 1 == sum(len(packets) for packets in source.batches())
    assert 24 + 17 == source.facts.truncated_at


def test_what_comes_is_no_capture(ends: tuple[Piped, int]) -> None:
    """It is told as soon as it is seen."""
    source, writing = ends
    os.write(writing, b"tcpdump: no suitable device found, and some more")
    os.close(writing)
    with pytest.raises(CaptureError):
        list(source.batches())


def test_nothing_comes_at_all(ends: tuple[Piped, int]) -> None:
    """A pipe that is closed at once was no capture."""
    source, writing = ends
    os.close(writing)
    with pytest.raises(CaptureError):
        list(source.batches())


def test_stop_ends_a_reading_that_waits(ends: tuple[Piped, int]) -> None:
    """The writer is still there, and says nothing."""
    source, writing = ends
    os.write(writing, HEADER + record(SECOND))
    threading.Timer(0.05, source.stop).start()
    assert 1 == sum(len(packets) for packets in source.batches())
    os.close(writing)


def test_time_passes_by_the_packets_own_clock(ends: tuple[Piped, int]) -> None:
    """The writer's clock may be another one: it goes on from its packets, as fast as ours."""
    source, writing = ends
    os.write(writing, HEADER + record(5 * SECOND))
    next(source.batches())
    first = source.now()
    time.sleep(0.02)
    assert 5 * SECOND <= first < source.now() < 6 * SECOND
    os.close(writing)
