"""Pins forged packets: a host must believe their headers."""

from __future__ import annotations

import dpkt
import pytest

from tcptrace.tcp.flags import ACK, RST, SYN

from .forgery import Forged, damaged, network_of, rejection

ADDRESSES = {4: (bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])), 6: (bytes(15) + b"1", bytes(16))}


def sent(version: int) -> bytes:
    """A segment with data, as the client's host would send it."""
    source, target = ADDRESSES[version]
    tcp = dpkt.tcp.TCP(sport=40000, dport=8080, seq=7, ack=0xFFFFFFFF, flags=ACK, data=b"data")
    if version == 6:
        packet = dpkt.ip6.IP6(src=source, dst=target, nxt=6, hlim=64, data=tcp)
        packet.plen = len(bytes(tcp))
        return bytes(packet)
    packet = dpkt.ip.IP(src=source, dst=target, p=6, data=tcp)
    packet.len = len(packet)
    return bytes(packet)


def sums_up(packet: bytes, protocol: int) -> bool:
    """Whether the checksum of what an IP packet carries is right, by RFC 1071."""
    network = network_of(packet)
    body = bytes(network.data)
    pseudo = network.src + network.dst + len(body).to_bytes(4, "big") + bytes([0, 0, 0, protocol])
    return dpkt.in_cksum((pseudo if protocol != 1 else b"") + body) == 0


@pytest.mark.parametrize("version", [4, 6])
def test_forged_segment_moves_numbers_on(version: int) -> None:
    """Addresses and ports are the model's, the numbers are modulo 2**32, the checksum is right."""
    made = Forged(RST | ACK, seq=3, ack=2).like(sent(version))
    segment = network_of(made).data
    assert (40000, 8080, 10, 1) == (segment.sport, segment.dport, segment.seq, segment.ack)
    assert (RST | ACK, b"") == (segment.flags, segment.data)
    assert sums_up(made, 6)


def test_segment_without_ack_has_no_number_there() -> None:
    """What a RST without ACK has in that field is 0, as hosts send it."""
    assert 0 == network_of(Forged(RST).like(sent(4))).data.ack
    assert 1 == network_of(Forged(SYN | ACK, ack=2).like(sent(4))).data.ack


@pytest.mark.parametrize(("version", "protocol"), [(4, 1), (6, 58)])
def test_rejection_quotes_the_packet(version: int, protocol: int) -> None:
    """ICMP goes back to the sender, with the head of what it rejects, and a right checksum."""
    made = network_of(rejection(sent(version)))
    assert ADDRESSES[version][::-1] == (made.src, made.dst)
    assert sent(version)[:28] in bytes(made.data)
    assert sums_up(rejection(sent(version)), protocol)


def test_damage_breaks_the_checksum() -> None:
    """One bit, and the receiver knows."""
    assert sums_up(Forged(ACK).like(sent(4)), 6)
    assert not sums_up(damaged(Forged(ACK).like(sent(4))), 6)
