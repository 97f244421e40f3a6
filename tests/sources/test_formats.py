"""What a file is, by its first bytes; what is said of those that are no capture."""

from __future__ import annotations

import gzip
import io

import pytest

from tcptrace.errors import CaptureError
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.formats import STRANGERS, open_window
from tests.sources.crafted import SOME, pcap


def refused(octets: bytes) -> str:
    """The message of the CaptureError."""
    with pytest.raises(CaptureError) as raised:
        open_window(io.BytesIO(octets), FileFacts("made"))
    assert 0 == raised.value.offset
    assert "made" == raised.value.source
    return str(raised.value)


def test_empty_file() -> None:
    """Zero bytes are no capture, packed or not."""
    assert refused(b"").endswith("this is an empty file")
    assert refused(gzip.compress(b"")).endswith("this is gzip of an empty file")


def test_text_file() -> None:
    """Text is told from other garbage."""
    assert refused(b"No.,Time,Source\n1,0.0,").endswith("this is a text file")


def test_garbage() -> None:
    """The first bytes help to find out what it is."""
    assert refused(bytes([0xDE, 0xAD, 0xBE, 0xEF]) * 10).endswith("this begins with de ad be ef")


def test_short_file() -> None:
    """Fewer bytes than any magic number."""
    assert "this begins with d4 c3" in refused(b"\xd4\xc3")


@pytest.mark.parametrize("magic", STRANGERS)
def test_strangers_are_told_what_to_do(magic: bytes) -> None:
    """Archives and captures of other programs are recognised."""
    message = refused(magic + bytes(100))
    assert "unpack it first" in message or "convert it with editcap" in message


def test_damaged_gzip_header() -> None:
    """A packed file of which nothing can be unpacked."""
    assert "the gzip stream is damaged" in refused(b"\x1f\x8b\xff\xff" + bytes(30))


def test_window_is_left_at_the_first_byte() -> None:
    """Looking at the magic number takes nothing away."""
    window, _ = open_window(io.BytesIO(pcap(SOME)), FileFacts("made"))
    assert 0 == window.position
    assert pcap(SOME)[:24] == window.peek(24)
