"""The record layouts of classic pcap, and which one a file uses where its magic does not tell.

Read `LAYOUTS` first. Sources: libpcap's sf-pcap.c; Wireshark's wiretap/libpcap.c, whose way of
telling variants apart this is: try each on the first records, take the one that fits best.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """One kind of pcap: its name, ns in a unit of time, octets of a record header.

    `extra` octets follow the file header; `padding` octets stand before each packet.
    """

    name: str
    unit: int
    header: int = 16
    extra: int = 0
    padding: int = 0


PLAIN = Layout("pcap", 1000)
AIX = Layout("pcap-aix", 1)
AIX_FDDI = Layout("pcap-aix", 1, padding=3)
NOKIA = Layout("pcap-nokia", 1000, header=20)

# Magic number → the layouts it may mean, the likeliest first.
LAYOUTS: dict[int, tuple[Layout, ...]] = {
    0xA1B2C3D4: (PLAIN, Layout("pcap-ss990417", 1000, header=24), NOKIA),
    0xA1B23C4D: (Layout("pcap-ns", 1),),
    0xA1B2CD34: (
        Layout("pcap-modified", 1000, header=24),  # Kuznetzov's, ss991029
        Layout("pcap-ss990915", 1000, header=28),  # the same magic, SuSE 6.3
    ),
    0x1C0001AC: (Layout("pcap-ixia-hardware", 1, extra=4),),
    0x1C0001AB: (Layout("pcap-ixia-software", 1000, extra=4),),
}

# So many octets hold the records that are tried: usually, and at most.
TRIED_OCTETS = (1 << 14, 1 << 20)
_TRIED_RECORDS = 3
_LONGEST_BELIEVED = 1 << 27
_MICROSECONDS = 1_000_000
_MOST_INTERFACES = 10_000

# What the `protocol` of a patched record may be: an EtherType, or Linux's numbers below them.
_ETHERTYPES = 0x0600
_LINUX_PROTOCOLS = frozenset({*range(0x18), 0x0060, 0x0200, 0x0400})
_LAST_PACKET_TYPE = 4
# The four octets that Nokia's records end with look like 0xXFBFYZ0W.
_NOKIA_MASK = 0x0FFF00F0
_NOKIA_FIXED = 0x0FBF0000
_NOKIA_DIGITS = ((28, (9, 11)), (12, (11, 13)), (8, (6, 9)), (0, (1, 2)))


def best_layout(
    layouts: tuple[Layout, ...], octets: memoryview, order: str, snap_length: int, limit: int
) -> tuple[Layout, bool]:
    """The layout with the fewest oddities in the first records, the likelier one if equal.

    And whether its records are whole: if not, more octets may tell better. `octets` begin with
    the first record, `order` is struct's "<" or ">", `limit` the greatest length that can be.
    """
    judged = [_oddities(layout, octets, order, (snap_length, limit)) for layout in layouts]
    best = min(range(len(layouts)), key=lambda at: judged[at][0])
    return layouts[best], judged[0][1] and judged[best][1]


def _oddities(
    layout: Layout, octets: memoryview, order: str, limits: tuple[int, int]
) -> tuple[int, bool]:
    """How many things are odd in the first records, and whether these are whole."""
    # A cut capture is far likelier than one of the old variants: in plain pcap it is not odd.
    cut = int(layout is not PLAIN)
    count: int = 0
    at: int = 0
    for _ in range(_TRIED_RECORDS):
        if at == len(octets):
            break
        if at + PLAIN.header > len(octets):
            return count + cut, False
        _, fraction, captured, length = struct.unpack_from(order + "4I", octets, at)
        count += int(fraction >= _MICROSECONDS)
        count += sum(captured > limit for limit in limits)
        count += int(length > _LONGEST_BELIEVED) + int(captured > length)
        if at + layout.header > len(octets):
            return count + cut, False
        count += _extra_oddities(layout, octets[at + PLAIN.header : at + layout.header], order)
        if captured > limits[1]:
            break
        at += layout.header + captured
        if at > len(octets):
            return count + cut, False
    return count, at < len(octets)


def _extra_oddities(layout: Layout, octets: memoryview, order: str) -> int:
    """What is odd in the part of a record header that plain pcap has not."""
    if not octets:
        return 0
    if layout is NOKIA:
        (stuff,) = struct.unpack_from("=I", octets)
        digits = all(stuff >> shift & 15 in digits for shift, digits in _NOKIA_DIGITS)
        return int(not (digits and stuff & _NOKIA_MASK == _NOKIA_FIXED))
    interface, protocol, packet_type = struct.unpack_from(order + "IHB", octets)
    known = protocol >= _ETHERTYPES or protocol in _LINUX_PROTOCOLS
    return sum((interface > _MOST_INTERFACES, not known, packet_type > _LAST_PACKET_TYPE))
