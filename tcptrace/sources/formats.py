"""Which format a file is in, told by its first bytes, never by its name.

`FORMATS` are read here; `STRANGERS` are recognised so that the error can say what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tcptrace.errors import CaptureError
from tcptrace.sources import pcap, pcapng, snoop
from tcptrace.sources.compressed import Unpacked, compression_of
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.packets import Packets
from tcptrace.sources.window import CHUNK, Stream, Window

Reader = Callable[[Window, FileFacts, int], Iterator[Packets]]

FORMATS: dict[tuple[bytes, ...], Reader] = {
    tuple(pcap.MAGICS): pcap.read_pcap,
    (pcapng.MAGIC,): pcapng.read_pcapng,
    (snoop.MAGIC,): snoop.read_snoop,
}

# First bytes → what the file is, and what its owner can do.
STRANGERS: dict[bytes, str] = {
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"\x1f\x9d": "a file packed by compress(1); unpack it first",
    b"\x02\x21\x4c\x18": "an lz4 file in the legacy format; unpack it first",
    b"GMBU": "a Network Monitor capture; convert it with editcap -F pcapng",
    b"RTSS": "a Network Monitor capture; convert it with editcap -F pcapng",
    b"TRSNIFF data": "a Sniffer capture; convert it with editcap -F pcapng",
    b"XCP\0": "a NetXray or Sniffer capture; convert it with editcap -F pcapng",
    b"5VW\0": "a 5Views capture; convert it with editcap -F pcapng",
    b"\x7fver": "a Peek capture; convert it with editcap -F pcapng",
}

_LONGEST_MAGIC = 12
_TEXT = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\r\n")
_EXPECTED = "expected a pcap, pcapng or snoop capture (plain, or by gzip, bzip2, xz, zstd or lz4)"


def open_window(stream: Stream, facts: FileFacts, chunk: int = CHUNK) -> tuple[Window, Reader]:
    """The uncompressed bytes of a stream, and what reads them.

    `facts` gets the compression. CaptureError for an empty file and for one that is no capture.
    """
    window = Window(stream, chunk)
    head = _head(window)
    compression = compression_of(head)
    if compression:
        window = Window(Unpacked(window, compression, facts), chunk)
        head = _head(window)
        if compression_of(head):
            raise CaptureError(facts.path, "this file is compressed twice; unpack it once", 0)
    for magics, reader in FORMATS.items():
        if head.startswith(magics):
            return window, reader
    raise CaptureError(facts.path, _surprise(head, facts), 0)


def _head(window: Window) -> bytes:
    window.need(_LONGEST_MAGIC)
    return window.peek(_LONGEST_MAGIC)


def _surprise(head: bytes, facts: FileFacts) -> str:
    """What was expected of a file that begins with `head`, and what it seems to be instead."""
    packed = f"{facts.compression} of " if facts.compression else ""
    if facts.damage and not head:
        return facts.damage
    for magic, stranger in STRANGERS.items():
        if head.startswith(magic):
            return f"{_EXPECTED}; this is {packed}{stranger}"
    if not head:
        return f"{_EXPECTED}; this is {packed}an empty file"
    if all(octet in _TEXT for octet in head):
        return f"{_EXPECTED}; this is {packed}a text file"
    return f"{_EXPECTED}; this begins with {packed}{head[:4].hex(' ')}"
