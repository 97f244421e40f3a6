"""A file at its own pace, or a multiple of it."""

from __future__ import annotations

import struct
import threading
import time
from pathlib import Path

import pytest

from tcptrace.errors import CaptureError, UsageError
from tcptrace.sources.paced import Paced

SECOND = 1_000_000_000
START = 1_700_000_000


def capture(path: Path, times: list[float]) -> Path:
    """A pcap file with a packet of one octet at each time, seconds from the start."""
    octets = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)
    for each in times:
        whole, rest = divmod(round(each * SECOND), SECOND)
        octets += struct.pack("<IIII", START + whole, rest, 1, 1) + b"x"
    path.write_bytes(octets)
    return path


def test_each_packet_comes_when_it_is_due(tmp_path: Path) -> None:
    """None before its time; what is due together comes together."""
    source = Paced(capture(tmp_path / "c", [0, 0, 1, 1, 3]), 20)
    sizes = []
    for packets in source.batches():
        sizes.append(len(packets))
        assert packets.time.max() <= source.now()
    assert [2, 2, 1] == sizes
    assert 5 == source.counters().received == source.facts.packets


def test_a_clock_that_steps_back_does_not_stop_it(tmp_path: Path) -> None:
    """A packet with an earlier time than the one before it comes with that one."""
    source = Paced(capture(tmp_path / "c", [0, 2, 1, 1]), 20)
    numbers = [packets.number.tolist() for packets in source.batches()]
    assert [[1], [2, 3, 4]] == numbers


def test_the_clock_stands_still_at_the_end(tmp_path: Path) -> None:
    """The capture's time never passes its last packet."""
    source = Paced(capture(tmp_path / "c", [0, 1]), 100)
    list(source.batches())
    time.sleep(0.02)
    assert (START + 1) * SECOND == source.now()


def test_stop_ends_a_long_wait(tmp_path: Path) -> None:
    """An hour between two packets is no hour for whoever wants to end."""
    source = Paced(capture(tmp_path / "c", [0, 3600]), 1)
    threading.Timer(0.05, source.stop).start()
    assert [1] == [len(packets) for packets in source.batches()]


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_that_is_none(tmp_path: Path, speed: float) -> None:
    """Standing still, going back and all at once are no paces."""
    with pytest.raises(UsageError, match="speed"):
        Paced(capture(tmp_path / "c", [0]), speed)


def test_a_file_that_is_no_capture(tmp_path: Path) -> None:
    """It is told before anything waits."""
    (tmp_path / "c").write_bytes(b"nothing of the kind, but long enough to be one")
    with pytest.raises(CaptureError):
        Paced(tmp_path / "c", 1)
