"""`Datagrams`: how far each packet has been walked, towards its innermost IP datagram.

What `plain` does not read is walked by the other kernels of this floor, which meet in these columns
only. Each takes the rows whose `header` is in its group, steps over headers until the next one
belongs to another group, and says which groups it left rows at. `decoder.py` runs the groups until
all rows are in the last one.
"""

from __future__ import annotations

from typing import ClassVar

from tcptrace.columns import Rows

MAX_DEPTH = 48  # headers in one packet; real stacks of tunnels need less than 20

# How an id is mixed into `path`: its lower half times the one, cut to so many bits.
PATH_MULTIPLIER = 0x2545F491
PATH_BITS = 62


class Datagrams(Rows):
    """One row a packet (or a part of one: an A-MSDU's subframe): where the walk stands."""

    COLUMNS: ClassVar[dict[str, str]] = {
        "row": "the packet's row in `Packets`",
        "header": "Header: what stands at `at`",
        "at": "offset in `data` of the header to be read next",
        "kept_end": "offset of the first octet that was not captured, or is beyond `end`",
        "end": "offset one past the last octet on the wire, by the innermost length field",
        "network_at": "offset of the innermost IP header; -1 where it is in another buffer",
        "src_hi": "source address, as in Segments",
        "src_lo": "source address",
        "dst_hi": "destination address",
        "dst_lo": "destination address",
        "address_sum": "sum of the pseudo-header's addresses in 16-bit words, folded to 16 bits",
        "ttl": "TTL or hop limit",
        "ip_id": "IPv4 identification; -1 for IPv6",
        "dont_fragment": "1 if IPv4's DF bit is set",
        "icmp_hi": "who sent the ICMP error",
        "icmp_lo": "who sent the ICMP error",
        # from here on, a walk begins with zeros
        "value": "Reason: why a row at SKIPPED gives no segment",
        "path": "hash of the VLAN and tunnel ids so far",
        "depth": "headers walked so far",
        "more_at": "where the next subframe of an A-MSDU begins; 0 if none",
        "more_end": "`end` of the A-MSDU",
        "more_kept": "`kept_end` of the A-MSDU",
        "checksum": "Checksum: the verdict on the TCP checksum",
        "marks": "Mark bits, as in Segments",
        "icmp": "ICMP error that quotes what comes now, as in Segments; 0 if none",
    }
