# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Kernel: tunnels right over IP, and ICMP errors, for which what they quote comes next. ⚙

RFC 2784, RFC 2890 and RFC 2637 (GRE), draft-foschiano-erspan, RFC 3378 (EtherIP), RFC 792 and
RFC 4443 (ICMP). PPTP's call id, chosen by each end for what it receives, is not in the path.
"""

from __future__ import annotations

import cython

from tcptrace.decode.datagrams import Datagrams
from tcptrace.decode.headers import AFTER_ETHERTYPE, Header, dense
from tcptrace.decode.protocols import EtherType
from tcptrace.decode.skipped import Reason
from tcptrace.decode.walker import Walker

SRC_HI = cython.declare(cython.Py_ssize_t, Datagrams.index("src_hi"))
SRC_LO = cython.declare(cython.Py_ssize_t, Datagrams.index("src_lo"))
ICMP_HI = cython.declare(cython.Py_ssize_t, Datagrams.index("icmp_hi"))
ICMP_LO = cython.declare(cython.Py_ssize_t, Datagrams.index("icmp_lo"))
ICMP_ERROR = cython.declare(cython.Py_ssize_t, Datagrams.index("icmp"))

GRE = cython.declare(cython.longlong, int(Header.GRE))
ERSPAN = cython.declare(cython.longlong, int(Header.ERSPAN))
ERSPAN_3 = cython.declare(cython.longlong, int(Header.ERSPAN_3))
ICMP = cython.declare(cython.longlong, int(Header.ICMP))
ICMPV6 = cython.declare(cython.longlong, int(Header.ICMPV6))
WLAN_SWAPPED = cython.declare(cython.longlong, int(Header.WLAN_SWAPPED))
ETHERNET = cython.declare(cython.longlong, int(Header.ETHERNET))
HDLC = cython.declare(cython.longlong, int(Header.HDLC))
IPV4 = cython.declare(cython.longlong, int(Header.IPV4))
ICMP_REASON = cython.declare(cython.longlong, int(Reason.ICMP))
OTHER_TRANSPORT = cython.declare(cython.longlong, int(Reason.OTHER_TRANSPORT))
TRUNCATED_TUNNEL = cython.declare(cython.longlong, int(Reason.TRUNCATED_TUNNEL))

AFTER_ETHERTYPE_TABLE = dense(AFTER_ETHERTYPE, 0x10000)
TYPE_ERSPAN = cython.declare(cython.longlong, int(EtherType.ERSPAN))
TYPE_ERSPAN_3 = cython.declare(cython.longlong, int(EtherType.ERSPAN_3))
TYPE_PPP = cython.declare(cython.longlong, int(EtherType.PPP))
TYPE_WCCP = cython.declare(cython.longlong, int(EtherType.WCCP))
ARUBA_FIRST = cython.declare(cython.longlong, 0x8200)  # Aruba's access points: 802.11 in GRE
ARUBA_LAST = cython.declare(cython.longlong, 0x83FF)
CHECKSUM_PRESENT = cython.declare(cython.longlong, 0x8000)
ROUTING_PRESENT = cython.declare(cython.longlong, 0x4000)
KEY_PRESENT = cython.declare(cython.longlong, 0x2000)
SEQUENCE_PRESENT = cython.declare(cython.longlong, 0x1000)
ACK_PRESENT = cython.declare(cython.longlong, 0x0080)
ERROR_TYPES_V4 = cython.declare(cython.longlong, 1 << 3 | 1 << 4 | 1 << 5 | 1 << 11 | 1 << 12)
ERROR_TYPES_V6 = cython.declare(cython.longlong, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4)
V6_ERROR = cython.declare(cython.longlong, 1 << 16)


def walk(cells: cython.longlong[::1], data: cython.const[cython.uchar][::1]) -> int:
    """Step over tunnel headers and ICMP errors: Datagrams cells and the packets' bytes.

    Returns the groups that rows were left at, as a bit set.
    """
    return TunnelWalker(cells, data).run()


@cython.final
@cython.cclass
class TunnelWalker(Walker):
    """Tunnels right over IP, and ICMP errors."""

    after_ethertype: cython.const[cython.short][::1]

    def __init__(self, cells: cython.longlong[::1], data: cython.const[cython.uchar][::1]) -> None:
        super().__init__(cells, data, GRE, TRUNCATED_TUNNEL, OTHER_TRANSPORT)
        self.after_ethertype = AFTER_ETHERTYPE_TABLE

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def step(self) -> cython.longlong:
        if self.header == GRE:
            return self.gre()
        if self.header in (ICMP, ICMPV6):
            return self.icmp()
        if self.header in (ERSPAN, ERSPAN_3):
            return self.erspan()
        return self.become(ETHERNET, self.at + 2)  # EtherIP

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def gre(self) -> cython.longlong:
        """RFC 2784 with RFC 2890's key and sequence; version 1 is PPTP's (RFC 2637)."""
        if not self.has(4):
            return 0
        flags: cython.longlong = self.u16(self.at)
        kind: cython.longlong = self.u16(self.at + 2)
        length: cython.longlong = 8 if flags & CHECKSUM_PRESENT else 4
        key_at: cython.Py_ssize_t = self.at + length
        if flags & ROUTING_PRESENT or flags & 0x0007 > 1:
            return self.skip(OTHER_TRANSPORT)
        length += 4 if flags & KEY_PRESENT else 0
        length += 4 if flags & SEQUENCE_PRESENT else 0
        if flags & 1:
            length += 4 if flags & ACK_PRESENT else 0
        if not self.has(length):
            return 0
        if flags & 1 == 0 and flags & KEY_PRESENT:
            self.add_to_path(self.u32(key_at))
        return self.in_gre(kind, flags & SEQUENCE_PRESENT, self.at + length)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def in_gre(
        self, kind: cython.longlong, sequence: cython.longlong, at: cython.Py_ssize_t
    ) -> cython.longlong:
        """The payload by its ethertype, and those that only GRE carries."""
        if kind == TYPE_ERSPAN:  # without a sequence number it is of type I: no header
            return self.become(ERSPAN if sequence else ETHERNET, at)
        if kind == TYPE_ERSPAN_3:
            return self.become(ERSPAN_3, at)
        if kind == TYPE_PPP:
            return self.become(HDLC, at)
        if kind == TYPE_WCCP:  # version 2 has four octets of its own before the IP header
            four: cython.longlong = at < self.kept and self.data[at] >> 4 == 4
            return self.become(IPV4, at if four else at + 4)
        if ARUBA_FIRST <= kind <= ARUBA_LAST:
            return self.become(WLAN_SWAPPED, at)
        return self.become(self.after_ethertype[kind], at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def erspan(self) -> cython.longlong:
        """Types II and III: a session id of ten bits; III may have a subheader of 8 octets."""
        length: cython.Py_ssize_t = 8 if self.header == ERSPAN else 12
        if not self.has(length):
            return 0
        self.add_to_path(self.u16(self.at + 2) & 0x03FF)
        if self.header == ERSPAN_3 and self.data[self.at + 11] & 1:
            length += 8
        return self.become(ETHERNET, self.at + length)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def icmp(self) -> cython.longlong:
        """RFC 792, RFC 4443 section 2.1: errors quote the datagram they are about."""
        base: cython.Py_ssize_t = self.base
        if not self.has(8):
            return self.skip(ICMP_REASON)
        kind: cython.longlong = self.data[self.at]
        errors: cython.longlong = ERROR_TYPES_V4 if self.header == ICMP else ERROR_TYPES_V6
        if kind > 12 or not (errors >> kind) & 1:
            return self.skip(ICMP_REASON)
        self.cells[base + ICMP_ERROR] = self.u16(self.at)
        if self.header == ICMPV6:
            self.cells[base + ICMP_ERROR] += V6_ERROR
        self.cells[base + ICMP_HI] = self.cells[base + SRC_HI]
        self.cells[base + ICMP_LO] = self.cells[base + SRC_LO]
        return self.by_version(self.at + 8, ICMP_REASON)
