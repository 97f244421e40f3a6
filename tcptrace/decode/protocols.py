"""Numbers that name the next protocol in a packet, one literal class a registry."""

from __future__ import annotations

from enum import IntEnum


class EtherType(IntEnum):
    """IEEE 802 numbers; below MINIMUM the field is a length and LLC follows."""

    MINIMUM = 0x0600
    IPV4 = 0x0800
    TRANSPARENT_ETHERNET = 0x6558
    VLAN = 0x8100
    WCCP = 0x883E
    IPV6 = 0x86DD
    PPP = 0x880B
    MPLS = 0x8847
    MPLS_MULTICAST = 0x8848
    PPPOE_SESSION = 0x8864
    JUMBO_LLC = 0x8870
    PROVIDER_VLAN = 0x88A8
    ERSPAN = 0x88BE
    MACSEC = 0x88E5
    BACKBONE = 0x88E7
    VN_TAG = 0x8926
    HSR = 0x892F
    NSH = 0x894F
    QINQ = 0x9100
    QINQ_2 = 0x9200
    QINQ_3 = 0x9300
    ERSPAN_3 = 0x22EB
    REDUNDANCY_TAG = 0xF1C1


class IpProtocol(IntEnum):
    """IANA's protocol numbers, IPv6 extension headers among them."""

    HOP_BY_HOP = 0
    ICMP = 1
    IPV4 = 4
    TCP = 6
    UDP = 17
    IPV6 = 41
    ROUTING = 43
    FRAGMENT = 44
    GRE = 47
    ESP = 50
    AH = 51
    ICMPV6 = 58
    NO_NEXT = 59
    DESTINATION = 60
    ETHERIP = 97
    IPCOMP = 108
    MOBILITY = 135
    MPLS = 137
    HIP = 139
    SHIM6 = 140


class UdpPort(IntEnum):
    """The registered ports of the tunnels that are carried in UDP."""

    L2TP = 1701
    GTP_U = 2152
    TEREDO = 3544
    VXLAN = 4789
    VXLAN_GPE = 4790
    LISP_DATA = 4341
    GRE = 4754
    CAPWAP_DATA = 5247
    GENEVE = 6081
    MPLS = 6635
    VXLAN_LINUX = 8472


class PppProtocol(IntEnum):
    """PPP data link layer protocols, RFC 1661 and IANA."""

    IPV4 = 0x0021
    VJ_COMPRESSED = 0x002D
    VJ_UNCOMPRESSED = 0x002F
    IPV6 = 0x0057
    MPLS = 0x0281
    MPLS_MULTICAST = 0x0283


class TcpOption(IntEnum):
    """TCP option kinds: RFC 9293 section 3.2, RFC 7323, RFC 2018, RFC 7413."""

    END = 0
    NO_OPERATION = 1
    MSS = 2
    WINDOW_SCALE = 3
    SACK_PERMITTED = 4
    SACK = 5
    TIMESTAMPS = 8
    FAST_OPEN = 34
    EXPERIMENTAL = 254


FAST_OPEN_MAGIC = 0xF989  # RFC 7413 section 4.1.1: the experimental option's identifier
LARGEST_FRAME = 9216  # octets of the jumbo frames that switches carry
IPV4_MAPPED = 0xFFFF00000000  # RFC 4291 section 2.5.5.2: lower half of ::ffff:0:0, then the address
