# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Kernel: what may stand between a link header and an IP header: tags, labels, LLC, PPP. ⚙

IEEE 802.1Q, 802.1ad, 802.1ah, 802.1AE, 802.1BR, 802.2; RFC 3032 (MPLS), RFC 4385 (its control
word), RFC 2516 (PPPoE), RFC 1661 and 1662 (PPP), RFC 8300 (NSH).
"""

from __future__ import annotations

import cython

from tcptrace.decode.headers import AFTER_ETHERTYPE, AFTER_PPP, Header, dense
from tcptrace.decode.protocols import EtherType, PppProtocol
from tcptrace.decode.skipped import Reason
from tcptrace.decode.walker import Walker

ETHERNET = cython.declare(cython.longlong, int(Header.ETHERNET))
LLC = cython.declare(cython.longlong, int(Header.LLC))
MPLS = cython.declare(cython.longlong, int(Header.MPLS))
PPPOE = cython.declare(cython.longlong, int(Header.PPPOE))
PPP = cython.declare(cython.longlong, int(Header.PPP))
HDLC = cython.declare(cython.longlong, int(Header.HDLC))
NLPID = cython.declare(cython.longlong, int(Header.NLPID))
VLAN = cython.declare(cython.longlong, int(Header.VLAN))
VN_TAG = cython.declare(cython.longlong, int(Header.VN_TAG))
BACKBONE = cython.declare(cython.longlong, int(Header.BACKBONE))
MACSEC = cython.declare(cython.longlong, int(Header.MACSEC))
NSH = cython.declare(cython.longlong, int(Header.NSH))
FOUR_THEN_TYPE = cython.declare(cython.longlong, int(Header.FOUR_THEN_TYPE))
IPV4 = cython.declare(cython.longlong, int(Header.IPV4))
IPV6 = cython.declare(cython.longlong, int(Header.IPV6))
SKIPPED = cython.declare(cython.longlong, int(Header.SKIPPED))
NOT_IP = cython.declare(cython.longlong, int(Reason.NOT_IP))
TRUNCATED_LINK = cython.declare(cython.longlong, int(Reason.TRUNCATED_LINK))
DAMAGED_LINK = cython.declare(cython.longlong, int(Reason.DAMAGED_LINK))
ENCRYPTED = cython.declare(cython.longlong, int(Reason.ENCRYPTED))
COMPRESSED = cython.declare(cython.longlong, int(Reason.COMPRESSED))

AFTER_ETHERTYPE_TABLE = dense(AFTER_ETHERTYPE, 0x10000)
AFTER_PPP_TABLE = dense(AFTER_PPP, 0x10000)
VJ_COMPRESSED = cython.declare(cython.longlong, int(PppProtocol.VJ_COMPRESSED))
VJ_UNCOMPRESSED = cython.declare(cython.longlong, int(PppProtocol.VJ_UNCOMPRESSED))
LENGTHS_END = cython.declare(cython.longlong, int(EtherType.MINIMUM))


def walk(cells: cython.longlong[::1], data: cython.const[cython.uchar][::1]) -> int:
    """Step over tags, labels, LLC and PPP headers: Datagrams cells and the packets' bytes.

    Returns the groups that rows were left at, as a bit set.
    """
    return ShimWalker(cells, data).run()


@cython.final
@cython.cclass
class ShimWalker(Walker):
    """The headers between the link's and IP's."""

    after_ethertype: cython.const[cython.short][::1]
    after_ppp: cython.const[cython.short][::1]

    def __init__(self, cells: cython.longlong[::1], data: cython.const[cython.uchar][::1]) -> None:
        super().__init__(cells, data, LLC, TRUNCATED_LINK, NOT_IP)
        self.after_ethertype = AFTER_ETHERTYPE_TABLE
        self.after_ppp = AFTER_PPP_TABLE

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def step(self) -> cython.longlong:
        if self.header == VLAN:
            return self.vlan()
        if self.header == LLC:
            return self.llc()
        if self.header == MPLS:
            return self.mpls()
        if self.header == PPPOE:
            return self.pppoe()
        if self.header == PPP or self.header == HDLC:
            return self.ppp()
        return self.rare()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def rare(self) -> cython.longlong:
        if self.header == NLPID:
            return self.nlpid()
        if self.header == VN_TAG or self.header == FOUR_THEN_TYPE:
            return self.typed(4, 6)
        if self.header == BACKBONE:
            return self.backbone()
        return self.macsec() if self.header == MACSEC else self.nsh()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def typed(self, type_at: cython.Py_ssize_t, length: cython.Py_ssize_t) -> cython.longlong:
        """A tag of `length` octets with an ethertype in it; a small one is a length before LLC."""
        if not self.has(length):
            return 0
        kind: cython.longlong = self.u16(self.at + type_at)
        if kind < LENGTHS_END:
            return self.become(LLC, self.at + length)
        return self.become(self.after_ethertype[kind], self.at + length)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def vlan(self) -> cython.longlong:
        """IEEE 802.1Q section 9.6; id 0 is a priority tag, not a VLAN."""
        if not self.has(4):
            return 0
        vlan_id: cython.longlong = self.u16(self.at) & 0x0FFF
        if vlan_id:
            self.add_to_path(vlan_id)
        return self.typed(2, 4)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def backbone(self) -> cython.longlong:
        """IEEE 802.1ah: a 24-bit service id, then the customer's Ethernet header."""
        if not self.has(4):
            return 0
        self.add_to_path(self.u24(self.at + 1))
        return self.become(ETHERNET, self.at + 4)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def macsec(self) -> cython.longlong:
        """IEEE 802.1AE section 9.3: without its E bit the data are only signed."""
        if not self.has(6):
            return 0
        control: cython.longlong = self.data[self.at]
        if control & 0x0C:
            return self.skip(ENCRYPTED)
        return self.typed(14, 16) if control & 0x20 else self.typed(6, 8)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def nsh(self) -> cython.longlong:
        """RFC 8300 section 2.2: length in words of four, next protocol."""
        if not self.has(8):
            return 0
        at: cython.Py_ssize_t = self.at + (self.data[self.at + 1] & 0x3F) * 4
        following: cython.longlong = self.data[self.at + 3]
        if at < self.at + 8:
            return self.skip(DAMAGED_LINK)
        if following == 1 or following == 2:
            return self.become(IPV4 if following == 1 else IPV6, at)
        if following == 3:
            return self.become(ETHERNET, at)
        return self.become(MPLS, at) if following == 5 else self.skip(NOT_IP)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def mpls(self) -> cython.longlong:
        """RFC 3032. After the last label nothing says what comes: RFC 4928's first four bits do.

        Labels are chosen for each direction by the other end, so they are not in the path.
        """
        if not self.has(5):
            return 0
        bottom: cython.longlong = self.data[self.at + 2] & 1
        self.at += 4
        if not bottom:
            return 0
        version: cython.longlong = self.data[self.at] >> 4
        if version == 4 or version == 6:
            return self.become(IPV4 if version == 4 else IPV6, self.at)
        if version == 0 and self.is_control_word():
            return self.become(ETHERNET, self.at + 4)
        return self.become(ETHERNET, self.at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def is_control_word(self) -> cython.longlong:
        """RFC 4385: four bits of 0, flags, length, sequence; an Ethernet address may look so."""
        if self.at + 18 > self.kept:
            return 0
        known_with: cython.longlong = self.after_ethertype[self.u16(self.at + 16)] != SKIPPED
        known_without: cython.longlong = self.after_ethertype[self.u16(self.at + 12)] != SKIPPED
        return 1 if known_with or not known_without else 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def pppoe(self) -> cython.longlong:
        """RFC 2516 section 4: version and type, code, session id, length."""
        if not self.has(6):
            return 0
        if self.data[self.at + 1]:
            return self.skip(NOT_IP)
        self.add_to_path(self.u16(self.at + 2))
        return self.become(PPP, self.at + 6)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def ppp(self) -> cython.longlong:
        """RFC 1661 section 2, with or without RFC 1662's address and control; or Cisco HDLC."""
        if not self.has(4):
            return 0
        at: cython.Py_ssize_t = self.at
        first: cython.longlong = self.data[at]
        if first == 0x0F or first == 0x8F:  # Cisco's unicast and multicast addresses
            return self.typed(2, 4)
        if self.data[at + 1] == 0x03 and (first == 0xFF or self.header == HDLC):
            at += 2
        protocol: cython.longlong = self.data[at]
        if protocol & 1:  # RFC 1661 section 6.5: compressed to one octet
            at += 1
        else:
            protocol = self.u16(at)
            at += 2
        if protocol in (VJ_COMPRESSED, VJ_UNCOMPRESSED):
            return self.skip(COMPRESSED)
        return self.become(self.after_ppp[protocol], at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def llc(self) -> cython.longlong:
        """IEEE 802.2 section 3: the access points tell; SNAP holds an ethertype (RFC 1042)."""
        if not self.has(8):
            return 0
        points: cython.longlong = self.u16(self.at)
        if points == 0xAAAA:
            return self.snap(self.at + 3)
        if points == 0x0606:
            return self.become(IPV4, self.at + 3)
        return self.become(NLPID, self.at + 3) if points == 0xFEFE else self.skip(NOT_IP)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def snap(self, at: cython.Py_ssize_t) -> cython.longlong:
        """The organisation: 0 and Apple's bridge-tunnel mean ethertypes, 802.1 a bridged frame."""
        organisation: cython.longlong = self.u24(at)
        kind: cython.longlong = self.u16(at + 3)
        if organisation == 0 or organisation == 0x0000F8:
            return self.become(self.after_ethertype[kind], at + 5)
        if organisation == 0x0080C2 and (kind == 0x0001 or kind == 0x0007):  # RFC 2684
            return self.become(ETHERNET, at + 7)
        return self.skip(NOT_IP)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def nlpid(self) -> cython.longlong:
        """ISO/IEC TR 9577's identifiers, as RFC 2427 uses them."""
        if not self.has(6):
            return 0
        kind: cython.longlong = self.data[self.at]
        if kind == 0xCC:
            return self.become(IPV4, self.at + 1)
        if kind == 0x8E:
            return self.become(IPV6, self.at + 1)
        return self.snap(self.at + 1) if kind == 0x80 else self.skip(NOT_IP)
