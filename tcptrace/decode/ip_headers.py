# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Kernel: IPv4 and IPv6 headers with their extensions; RFC 791, RFC 8200, RFC 2675, RFC 6275. ⚙

Lengths come from the IP header, never from the snap length. Where that field is 0 (segmentation
offload, IPv6 jumbo payloads without their option) the capture's record tells the length.
"""

from __future__ import annotations

import cython

from tcptrace.decode.datagrams import Datagrams
from tcptrace.decode.headers import AFTER_IP, GROUP_BITS, Header, dense
from tcptrace.decode.protocols import IPV4_MAPPED, LARGEST_FRAME, IpProtocol
from tcptrace.decode.segments import Mark
from tcptrace.decode.skipped import Reason, Tally
from tcptrace.decode.walker import Walker

if not cython.compiled:
    from tcptrace.decode.ones_complement import fold

NETWORK_AT = cython.declare(cython.Py_ssize_t, Datagrams.index("network_at"))
SRC_HI = cython.declare(cython.Py_ssize_t, Datagrams.index("src_hi"))
SRC_LO = cython.declare(cython.Py_ssize_t, Datagrams.index("src_lo"))
DST_HI = cython.declare(cython.Py_ssize_t, Datagrams.index("dst_hi"))
DST_LO = cython.declare(cython.Py_ssize_t, Datagrams.index("dst_lo"))
ADDRESS_SUM = cython.declare(cython.Py_ssize_t, Datagrams.index("address_sum"))
TTL = cython.declare(cython.Py_ssize_t, Datagrams.index("ttl"))
IP_ID = cython.declare(cython.Py_ssize_t, Datagrams.index("ip_id"))
DONT_FRAGMENT = cython.declare(cython.Py_ssize_t, Datagrams.index("dont_fragment"))
MARKS = cython.declare(cython.Py_ssize_t, Datagrams.index("marks"))
ICMP_ERROR = cython.declare(cython.Py_ssize_t, Datagrams.index("icmp"))

GROUP_SHIFT = cython.declare(cython.longlong, GROUP_BITS)
IPV4 = cython.declare(cython.longlong, int(Header.IPV4))
IPV6 = cython.declare(cython.longlong, int(Header.IPV6))
OPTIONS = cython.declare(cython.longlong, int(Header.OPTIONS))
ROUTING = cython.declare(cython.longlong, int(Header.ROUTING))
FRAGMENT_HEADER = cython.declare(cython.longlong, int(Header.FRAGMENT_HEADER))
AUTHENTICATION = cython.declare(cython.longlong, int(Header.AUTHENTICATION))
TCP = cython.declare(cython.longlong, int(Header.TCP))
FRAGMENT = cython.declare(cython.longlong, int(Header.FRAGMENT))
FRAGMENT_V6 = cython.declare(cython.longlong, int(Header.FRAGMENT_V6))
TRUNCATED_IP = cython.declare(cython.longlong, int(Reason.TRUNCATED_IP))
DAMAGED_IP = cython.declare(cython.longlong, int(Reason.DAMAGED_IP))
OTHER_TRANSPORT = cython.declare(cython.longlong, int(Reason.OTHER_TRANSPORT))
ENCRYPTED = cython.declare(cython.longlong, int(Reason.ENCRYPTED))
ICMP_REASON = cython.declare(cython.longlong, int(Reason.ICMP))
BAD_IP_CHECKSUM = cython.declare(cython.Py_ssize_t, int(Tally.BAD_IP_CHECKSUM))
IP_CHECKSUM = cython.declare(cython.longlong, int(Mark.IP_CHECKSUM))
SUPER_SEGMENT = cython.declare(cython.longlong, int(Mark.SUPER_SEGMENT))

AFTER_IP_TABLE = dense(AFTER_IP, 256)
ENCRYPTING = cython.declare(cython.longlong, int(IpProtocol.ESP))
NO_ROW = cython.declare(cython.Py_ssize_t, -1)
V4_HEADER = cython.declare(cython.longlong, 20)
V6_HEADER = cython.declare(cython.longlong, 40)
UPPER_HALF = cython.declare(cython.longlong, 1 << 32)
MAPPED = cython.declare(cython.longlong, IPV4_MAPPED)
LARGEST = cython.declare(cython.longlong, LARGEST_FRAME)
JUMBO_OPTION = cython.declare(cython.longlong, 0xC2)  # RFC 2675
HOME_ADDRESS_OPTION = cython.declare(cython.longlong, 0xC9)  # RFC 6275 section 6.3
HOME_ROUTING = cython.declare(cython.longlong, 2)  # RFC 6275 section 6.4
SOURCE_ROUTING = cython.declare(cython.longlong, 0)  # RFC 2460 section 4.4, deprecated
SEGMENT_ROUTING = cython.declare(cython.longlong, 4)  # RFC 8754


def walk(
    cells: cython.longlong[::1],
    data: cython.const[cython.uchar][::1],
    tallies: cython.longlong[::1],
) -> int:
    """Step over IP headers: Datagrams cells, the packets' bytes, Tally counts (int64).

    Returns the groups that rows were left at, as a bit set.
    """
    return IpWalker(cells, data, tallies).run()


@cython.final
@cython.cclass
class IpWalker(Walker):
    """IP headers; beside them the sums of both addresses, which extensions change."""

    tallies: cython.longlong[::1]
    after_ip: cython.const[cython.short][::1]
    summed: cython.Py_ssize_t  # `base` if this walk read the row's last IP header, and it is IPv6
    src_sum: cython.longlong
    dst_sum: cython.longlong

    def __init__(
        self,
        cells: cython.longlong[::1],
        data: cython.const[cython.uchar][::1],
        tallies: cython.longlong[::1],
    ) -> None:
        super().__init__(cells, data, IPV4, TRUNCATED_IP, OTHER_TRANSPORT)
        self.tallies = tallies
        self.after_ip = AFTER_IP_TABLE
        self.summed = NO_ROW

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def step(self) -> cython.longlong:
        if self.header == IPV4:
            return self.version_4()
        if self.header == IPV6:
            return self.version_6()
        return self.extension()

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(-1)
    def follow(self, protocol: cython.longlong) -> cython.longlong:
        """What the payload begins with. Of what an ICMP error quotes, only TCP is of interest."""
        if protocol == ENCRYPTING:
            return self.skip(ENCRYPTED)
        self.header = self.after_ip[protocol]
        if self.cells[self.base + ICMP_ERROR] and not self.leads_to_tcp():
            return self.skip(ICMP_REASON)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def leads_to_tcp(self) -> cython.longlong:
        if self.header == TCP:
            return 1
        extension: cython.longlong = self.header >> GROUP_SHIFT == self.group
        return 1 if extension and self.header != IPV4 and self.header != IPV6 else 0

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(-1, check=True)
    def i64(self, at: cython.Py_ssize_t) -> cython.longlong:
        """Eight octets as a column's signed number: the same 64 bits."""
        upper: cython.longlong = self.u32(at)
        if upper > 0x7FFFFFFF:
            upper -= UPPER_HALF
        return upper * UPPER_HALF + self.u32(at + 4)

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(-1)
    def words(self, at: cython.Py_ssize_t, count: cython.longlong) -> cython.longlong:
        """The ones' complement sum of `count` 16-bit words."""
        total: cython.longlong = 0
        word: cython.longlong
        for word in range(count):
            total += self.u16(at + 2 * word)
        return fold(total)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def version_4(self) -> cython.longlong:
        """RFC 791 section 3.1."""
        at: cython.Py_ssize_t = self.at
        if not self.has(V4_HEADER):
            return 0
        first: cython.longlong = self.data[at]
        length: cython.longlong = (first & 0x0F) * 4
        total: cython.longlong = self.u16(at + 2)
        if first >> 4 != 4 or length < V4_HEADER or (0 < total < length):
            return self.skip(DAMAGED_IP)
        if not self.has(length):
            return 0
        self.cells[self.base + NETWORK_AT] = at
        self.bound(total)
        self.addresses_4(at)
        self.judge(self.words(at, length // 2))
        self.at = at + length
        fragment: cython.longlong = self.u16(at + 6)
        self.cells[self.base + DONT_FRAGMENT] = (fragment >> 14) & 1
        if fragment & 0x3FFF and not self.quoted_first(fragment & 0x1FFF):
            self.header = FRAGMENT
            return 0
        return self.follow(self.data[at + 9])

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def judge(self, total: cython.longlong) -> cython.longlong:
        """A header sums up to all ones; what an ICMP error quotes was changed on its way."""
        if total != 0xFFFF and self.cells[self.base + ICMP_ERROR] == 0:
            self.cells[self.base + MARKS] |= IP_CHECKSUM
            self.tallies[BAD_IP_CHECKSUM] += 1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def addresses_4(self, at: cython.Py_ssize_t) -> cython.longlong:
        base: cython.Py_ssize_t = self.base
        self.cells[base + TTL] = self.data[at + 8]
        self.cells[base + IP_ID] = self.u16(at + 4)
        self.cells[base + SRC_HI] = self.cells[base + DST_HI] = 0
        source: cython.longlong = self.u32(at + 12)
        destination: cython.longlong = self.u32(at + 16)
        self.cells[base + SRC_LO] = MAPPED | source
        self.cells[base + DST_LO] = MAPPED | destination
        self.cells[base + ADDRESS_SUM] = fold(source + destination)
        self.summed = NO_ROW
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def quoted_first(self, offset: cython.longlong) -> cython.longlong:
        """Whether this is a fragment quoted in an ICMP error that begins with the TCP header."""
        return 1 if offset == 0 and self.cells[self.base + ICMP_ERROR] != 0 else 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def bound(self, total: cython.longlong) -> cython.longlong:
        """Where the datagram ends, `total` octets from `at`; with 0 the record tells it."""
        marks: cython.longlong = self.cells[self.base + MARKS] & ~SUPER_SEGMENT
        if total:
            self.end = self.at + total
            self.kept = min(self.kept, self.end)
        if total == 0 or total > LARGEST:
            marks |= SUPER_SEGMENT
        self.cells[self.base + MARKS] = marks
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def version_6(self) -> cython.longlong:
        """RFC 8200 section 3."""
        at: cython.Py_ssize_t = self.at
        if not self.has(V6_HEADER):
            return 0
        if self.data[at] >> 4 != 6:
            return self.skip(DAMAGED_IP)
        length: cython.longlong = self.u16(at + 4)
        self.cells[self.base + NETWORK_AT] = at
        self.bound(length + V6_HEADER if length else 0)
        self.addresses_6(at)
        self.at = at + V6_HEADER
        return self.follow(self.data[at + 6])

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def addresses_6(self, at: cython.Py_ssize_t) -> cython.longlong:
        base: cython.Py_ssize_t = self.base
        self.cells[base + TTL] = self.data[at + 7]
        self.cells[base + IP_ID] = -1
        self.cells[base + DONT_FRAGMENT] = 0
        self.cells[base + SRC_HI] = self.i64(at + 8)
        self.cells[base + SRC_LO] = self.i64(at + 16)
        self.cells[base + DST_HI] = self.i64(at + 24)
        self.cells[base + DST_LO] = self.i64(at + 32)
        self.summed = base
        self.src_sum = self.words(at + 8, 8)
        self.dst_sum = self.words(at + 24, 8)
        self.cells[base + ADDRESS_SUM] = fold(self.src_sum + self.dst_sum)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def extension(self) -> cython.longlong:
        """RFC 8200 section 4: one extension header; `at` moves by 8 octets at least."""
        at: cython.Py_ssize_t = self.at
        if not self.has(8):
            return 0
        if self.header == FRAGMENT_HEADER:
            return self.fragment_header(at)
        length: cython.longlong = (self.data[at + 1] + 1) * 8
        if self.header == AUTHENTICATION:
            length = (self.data[at + 1] + 2) * 4  # RFC 4302 section 2.2
        if not self.has(length):
            return 0
        if self.header == ROUTING and self.summed == self.base:
            self.routing(at, length)
        elif self.header == OPTIONS and self.summed == self.base:
            self.options(at + 2, at + length)
        self.at = at + length
        return self.follow(self.data[at])

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def fragment_header(self, at: cython.Py_ssize_t) -> cython.longlong:
        """RFC 8200 section 4.5; an atomic fragment (RFC 6946) is a whole datagram."""
        fragment: cython.longlong = self.u16(at + 2)
        if fragment & 0xFFF9 and not self.quoted_first(fragment >> 3):
            self.header = FRAGMENT_V6
            return 0
        self.at = at + 8
        return self.follow(self.data[at])

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def routing(self, at: cython.Py_ssize_t, length: cython.longlong) -> cython.longlong:
        """The final destination is what the TCP checksum covers (RFC 8200 section 8.1)."""
        kind: cython.longlong = self.data[at + 2]
        if self.data[at + 3] == 0 or length < 24:
            return 0
        if kind in (HOME_ROUTING, SEGMENT_ROUTING):
            self.dst_sum = self.words(at + 8, 8)
        elif kind == SOURCE_ROUTING:
            self.dst_sum = self.words(at + length - 16, 8)
        self.cells[self.base + ADDRESS_SUM] = fold(self.src_sum + self.dst_sum)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def options(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.longlong:
        """RFC 8200 section 4.2: those that bear on the length and on the checksum."""
        while at + 2 <= end:
            kind: cython.longlong = self.data[at]
            length: cython.longlong = self.data[at + 1]
            if kind == 0:
                at += 1
                continue
            if at + 2 + length > end:
                return 0
            if kind == JUMBO_OPTION and length == 4:
                self.jumbo(self.u32(at + 2))
            elif kind == HOME_ADDRESS_OPTION and length == 16:
                self.src_sum = self.words(at + 2, 8)
                self.cells[self.base + ADDRESS_SUM] = fold(self.src_sum + self.dst_sum)
            at += 2 + length
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def jumbo(self, length: cython.longlong) -> cython.longlong:
        """RFC 2675 section 2: the payload's length where the header's field is 0."""
        network_at: cython.Py_ssize_t = self.cells[self.base + NETWORK_AT]
        if self.u16(network_at + 4) == 0 and length > 0xFFFF:
            self.end = network_at + V6_HEADER + length
            self.kept = min(self.kept, self.end)
        return 0
