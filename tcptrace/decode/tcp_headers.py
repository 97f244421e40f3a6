# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Kernel: TCP headers to rows of Segments; RFC 9293 section 3.1. ⚙

A header that is cut, or whose data offset lies, gives a row of kind DAMAGED if its ports are
known. A row whose whole fixed header was captured is a segment even if options are cut.
"""

from __future__ import annotations

import cython

from tcptrace.decode.datagrams import Datagrams
from tcptrace.decode.headers import Header
from tcptrace.decode.octets import Octets
from tcptrace.decode.segments import Kind, Mark, Segments
from tcptrace.decode.skipped import Reason, Tally
from tcptrace.decode.tcp_options import Options
from tcptrace.sources.packets import Packets
from tcptrace.tcp.flags import ACK as ACK_FLAG

P_WIDTH = cython.declare(cython.Py_ssize_t, Packets.width())
P_TIME = cython.declare(cython.Py_ssize_t, Packets.index("time"))
P_NUMBER = cython.declare(cython.Py_ssize_t, Packets.index("number"))
P_FILE = cython.declare(cython.Py_ssize_t, Packets.index("file"))
P_INTERFACE = cython.declare(cython.Py_ssize_t, Packets.index("interface"))
D_WIDTH = cython.declare(cython.Py_ssize_t, Datagrams.width())
D_CHECKSUM = cython.declare(cython.Py_ssize_t, Datagrams.index("checksum"))
D_AT = cython.declare(cython.Py_ssize_t, Datagrams.index("at"))
D_KEPT_END = cython.declare(cython.Py_ssize_t, Datagrams.index("kept_end"))
D_END = cython.declare(cython.Py_ssize_t, Datagrams.index("end"))
D_HEADER = cython.declare(cython.Py_ssize_t, Datagrams.index("header"))
D_VALUE = cython.declare(cython.Py_ssize_t, Datagrams.index("value"))
D_ROW = cython.declare(cython.Py_ssize_t, Datagrams.index("row"))
D_PATH = cython.declare(cython.Py_ssize_t, Datagrams.index("path"))
D_SRC_HI = cython.declare(cython.Py_ssize_t, Datagrams.index("src_hi"))
D_SRC_LO = cython.declare(cython.Py_ssize_t, Datagrams.index("src_lo"))
D_DST_HI = cython.declare(cython.Py_ssize_t, Datagrams.index("dst_hi"))
D_DST_LO = cython.declare(cython.Py_ssize_t, Datagrams.index("dst_lo"))
D_TTL = cython.declare(cython.Py_ssize_t, Datagrams.index("ttl"))
D_IP_ID = cython.declare(cython.Py_ssize_t, Datagrams.index("ip_id"))
D_DONT_FRAGMENT = cython.declare(cython.Py_ssize_t, Datagrams.index("dont_fragment"))
D_MARKS = cython.declare(cython.Py_ssize_t, Datagrams.index("marks"))
D_ICMP = cython.declare(cython.Py_ssize_t, Datagrams.index("icmp"))
D_ICMP_HI = cython.declare(cython.Py_ssize_t, Datagrams.index("icmp_hi"))
D_ICMP_LO = cython.declare(cython.Py_ssize_t, Datagrams.index("icmp_lo"))
WIDTH = cython.declare(cython.Py_ssize_t, Segments.width())
TIME = cython.declare(cython.Py_ssize_t, Segments.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Segments.index("packet"))
FILE = cython.declare(cython.Py_ssize_t, Segments.index("file"))
KIND = cython.declare(cython.Py_ssize_t, Segments.index("kind"))
SRC_HI = cython.declare(cython.Py_ssize_t, Segments.index("src_hi"))
SRC_LO = cython.declare(cython.Py_ssize_t, Segments.index("src_lo"))
DST_HI = cython.declare(cython.Py_ssize_t, Segments.index("dst_hi"))
DST_LO = cython.declare(cython.Py_ssize_t, Segments.index("dst_lo"))
SRC_PORT = cython.declare(cython.Py_ssize_t, Segments.index("src_port"))
DST_PORT = cython.declare(cython.Py_ssize_t, Segments.index("dst_port"))
PATH = cython.declare(cython.Py_ssize_t, Segments.index("path"))
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
ICMP = cython.declare(cython.Py_ssize_t, Segments.index("icmp"))
ICMP_HI = cython.declare(cython.Py_ssize_t, Segments.index("icmp_hi"))
ICMP_LO = cython.declare(cython.Py_ssize_t, Segments.index("icmp_lo"))
MARKS = cython.declare(cython.Py_ssize_t, Segments.index("marks"))

TCP = cython.declare(cython.longlong, int(Header.TCP))
SKIPPED = cython.declare(cython.longlong, int(Header.SKIPPED))
TRUNCATED_TCP = cython.declare(cython.longlong, int(Reason.TRUNCATED_TCP))
ICMP_REASON = cython.declare(cython.longlong, int(Reason.ICMP))
SEGMENT = cython.declare(cython.longlong, int(Kind.SEGMENT))
DAMAGED = cython.declare(cython.longlong, int(Kind.DAMAGED))
ICMP_ERROR = cython.declare(cython.longlong, int(Kind.ICMP_ERROR))
HEADER_CUT = cython.declare(cython.longlong, int(Mark.HEADER_CUT))
SUPER_SEGMENT = cython.declare(cython.longlong, int(Mark.SUPER_SEGMENT))
T_SUPER_SEGMENT = cython.declare(cython.Py_ssize_t, int(Tally.SUPER_SEGMENT))
T_DAMAGED_TCP = cython.declare(cython.Py_ssize_t, int(Tally.DAMAGED_TCP))
T_OPTIONS_CUT = cython.declare(cython.Py_ssize_t, int(Tally.OPTIONS_CUT))
ACK_BIT = cython.declare(cython.longlong, ACK_FLAG)
FIXED = cython.declare(cython.longlong, 20)  # octets of a header without options


def read(
    packets: cython.longlong[::1],
    datagrams: cython.longlong[::1],
    places: cython.longlong[::1],
    options: Options,
) -> None:
    """Write a row of Segments cells for each row of Datagrams that stands at a TCP header.

    `places` says where among the rows each is written; a row's every cell is. Those without ports
    become SKIPPED.
    """
    reader = Reader(packets, datagrams, options)
    with cython.nogil:
        reader.read(places)


@cython.final
@cython.cclass
class Reader(Octets):
    """The datagram being read, the row being written, and the buffers they lie in."""

    packets: cython.longlong[::1]
    datagrams: cython.longlong[::1]
    rows: cython.longlong[::1]
    tallies: cython.longlong[::1]
    options: Options
    base: cython.Py_ssize_t
    row: cython.Py_ssize_t
    at: cython.Py_ssize_t
    kept: cython.Py_ssize_t
    length: cython.longlong

    def __init__(
        self,
        packets: cython.longlong[::1],
        datagrams: cython.longlong[::1],
        options: Options,
    ) -> None:
        super().__init__(options.data)
        self.packets = packets
        self.datagrams = datagrams
        self.rows = options.rows
        self.tallies = options.tallies
        self.options = options

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def read(self, places: cython.longlong[::1]) -> cython.longlong:
        """Every row of the batch that stands at a TCP header."""
        each: cython.Py_ssize_t
        base: cython.Py_ssize_t
        for each in range(self.datagrams.shape[0] // D_WIDTH):
            base = each * D_WIDTH
            if self.datagrams[base + D_HEADER] == TCP and self.has_ports(base):
                self.row = places[each] * WIDTH
                self.copy()
                self.header()
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def has_ports(self, base: cython.Py_ssize_t) -> cython.longlong:
        self.base = base
        self.at = self.datagrams[base + D_AT]
        self.kept = self.datagrams[base + D_KEPT_END] - self.at
        self.length = self.datagrams[base + D_END] - self.at
        if self.kept >= 4:
            return 1
        quoted: cython.longlong = self.datagrams[base + D_ICMP]
        self.datagrams[base + D_HEADER] = SKIPPED
        self.datagrams[base + D_VALUE] = ICMP_REASON if quoted else TRUNCATED_TCP
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def copy(self) -> cython.longlong:
        """What the packet and its IP header say of the row; zeros where nothing is known yet."""
        row: cython.Py_ssize_t = self.row
        base: cython.Py_ssize_t = self.base
        packet: cython.Py_ssize_t = self.datagrams[base + D_ROW] * P_WIDTH
        column: cython.Py_ssize_t
        for column in range(row + SEQ, row + WIDTH):
            self.rows[column] = 0
        self.rows[row + TIME] = self.packets[packet + P_TIME]
        self.rows[row + PACKET] = self.packets[packet + P_NUMBER]
        self.rows[row + FILE] = self.packets[packet + P_FILE]
        self.rows[row + INTERFACE] = self.packets[packet + P_INTERFACE]
        self.rows[row + SRC_HI] = self.datagrams[base + D_SRC_HI]
        self.rows[row + SRC_LO] = self.datagrams[base + D_SRC_LO]
        self.rows[row + DST_HI] = self.datagrams[base + D_DST_HI]
        self.rows[row + DST_LO] = self.datagrams[base + D_DST_LO]
        self.rows[row + PATH] = self.datagrams[base + D_PATH]
        self.rows[row + TTL] = self.datagrams[base + D_TTL]
        self.rows[row + IP_ID] = self.datagrams[base + D_IP_ID]
        self.rows[row + DONT_FRAGMENT] = self.datagrams[base + D_DONT_FRAGMENT]
        self.rows[row + MARKS] = self.datagrams[base + D_MARKS]
        self.rows[row + MSS] = -1
        self.rows[row + WINDOW_SCALE] = -1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def header(self) -> cython.longlong:
        """The fixed header, as much of it as was captured, and what kind of row that makes."""
        row: cython.Py_ssize_t = self.row
        at: cython.Py_ssize_t = self.at
        self.rows[row + SRC_PORT] = self.u16(at)
        self.rows[row + DST_PORT] = self.u16(at + 2)
        offset: cython.longlong = self.fixed(at)
        if self.datagrams[self.base + D_ICMP]:
            return self.quoted()
        if self.kept < FIXED or offset < FIXED or offset > self.length:
            return self.damaged()
        self.rows[row + KIND] = SEGMENT
        self.rows[row + PAYLOAD] = self.length - offset
        self.rows[row + KEPT] = max(self.kept - offset, 0)
        self.rows[row + CHECKSUM] = self.datagrams[self.base + D_CHECKSUM]
        if offset > FIXED:
            self.read_options(at + FIXED, at + offset)
        if self.rows[row + MARKS] & SUPER_SEGMENT:
            self.tallies[T_SUPER_SEGMENT] += 1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def fixed(self, at: cython.Py_ssize_t) -> cython.longlong:
        """RFC 9293 section 3.1; returns the data offset in octets, 0 if it was not captured."""
        row: cython.Py_ssize_t = self.row
        offset: cython.longlong = 0
        if self.kept >= 8:
            self.rows[row + SEQ] = self.u32(at + 4)
        if self.kept >= 14:
            offset = (self.data[at + 12] >> 4) * 4
            self.rows[row + FLAGS] = self.u16(at + 12) & 0x0FFF
            if self.rows[row + FLAGS] & ACK_BIT:
                self.rows[row + ACK] = self.u32(at + 8)
        if self.kept >= 16:
            self.rows[row + WINDOW] = self.u16(at + 14)
        if self.kept >= 18:
            self.rows[row + CHECKSUM_FIELD] = self.u16(at + 16)
        return offset

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def damaged(self) -> cython.longlong:
        self.rows[self.row + KIND] = DAMAGED
        if self.kept < FIXED and self.kept < self.length:
            self.rows[self.row + MARKS] |= HEADER_CUT
        self.tallies[T_DAMAGED_TCP] += 1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def quoted(self) -> cython.longlong:
        """RFC 792: at least the ports and the sequence number of the segment it is about."""
        row: cython.Py_ssize_t = self.row
        base: cython.Py_ssize_t = self.base
        self.rows[row + KIND] = ICMP_ERROR
        self.rows[row + ICMP] = self.datagrams[base + D_ICMP]
        self.rows[row + ICMP_HI] = self.datagrams[base + D_ICMP_HI]
        self.rows[row + ICMP_LO] = self.datagrams[base + D_ICMP_LO]
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def read_options(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.longlong:
        """As many of them as were captured."""
        kept_end: cython.Py_ssize_t = self.at + self.kept
        if end > kept_end:
            end = kept_end
            self.rows[self.row + MARKS] |= HEADER_CUT
            self.tallies[T_OPTIONS_CUT] += 1
        return self.options.read(self.row, at, end, kept_end)
