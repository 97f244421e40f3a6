"""Pins the files that the lab writes: what it puts in, another reader takes out."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import dpkt
import pytest
import zstandard

from .capture_file import LINKTYPE_ETHERNET, LINKTYPE_RAW, MAC, CaptureFile

AT = 1_795_328_514_061_841_751  # needs all nine digits below the second
IPV4 = bytes([0x45]) + bytes(19) + b"odd"
IPV6 = bytes([0x60]) + bytes(39)

OPENERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": lambda data: zstandard.ZstdDecompressor().decompress(data),
}


def test_pcap_is_read_back_by_dpkt() -> None:
    """A nanosecond pcap of raw IP: link type, stamps and bytes come back."""
    capture = CaptureFile(LINKTYPE_RAW)
    capture.add(AT, "client", IPV4)
    reader = dpkt.pcap.Reader(io.BytesIO(capture.pcap()))
    ((stamp, packet),) = list(reader)
    assert (LINKTYPE_RAW, IPV4) == (reader.datalink(), packet)
    assert int(AT) == int(stamp * 1_000_000_000)


def test_pcapng_is_read_back_by_dpkt() -> None:
    """pcapng with a comment, a named interface and packets that need padding."""
    capture = CaptureFile(LINKTYPE_ETHERNET, comment="a title")
    capture.add(AT, "server", IPV4)
    capture.add(AT + 1_000, "client", IPV6)
    reader = dpkt.pcapng.Reader(io.BytesIO(capture.pcapng()))
    (first, packet), (second, _) = list(reader)
    assert MAC["client"] + MAC["server"] + b"\x08\x00" + IPV4 == packet
    assert AT / 1e9 == pytest.approx(first, abs=1e-6)  # dpkt gives float seconds
    assert second - first == pytest.approx(1e-6, abs=3e-7)


@pytest.mark.parametrize("suffix", OPENERS)
def test_name_says_how_it_is_compressed(suffix: str, tmp_path: Path) -> None:
    """Each suffix is that compression of the same bytes."""
    capture = CaptureFile()
    capture.add(AT, "client", IPV6)
    path = tmp_path / f"capture.pcapng{suffix}"
    capture.write(path)
    assert capture.pcapng() == OPENERS[suffix](path.read_bytes())


def test_plain_name_is_not_compressed(tmp_path: Path) -> None:
    """`.pcap` is the pcap itself."""
    capture = CaptureFile()
    capture.write(tmp_path / "capture.pcap")
    assert capture.pcap() == (tmp_path / "capture.pcap").read_bytes()
