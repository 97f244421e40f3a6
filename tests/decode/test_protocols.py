"""Protocol numbers against scapy's and dpkt's own."""

from __future__ import annotations

import dpkt
import pytest
from scapy.data import IP_PROTOS
from scapy.layers.inet import TCPOptions

from tcptrace.decode.protocols import EtherType, IpProtocol, TcpOption

SCAPYS = {
    IpProtocol.ICMP: "icmp",
    IpProtocol.TCP: "tcp",
    IpProtocol.UDP: "udp",
    IpProtocol.GRE: "gre",
    IpProtocol.ESP: "esp",
    IpProtocol.AH: "ah",
    IpProtocol.ICMPV6: "ipv6_icmp",
}


@pytest.mark.parametrize("protocol", SCAPYS)
def test_ip_protocols(protocol: IpProtocol) -> None:
    """As /etc/protocols has them."""
    assert getattr(IP_PROTOS, SCAPYS[protocol]) == protocol


def test_ethertypes() -> None:
    """As dpkt has them."""
    told = {
        dpkt.ethernet.ETH_TYPE_IP: EtherType.IPV4,
        dpkt.ethernet.ETH_TYPE_IP6: EtherType.IPV6,
        dpkt.ethernet.ETH_TYPE_8021Q: EtherType.VLAN,
        dpkt.ethernet.ETH_TYPE_8021AD: EtherType.PROVIDER_VLAN,
        dpkt.ethernet.ETH_TYPE_PPPoE: EtherType.PPPOE_SESSION,
        dpkt.ethernet.ETH_TYPE_MPLS: EtherType.MPLS,
        dpkt.ethernet.ETH_TYPE_MPLS_MCAST: EtherType.MPLS_MULTICAST,
        dpkt.ethernet.ETH_TYPE_TEB: EtherType.TRANSPARENT_ETHERNET,
    }
    assert all(number == kind for number, kind in told.items())


def test_tcp_options() -> None:
    """As scapy has them."""
    kinds = {number: name for number, (name, _) in TCPOptions[0].items()}
    told = {"MSS": 2, "WScale": 3, "SAckOK": 4, "SAck": 5, "Timestamp": 8, "TFO": 34}
    assert told == {name: number for number, name in kinds.items() if name in told}
    ours = (TcpOption.MSS, TcpOption.WINDOW_SCALE, TcpOption.SACK_PERMITTED, TcpOption.SACK)
    assert (2, 3, 4, 5) == ours
    assert (8, 34) == (TcpOption.TIMESTAMPS, TcpOption.FAST_OPEN)
