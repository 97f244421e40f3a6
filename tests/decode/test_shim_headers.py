"""Tags, labels, LLC and PPP between the link header and IP."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack

import pytest
from scapy.contrib.macsec import MACsec
from scapy.contrib.mpls import MPLS, EoMCW
from scapy.contrib.nsh import NSH
from scapy.layers.l2 import Dot1AD, Dot1AH, Dot1Q
from scapy.layers.ppp import PPP, PPPoE, PPPoED
from scapy.packet import Packet, Raw

from tcptrace.decode.datagrams import MAX_DEPTH
from tcptrace.decode.decoder import Decoder
from tcptrace.decode.link_types import LINK_TYPES
from tests.decode.crafted import (
    V4_ENDS,
    V6_ENDS,
    assert_the_segment,
    captured,
    cell,
    ether,
    ipv4,
    ipv6,
)

INNER = bytes(ether(type=0x0800) / ipv4())

STACKS: dict[str, tuple[str, Packet | bytes, tuple[int, ...]]] = {
    "vlan": ("ETHERNET", ether() / Dot1Q(vlan=5) / ipv4(), V4_ENDS),
    "vlan, ipv6": ("ETHERNET", ether() / Dot1Q(vlan=5) / ipv6(), V6_ENDS),
    "qinq": ("ETHERNET", ether(type=0x9100) / Dot1Q(vlan=5) / Dot1Q(vlan=6) / ipv4(), V4_ENDS),
    "802.1ad": ("ETHERNET", ether() / Dot1AD(vlan=5) / Dot1Q(vlan=6) / ipv4(), V4_ENDS),
    "802.1ah": ("ETHERNET", ether() / Dot1AH(isid=9) / ether() / ipv4(), V4_ENDS),
    "vn-tag": ("ETHERNET", ether(type=0x8926) / Raw(bytes(4) + b"\x08\0") / ipv4(), V4_ENDS),
    "hsr": ("ETHERNET", ether(type=0x892F) / Raw(bytes(4) + b"\x08\0") / ipv4(), V4_ENDS),
    "mpls": ("ETHERNET", ether() / MPLS(label=3, s=0) / MPLS(label=4, s=1) / ipv4(), V4_ENDS),
    "mpls, ipv6": ("ETHERNET", ether() / MPLS(label=4, s=1) / ipv6(), V6_ENDS),
    "mpls, pseudowire": (
        "ETHERNET",
        ether() / MPLS(label=4, s=1) / EoMCW() / ether(dst="02:00:00:00:00:01") / ipv4(),
        V4_ENDS,
    ),
    "mpls, pseudowire without control word": (
        "ETHERNET",
        bytes(ether() / MPLS(label=4, s=1)) + bytes(ether(dst="02:00:00:00:00:01") / ipv4()),
        V4_ENDS,
    ),
    "mpls, pseudowire without control word to an address that begins with 0": (
        "ETHERNET",
        bytes(ether() / MPLS(label=4, s=1)) + bytes(ether(dst="00:00:5e:00:00:01") / ipv4()),
        V4_ENDS,
    ),
    "mpls as link type": ("MPLS", MPLS(label=4, s=1) / ipv4(), V4_ENDS),
    "pppoe": ("ETHERNET", ether() / PPPoE(sessionid=3) / PPP(proto=0x0021) / ipv4(), V4_ENDS),
    "pppoe, ipv6": ("ETHERNET", ether() / PPPoE(sessionid=3) / PPP(proto=0x0057) / ipv6(), V6_ENDS),
    "pppoe as link type": ("PPP_ETHER", PPPoE() / PPP(proto=0x0021) / ipv4(), V4_ENDS),
    "ppp": ("PPP", PPP(proto=0x0021) / ipv4(), V4_ENDS),
    "ppp, address and control": ("PPP", b"\xff\x03\x00\x21" + bytes(ipv4()), V4_ENDS),
    "ppp, compressed protocol": ("PPP", b"\x21" + bytes(ipv4()), V4_ENDS),
    "ppp, mpls": ("PPP", pack(">H", 0x0281) + bytes(MPLS(label=1, s=1) / ipv4()), V4_ENDS),
    "ppp in hdlc": ("PPP_HDLC", b"\xff\x03\x00\x57" + bytes(ipv6()), V6_ENDS),
    "ppp of pppd": ("PPP_PPPD", b"\x01\xff\x03\x00\x21" + bytes(ipv4()), V4_ENDS),
    "cisco hdlc": ("C_HDLC", b"\x0f\x00\x08\x00" + bytes(ipv4()), V4_ENDS),
    "cisco hdlc, direction": ("C_HDLC_WITH_DIR", b"\x01\x0f\x00\x08\x00" + bytes(ipv4()), V4_ENDS),
    "nsh": ("ETHERNET", ether() / NSH(nextproto=1, mdtype=2) / ipv4(), V4_ENDS),
    "nsh, fixed context": ("ETHERNET", ether() / NSH(nextproto=3) / ether() / ipv4(), V4_ENDS),
    "macsec, signed only": (
        "ETHERNET",
        ether() / MACsec(SC=0, E=0, C=0, type=0x0800) / ipv4(),
        V4_ENDS,
    ),
    "macsec, channel": (
        "ETHERNET",
        ether() / MACsec(SC=1, E=0, C=0, SCI=b"12345678", type=0x0800) / ipv4(),
        V4_ENDS,
    ),
    "llc, ip": ("ATM_RFC1483", b"\x06\x06\x03" + bytes(ipv4()), V4_ENDS),
    "llc, nlpid": ("ATM_RFC1483", b"\xfe\xfe\x03\xcc" + bytes(ipv4()), V4_ENDS),
    "llc, nlpid ipv6": ("ATM_RFC1483", b"\xfe\xfe\x03\x8e" + bytes(ipv6()), V6_ENDS),
    "llc, apple": ("ATM_RFC1483", b"\xaa\xaa\x03\x00\x00\xf8\x08\x00" + bytes(ipv4()), V4_ENDS),
    "llc, bridged": ("ATM_RFC1483", b"\xaa\xaa\x03\x00\x80\xc2\x00\x07\0\0" + INNER, V4_ENDS),
    "jumbo llc": ("ETHERNET", ether(type=0x8870) / Raw(b"\x06\x06\x03") / ipv4(), V4_ENDS),
}

SKIPPED: dict[str, tuple[str, Packet | bytes]] = {
    "encrypted": ("ETHERNET", ether() / MACsec(E=1, C=1) / Raw(bytes(40))),
    "not-ip": ("ETHERNET", ether() / PPPoED() / Raw(bytes(20))),
    "compressed": ("PPP", b"\x00\x2d" + bytes(40)),
    "damaged-link": ("ETHERNET", ether(type=0x894F) / Raw(bytes(40))),
    "truncated-link": ("ETHERNET", bytes(ether() / Dot1Q(vlan=3))[:16]),
}


@pytest.mark.parametrize("name", STACKS)
def test_the_segment_behind_each_stack(decoder: Callable[[], Decoder], name: str) -> None:
    """Each stack leads to the same segment."""
    link_type, octets, expected = STACKS[name]
    assert_the_segment(decoder().feed(captured([octets], LINK_TYPES[link_type])), expected)


@pytest.mark.parametrize("reason", SKIPPED)
def test_stacks_without_a_segment(decoder: Callable[[], Decoder], reason: str) -> None:
    """What hides or is no IP is counted under its name."""
    link_type, octets = SKIPPED[reason]
    decoding = decoder()
    assert 0 == len(decoding.feed(captured([octets], LINK_TYPES[link_type])))
    assert {reason: 1} == decoding.skipped


def test_path_tells_vlans_apart(decoder: Callable[[], Decoder]) -> None:
    """Same ends on two VLANs are two paths; a priority tag is none, and order matters."""
    stacks = [
        ether() / ipv4(),
        ether() / Dot1Q(vlan=0, prio=5) / ipv4(),
        ether() / Dot1Q(vlan=5) / ipv4(),
        ether() / Dot1Q(vlan=5, prio=3) / ipv4(),
        ether() / Dot1Q(vlan=6) / ipv4(),
        ether() / Dot1Q(vlan=5) / Dot1Q(vlan=6) / ipv4(),
        ether() / Dot1Q(vlan=6) / Dot1Q(vlan=5) / ipv4(),
        ether() / Dot1AH(isid=5) / ether() / ipv4(),
        ether() / PPPoE(sessionid=5) / PPP(proto=0x0021) / ipv4(),
    ]
    paths = decoder().feed(captured(stacks)).path.tolist()
    assert [0, 0] == paths[:2]
    assert paths[2] == paths[3] > 0
    assert 7 == len({0, *paths[3:]}), "six paths, and that of no tag at all"


def test_mpls_labels_are_not_in_the_path(decoder: Callable[[], Decoder]) -> None:
    """Each direction has a label of its own."""
    stacks = [ether() / MPLS(label=label, s=1) / ipv4() for label in (16, 17)]
    assert [0, 0] == decoder().feed(captured(stacks)).path.tolist()


def test_tags_without_end_are_given_up(decoder: Callable[[], Decoder]) -> None:
    """A packet of nothing but tags ends the walk at the limit, whatever its length."""
    decoding = decoder()
    octets = bytes(ether(type=0x8100)) + b"\0\1\x81\0" * 10_000
    assert 0 == len(decoding.feed(captured([octets])))
    assert {"nested-too-deep": 1} == decoding.skipped
    few = bytes(ether(type=0x8100)) + b"\0\0\x81\0" * (MAX_DEPTH - 10) + b"\0\0\x08\0"
    assert 1000 == cell(decoder().feed(captured([few + bytes(ipv4())])), "seq")
