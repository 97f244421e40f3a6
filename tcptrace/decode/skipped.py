"""Why a packet gives no segment, and what else is counted on the way: names of the counters."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Why a packet has no row in Segments; the name a user reads is `REASONS[reason]`."""

    NOT_IP = 0
    UDP = 1
    ICMP = 2
    OTHER_TRANSPORT = 3
    TRUNCATED_LINK = 4
    TRUNCATED_IP = 5
    TRUNCATED_TCP = 6
    DAMAGED_LINK = 7
    DAMAGED_IP = 8
    FRAGMENT = 9
    FRAGMENT_INCOMPLETE = 10
    LINK_TYPE_UNKNOWN = 11
    TOO_DEEP = 12
    ENCRYPTED = 13
    COMPRESSED = 14
    WLAN_NOT_DATA = 15
    WLAN_FRAGMENT = 16
    TRUNCATED_TUNNEL = 17


REASONS: dict[Reason, str] = {
    Reason.NOT_IP: "not-ip",
    Reason.UDP: "udp",
    Reason.ICMP: "icmp",
    Reason.OTHER_TRANSPORT: "other-transport",
    Reason.TRUNCATED_LINK: "truncated-link",
    Reason.TRUNCATED_IP: "truncated-ip",
    Reason.TRUNCATED_TCP: "truncated-tcp",
    Reason.DAMAGED_LINK: "damaged-link",
    Reason.DAMAGED_IP: "damaged-ip",
    Reason.FRAGMENT: "ip-fragment",
    Reason.FRAGMENT_INCOMPLETE: "ip-fragment-incomplete",
    Reason.LINK_TYPE_UNKNOWN: "link-type-unknown",
    Reason.TOO_DEEP: "nested-too-deep",
    Reason.ENCRYPTED: "encrypted",
    Reason.COMPRESSED: "compressed",
    Reason.WLAN_NOT_DATA: "wlan-not-data",
    Reason.WLAN_FRAGMENT: "wlan-fragment",
    Reason.TRUNCATED_TUNNEL: "truncated-tunnel",
}


class Tally(IntEnum):
    """What the kernels count besides; the name a user reads is `TALLIES[tally]`."""

    CUT = 0
    BAD_IP_CHECKSUM = 1
    BAD_TCP_CHECKSUM = 2
    OFFLOADED = 3
    SUPER_SEGMENT = 4
    DAMAGED_TCP = 5
    OPTIONS_CUT = 6
    OPTIONS_DAMAGED = 7
    FRAGMENTS = 8
    REASSEMBLED = 9
    FRAGMENTS_DROPPED = 10
    FRAGMENT_OVERLAPS = 11
    UNUSUAL = 12
    DECOMPRESSED = 13
    MORE_SUBFRAMES = 14


TALLIES: dict[Tally, str] = {
    Tally.CUT: "packets-cut-by-snap-length",
    Tally.BAD_IP_CHECKSUM: "bad-ip-checksums",
    Tally.BAD_TCP_CHECKSUM: "bad-tcp-checksums",
    Tally.OFFLOADED: "offloaded-tcp-checksums",
    Tally.SUPER_SEGMENT: "super-segments",
    Tally.DAMAGED_TCP: "damaged-tcp-headers",
    Tally.OPTIONS_CUT: "tcp-options-cut",
    Tally.OPTIONS_DAMAGED: "tcp-options-damaged",
    Tally.FRAGMENTS: "ip-fragments",
    Tally.REASSEMBLED: "ip-datagrams-reassembled",
    Tally.FRAGMENTS_DROPPED: "ip-fragments-dropped",
    Tally.FRAGMENT_OVERLAPS: "ip-fragment-overlaps",
    Tally.UNUSUAL: "packets-decoded-by-scapy",
    Tally.DECOMPRESSED: "ipcomp-decompressed",
    Tally.MORE_SUBFRAMES: "segments-beyond-one-a-packet",
}
