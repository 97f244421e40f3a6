# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Kernel: plain packets straight to rows of Segments, in one look at their octets. ⚙

Most packets are plain: Ethernet II, then IPv4 (RFC 791) without options that is no fragment, or
IPv6 (RFC 8200) without extension headers, then TCP (RFC 9293) with its whole header captured and
no length that lies. Of them this says what the kernels that walk headers say, word by word; all
others are left to those.
"""

from __future__ import annotations

import cython

from tcptrace.decode.checksums import Judge
from tcptrace.decode.link_types import LINK_TYPES
from tcptrace.decode.octets import Octets
from tcptrace.decode.protocols import IPV4_MAPPED, LARGEST_FRAME, EtherType, IpProtocol
from tcptrace.decode.segments import Segments
from tcptrace.decode.skipped import Tally
from tcptrace.decode.tcp_options import Options
from tcptrace.sources.packets import Packets
from tcptrace.tcp.flags import ACK as ACK_FLAG

if not cython.compiled:
    from tcptrace.cells import clear, move
    from tcptrace.decode.ones_complement import fold

P_WIDTH = cython.declare(cython.Py_ssize_t, Packets.width())
P_TIME = cython.declare(cython.Py_ssize_t, Packets.index("time"))
P_OFFSET = cython.declare(cython.Py_ssize_t, Packets.index("offset"))
P_CAPTURED = cython.declare(cython.Py_ssize_t, Packets.index("captured"))
P_LENGTH = cython.declare(cython.Py_ssize_t, Packets.index("length"))
P_LINK_TYPE = cython.declare(cython.Py_ssize_t, Packets.index("link_type"))
P_INTERFACE = cython.declare(cython.Py_ssize_t, Packets.index("interface"))
P_NUMBER = cython.declare(cython.Py_ssize_t, Packets.index("number"))
P_FILE = cython.declare(cython.Py_ssize_t, Packets.index("file"))

WIDTH = cython.declare(cython.Py_ssize_t, Segments.width())
TIME = cython.declare(cython.Py_ssize_t, Segments.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Segments.index("packet"))
FILE = cython.declare(cython.Py_ssize_t, Segments.index("file"))
SRC_HI = cython.declare(cython.Py_ssize_t, Segments.index("src_hi"))
SRC_LO = cython.declare(cython.Py_ssize_t, Segments.index("src_lo"))
DST_HI = cython.declare(cython.Py_ssize_t, Segments.index("dst_hi"))
DST_LO = cython.declare(cython.Py_ssize_t, Segments.index("dst_lo"))
SRC_PORT = cython.declare(cython.Py_ssize_t, Segments.index("src_port"))
DST_PORT = cython.declare(cython.Py_ssize_t, Segments.index("dst_port"))
INTERFACE = cython.declare(cython.Py_ssize_t, Segments.index("interface"))
TTL = cython.declare(cython.Py_ssize_t, Segments.index("ttl"))
IP_ID = cython.declare(cython.Py_ssize_t, Segments.index("ip_id"))
DONT_FRAGMENT = cython.declare(cython.Py_ssize_t, Segments.index("dont_fragment"))
SEQ = cython.declare(cython.Py_ssize_t, Segments.index("seq"))
ACK = cython.declare(cython.Py_ssize_t, Segments.index("ack"))
FLAGS = cython.declare(cython.Py_ssize_t, Segments.index("flags"))
WINDOW = cython.declare(cython.Py_ssize_t, Segments.index("window"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Segments.index("payload"))
KEPT = cython.declare(cython.Py_ssize_t, Segments.index("kept"))
CHECKSUM = cython.declare(cython.Py_ssize_t, Segments.index("checksum"))
CHECKSUM_FIELD = cython.declare(cython.Py_ssize_t, Segments.index("checksum_field"))
MSS = cython.declare(cython.Py_ssize_t, Segments.index("mss"))
WINDOW_SCALE = cython.declare(cython.Py_ssize_t, Segments.index("window_scale"))
HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Segments.index("has_timestamp"))
TSVAL = cython.declare(cython.Py_ssize_t, Segments.index("tsval"))
TSECR = cython.declare(cython.Py_ssize_t, Segments.index("tsecr"))

T_CUT = cython.declare(cython.Py_ssize_t, int(Tally.CUT))
ETHERNET = cython.declare(cython.longlong, LINK_TYPES["ETHERNET"])
IPV4 = cython.declare(cython.longlong, int(EtherType.IPV4))
IPV6 = cython.declare(cython.longlong, int(EtherType.IPV6))
TCP = cython.declare(cython.longlong, int(IpProtocol.TCP))
ACK_BIT = cython.declare(cython.longlong, ACK_FLAG)
LINK_HEADER = cython.declare(cython.Py_ssize_t, 14)
LARGEST = cython.declare(cython.longlong, LARGEST_FRAME)
MAPPED = cython.declare(cython.longlong, IPV4_MAPPED)
SIGN = cython.declare(cython.longlong, 1 << 31)
USUAL = cython.declare(cython.longlong, 0x0101080A)  # NOP, NOP, timestamps of ten octets


def read(
    packets: cython.longlong[::1], judge: Judge, options: Options, left: cython.longlong[::1]
) -> int:
    """Write the rows of Segments cells of the plain packets among the rows of Packets cells.

    Each at its packet's place. Lists in `left` the rows of the packets that are not plain, whose
    places have anything in them. Returns how many these are.
    """
    count: cython.longlong
    plain = Plain(packets, judge, options)
    with cython.nogil:
        count = plain.read(left)
    return count


def close_up(rows: cython.longlong[::1], empty: cython.longlong[::1]) -> None:
    """Move rows of Segments cells down over the `empty` ones, whose places are listed in order."""
    to: cython.Py_ssize_t
    place: cython.Py_ssize_t
    end: cython.Py_ssize_t
    each: cython.Py_ssize_t
    many: cython.Py_ssize_t = empty.shape[0]
    to = empty[0] * WIDTH if many else 0
    for each in range(many):
        place = (empty[each] + 1) * WIDTH
        end = empty[each + 1] * WIDTH if each + 1 < many else rows.shape[0]
        if not to < place < end <= rows.shape[0]:
            continue
        move(rows, to, place, end - place)
        to += end - place


@cython.final
@cython.cclass
class Plain(Octets):
    """The packet being read, the row being written, and the buffers they lie in."""

    packets: cython.longlong[::1]
    rows: cython.longlong[::1]
    tallies: cython.longlong[::1]
    judge: Judge
    options: Options
    row: cython.Py_ssize_t
    kept_end: cython.Py_ssize_t
    at: cython.Py_ssize_t  # of the TCP header
    kept: cython.longlong  # octets of the segment, as they were captured
    length: cython.longlong  # and on the wire
    addresses: cython.longlong  # the sum of both

    def __init__(self, packets: cython.longlong[::1], judge: Judge, options: Options) -> None:
        super().__init__(judge.data)
        self.packets = packets
        self.rows = options.rows
        self.tallies = options.tallies
        self.judge = judge
        self.options = options

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def read(self, left: cython.longlong[::1]) -> cython.longlong:
        """Every packet of the batch."""
        each: cython.Py_ssize_t
        count: cython.Py_ssize_t = 0
        for each in range(self.packets.shape[0] // P_WIDTH):
            self.row = each * WIDTH
            if self.network(each * P_WIDTH) and self.segment():
                self.captured(each * P_WIDTH)
            else:
                left[count] = each
                count += 1
        return count

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(-1)
    def captured(self, packet: cython.Py_ssize_t) -> cython.longlong:
        """What the capture says of the packet."""
        row: cython.Py_ssize_t = self.row
        self.rows[row + TIME] = self.packets[packet + P_TIME]
        self.rows[row + PACKET] = self.packets[packet + P_NUMBER]
        self.rows[row + FILE] = self.packets[packet + P_FILE]
        self.rows[row + INTERFACE] = self.packets[packet + P_INTERFACE]
        if self.packets[packet + P_CAPTURED] < self.packets[packet + P_LENGTH]:
            self.tallies[T_CUT] += 1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(-1)
    def network(self, packet: cython.Py_ssize_t) -> cython.longlong:
        """Whether the packet is of the usual link type, and its IP header is plain."""
        if self.packets[packet + P_LINK_TYPE] != ETHERNET:
            return 0
        at: cython.Py_ssize_t = self.packets[packet + P_OFFSET]
        self.kept_end = min(at + self.packets[packet + P_CAPTURED], self.data.shape[0])
        kind: cython.longlong = self.u16(at + 12)
        if kind == IPV4:
            return self.version_4(at + LINK_HEADER)
        return self.version_6(at + LINK_HEADER) if kind == IPV6 else 0

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(-1)
    def bound(self, at: cython.Py_ssize_t, length: cython.longlong) -> cython.longlong:
        """The segment begins at `at` and ends so many octets further."""
        self.at = at
        self.length = length
        self.kept = min(self.kept_end - at, length)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(-1)
    def version_4(self, at: cython.Py_ssize_t) -> cython.longlong:
        """Whether a header is plain, and its checksum right; then what it says is written."""
        if not self.has(at, 20):
            return 0
        row: cython.Py_ssize_t = self.row
        first: cython.longlong = self.next_32(at)  # version, length of the header; total length
        second: cython.longlong = self.next_32(at + 4)  # identification; flags, fragment offset
        third: cython.longlong = self.next_32(at + 8)  # TTL, protocol; checksum
        source: cython.longlong = self.next_32(at + 12)
        destination: cython.longlong = self.next_32(at + 16)
        total: cython.longlong = first & 0xFFFF
        self.addresses = source + destination
        self.bound(at + 20, total - 20)
        if first >> 24 != 0x45 or second & 0x3FFF or (third >> 16) & 0xFF != TCP:
            return 0
        if total > LARGEST or fold(first + second + third + self.addresses) != 0xFFFF:
            return 0
        clear(self.rows, self.row, WIDTH)
        self.rows[row + TTL] = third >> 24
        self.rows[row + IP_ID] = second >> 16
        self.rows[row + DONT_FRAGMENT] = second >> 14 & 1
        self.rows[row + SRC_LO] = MAPPED | source
        self.rows[row + DST_LO] = MAPPED | destination
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def version_6(self, at: cython.Py_ssize_t) -> cython.longlong:
        """Whether TCP follows a header directly; then what it says is written."""
        if not self.has(at, 40):
            return 0
        row: cython.Py_ssize_t = self.row
        second: cython.longlong = self.next_32(at + 4)  # payload's length; next header, hop limit
        length: cython.longlong = second >> 16
        self.bound(at + 40, length)
        if self.next_32(at) >> 28 != 6 or second >> 8 & 0xFF != TCP or length + 40 > LARGEST:
            return 0
        clear(self.rows, self.row, WIDTH)
        self.addresses = 0
        self.rows[row + TTL] = second & 0xFF
        self.rows[row + IP_ID] = -1
        self.rows[row + SRC_HI] = self.half(at + 8)
        self.rows[row + SRC_LO] = self.half(at + 16)
        self.rows[row + DST_HI] = self.half(at + 24)
        self.rows[row + DST_LO] = self.half(at + 32)
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    def half(self, at: cython.Py_ssize_t) -> cython.longlong:
        """Half an IPv6 address as a column's signed number; what it adds to their sum."""
        upper: cython.longlong = self.next_32(at)
        lower: cython.longlong = self.next_32(at + 4)
        self.addresses += upper + lower
        return ((upper ^ SIGN) - SIGN) * (SIGN * 2) | lower

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(-1)
    def segment(self) -> cython.longlong:
        """Whether a TCP header is whole and no longer than its segment; then it is written."""
        at: cython.Py_ssize_t = self.at
        if not self.has(at, 20):
            return 0
        row: cython.Py_ssize_t = self.row
        ports: cython.longlong = self.next_32(at)
        seq: cython.longlong = self.next_32(at + 4)
        ack: cython.longlong = self.next_32(at + 8)
        control: cython.longlong = self.next_32(at + 12)  # data offset, control bits; window
        last: cython.longlong = self.next_32(at + 16)  # checksum; urgent pointer
        offset: cython.longlong = control >> 28 << 2
        if not 20 <= offset <= self.kept:
            return 0
        self.rows[row + SRC_PORT] = ports >> 16
        self.rows[row + DST_PORT] = ports & 0xFFFF
        self.rows[row + SEQ] = seq
        self.rows[row + ACK] = ack if control >> 16 & ACK_BIT else 0
        self.rows[row + FLAGS] = control >> 16 & 0x0FFF
        self.rows[row + WINDOW] = control & 0xFFFF
        self.rows[row + PAYLOAD] = self.length - offset
        self.rows[row + KEPT] = self.kept - offset
        self.rows[row + CHECKSUM_FIELD] = last >> 16
        self.rows[row + MSS] = -1
        self.rows[row + WINDOW_SCALE] = -1
        total: cython.longlong = ports + seq + ack + control + last
        total = self.behind(total, offset)
        self.rows[row + CHECKSUM] = self.judge.verdict(
            last >> 16, self.addresses, self.length, total
        )
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(-1)
    def behind(self, total: cython.longlong, offset: cython.longlong) -> cython.longlong:
        """Read the options; returns the sum of the whole segment, -1 if not all was captured.

        `total` is that of its first 20 octets. Timestamps alone are as RFC 7323's appendix A
        recommends them: behind two NOPs.
        """
        at: cython.Py_ssize_t = self.at + 20
        end: cython.Py_ssize_t = self.at + self.length
        if offset == 32 and self.has(at, 12) and self.next_32(at) == USUAL:
            value: cython.longlong = self.next_32(at + 4)
            echo: cython.longlong = self.next_32(at + 8)
            self.rows[self.row + HAS_TIMESTAMP] = 1
            self.rows[self.row + TSVAL] = value
            self.rows[self.row + TSECR] = echo
            total += USUAL + value + echo
            at += 12
        elif offset > 20:
            self.options.read(self.row, at, self.at + offset, self.at + self.kept)
        if self.kept < self.length:
            return -1
        return total + self.judge.total(at, end) if at < end else total
