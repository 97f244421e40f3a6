"""Segments for the Zeek model: made from `Seen`, or decoded from a capture, slots filled in."""

from __future__ import annotations

from ipaddress import IPv6Address
from pathlib import Path
from typing import NamedTuple

import numpy as np
from zeek_ends import Seen

from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Checksum, Kind, Segments
from tcptrace.sources.capture import open_capture
from tcptrace.tcp import flags as bits

BITS = {"S": bits.SYN, "F": bits.FIN, "R": bits.RST, "A": bits.ACK}


class Socket(NamedTuple):
    """One end of a four-tuple."""

    ip: str
    port: int


def made(conversation: list[Seen], slot: int = 0) -> Segments:
    """The rows of a conversation, in one slot."""
    segments = Segments.zeros(len(conversation))
    for row, seen in enumerate(conversation):
        values = {
            "time": seen.time,
            "seq": seen.seq,
            "ack": seen.ack,
            "flags": sum(BITS[letter] for letter in seen.flags),
            "window": seen.window,
            "payload": seen.payload,
            "kept": seen.payload if seen.kept is None else seen.kept,
            "src_port": seen.source,
            "dst_port": seen.target,
            "checksum": Checksum.BAD if seen.corrupt else Checksum.GOOD,
            "slot": slot,
            "sender": seen.sender,
            "opens": int(row == 0),
        }
        for column, value in values.items():
            getattr(segments, column)[row] = value
    return segments


def decoded(path: Path) -> Segments:
    """All segments of a capture."""
    decoder = Decoder()
    batches = [decoder.feed(packets) for packets in open_capture(str(path))]
    return Segments.concat([*batches, decoder.finish()])


def give_slots(segments: Segments) -> list[tuple[Socket, Socket]]:
    """One slot for each four-tuple, as Zeek keys them; slot → its ends, the first sender first."""
    places: dict[frozenset[Socket], int] = {}
    ends: list[tuple[Socket, Socket]] = []
    for row in np.flatnonzero(segments.kind != Kind.ICMP_ERROR):
        source, target = _socket(segments, row, "src"), _socket(segments, row, "dst")
        key = frozenset((source, target))
        if key not in places:
            places[key] = len(ends)
            ends.append((source, target))
            segments.opens[row] = 1
        segments.slot[row] = places[key]
        segments.sender[row] = int(ends[places[key]][0] != source)
    return ends


def _socket(segments: Segments, row: int, end: str) -> Socket:
    halves = [int(getattr(segments, f"{end}_{half}")[row]) % (1 << 64) for half in ("hi", "lo")]
    address = IPv6Address(halves[0] << 64 | halves[1])
    return Socket(str(address.ipv4_mapped or address), int(getattr(segments, f"{end}_port")[row]))
