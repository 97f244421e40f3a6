# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Kernel: what the TCP checksum says of each datagram that stands at a TCP header; RFC 1071."""

from __future__ import annotations

import cython

from tcptrace.decode.datagrams import Datagrams
from tcptrace.decode.headers import Header
from tcptrace.decode.octets import Octets
from tcptrace.decode.protocols import IpProtocol
from tcptrace.decode.segments import Checksum
from tcptrace.decode.skipped import Tally

if not cython.compiled:
    from tcptrace.decode.ones_complement import fold

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


@cython.final
@cython.cclass
class Judge(Octets):
    """The packets' bytes, and what is counted of them."""

    tallies: cython.longlong[::1]

    def __init__(
        self,
        data: cython.const[cython.uchar][::1],
        tallies: cython.longlong[::1],
    ) -> None:
        super().__init__(data)
        self.tallies = tallies

    def judge(self, datagrams: cython.longlong[::1]) -> None:
        """Fill in `checksum` for the rows of Datagrams cells that stand at a TCP header.

        What an ICMP error quotes is not judged.
        """
        each: cython.Py_ssize_t
        base: cython.Py_ssize_t
        with cython.nogil:
            for each in range(datagrams.shape[0] // D_WIDTH):
                base = each * D_WIDTH
                if datagrams[base + D_HEADER] == TCP and datagrams[base + D_ICMP] == 0:
                    datagrams[base + D_CHECKSUM] = self.of_row(datagrams, base)

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(-1)
    def of_row(self, datagrams: cython.longlong[::1], base: cython.Py_ssize_t) -> cython.longlong:
        at: cython.Py_ssize_t = datagrams[base + D_AT]
        end: cython.Py_ssize_t = datagrams[base + D_END]
        kept: cython.Py_ssize_t = datagrams[base + D_KEPT_END]
        if kept < at + FIELD + 2:
            return UNKNOWN
        total: cython.longlong = self.total(at, end) if kept >= end else -1
        field: cython.longlong = self.u16(at + FIELD)
        return self.verdict(field, datagrams[base + D_ADDRESS_SUM], end - at, total)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def verdict(
        self,
        field: cython.longlong,
        addresses: cython.longlong,
        length: cython.longlong,
        total: cython.longlong,
    ) -> cython.longlong:
        """RFC 9293 section 3.1's checksum, where every octet of the segment was captured.

        `field` is what the header has, `addresses` and `total` sums of 16-bit words: of the IP
        addresses and of all `length` octets of the segment, -1 where not all were captured.
        OFFLOADED is what Linux leaves for the interface to finish (CHECKSUM_PARTIAL,
        `__tcp_v4_send_check`): the pseudo-header's sum; without the length for segmentation
        offload; or nothing at all.
        """
        addresses += TCP_PROTOCOL
        pseudo: cython.longlong = addresses + (length & 0xFFFF) + (length >> 16)
        if total >= 0 and fold(pseudo + total) == 0xFFFF:
            return GOOD
        if field == 0 or field == fold(pseudo) or field == fold(addresses):
            self.tallies[T_OFFLOADED] += 1
            return OFFLOADED
        if total < 0:
            return UNKNOWN
        self.tallies[T_BAD_TCP_CHECKSUM] += 1
        return BAD

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def total(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.longlong:
        """A sum that is the ones' complement sum of the octets from `at` to `end` once it is
        folded; 0 if they are not all in the buffer.

        RFC 1071 section 2: words of any size may be added, and what overflows at the end.
        """
        total: cython.longlong = 0
        if end < at or not self.has(at, end - at):
            return 0
        while end - at >= 8:
            total += self.next_32(at) + self.next_32(at + 4)
            at += 8
        if end - at >= 4:
            total += self.next_32(at)
            at += 4
        if end - at >= 2:
            total += self.u16(at)
            at += 2
        return total + (self.data[at] << 8) if at < end else total
