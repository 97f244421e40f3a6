"""snoop files, made byte by byte from RFC 1761."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcptrace.errors import CaptureError
from tcptrace.sources.snoop import UNKNOWN_LINK_TYPE
from tests.sources.crafted import SOME, T0, Told, as_told, expected, read, snoop, written


@pytest.mark.parametrize("trailer", [0, 2, 6])
def test_packets_of_a_snoop_file(tmp_path: Path, trailer: int) -> None:
    """Times, lengths and octets come out as they were written; padding is passed over."""
    packets, capture = read(written(tmp_path, snoop(SOME, trailer=trailer)))
    assert expected(SOME) == as_told(packets)
    assert "snoop" == capture.files[0].format
    assert [1] * 4 == packets.link_type.tolist()


@pytest.mark.parametrize(
    ("datalink", "trailer", "link_type"),
    [
        (0, 0, 1),
        (2, 0, 6),
        (8, 0, 10),
        (18, 0, 123),
        (0x80000005, 0, 226),
        (7, 0, UNKNOWN_LINK_TYPE),
        (12, 16, 1),  # Surveyor: gigabit Ethernet
        (13, 16, 6),
        (12, 0, UNKNOWN_LINK_TYPE),
    ],
)
def test_datalink_numbers(tmp_path: Path, datalink: int, trailer: int, link_type: int) -> None:
    """They become LINKTYPE numbers; a trailer in the first record means Surveyor's own ones."""
    packets, _ = read(written(tmp_path, snoop(SOME, datalink=datalink, trailer=trailer)))
    assert [link_type] * 4 == packets.link_type.tolist()


def test_unknown_version_is_refused(tmp_path: Path) -> None:
    """Versions 2 to 5 are known."""
    for version in (0, 1, 6):
        with pytest.raises(CaptureError, match=r"snoop version 2 to 5, not"):
            read(written(tmp_path, snoop(SOME, version=version)))
    assert 4 == len(read(written(tmp_path, snoop(SOME, version=5)))[0])


def test_header_without_packets(tmp_path: Path) -> None:
    """A capture of no packets; a header cut short is none."""
    assert 0 == len(read(written(tmp_path, snoop([])))[0])
    with pytest.raises(CaptureError, match="header of 16 bytes"):
        read(written(tmp_path, snoop([])[:15]))


@pytest.mark.parametrize(("place", "value"), [(4, 1 << 31), (8, 10), (8, 1 << 31), (8, 0)])
def test_absurd_lengths(tmp_path: Path, place: int, value: int) -> None:
    """Captured and record lengths that cannot be end the reading."""
    good = snoop(SOME)
    bad = bytearray(snoop([Told(T0, b"x")])[16:])
    bad[place : place + 4] = value.to_bytes(4, "big")
    packets, capture = read(written(tmp_path, good + bytes(bad)))
    assert expected(SOME) == as_told(packets)
    assert len(good) == capture.files[0].truncated_at
    assert "length" in capture.files[0].damage
