"""`Segments`: a batch of TCP segments, and of ICMP errors about TCP, one row each."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar

from tcptrace.columns import Rows


class Kind(IntEnum):
    """What a row is: a segment, a segment whose TCP header is damaged, an ICMP error about one."""

    SEGMENT = 0
    DAMAGED = 1
    ICMP_ERROR = 2


class Checksum(IntEnum):
    """What the TCP checksum says, as far as the kept octets allow a verdict."""

    UNKNOWN = 0
    GOOD = 1
    BAD = 2
    OFFLOADED = 3


class Mark(IntFlag):
    """What is odd about the packet that carried the segment."""

    IP_CHECKSUM = 1  # the IPv4 header's checksum is wrong: no receiver takes it in
    HEADER_CUT = 2  # the snap length cut the TCP header: options, or more, are unknown
    SUPER_SEGMENT = 4  # longer than any link carries: joined or not yet cut by the interface


class Segments(Rows):
    """A batch of segments in capture order. An ICMP error's addresses, ports, seq are quoted."""

    COLUMNS: ClassVar[dict[str, str]] = {
        "time": "ns since the epoch, UTC",
        "packet": "1-based number of the packet in its file",
        "file": "which file of the capture, from 0",
        "kind": "Kind: segment, damaged (ports known, header lies or is cut), ICMP error",
        "src_hi": "source address, upper 64 bits of the IPv6 form (IPv4 as ::ffff:a.b.c.d)",
        "src_lo": "source address, lower 64 bits",
        "dst_hi": "destination address, upper 64 bits",
        "dst_lo": "destination address, lower 64 bits",
        "src_port": "source port",
        "dst_port": "destination port",
        "path": "hash of the VLAN and tunnel ids around the innermost IP header; 0 without any",
        "interface": "which interface of the capture",
        "ttl": "TTL or hop limit of the innermost IP header",
        "ip_id": "IPv4 identification; -1 for IPv6",
        "dont_fragment": "1 if IPv4's DF bit is set",
        "seq": "SEG.SEQ, unsigned 32 bits",
        "ack": "SEG.ACK, unsigned 32 bits; 0 without the ACK bit",
        "flags": "control bits, tcp.flags",
        "window": "SEG.WND as it stands in the header, unscaled",
        "payload": "octets of payload by the IP header, never by the snap length",
        "kept": "octets of that payload which were captured",
        "checksum": "Checksum: the verdict",
        "checksum_field": "the 16 bits themselves; equal ones mark a copy of the same payload",
        "mss": "MSS option; -1 without",
        "window_scale": "window scale option's shift; -1 without",
        "sack_permitted": "1 with the option",
        "has_timestamp": "1 with the timestamps option",
        "tsval": "TSval; 0 without the option",
        "tsecr": "TSecr; 0 without the option",
        "sack_blocks": "how many SACK blocks are in the header, 0 to 4",
        "sack_1_left": "first SACK block, left edge",
        "sack_1_right": "first SACK block, right edge (one past)",
        "sack_2_left": "second SACK block",
        "sack_2_right": "second SACK block",
        "sack_3_left": "third SACK block",
        "sack_3_right": "third SACK block",
        "sack_4_left": "fourth SACK block",
        "sack_4_right": "fourth SACK block",
        "fast_open": "1 with a TCP Fast Open option, a cookie or a request for one",
        "icmp": "ICMP type * 256 + code of an ICMP error (ICMPv6: 65536 more)",
        "icmp_hi": "who sent the ICMP error, upper 64 bits",
        "icmp_lo": "who sent the ICMP error, lower 64 bits",
        "marks": "Mark bits: what is odd about the packet that carried it; 0 for nothing",
        "slot": "filled in by the tracker: the place of the connection in its table",
        "sender": "filled in by the tracker: 0 if sent by the endpoint seen first, 1 by the other",
        "opens": "filled in by the tracker: 1 where a new connection begins in that slot",
        "copy": "filled in by the tracker: 1 for the same packet, captured once more",
        "clock": "filled in by the tracker: the latest time of any segment so far, ns",
    }
