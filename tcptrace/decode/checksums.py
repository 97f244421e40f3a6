# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Kernel: what the TCP checksum says of each datagram that stands at a TCP header; RFC 1071."""

from __future__ import annotations

import sys

import cython

from tcptrace.decode.datagrams import Datagrams
from tcptrace.decode.headers import Header
from tcptrace.decode.protocols import IpProtocol
from tcptrace.decode.segments import Checksum
from tcptrace.decode.skipped import Tally

D_WIDTH = cython.declare(cython.Py_ssize_t, Datagrams.width())
D_AT = cython.declare(cython.Py_ssize_t, Datagrams.index("at"))
D_KEPT_END = cython.declare(cython.Py_ssize_t, Datagrams.index("kept_end"))
D_END = cython.declare(cython.Py_ssize_t, Datagrams.index("end"))
D_HEADER = cython.declare(cython.Py_ssize_t, Datagrams.index("header"))
D_ADDRESS_SUM = cython.declare(cython.Py_ssize_t, Datagrams.index("address_sum"))
D_ICMP = cython.declare(cython.Py_ssize_t, Datagrams.index("icmp"))
D_CHECKSUM = cython.declare(cython.Py_ssize_t, Datagrams.index("checksum"))
TCP = cython.declare(cython.longlong, int(Header.TCP))
UNKNOWN = cython.declare(cython.longlong, int(Checksum.UNKNOWN))
GOOD = cython.declare(cython.longlong, int(Checksum.GOOD))
BAD = cython.declare(cython.longlong, int(Checksum.BAD))
OFFLOADED = cython.declare(cython.longlong, int(Checksum.OFFLOADED))
T_BAD_TCP_CHECKSUM = cython.declare(cython.Py_ssize_t, int(Tally.BAD_TCP_CHECKSUM))
T_OFFLOADED = cython.declare(cython.Py_ssize_t, int(Tally.OFFLOADED))
TCP_PROTOCOL = cython.declare(cython.longlong, int(IpProtocol.TCP))
FIELD = cython.declare(cython.Py_ssize_t, 16)  # where a TCP header holds its checksum
LOWER_HALF = cython.declare(cython.ulonglong, (1 << 32) - 1)
SWAPPED = cython.declare(cython.longlong, 1 if sys.byteorder == "little" else 0)


def judge(
    datagrams: cython.longlong[::1],
    data: cython.const[cython.uchar][::1],
    words: cython.const[cython.ulonglong][::1],
    tallies: cython.longlong[::1],
) -> None:
    """Fill in `checksum` for the rows of Datagrams cells that stand at a TCP header.

    `words` is the buffer of `data` as native unsigned 64-bit words, without its last octets.
    What an ICMP error quotes is not judged.
    """
    judge_ = Judge(datagrams, data, words, tallies)
    with cython.nogil:
        judge_.all()


@cython.final
@cython.cclass
class Judge:
    """The buffers that a verdict needs."""

    datagrams: cython.longlong[::1]
    data: cython.const[cython.uchar][::1]
    words: cython.const[cython.ulonglong][::1]
    tallies: cython.longlong[::1]

    def __init__(
        self,
        datagrams: cython.longlong[::1],
        data: cython.const[cython.uchar][::1],
        words: cython.const[cython.ulonglong][::1],
        tallies: cython.longlong[::1],
    ) -> None:
        self.datagrams = datagrams
        self.data = data
        self.words = words
        self.tallies = tallies

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def all(self) -> cython.longlong:
        each: cython.Py_ssize_t
        base: cython.Py_ssize_t
        verdict: cython.longlong
        for each in range(self.datagrams.shape[0] // D_WIDTH):
            base = each * D_WIDTH
            if self.datagrams[base + D_HEADER] == TCP and self.datagrams[base + D_ICMP] == 0:
                verdict = self.verdict(base)
                self.datagrams[base + D_CHECKSUM] = verdict
                if verdict == BAD:
                    self.tallies[T_BAD_TCP_CHECKSUM] += 1
                elif verdict == OFFLOADED:
                    self.tallies[T_OFFLOADED] += 1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def verdict(self, base: cython.Py_ssize_t) -> cython.longlong:
        """RFC 9293 section 3.1's checksum, where every octet of the segment was captured.

        OFFLOADED is what Linux leaves for the interface to finish (CHECKSUM_PARTIAL,
        `__tcp_v4_send_check`): the pseudo-header's sum; without the length for segmentation
        offload; or nothing at all.
        """
        at: cython.Py_ssize_t = self.datagrams[base + D_AT]
        end: cython.Py_ssize_t = self.datagrams[base + D_END]
        kept: cython.Py_ssize_t = self.datagrams[base + D_KEPT_END]
        if kept < at + FIELD + 2:
            return UNKNOWN
        length: cython.longlong = end - at
        addresses: cython.longlong = self.datagrams[base + D_ADDRESS_SUM] + TCP_PROTOCOL
        pseudo: cython.longlong = addresses + (length & 0xFFFF) + (length >> 16)
        if kept >= end and _fold(pseudo + self.total(at, end)) == 0xFFFF:
            return GOOD
        field: cython.longlong = (self.data[at + FIELD] << 8) | self.data[at + FIELD + 1]
        if field == 0 or field == _fold(pseudo) or field == _fold(addresses):
            return OFFLOADED
        return BAD if kept >= end else UNKNOWN

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def total(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.longlong:
        """The ones' complement sum of the octets from `at` to `end`, eight at a time.

        RFC 1071 section 2: the sum may be taken in any byte order and from any even offset, and
        swapped at the end; so the words are those of the buffer, not those of the segment.
        """
        total: cython.ulonglong = 0
        word: cython.ulonglong
        place: cython.Py_ssize_t
        first: cython.Py_ssize_t = (at + 7) // 8
        last: cython.Py_ssize_t = min(end // 8, self.words.shape[0])
        if first >= last:
            return _swapped(self.bytewise(at, end), 0, at & 1)
        for place in range(first, last):
            word = self.words[place]
            total += (word & LOWER_HALF) + (word >> 32)
        sum_: cython.longlong = _swapped(_fold(total), SWAPPED, at & 1)
        sum_ += _swapped(self.bytewise(at, 8 * first), 0, at & 1)
        return _fold(sum_ + _swapped(self.bytewise(8 * last, end), 0, at & 1))

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def bytewise(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.longlong:
        """The sum of some octets, even offsets of the buffer as upper halves."""
        total: cython.longlong = 0
        place: cython.Py_ssize_t
        for place in range(at, end):
            total += self.data[place] if place & 1 else self.data[place] << 8
        return _fold(total)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _fold(total: cython.longlong) -> cython.longlong:
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _swapped(
    total: cython.longlong, native: cython.longlong, odd: cython.longlong
) -> cython.longlong:
    """The sum with its octets swapped, unless both reasons to swap cancel out."""
    return total if native == odd else ((total & 0xFF) << 8) | (total >> 8)
