# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Wireshark's tcp.completeness ⚙: what of its life each stream has shown, packet-tcp.c."""

from __future__ import annotations

from enum import IntFlag

import cython
import numpy as np

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
_ADDS = bytes(adds(control, data) for control in range(2 * ACK) for data in (False, True))
_ONE = 64  # beside Completeness: a segment was seen
_SEVERAL = 128  # and another
OPENED = int(Completeness.SYN) | _ONE  # a stream that a SYN begins
ANSWERS = int(Completeness.SYN_ACK) | _SEVERAL  # what a SYN,ACK adds to one that was begun

ADDS = cython.declare(bytes, _ADDS)
FIVE_BITS = cython.declare(cython.longlong, 2 * ACK - 1)
BEGINS = cython.declare(cython.longlong, int(Completeness.SYN))
DATA = cython.declare(cython.longlong, int(Completeness.DATA))
ALL = cython.declare(cython.longlong, 63)
ONE = cython.declare(cython.longlong, _ONE)
SEVERAL = cython.declare(cython.longlong, _SEVERAL)
WIDTH = cython.declare(cython.Py_ssize_t, Segments.width())
SLOT = cython.declare(cython.Py_ssize_t, Segments.index("slot"))
OPENS = cython.declare(cython.Py_ssize_t, Segments.index("opens"))
KIND = cython.declare(cython.Py_ssize_t, Segments.index("kind"))
FLAGS = cython.declare(cython.Py_ssize_t, Segments.index("flags"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Segments.index("payload"))
SEGMENT = cython.declare(cython.longlong, int(Kind.SEGMENT))
ICMP_ERROR = cython.declare(cython.longlong, int(Kind.ICMP_ERROR))


@cython.final
@cython.cclass
class Streams:
    """The completeness of many connections, each in the slot that the tracker gave it."""

    seen: cython.uchar[::1]
    rows: cython.longlong[::1]

    def __init__(self) -> None:
        self.seen = memoryview(np.zeros(64, np.uint8))

    def feed(self, rows: cython.longlong[::1], count: cython.Py_ssize_t) -> None:
        """Take in the first `count` rows of `Segments.cells`; slot and opens are filled in."""
        row: cython.Py_ssize_t
        self.look(rows, count)
        with cython.nogil:
            for row in range(count):
                if rows[row * WIDTH + KIND] != ICMP_ERROR:
                    self.add(row * WIDTH)

    @cython.ccall
    @cython.exceptval(-1)
    def look(self, rows: cython.longlong[::1], count: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Turn to a batch, and make room for what is in it; how many slots there is room for."""
        row: cython.Py_ssize_t
        slots: cython.Py_ssize_t = 0
        self.rows = rows
        with cython.nogil:
            for row in range(count):
                if rows[row * WIDTH + KIND] != ICMP_ERROR:
                    slots = max(slots, rows[row * WIDTH + SLOT] + 1)
        if slots > self.seen.shape[0]:
            larger = np.zeros(max(slots, 2 * self.seen.shape[0]), np.uint8)
            larger[: self.seen.shape[0]] = self.seen
            self.seen = memoryview(larger)
        return slots

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def of(self, slot: cython.Py_ssize_t) -> cython.longlong:
        """tcp.completeness of a slot: what its segments added up to.

        0 for a lonely segment that is no SYN, as tshark's second pass shows it, and for a slot
        that was never fed.
        """
        seen: cython.longlong = self.seen[slot] if slot < self.seen.shape[0] else 0
        return seen & ALL if seen & (SEVERAL | BEGINS) else 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def add(self, at: cython.Py_ssize_t) -> cython.int:
        """Count the segment at cell `at` of the batch."""
        slot: cython.Py_ssize_t = self.rows[at + SLOT]
        seen: cython.longlong = 0 if self.rows[at + OPENS] else self.seen[slot]
        if self.rows[at + KIND] == SEGMENT:
            place: cython.Py_ssize_t = 2 * (self.rows[at + FLAGS] & FIVE_BITS)
            adds_here: cython.longlong = ADDS[place + (self.rows[at + PAYLOAD] > 0)]
            if seen & ONE and adds_here & BEGINS:
                adds_here &= ~(BEGINS | DATA)  # only a SYN that begins the stream counts
            seen |= adds_here | (SEVERAL if seen & ONE else ONE)
        self.seen[slot] = seen
        return 0
