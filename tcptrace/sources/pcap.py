"""Classic pcap: both byte orders, every magic number and record layout that is in the field.

Read `LAYOUTS` first. Sources: libpcap's sf-pcap.c, Wireshark's wiretap/libpcap.c (the
variants that no magic number tells apart are found as there, by trying three records).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tcptrace.errors import CaptureError
from tcptrace.sources import records
from tcptrace.sources.facts import FileFacts, InterfaceFacts
from tcptrace.sources.packets import Packets
from tcptrace.sources.reading import longest_packet, read_records
from tcptrace.sources.window import Window


@dataclass(frozen=True)
class Layout:
    """One kind of pcap: its name, ns in a unit of time, octets of a record header.

    `extra` octets follow the file header; `padding` octets stand before each FDDI packet.
    """

    name: str
    unit: int
    header: int = 16
    extra: int = 0
    padding: int = 0


_PLAIN = Layout("pcap", 1000)
_SS990417 = Layout("pcap-ss990417", 1000, header=24)
_NOKIA = Layout("pcap-nokia", 1000, header=20)
_AIX = Layout("pcap-aix", 1)

# Magic number → the layouts it may mean, the likeliest first.
LAYOUTS: dict[int, tuple[Layout, ...]] = {
    0xA1B2C3D4: (_PLAIN, _SS990417, _NOKIA),
    0xA1B23C4D: (Layout("pcap-ns", 1),),
    0xA1B2CD34: (
        Layout("pcap-modified", 1000, header=24),  # Kuznetzov's, ss991029
        Layout("pcap-ss990915", 1000, header=28),  # the same magic, SuSE 6.3
    ),
    0x1C0001AC: (Layout("pcap-ixia-hardware", 1, extra=4),),
    0x1C0001AB: (Layout("pcap-ixia-software", 1000, extra=4),),
}
MAGICS = {
    magic.to_bytes(4, order): (order, layouts)  # type: ignore[arg-type]
    for magic, layouts in LAYOUTS.items()
    for order in ("little", "big")
}

# AIX writes version 2.2 with RFC 1573's ifType → our LINKTYPE, and nanoseconds.
_AIX_LINK_TYPES = {6: 1, 9: 6, 15: 10, 24: 0}
_FDDI = 10
_AIX_FDDI_PADDING = 3

_LINK_TYPE_BITS = 0x03FFFFFF
_FCS_PRESENT = 0x04000000
_DG_UX_VERSION = 543


@dataclass(frozen=True)
class Header:
    """The 24 octets at the start of a file, and what follows from them."""

    big_endian: bool
    version: tuple[int, int]
    snap_length: int
    network: int
    layouts: tuple[Layout, ...]

    @property
    def is_aix(self) -> bool:
        """Version 2.2 with an interface type that no libpcap of that age used as link type."""
        return (
            self.layouts[0] is _PLAIN and self.version == (2, 2) and self.network in _AIX_LINK_TYPES
        )

    @property
    def link_type(self) -> int:
        """LINKTYPE number, without the bits that tell the FCS length."""
        if self.is_aix:
            return _AIX_LINK_TYPES[self.network]
        return self.network & _LINK_TYPE_BITS

    @property
    def fcs_bits(self) -> int | None:
        """Length of the frame check sequence at a packet's end, where the file says so."""
        return (self.network >> 28) * 16 if self.network & _FCS_PRESENT else None

    @property
    def lengths(self) -> int:
        """Which of a record's two lengths comes first; it changed with version 2.3."""
        if self.version[0] == _DG_UX_VERSION or self.version < (2, 3):
            return records.LENGTH_FIRST
        return records.SMALLER_IS_CAPTURED if self.version == (2, 3) else records.CAPTURED_FIRST


def read_pcap(window: Window, facts: FileFacts, file: int) -> Iterator[Packets]:
    """Batches of the packets of a pcap file whose first octet is the window's.

    CaptureError if the header is cut short or of a version before 2.
    """
    header = _read_header(window, facts)
    layout = _choose_layout(window, header)
    facts.format = layout.name
    facts.interfaces.append(
        InterfaceFacts(header.link_type, header.snap_length, fcs_bits=header.fcs_bits)
    )
    walk = records.Walk(file)
    walk.big_endian = header.big_endian
    walk.header = layout.header
    walk.unit = layout.unit
    walk.lengths = header.lengths
    walk.padding = layout.padding
    walk.link_type = header.link_type
    walk.limit = longest_packet(header.link_type, header.snap_length)
    yield from read_records(window, walk, records.walk_pcap, facts)


def _read_header(window: Window, facts: FileFacts) -> Header:
    if not window.need(24):
        raise CaptureError(facts.path, "expected a pcap header of 24 bytes", len(window))
    octets = window.peek(24)
    order, layouts = MAGICS[octets[:4]]
    form = ">4xHH8xII" if order == "big" else "<4xHH8xII"
    major, minor, snap_length, network = struct.unpack(form, octets)
    if major < 2:
        raise CaptureError(facts.path, f"expected pcap version 2, not {major}.{minor}", 4)
    window.skip(24)
    if not window.skip(layouts[0].extra):
        raise CaptureError(facts.path, "expected 4 bytes more of file header", 24)
    return Header(order == "big", (major, minor), snap_length, network, layouts)


def _choose_layout(window: Window, header: Header) -> Layout:
    if header.is_aix:
        padding = _AIX_FDDI_PADDING if header.link_type == _FDDI else 0
        return Layout(_AIX.name, _AIX.unit, padding=padding)
    return header.layouts[0]
