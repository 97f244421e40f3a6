# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Kernel: 802.11 data frames, and what captures put before them: radiotap, Prism, AVS, PPI. ⚙

IEEE 802.11 sections 9.2 and 9.3.2; radiotap.org; the tcpdump group's PPI page. A protected frame
shows nothing. Of a frame in fragments the first one counts, as if the snap length had cut it.
"""

from __future__ import annotations

import cython

from tcptrace.decode.datagrams import Datagrams
from tcptrace.decode.headers import AFTER_LINK_TYPE, Header, dense
from tcptrace.decode.skipped import Reason
from tcptrace.decode.walker import Walker

MORE_AT = cython.declare(cython.Py_ssize_t, Datagrams.index("more_at"))
MORE_KEPT = cython.declare(cython.Py_ssize_t, Datagrams.index("more_kept"))
MORE_END = cython.declare(cython.Py_ssize_t, Datagrams.index("more_end"))

PPI = cython.declare(cython.longlong, int(Header.PPI))
WLAN = cython.declare(cython.longlong, int(Header.WLAN))
WLAN_SWAPPED = cython.declare(cython.longlong, int(Header.WLAN_SWAPPED))
RADIOTAP = cython.declare(cython.longlong, int(Header.RADIOTAP))
PKTAP = cython.declare(cython.longlong, int(Header.PKTAP))
AVS = cython.declare(cython.longlong, int(Header.AVS))
AMSDU = cython.declare(cython.longlong, int(Header.AMSDU))
LLC = cython.declare(cython.longlong, int(Header.LLC))
UNUSUAL = cython.declare(cython.longlong, int(Header.UNUSUAL))
TRUNCATED_LINK = cython.declare(cython.longlong, int(Reason.TRUNCATED_LINK))
DAMAGED_LINK = cython.declare(cython.longlong, int(Reason.DAMAGED_LINK))
LINK_TYPE_UNKNOWN = cython.declare(cython.longlong, int(Reason.LINK_TYPE_UNKNOWN))
ENCRYPTED = cython.declare(cython.longlong, int(Reason.ENCRYPTED))
WLAN_NOT_DATA = cython.declare(cython.longlong, int(Reason.WLAN_NOT_DATA))
WLAN_FRAGMENT = cython.declare(cython.longlong, int(Reason.WLAN_FRAGMENT))

AFTER_LINK_TYPE_TABLE = dense(AFTER_LINK_TYPE, max(AFTER_LINK_TYPE) + 1, Header.UNUSUAL)

# Frame control: its first octet holds version, type and subtype, its second the flags.
DATA = cython.declare(cython.longlong, 0x08)
NO_DATA = cython.declare(cython.longlong, 0x40)  # the subtype's bit for null frames
QOS = cython.declare(cython.longlong, 0x80)
TO_AND_FROM = cython.declare(cython.longlong, 0x03)  # between access points: a fourth address
PROTECTED = cython.declare(cython.longlong, 0x40)
ORDER = cython.declare(cython.longlong, 0x80)  # with QoS: four octets of HT control
AMSDU_PRESENT = cython.declare(cython.longlong, 0x80)  # in the QoS control's first octet
RADIOTAP_FLAGS = cython.declare(cython.longlong, 0x02)  # the bit of the flags field
RADIOTAP_TIME = cython.declare(cython.longlong, 0x01)  # eight octets before it
RADIOTAP_EXTENDED = cython.declare(cython.longlong, 0x80)  # one more word of bits follows
DATA_PADDED = cython.declare(cython.longlong, 0x20)  # to four octets, after the 802.11 header
SNAP = cython.declare(cython.longlong, 0xAAAA)  # the access points that LLC begins with
AVS_MAGIC = cython.declare(cython.longlong, 0x8021)  # the first half of 0x8021100X


def walk(cells: cython.longlong[::1], data: cython.const[cython.uchar][::1]) -> int:
    """Step over 802.11 headers: Datagrams cells and the packets' bytes.

    Returns the groups that rows were left at, as a bit set.
    """
    return WirelessWalker(cells, data).run()


@cython.final
@cython.cclass
class WirelessWalker(Walker):
    """802.11 and its wrappings; whether the frame's body is padded is told by radiotap."""

    after_link_type: cython.const[cython.short][::1]
    padded: cython.longlong

    def __init__(self, cells: cython.longlong[::1], data: cython.const[cython.uchar][::1]) -> None:
        super().__init__(cells, data, WLAN, TRUNCATED_LINK, DAMAGED_LINK)
        self.after_link_type = AFTER_LINK_TYPE_TABLE
        self.padded = 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def u16_little(self, at: cython.Py_ssize_t) -> cython.longlong:
        return (self.data[at + 1] << 8) | self.data[at]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def step(self) -> cython.longlong:
        if self.header in (WLAN, WLAN_SWAPPED):
            return self.wlan()
        if self.header == RADIOTAP:
            return self.radiotap()
        if self.header == AMSDU:
            return self.amsdu()
        if self.header == PPI:
            return self.wrapper(2, 4)
        return self.wrapper(0, 8) if self.header == PKTAP else self.prism()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def wrapper(
        self, length_at: cython.Py_ssize_t, link_type_at: cython.Py_ssize_t
    ) -> cython.longlong:
        """PPI and Apple's PKTAP: a length of it all, the link type behind it; little endian."""
        if not self.has(12):
            return 0
        length: cython.longlong = self.u16_little(self.at + length_at)
        link_type: cython.longlong = self.u16_little(self.at + link_type_at)
        if length < 8 or link_type >= self.after_link_type.shape[0]:
            return self.skip(DAMAGED_LINK)
        header: cython.longlong = self.after_link_type[link_type]
        return self.skip(LINK_TYPE_UNKNOWN) if header == UNUSUAL else self.go(header, length)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def go(self, header: cython.longlong, length: cython.longlong) -> cython.longlong:
        """Step over `length` octets, if they were captured."""
        return self.become(header, self.at + length) if self.has(length) else 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def prism(self) -> cython.longlong:
        """Prism: message code and length in the host's byte order; AVS begins with a magic."""
        if not self.has(8):
            return 0
        if self.header == AVS or self.u16(self.at) == AVS_MAGIC:
            return self.go(WLAN, self.u16(self.at + 6))
        length: cython.longlong = self.u16_little(self.at + 4)
        if length == 0:
            length = self.u16(self.at + 6)
        return self.go(WLAN, length)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def radiotap(self) -> cython.longlong:
        """Its length is little endian; of its fields only the flags matter here."""
        if not self.has(8):
            return 0
        length: cython.longlong = self.u16_little(self.at + 2)
        present: cython.longlong = self.data[self.at + 4]
        field: cython.Py_ssize_t = self.at + 8
        self.padded = 0
        if length < 8 or not self.has(length):
            return self.skip(DAMAGED_LINK) if length < 8 else 0
        while self.data[field - 1] & RADIOTAP_EXTENDED and field + 4 <= self.at + length:
            field += 4
        if present & RADIOTAP_TIME:
            field += 8 + (-(field - self.at) & 7)
        if present & RADIOTAP_FLAGS and field < self.at + length:
            self.padded = 1 if self.data[field] & DATA_PADDED else 0
        return self.go(WLAN, length)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def wlan(self) -> cython.longlong:
        """A data frame's header: 24 octets, a fourth address, QoS control, HT control."""
        if not self.has(2):
            return 0
        swapped: cython.longlong = 1 if self.header == WLAN_SWAPPED else 0
        if swapped and self.data[self.at + 1] & 0x0F != DATA:
            swapped = 0  # RFC 5416's order after all
        control: cython.longlong = self.data[self.at + swapped]
        flags: cython.longlong = self.data[self.at + 1 - swapped]
        if control & 0x0F != DATA or control & NO_DATA:
            return self.skip(WLAN_NOT_DATA)
        if flags & PROTECTED:
            return self.skip(ENCRYPTED)
        length: cython.longlong = 30 if flags & TO_AND_FROM == TO_AND_FROM else 24
        if not self.has(length + 2):
            return 0
        fragment: cython.longlong = self.data[self.at + 22] & 0x0F
        self.body(control & QOS, flags & ORDER, length)
        return self.skip(WLAN_FRAGMENT) if fragment and not self.is_llc() else 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def is_llc(self) -> cython.longlong:
        """Whether a body begins as a whole one does; access points number some of them, too."""
        return 1 if self.at + 2 <= self.kept and self.u16(self.at) == SNAP else 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def body(
        self, qos: cython.longlong, order: cython.longlong, length: cython.longlong
    ) -> cython.longlong:
        header: cython.longlong = LLC
        if qos:
            if self.data[self.at + length] & AMSDU_PRESENT:
                header = AMSDU
            length += 6 if order else 2
        if self.padded:
            length += -length & 3
        if header == AMSDU:
            self.cells[self.base + MORE_END] = self.end
            self.cells[self.base + MORE_KEPT] = self.kept
        return self.go(header, length)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def amsdu(self) -> cython.longlong:
        """IEEE 802.11 section 9.3.2.2.2: addresses, length, LLC, padded to four octets.

        The next subframe is left to another row, which begins again at `more_at`.
        """
        if not self.has(14):
            return 0
        length: cython.longlong = 14 + self.u16(self.at + 12)
        following: cython.Py_ssize_t = self.at + ((length + 3) & 0x1FFFC)
        self.cells[self.base + MORE_AT] = following if following + 14 < self.kept else 0
        if self.at + length < self.kept:
            self.kept = self.at + length
        self.end = self.at + length
        return self.become(LLC, self.at + 14)
