"""Wireshark's tcp.completeness: what of a connection's life a stream has shown, packet-tcp.c."""

from __future__ import annotations

from enum import IntFlag

import numpy as np

from tcptrace.columns import Matrix
from tcptrace.decode.segments import Kind, Segments
from tcptrace.tcp.flags import ACK, FIN, RST, SYN


class Completeness(IntFlag):
    """The bits of Wireshark's tcp.completeness."""

    SYN = 1
    SYN_ACK = 2
    ACK = 4
    DATA = 8
    FIN = 16
    RST = 32


def adds(control_bits: int, has_payload: bool) -> Completeness:
    """What a segment adds to its stream's completeness, packet-tcp.c."""
    done = Completeness(0)
    if control_bits & (SYN | ACK) == SYN:
        done |= Completeness.SYN | (Completeness.DATA if has_payload else done)
    elif control_bits & SYN:
        done |= Completeness.SYN_ACK
    elif control_bits & ACK:
        done |= Completeness.DATA if has_payload else Completeness.ACK
    if control_bits & (FIN | ACK) == FIN | ACK:
        done |= Completeness.FIN
    return done | Completeness.RST if control_bits & RST else done


# By the five control bits FIN to ACK, twice each: without and with payload.
_ADDS = np.array([adds(bits, data) for bits in range(2 * ACK) for data in (False, True)], np.int64)


class Streams:
    """The completeness of many connections, each in the slot that the tracker gave it.

    A slot may be opened again between two batches, not within one.
    """

    def __init__(self) -> None:
        self._seen = np.zeros(0, np.int64)
        self._segments = np.zeros(0, np.int64)

    def feed(self, rows: memoryview, count: int) -> None:
        """Take in the first `count` rows of `Segments.cells`; slot and opens are filled in."""
        segments = Segments(np.asarray(rows).reshape(-1, Segments.width())[:count])
        self._open(segments.slot[segments.opens == 1], int(segments.slot.max(initial=0)))
        seen = segments.kind == Kind.SEGMENT
        slots, kinds = segments.slot[seen], 2 * (segments.flags[seen] & (2 * ACK - 1))
        np.bitwise_or.at(self._seen, slots, _ADDS[kinds + (segments.payload[seen] > 0)])
        np.add.at(self._segments, slots, 1)

    def of(self, slots: Matrix) -> Matrix:
        """tcp.completeness of each slot: what its segments added up to.

        0 for a lonely segment that is no SYN, as tshark's second pass shows it, and for a slot
        that was never fed.
        """
        known = slots < len(self._seen)
        places = np.where(known, slots, 0)
        if not len(self._seen):
            return np.zeros(len(slots), np.int64)
        alone = (self._segments[places] == 1) & (self._seen[places] & Completeness.SYN == 0)
        return np.where(known & ~alone, self._seen[places], 0)

    def _open(self, opened: Matrix, highest: int) -> None:
        if highest >= len(self._seen):
            room = np.zeros(max(64, 2 * highest + 1) - len(self._seen), np.int64)
            self._seen = np.concatenate([self._seen, room])
            self._segments = np.concatenate([self._segments, room])
        self._seen[opened] = self._segments[opened] = 0
