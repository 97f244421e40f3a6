"""What a worse capture of the same traffic would hold: `TAMPERINGS`, by what they take away.

Each takes the records of a capture of Ethernet packets, and chance, and gives other records. The
kernels' record stays what it was, so the loss of fidelity is that of the capture alone.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from random import Random

import dpkt

from .capture_file import MAC

Records = list[tuple[int, bytes]]
Tampering = Callable[[Records, Random], Records]

ETHERNET = 14
IPV4_ID = slice(4, 6)
IPV4_CHECKSUM = slice(10, 12)
IPV6_HEADER = 40
TCP_CHECKSUM = slice(16, 18)
NOP = 1
OPTION_END, OPTION_TIMESTAMPS, OPTION_SACK, OPTION_SACK_PERMITTED = 0, 8, 5, 4
UNCAPTURED = 0.05
HEAD = 0.3


def whole(records: Records, chance: Random) -> Records:
    """The capture as it is."""
    return records


def thinned(records: Records, chance: Random) -> Records:
    """Without 5 % of the packets, as a tap that is too slow leaves it."""
    return [record for record in records if chance.random() >= UNCAPTURED]


def one_direction(records: Records, chance: Random) -> Records:
    """What one of the two hosts has sent, as where routes are not symmetric."""
    sender = MAC[chance.choice(["client", "server"])]
    return [(at, packet) for at, packet in records if packet[6:12] == sender]


def headless(records: Records, chance: Random) -> Records:
    """Without its first 30 % of packets, as a capture that was begun too late."""
    return records[int(len(records) * HEAD) :]


def without_timestamps(records: Records, chance: Random) -> Records:
    """As if no segment had the timestamps option (RFC 7323)."""
    return _without_options(records, {OPTION_TIMESTAMPS})


def without_sack(records: Records, chance: Random) -> Records:
    """As if no segment had SACK or offered it (RFC 2018)."""
    return _without_options(records, {OPTION_SACK, OPTION_SACK_PERMITTED})


def without_ip_id(records: Records, chance: Random) -> Records:
    """As if IPv4's identification were always 0, which RFC 6864 allows; IPv6 has none."""
    return [(at, packet[:ETHERNET] + _anonymous(packet[ETHERNET:])) for at, packet in records]


TAMPERINGS: dict[str, Tampering] = {
    "as captured": whole,
    "5 % of the packets removed": thinned,
    "one direction removed": one_direction,
    "head cut off": headless,
    "timestamps removed": without_timestamps,
    "IP identification removed": without_ip_id,
    "SACK removed": without_sack,
}


def _without_options(records: Records, kinds: set[int]) -> Records:
    return [(at, packet[:ETHERNET] + _plain(packet[ETHERNET:], kinds)) for at, packet in records]


def _anonymous(packet: bytes) -> bytes:
    if packet[0] >> 4 != 4:
        return packet
    made = bytearray(packet)
    made[IPV4_ID] = made[IPV4_CHECKSUM] = bytes(2)
    header = (packet[0] & 0x0F) * 4
    made[IPV4_CHECKSUM] = struct.pack("!H", dpkt.in_cksum(bytes(made[:header])))
    return bytes(made)


def _plain(packet: bytes, kinds: set[int]) -> bytes:
    """The packet with some TCP options turned to no-operation; the checksum is right again."""
    start = IPV6_HEADER if packet[0] >> 4 == 6 else (packet[0] & 0x0F) * 4
    segment = bytearray(packet[start:])
    for place, length in list(_options(segment)):
        if segment[place] in kinds:
            segment[place : place + length] = bytes([NOP]) * length
    segment[TCP_CHECKSUM] = bytes(2)
    addresses = packet[8:40] if packet[0] >> 4 == 6 else packet[12:20]
    pseudo = addresses + struct.pack("!II", len(segment), dpkt.ip.IP_PROTO_TCP)
    segment[TCP_CHECKSUM] = struct.pack("!H", dpkt.in_cksum(pseudo + bytes(segment)))
    return packet[:start] + bytes(segment)


def _options(segment: bytearray) -> Iterator[tuple[int, int]]:
    """Where each option of a TCP header begins, and its length."""
    place, end = 20, (segment[12] >> 4) * 4
    while place < end and segment[place] != OPTION_END:
        length = 1 if segment[place] == NOP else segment[place + 1]
        yield place, length
        place += length
