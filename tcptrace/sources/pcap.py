"""Classic pcap: both byte orders, every magic number and record layout that is in the field.

Sources: libpcap's sf-pcap.c, Wireshark's wiretap/libpcap.c; `pcap_layouts` has the variants.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tcptrace.errors import CaptureError
from tcptrace.sources import records
from tcptrace.sources.facts import FileFacts, InterfaceFacts
from tcptrace.sources.packets import Packets
from tcptrace.sources.pcap_layouts import (
    AIX,
    AIX_FDDI,
    LAYOUTS,
    PLAIN,
    TRIED_OCTETS,
    Layout,
    best_layout,
)
from tcptrace.sources.reading import longest_packet, read_records
from tcptrace.sources.window import Window

MAGICS = {
    magic.to_bytes(4, order): (order, layouts)
    for magic, layouts in LAYOUTS.items()
    for order in ("little", "big")
}

# AIX writes version 2.2 with RFC 1573's ifType → our LINKTYPE, and nanoseconds.
_AIX_LINK_TYPES = {6: 1, 9: 6, 15: 10, 24: 0}
_FDDI = 10

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
            self.layouts[0] is PLAIN and self.version == (2, 2) and self.network in _AIX_LINK_TYPES
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
    yield from read_records(window, record_walk(window, facts, file), facts)


def record_walk(window: Window, facts: FileFacts, file: int) -> records.RecordWalk:
    """What walks the file's records, the first of which is the window's when this returns.

    CaptureError as `read_pcap`.
    """
    header = _read_header(window, facts)
    limit = longest_packet(header.link_type, header.snap_length)
    layout = _layout(window, header, limit, facts.size is None)
    facts.format = layout.name
    facts.interfaces.append(
        InterfaceFacts(header.link_type, header.snap_length, fcs_bits=header.fcs_bits)
    )
    walk = records.RecordWalk(file, header.link_type, limit)
    walk.big_endian = header.big_endian
    walk.header = layout.header
    walk.unit = layout.unit
    walk.lengths = header.lengths
    walk.padding = layout.padding
    return walk


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


def _layout(window: Window, header: Header, limit: int, is_pipe: bool) -> Layout:
    if header.is_aix:
        return AIX_FDDI if header.link_type == _FDDI else AIX
    # The variants came after version 2.4: an older file is none of them. And a pipe's first
    # record is to be told before its third has come, so there nothing can be tried.
    if header.lengths != records.CAPTURED_FIRST or is_pipe:
        return header.layouts[0]
    order = ">" if header.big_endian else "<"
    best = header.layouts[0]
    for count in TRIED_OCTETS:
        window.need(count)
        octets = window.octets[window.start : window.end]
        best, is_whole = best_layout(header.layouts, octets, order, header.snap_length, limit)
        if is_whole:
            break
    return best
