# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Kernel: what a packet of a capture begins with, by its link type, but for the wireless ones. ⚙

Layouts: the tcpdump group's link-layer header types page, one entry a LINKTYPE_ number.
"""

from __future__ import annotations

import cython

from tcptrace.decode.headers import AFTER_ETHERTYPE, Header, dense
from tcptrace.decode.protocols import EtherType
from tcptrace.decode.skipped import Reason
from tcptrace.decode.walker import Walker

ETHERNET = cython.declare(cython.longlong, int(Header.ETHERNET))
LINUX_SLL = cython.declare(cython.longlong, int(Header.LINUX_SLL))
LINUX_SLL2 = cython.declare(cython.longlong, int(Header.LINUX_SLL2))
LOOP = cython.declare(cython.longlong, int(Header.LOOP))
IP = cython.declare(cython.longlong, int(Header.IP))
NFLOG = cython.declare(cython.longlong, int(Header.NFLOG))
IPOIB = cython.declare(cython.longlong, int(Header.IPOIB))
FDDI = cython.declare(cython.longlong, int(Header.FDDI))
ARCNET = cython.declare(cython.longlong, int(Header.ARCNET))
ARCNET_LINUX = cython.declare(cython.longlong, int(Header.ARCNET_LINUX))
TOKEN_RING = cython.declare(cython.longlong, int(Header.TOKEN_RING))
MPACKET = cython.declare(cython.longlong, int(Header.MPACKET))
JUNIPER = cython.declare(cython.longlong, int(Header.JUNIPER))
SLIP = cython.declare(cython.longlong, int(Header.SLIP))
FRAME_RELAY = cython.declare(cython.longlong, int(Header.FRAME_RELAY))
PFLOG = cython.declare(cython.longlong, int(Header.PFLOG))
NETANALYZER = cython.declare(cython.longlong, int(Header.NETANALYZER))
LLC = cython.declare(cython.longlong, int(Header.LLC))
PPP = cython.declare(cython.longlong, int(Header.PPP))
HDLC = cython.declare(cython.longlong, int(Header.HDLC))
NLPID = cython.declare(cython.longlong, int(Header.NLPID))
IPV4 = cython.declare(cython.longlong, int(Header.IPV4))
IPV6 = cython.declare(cython.longlong, int(Header.IPV6))
NOT_IP = cython.declare(cython.longlong, int(Reason.NOT_IP))
TRUNCATED_LINK = cython.declare(cython.longlong, int(Reason.TRUNCATED_LINK))
DAMAGED_LINK = cython.declare(cython.longlong, int(Reason.DAMAGED_LINK))

AFTER_ETHERTYPE_TABLE = dense(AFTER_ETHERTYPE, 0x10000)
LENGTHS_END = cython.declare(cython.longlong, int(EtherType.MINIMUM))
LLC_IN_SLL = cython.declare(cython.longlong, 0x0004)  # ETH_P_802_2
AF_INET = cython.declare(cython.longlong, 2)
AF_INET6_LOWEST = cython.declare(cython.longlong, 10)  # Linux; the BSDs have 24, 26, 28 and 30
NFLOG_PAYLOAD = cython.declare(cython.longlong, 9)  # NFULA_PAYLOAD, linux/netfilter/nfnetlink_log.h
JUNIPER_MAGIC = cython.declare(cython.longlong, 0x4D4743)


def walk(cells: cython.longlong[::1], data: cython.const[cython.uchar][::1]) -> int:
    """Step over link headers: Datagrams cells and the packets' bytes.

    Returns the groups that rows were left at, as a bit set.
    """
    return LinkWalker(cells, data).run()


@cython.final
@cython.cclass
class LinkWalker(Walker):
    """The headers that packets of a capture begin with."""

    after_ethertype: cython.const[cython.short][::1]

    def __init__(self, cells: cython.longlong[::1], data: cython.const[cython.uchar][::1]) -> None:
        super().__init__(cells, data, ETHERNET, TRUNCATED_LINK, NOT_IP)
        self.after_ethertype = AFTER_ETHERTYPE_TABLE

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def step(self) -> cython.longlong:
        if self.header == ETHERNET:
            return self.ethernet()
        if self.header <= LOOP:
            return self.cooked()
        if self.header == IP:
            return self.by_version(self.at, NOT_IP) if self.has(1) else 0
        if self.header <= NFLOG:
            return self.nflog() if self.header == NFLOG else self.with_direction()
        return self.rare()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def cooked(self) -> cython.longlong:
        if self.header == LINUX_SLL:
            return self.linux_sll()
        return self.linux_sll2() if self.header == LINUX_SLL2 else self.loop()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def rare(self) -> cython.longlong:
        if self.header == IPOIB:
            return self.typed(40, 44)  # 20 octets of pseudo-header for each end
        if self.header == FDDI:
            return self.fddi()
        if self.header == ARCNET or self.header == ARCNET_LINUX:
            return self.arcnet()
        if self.header == TOKEN_RING:
            return self.token_ring()
        if self.header == MPACKET:
            return self.mpacket()
        return self.rarest()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def rarest(self) -> cython.longlong:
        if self.header == JUNIPER:
            return self.juniper()
        if self.header == SLIP:
            return self.become(IP, self.at + 16) if self.has(16) else 0
        if self.header == NETANALYZER:
            return self.become(ETHERNET, self.at + 4) if self.has(4) else 0
        if self.header == FRAME_RELAY:
            return self.frame_relay()
        return self.packet_filter()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def typed(self, type_at: cython.Py_ssize_t, length: cython.Py_ssize_t) -> cython.longlong:
        """A header of `length` octets with an ethertype in it."""
        if not self.has(length):
            return 0
        return self.become(self.after_ethertype[self.u16(self.at + type_at)], self.at + length)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def ethernet(self) -> cython.longlong:
        """IEEE 802.3; a type below 0x600 is a length, and LLC follows (the rest is padding)."""
        if not self.has(14):
            return 0
        kind: cython.longlong = self.u16(self.at + 12)
        at: cython.Py_ssize_t = self.at + 14
        if kind >= LENGTHS_END:
            return self.become(self.after_ethertype[kind], at)
        if 0 < kind <= self.kept - at:
            self.kept = at + kind
            self.end = at + kind
        return self.become(LLC, at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def linux_sll(self) -> cython.longlong:
        if not self.has(16):
            return 0
        kind: cython.longlong = self.u16(self.at + 14)
        if kind == LLC_IN_SLL:
            return self.become(LLC, self.at + 16)
        return self.become(self.after_ethertype[kind], self.at + 16)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def linux_sll2(self) -> cython.longlong:
        if not self.has(20):
            return 0
        kind: cython.longlong = self.u16(self.at)
        if kind == LLC_IN_SLL:
            return self.become(LLC, self.at + 20)
        return self.become(self.after_ethertype[kind], self.at + 20)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def loop(self) -> cython.longlong:
        """An address family in four octets, in the byte order of the capturing host."""
        if not self.has(4):
            return 0
        family: cython.longlong = self.data[self.at] + self.data[self.at + 3]
        if self.u16(self.at) and self.u16(self.at + 2):
            return self.skip(NOT_IP)
        return self.of_family(family, self.at + 4)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def of_family(self, family: cython.longlong, at: cython.Py_ssize_t) -> cython.longlong:
        if family == AF_INET:
            return self.become(IPV4, at)
        if family == AF_INET6_LOWEST or 24 <= family <= 30:
            return self.become(IPV6, at)
        return self.skip(NOT_IP)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def with_direction(self) -> cython.longlong:
        """PPP or HDLC behind one octet that tells the direction."""
        return self.become(HDLC, self.at + 1) if self.has(1) else 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def nflog(self) -> cython.longlong:
        """Attributes (length, type, value, padded to four) in the byte order of the host."""
        if not self.has(4):
            return 0
        family: cython.longlong = self.data[self.at]
        self.at += 4
        while self.has(4):
            at: cython.Py_ssize_t = self.at
            little: cython.longlong = self.data[at + 3] & 0x7F == 0 and self.data[at + 2] != 0
            length: cython.longlong = self.u16(at)
            kind: cython.longlong = self.u16(at + 2)
            if little:
                length = ((length & 0xFF) << 8) | (length >> 8)
                kind = ((kind & 0xFF) << 8) | (kind >> 8)
            if length < 4:
                return self.skip(DAMAGED_LINK)
            if kind & 0x7FFF == NFLOG_PAYLOAD:
                return self.of_family(family, at + 4)
            self.at = at + ((length + 3) & 0x1FFFC)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def fddi(self) -> cython.longlong:
        """Frame control, two addresses, LLC (ANSI X3.139); other frames carry no data."""
        if not self.has(13):
            return 0
        if self.data[self.at] & 0xF0 != 0x50:
            return self.skip(NOT_IP)
        return self.become(LLC, self.at + 13)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def arcnet(self) -> cython.longlong:
        """RFC 1201: addresses, a protocol; from the BSDs also a flag and a sequence number."""
        linux: cython.longlong = self.header == ARCNET_LINUX
        place: cython.Py_ssize_t = self.at + (4 if linux else 2)
        if not self.has(8):
            return 0
        kind: cython.longlong = self.data[place]
        at: cython.Py_ssize_t = place + 1
        if kind == 0xD4 or kind == 0xC4:  # RFC 1201's IP, and IPv6
            at = place + 4
            if self.data[place + 1] == 0xFF:  # an exception packet: four octets of filler
                at += 4
            elif self.data[place + 1]:
                return self.skip(NOT_IP)
            return self.become(IPV4 if kind == 0xD4 else IPV6, at)
        return self.become(IPV4, at) if kind == 0xF0 else self.skip(NOT_IP)  # RFC 1051

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def token_ring(self) -> cython.longlong:
        """IEEE 802.5: access and frame control, addresses, source routing, LLC."""
        if not self.has(16):
            return 0
        at: cython.Py_ssize_t = self.at + 14
        if self.data[self.at + 1] & 0xC0 != 0x40:
            return self.skip(NOT_IP)
        if self.data[self.at + 8] & 0x80:
            at += self.data[at] & 0x1F
        return self.become(LLC, at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def mpacket(self) -> cython.longlong:
        """IEEE 802.3br: the preamble ends in an octet which tells a whole packet from parts."""
        if not self.has(8):
            return 0
        express: cython.longlong = self.data[self.at + 7] == 0xD5
        preemptable: cython.longlong = self.data[self.at + 7]
        first: cython.longlong = preemptable == 0xE6 or preemptable == 0x4C
        first = first or preemptable == 0x7F or preemptable == 0xB3
        if not (express or first):
            return self.skip(NOT_IP)
        return self.become(ETHERNET, self.at + 8)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def juniper(self) -> cython.longlong:
        """Magic, flags (0x80: extensions, whose length follows; 0x02: no Ethernet header)."""
        if not self.has(6):
            return 0
        at: cython.Py_ssize_t = self.at + 4
        if self.u24(self.at) != JUNIPER_MAGIC:
            return self.skip(DAMAGED_LINK)
        flags: cython.longlong = self.data[self.at + 3]
        if flags & 0x80:
            at += 2 + self.u16(at)
        if flags & 0x02:
            return self.become(IP, at + 4)
        return self.become(ETHERNET, at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def frame_relay(self) -> cython.longlong:
        """RFC 2427: a two-octet address, UI, perhaps a pad, NLPID; or Cisco's ethertype."""
        if not self.has(4):
            return 0
        if self.data[self.at + 2] != 0x03:
            return self.typed(2, 4)
        return self.become(NLPID, self.at + (4 if self.data[self.at + 3] == 0 else 3))

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def packet_filter(self) -> cython.longlong:
        """OpenBSD's encapsulating interface (12 octets) and its packet filter's log."""
        if not self.has(12):
            return 0
        if self.header == PFLOG:
            length: cython.longlong = (self.data[self.at] + 3) & 0x1FC
            return self.of_family(self.data[self.at + 1], self.at + length)
        return self.of_family(self.data[self.at] + self.data[self.at + 3], self.at + 12)
