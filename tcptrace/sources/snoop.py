"""snoop (RFC 1761): Solaris' capture format, and Shomiti Surveyor's kind of it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tcptrace.errors import CaptureError
from tcptrace.sources import records
from tcptrace.sources.facts import FileFacts, InterfaceFacts
from tcptrace.sources.packets import Packets
from tcptrace.sources.reading import longest_packet, read_records
from tcptrace.sources.window import Window

MAGIC = b"snoop\0\0\0"

# What a link type number that has no LINKTYPE becomes; no decoder knows it.
UNKNOWN_LINK_TYPE = 0xFFFF

_ETHERNET, _TOKEN_RING, _FDDI, _NULL = 1, 6, 10, 0
_IP_OVER_FC, _SUNATM, _IPNET = 122, 123, 226
_VERSIONS = range(2, 6)
_SHOMITI_TRAILER = 16

# Datalink number (RFC 1761 section 4, beyond 9 Solaris' dlpi.h) → LINKTYPE.
LINK_TYPES = {
    0: _ETHERNET,
    2: _TOKEN_RING,
    4: _ETHERNET,
    8: _FDDI,
    9: _NULL,
    14: _NULL,
    16: _IP_OVER_FC,
    18: _SUNATM,
    25: _ETHERNET,
    0x80000005: _IPNET,
}
# Surveyor gives the numbers beyond 9 its own meanings (Wireshark's wiretap/snoop.c).
SHOMITI_LINK_TYPES = {
    0: _ETHERNET,
    2: _TOKEN_RING,
    4: _ETHERNET,
    8: _FDDI,
    10: _ETHERNET,
    11: _TOKEN_RING,
    12: _ETHERNET,
    13: _TOKEN_RING,
    14: _TOKEN_RING,
    19: _ETHERNET,
}


def read_snoop(window: Window, facts: FileFacts, file: int) -> Iterator[Packets]:
    """Batches of the packets of a snoop file whose first octet is the window's.

    CaptureError if the header is cut short or of a version other than 2 to 5.
    """
    facts.format = "snoop"
    if not window.need(16):
        raise CaptureError(facts.path, "expected a snoop header of 16 bytes", len(window))
    version, datalink = struct.unpack(">8xII", window.peek(16))
    if version not in _VERSIONS:
        raise CaptureError(facts.path, f"expected snoop version 2 to 5, not {version}", 8)
    window.skip(16)
    link_types = SHOMITI_LINK_TYPES if _is_shomiti(window) else LINK_TYPES
    link_type = link_types.get(datalink, UNKNOWN_LINK_TYPE)
    walk = records.RecordWalk(file, link_type, longest_packet(link_type, 0))
    walk.snoop = True
    walk.header = records.SNOOP_HEADER
    facts.interfaces.append(InterfaceFacts(link_type))
    yield from read_records(window, walk, facts)


def _is_shomiti(window: Window) -> bool:
    """Whether the first record has room for the trailer that Surveyor writes."""
    if not window.need(records.SNOOP_HEADER):
        return False
    captured, length = struct.unpack(">4xII", window.peek(12))
    return bool(length >= records.SNOOP_HEADER + captured + _SHOMITI_TRAILER)
