"""`Header`: what may stand next in a packet, and the literals that say what follows what.

A new link type, ethertype or tunnel is a new row in one of the literals below, and, if its header
is of a new form, a member of Header with a method in the kernel of its group.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from enum import IntEnum

from tcptrace.decode.link_types import LINK_TYPES
from tcptrace.decode.protocols import EtherType, IpProtocol, PppProtocol, UdpPort

GROUP_BITS = 8


class Header(IntEnum):
    """What stands at a row's `at`; the hundreds (of hex) say which kernel reads it."""

    # link_headers: what a packet of a capture may begin with
    ETHERNET = 0x000
    LINUX_SLL = 0x001
    LINUX_SLL2 = 0x002
    LOOP = 0x003
    IP = 0x004
    PPP_WITH_DIR = 0x005
    NFLOG = 0x006
    IPOIB = 0x007
    FDDI = 0x008
    ARCNET = 0x009
    ARCNET_LINUX = 0x00A
    TOKEN_RING = 0x00B
    MPACKET = 0x00C
    JUNIPER = 0x00D
    SLIP = 0x00E
    FRAME_RELAY = 0x00F
    ENC = 0x010
    PFLOG = 0x011
    NETANALYZER = 0x012
    # wireless_headers
    PPI = 0x100
    WLAN = 0x101
    RADIOTAP = 0x102
    PRISM = 0x103
    AVS = 0x104
    AMSDU = 0x105
    PKTAP = 0x106
    WLAN_SWAPPED = 0x107  # the two octets of its frame control in the other order
    # shim_headers: between the link header and the network header
    LLC = 0x201
    MPLS = 0x202
    PPPOE = 0x203
    PPP = 0x204
    HDLC = 0x205
    NLPID = 0x206
    VLAN = 0x207
    VN_TAG = 0x208
    BACKBONE = 0x209
    MACSEC = 0x20A
    NSH = 0x20B
    FOUR_THEN_TYPE = 0x20C  # four octets, then an ethertype: HSR, 802.1CB
    # ip_headers
    IPV4 = 0x300
    IPV6 = 0x301
    OPTIONS = 0x302  # hop-by-hop and destination options
    ROUTING = 0x303
    FRAGMENT_HEADER = 0x304
    AUTHENTICATION = 0x305
    OTHER_EXTENSION = 0x306
    # udp_headers
    UDP = 0x400
    L2TP = 0x401
    GTP_U = 0x402
    TEREDO = 0x403
    VXLAN = 0x404
    CAPWAP = 0x405
    GENEVE = 0x406
    LISP = 0x407
    # tunnel_headers
    GRE = 0x500
    ETHERIP = 0x501
    ERSPAN = 0x502
    ERSPAN_3 = 0x503
    ICMP = 0x504
    ICMPV6 = 0x505
    # the ends
    TCP = 0x600
    FRAGMENT = 0x601
    COMPRESSED = 0x602
    UNUSUAL = 0x603
    SKIPPED = 0x604
    CONTINUED = 0x605  # as another row, in another buffer
    FRAGMENT_V6 = 0x606  # `at` is its own header; FRAGMENT is IPv4's, `at` behind the IP header


END_GROUP = int(Header.TCP) >> GROUP_BITS

FIRST_HEADERS: dict[str, Header] = {
    "NULL": Header.LOOP,
    "ETHERNET": Header.ETHERNET,
    "IEEE802_5": Header.TOKEN_RING,
    "ARCNET_BSD": Header.ARCNET,
    "SLIP": Header.SLIP,
    "PPP": Header.PPP,
    "FDDI": Header.FDDI,
    "RAW_DLT": Header.IP,
    "RAW_OPENBSD": Header.IP,
    "PPP_HDLC": Header.HDLC,
    "PPP_ETHER": Header.PPPOE,
    "ATM_RFC1483": Header.LLC,
    "RAW": Header.IP,
    "C_HDLC": Header.HDLC,
    "IEEE802_11": Header.WLAN,
    "FRELAY": Header.FRAME_RELAY,
    "LOOP": Header.LOOP,
    "ENC": Header.ENC,
    "LINUX_SLL": Header.LINUX_SLL,
    "PFLOG": Header.PFLOG,
    "IEEE802_11_PRISM": Header.PRISM,
    "IEEE802_11_RADIOTAP": Header.RADIOTAP,
    "ARCNET_LINUX": Header.ARCNET_LINUX,
    "IEEE802_11_AVS": Header.AVS,
    "PPP_PPPD": Header.PPP_WITH_DIR,
    "JUNIPER_ETHER": Header.JUNIPER,
    "PPI": Header.PPI,
    "PPP_WITH_DIR": Header.PPP_WITH_DIR,
    "C_HDLC_WITH_DIR": Header.PPP_WITH_DIR,
    "MPLS": Header.MPLS,
    "IPV4": Header.IPV4,
    "IPV6": Header.IPV6,
    "NFLOG": Header.NFLOG,
    "NETANALYZER": Header.NETANALYZER,
    "IPOIB": Header.IPOIB,
    "PKTAP": Header.PKTAP,
    "ETHERNET_MPACKET": Header.MPACKET,
    "LINUX_SLL2": Header.LINUX_SLL2,
}

AFTER_ETHERTYPE: dict[int, Header] = {
    EtherType.IPV4: Header.IPV4,
    EtherType.IPV6: Header.IPV6,
    EtherType.VLAN: Header.VLAN,
    EtherType.PROVIDER_VLAN: Header.VLAN,
    EtherType.QINQ: Header.VLAN,
    EtherType.QINQ_2: Header.VLAN,
    EtherType.QINQ_3: Header.VLAN,
    EtherType.TRANSPARENT_ETHERNET: Header.ETHERNET,
    EtherType.PPP: Header.PPP,
    EtherType.MPLS: Header.MPLS,
    EtherType.MPLS_MULTICAST: Header.MPLS,
    EtherType.PPPOE_SESSION: Header.PPPOE,
    EtherType.JUMBO_LLC: Header.LLC,
    EtherType.MACSEC: Header.MACSEC,
    EtherType.BACKBONE: Header.BACKBONE,
    EtherType.VN_TAG: Header.VN_TAG,
    EtherType.HSR: Header.FOUR_THEN_TYPE,
    EtherType.REDUNDANCY_TAG: Header.FOUR_THEN_TYPE,
    EtherType.NSH: Header.NSH,
}

AFTER_IP: dict[int, Header] = {
    IpProtocol.TCP: Header.TCP,
    IpProtocol.UDP: Header.UDP,
    IpProtocol.ICMP: Header.ICMP,
    IpProtocol.ICMPV6: Header.ICMPV6,
    IpProtocol.HOP_BY_HOP: Header.OPTIONS,
    IpProtocol.DESTINATION: Header.OPTIONS,
    IpProtocol.ROUTING: Header.ROUTING,
    IpProtocol.FRAGMENT: Header.FRAGMENT_HEADER,
    IpProtocol.AH: Header.AUTHENTICATION,
    IpProtocol.MOBILITY: Header.OTHER_EXTENSION,
    IpProtocol.HIP: Header.OTHER_EXTENSION,
    IpProtocol.SHIM6: Header.OTHER_EXTENSION,
    IpProtocol.IPV4: Header.IPV4,
    IpProtocol.IPV6: Header.IPV6,
    IpProtocol.GRE: Header.GRE,
    IpProtocol.ETHERIP: Header.ETHERIP,
    IpProtocol.MPLS: Header.MPLS,
    IpProtocol.IPCOMP: Header.COMPRESSED,
}

AFTER_PPP: dict[int, Header] = {
    PppProtocol.IPV4: Header.IPV4,
    PppProtocol.IPV6: Header.IPV6,
    PppProtocol.MPLS: Header.MPLS,
    PppProtocol.MPLS_MULTICAST: Header.MPLS,
}

AFTER_UDP: dict[int, Header] = {
    UdpPort.L2TP: Header.L2TP,
    UdpPort.GTP_U: Header.GTP_U,
    UdpPort.TEREDO: Header.TEREDO,
    UdpPort.VXLAN: Header.VXLAN,
    UdpPort.VXLAN_GPE: Header.VXLAN,
    UdpPort.VXLAN_LINUX: Header.VXLAN,
    UdpPort.CAPWAP_DATA: Header.CAPWAP,
    UdpPort.GENEVE: Header.GENEVE,
    UdpPort.MPLS: Header.MPLS,
    UdpPort.GRE: Header.GRE,
    UdpPort.LISP_DATA: Header.LISP,
}

AFTER_LINK_TYPE: dict[int, Header] = {
    LINK_TYPES[name]: header for name, header in FIRST_HEADERS.items()
}


def dense(literal: Mapping[int, Header], size: int, missing: Header = Header.SKIPPED) -> memoryview:
    """A literal as an array of int16, for a kernel: number → Header, `missing` in the holes."""
    table = array("h", [missing]) * size
    for number, header in literal.items():
        table[number] = header
    return memoryview(table)
