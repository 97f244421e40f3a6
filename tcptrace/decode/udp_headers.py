# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Kernel: UDP, and the tunnels that it carries, known by their ports. ⚙

RFC 7348 (VXLAN), draft-ietf-nvo3-vxlan-gpe, RFC 8926 (Geneve), 3GPP TS 29.281 (GTP-U), RFC 2661
(L2TP), RFC 4380 (Teredo), RFC 5415 (CAPWAP), RFC 6830 (LISP).

Of the ids, those that both directions share are mixed into the path. Those that each end chooses
for what it receives (GTP's TEID, L2TP's session) would part a connection's directions.
"""

from __future__ import annotations

import cython

from tcptrace.decode.headers import AFTER_ETHERTYPE, AFTER_UDP, Header, dense
from tcptrace.decode.protocols import UdpPort
from tcptrace.decode.skipped import Reason
from tcptrace.decode.walker import Walker

UDP = cython.declare(cython.longlong, int(Header.UDP))
L2TP = cython.declare(cython.longlong, int(Header.L2TP))
GTP_U = cython.declare(cython.longlong, int(Header.GTP_U))
TEREDO = cython.declare(cython.longlong, int(Header.TEREDO))
VXLAN = cython.declare(cython.longlong, int(Header.VXLAN))
CAPWAP = cython.declare(cython.longlong, int(Header.CAPWAP))
GENEVE = cython.declare(cython.longlong, int(Header.GENEVE))
LISP = cython.declare(cython.longlong, int(Header.LISP))
WLAN_SWAPPED = cython.declare(cython.longlong, int(Header.WLAN_SWAPPED))
ETHERNET = cython.declare(cython.longlong, int(Header.ETHERNET))
HDLC = cython.declare(cython.longlong, int(Header.HDLC))
MPLS = cython.declare(cython.longlong, int(Header.MPLS))
NSH = cython.declare(cython.longlong, int(Header.NSH))
IPV4 = cython.declare(cython.longlong, int(Header.IPV4))
IPV6 = cython.declare(cython.longlong, int(Header.IPV6))
SKIPPED = cython.declare(cython.longlong, int(Header.SKIPPED))
UDP_REASON = cython.declare(cython.longlong, int(Reason.UDP))
TRUNCATED_TUNNEL = cython.declare(cython.longlong, int(Reason.TRUNCATED_TUNNEL))
ENCRYPTED = cython.declare(cython.longlong, int(Reason.ENCRYPTED))

AFTER_ETHERTYPE_TABLE = dense(AFTER_ETHERTYPE, 0x10000)
AFTER_UDP_TABLE = dense(AFTER_UDP, 0x10000)
EXTENSIBLE_PORT = cython.declare(cython.longlong, int(UdpPort.VXLAN_GPE))
USER_DATA = cython.declare(cython.longlong, 0xFF)  # GTP's message type G-PDU


def walk(cells: cython.longlong[::1], data: cython.const[cython.uchar][::1]) -> int:
    """Step over UDP headers and the tunnels behind them: Datagrams cells and the packets' bytes.

    Returns the groups that rows were left at, as a bit set.
    """
    return UdpWalker(cells, data).run()


@cython.final
@cython.cclass
class UdpWalker(Walker):
    """UDP, and the tunnels behind it."""

    after_ethertype: cython.const[cython.short][::1]
    after_udp: cython.const[cython.short][::1]

    def __init__(self, cells: cython.longlong[::1], data: cython.const[cython.uchar][::1]) -> None:
        super().__init__(cells, data, UDP, TRUNCATED_TUNNEL, UDP_REASON)
        self.after_ethertype = AFTER_ETHERTYPE_TABLE
        self.after_udp = AFTER_UDP_TABLE

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def step(self) -> cython.longlong:
        if self.header == UDP:
            return self.udp()
        if self.header == VXLAN:
            return self.vxlan()
        if self.header == GENEVE:
            return self.geneve()
        if self.header == GTP_U:
            return self.gtp()
        return self.rare()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def rare(self) -> cython.longlong:
        if self.header == L2TP:
            return self.l2tp()
        if self.header == TEREDO:
            return self.teredo()
        if self.header == CAPWAP:
            return self.capwap()
        return self.by_version(self.at + 8, UDP_REASON)  # LISP

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def udp(self) -> cython.longlong:
        """RFC 768; a tunnel is known by its port, on either side. Its length bounds the rest."""
        if not self.has(8):
            return self.skip(UDP_REASON)
        port: cython.longlong = self.u16(self.at + 2)
        if self.after_udp[port] == SKIPPED:
            port = self.u16(self.at)
        header: cython.longlong = self.after_udp[port]
        if header == SKIPPED:
            return self.skip(UDP_REASON)
        length: cython.longlong = self.u16(self.at + 4)
        if length > 8 and self.at + length < self.kept:
            self.kept = self.at + length
            self.end = self.kept
        self.become(header, self.at + 8)
        if header == VXLAN and port == EXTENSIBLE_PORT and self.has(8):
            return self.vxlan_extensible()
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def vxlan(self) -> cython.longlong:
        """RFC 7348 section 5: without its I flag it is something else on that port."""
        if not self.has(8):
            return 0
        if not self.data[self.at] & 0x08:
            return self.skip(UDP_REASON)
        self.add_to_path(self.u24(self.at + 4))
        return self.become(ETHERNET, self.at + 8)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def vxlan_extensible(self) -> cython.longlong:
        """The generic protocol extension: with the P flag, the next protocol is named."""
        following: cython.longlong = self.data[self.at + 3]
        if not self.data[self.at] & 0x04 or following == 3:
            return self.vxlan()
        self.add_to_path(self.u24(self.at + 4))
        if following in (1, 2):
            return self.become(IPV4 if following == 1 else IPV6, self.at + 8)
        if following == 4:
            return self.become(NSH, self.at + 8)
        return self.become(MPLS, self.at + 8) if following == 5 else self.skip(UDP_REASON)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def geneve(self) -> cython.longlong:
        """RFC 8926 section 3.4: version, length of the options in fours, ethertype, VNI."""
        if not self.has(8):
            return 0
        first: cython.longlong = self.data[self.at]
        if first >> 6:
            return self.skip(UDP_REASON)
        self.add_to_path(self.u24(self.at + 4))
        at: cython.Py_ssize_t = self.at + 8 + (first & 0x3F) * 4
        return self.become(self.after_ethertype[self.u16(self.at + 2)], at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def gtp(self) -> cython.longlong:
        """TS 29.281 section 5.1: version 1; any of E, S, PN brings four octets, E a chain."""
        if not self.has(8):
            return 0
        flags: cython.longlong = self.data[self.at]
        if flags >> 4 != 3 or self.data[self.at + 1] != USER_DATA:
            return self.skip(UDP_REASON)
        at: cython.Py_ssize_t = self.at + 8
        if flags & 0x07:
            at += 4
        more: cython.longlong = flags & 0x04
        while more and at <= self.kept and self.data[at - 1]:
            if at >= self.kept or self.data[at] == 0:
                return self.skip(UDP_REASON)
            at += self.data[at] * 4
        return self.by_version(at, UDP_REASON)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def l2tp(self) -> cython.longlong:
        """RFC 2661 section 3.1: control messages and version 3 carry no PPP that shows."""
        if not self.has(8):
            return 0
        flags: cython.longlong = self.u16(self.at)
        if flags & 0x8000 or flags & 0x000F != 2:
            return self.skip(UDP_REASON)
        at: cython.Py_ssize_t = self.at + (8 if flags & 0x4000 else 6)
        at += 4 if flags & 0x0800 else 0
        if flags & 0x0200:
            if at + 2 > self.kept:
                return self.skip(TRUNCATED_TUNNEL)
            at += 2 + self.u16(at)
        return self.become(HDLC, at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def teredo(self) -> cython.longlong:
        """RFC 4380 section 5.1.1: authentication and origin may stand before the IPv6 header."""
        at: cython.Py_ssize_t = self.at
        if at + 4 <= self.kept and self.u16(at) == 0x0001:
            at += 13 + self.data[at + 2] + self.data[at + 3]
        if at + 8 <= self.kept and self.u16(at) == 0x0000:
            at += 8
        if at < self.kept and self.data[at] >> 4 == 6:
            return self.become(IPV6, at)
        return self.skip(UDP_REASON)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def capwap(self) -> cython.longlong:
        """RFC 5415 section 4.3; RFC 5416's 802.11 frames come with their control swapped, too."""
        if not self.has(8):
            return 0
        if self.data[self.at] & 0x0F:
            return self.skip(ENCRYPTED)
        if self.data[self.at + 3] & 0x88:  # a fragment, or a keep-alive
            return self.skip(UDP_REASON)
        at: cython.Py_ssize_t = self.at + (self.data[self.at + 1] >> 3) * 4
        native: cython.longlong = self.data[self.at + 2] & 0x01
        return self.become(WLAN_SWAPPED if native else ETHERNET, at)
