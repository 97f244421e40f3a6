"""Link types by name: the LINKTYPE_ numbers of the tcpdump group's registry, in one literal.

`raw IP` has several numbers because each BSD gave its own to DLT_RAW.
"""

from __future__ import annotations

LINK_TYPES: dict[str, int] = {
    "NULL": 0,
    "ETHERNET": 1,
    "IEEE802_5": 6,
    "ARCNET_BSD": 7,
    "SLIP": 8,
    "PPP": 9,
    "FDDI": 10,
    "RAW_DLT": 12,
    "RAW_OPENBSD": 14,
    "PPP_HDLC": 50,
    "PPP_ETHER": 51,
    "ATM_RFC1483": 100,
    "RAW": 101,
    "C_HDLC": 104,
    "IEEE802_11": 105,
    "FRELAY": 107,
    "LOOP": 108,
    "ENC": 109,
    "LINUX_SLL": 113,
    "PFLOG": 117,
    "IEEE802_11_PRISM": 119,
    "IEEE802_11_RADIOTAP": 127,
    "ARCNET_LINUX": 129,
    "IEEE802_11_AVS": 163,
    "PPP_PPPD": 166,
    "JUNIPER_ETHER": 178,
    "PPI": 192,
    "PPP_WITH_DIR": 204,
    "C_HDLC_WITH_DIR": 205,
    "MPLS": 219,
    "IPV4": 228,
    "IPV6": 229,
    "NFLOG": 239,
    "NETANALYZER": 240,
    "IPOIB": 242,
    "PKTAP": 258,
    "ETHERNET_MPACKET": 274,
    "LINUX_SLL2": 276,
}

LINK_TYPE_NAMES: dict[int, str] = {number: name for name, number in LINK_TYPES.items()}
