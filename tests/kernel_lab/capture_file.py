"""`CaptureFile`: what the tap saw, as a pcap or pcapng file with nanosecond stamps.

Written by hand from the file formats (pcapng: draft-ietf-opsawg-pcapng), so that tcptrace's
readers are not tested against another library's habits.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

LINKTYPE_ETHERNET = 1
LINKTYPE_RAW = 101
SNAP_LENGTH = 65535

PCAP_NS_MAGIC = 0xA1B23C4D
PCAP_HEADER = struct.Struct("<IHHiIII")
PCAP_RECORD = struct.Struct("<IIII")
SECTION, INTERFACE, ENHANCED_PACKET = 0x0A0D0D0A, 1, 6
BYTE_ORDER_MAGIC = 0x1A2B3C4D
OPT_COMMENT, IF_NAME, IF_TSRESOL = 1, 2, 9
NANOSECONDS = b"\x09"

# Locally administered, made up: a TUN device has no Ethernet.
MAC = {"client": bytes.fromhex("02000a000001"), "server": bytes.fromhex("02000a000002")}
ETHERTYPE = {4: b"\x08\x00", 6: b"\x86\xdd"}


@dataclass
class CaptureFile:
    """Packets in the order in which the tap saw them; `link_type` Ethernet or raw IP."""

    link_type: int = LINKTYPE_ETHERNET
    comment: str = ""
    records: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, at: int, sender: str, packet: bytes) -> None:
        """An IP packet seen at `at`, ns since the epoch."""
        framed = _ethernet(sender, packet) if self.link_type == LINKTYPE_ETHERNET else packet
        self.records.append((at, framed))

    def write(self, path: Path) -> None:
        """The file, in the format and the compression that its name says."""
        suffixes = path.suffixes
        made = self.pcapng() if ".pcapng" in suffixes else self.pcap()
        path.write_bytes(_compressor(suffixes[-1])(made))

    def pcap(self) -> bytes:
        """The whole capture as a nanosecond pcap file, little-endian."""
        header = PCAP_HEADER.pack(PCAP_NS_MAGIC, 2, 4, 0, 0, SNAP_LENGTH, self.link_type)
        return header + b"".join(_record(at, packet) for at, packet in self.records)

    def pcapng(self) -> bytes:
        """The whole capture as one pcapng section with one interface, little-endian."""
        section = struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1)
        section += _options((OPT_COMMENT, self.comment.encode()))
        interface = struct.pack("<HHI", self.link_type, 0, SNAP_LENGTH)
        interface += _options((IF_NAME, b"wire"), (IF_TSRESOL, NANOSECONDS))
        packets = (_block(ENHANCED_PACKET, _enhanced(at, packet)) for at, packet in self.records)
        return _block(SECTION, section) + _block(INTERFACE, interface) + b"".join(packets)


def read_pcap(path: Path) -> list[tuple[int, bytes]]:
    """The records of a file that `CaptureFile.pcap` has made."""
    data = path.read_bytes()
    records = []
    offset = PCAP_HEADER.size
    while offset < len(data):
        seconds, nanoseconds, length, _ = PCAP_RECORD.unpack_from(data, offset)
        offset += PCAP_RECORD.size
        records.append((seconds * 1_000_000_000 + nanoseconds, data[offset : offset + length]))
        offset += length
    return records


def _ethernet(sender: str, packet: bytes) -> bytes:
    receiver = "server" if sender == "client" else "client"
    return MAC[receiver] + MAC[sender] + ETHERTYPE[packet[0] >> 4] + packet


def _record(at: int, packet: bytes) -> bytes:
    seconds, nanoseconds = divmod(at, 1_000_000_000)
    return PCAP_RECORD.pack(seconds, nanoseconds, len(packet), len(packet)) + packet


def _enhanced(at: int, packet: bytes) -> bytes:
    head = struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, len(packet), len(packet))
    return head + _padded(packet)


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12  # its kind and its length twice
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _options(*options: tuple[int, bytes]) -> bytes:
    end = struct.pack("<HH", 0, 0)
    told = (struct.pack("<HH", code, len(text)) + _padded(text) for code, text in options)
    return b"".join(told) + end


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=19).compress(data)


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _compressor(suffix: str) -> Callable[[bytes], bytes]:
    known = {".gz": _gzip, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": _zstd}
    return known.get(suffix, bytes)
