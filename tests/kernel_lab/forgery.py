"""Packets that no host of the lab has sent: what a middlebox says, and what damage leaves."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import dpkt

TTL = 64
PORT_UNREACHABLE = {4: (1, 3, 3), 6: (58, 1, 4)}  # protocol, type, code: RFC 792, RFC 4443
QUOTED = 28  # bytes of the packet that an ICMP error gives back (RFC 792), at least
QUOTED_V6 = 1232  # as much as fits 1280 bytes (RFC 4443 section 3.1)


@dataclass(frozen=True)
class Forged:
    """How a forged segment differs from one that was sent: its flags, its numbers moved on."""

    flags: int
    seq: int = 0
    ack: int = 0

    def like(self, packet: bytes) -> bytes:
        """A segment without options and data, from the sender of `packet` to its receiver."""
        network = network_of(packet)
        model = network.data
        segment = dpkt.tcp.TCP(
            sport=model.sport,
            dport=model.dport,
            seq=(model.seq + self.seq) & 0xFFFFFFFF,
            ack=(model.ack + self.ack) & 0xFFFFFFFF if self.flags & dpkt.tcp.TH_ACK else 0,
            flags=self.flags,
            win=model.win,
        )
        return _bytes_of(_addressed(network, network.src, network.dst, segment, network.p))

    def answering(self, packet: bytes) -> bytes:
        """A segment without options and data, from the receiver of `packet` to its sender.

        Its numbers are those that the sender expects: seq is what it has acknowledged, ack is what
        it has sent.
        """
        network = network_of(packet)
        model = network.data
        length = len(model.data) + bool(model.flags & dpkt.tcp.TH_SYN)
        turned = dpkt.tcp.TCP(
            sport=model.dport,
            dport=model.sport,
            seq=model.ack,
            ack=(model.seq + length) & 0xFFFFFFFF,
            win=model.win,
        )
        back = _addressed(network, network.dst, network.src, turned, dpkt.ip.IP_PROTO_TCP)
        return self.like(_bytes_of(back))


def network_of(packet: bytes) -> dpkt.ip.IP | dpkt.ip6.IP6:
    """A packet's IP header, with what it carries."""
    return (dpkt.ip.IP if packet[0] >> 4 == 4 else dpkt.ip6.IP6)(packet)


def rejection(packet: bytes) -> bytes:
    """ICMP "port unreachable" to the sender of a packet, from its receiver's address."""
    network = network_of(packet)
    protocol, kind, code = PORT_UNREACHABLE[packet[0] >> 4]
    quoted = packet[: QUOTED if protocol == 1 else QUOTED_V6]
    body = struct.pack("!BBHI", kind, code, 0, 0) + quoted
    seen_with = _pseudo_header(network.dst, network.src, protocol, body) if protocol != 1 else b""
    checksum = dpkt.in_cksum(seen_with + body)
    body = body[:2] + struct.pack("!H", checksum) + body[4:]
    return _bytes_of(_addressed(network, network.dst, network.src, body, protocol))


def damaged(packet: bytes) -> bytes:
    """The packet with its last bit flipped; its checksum tells."""
    return packet[:-1] + bytes([packet[-1] ^ 1])


def _addressed(
    network: dpkt.ip.IP | dpkt.ip6.IP6,
    source: bytes,
    target: bytes,
    carried: bytes | dpkt.Packet,
    protocol: int,
) -> dpkt.ip.IP | dpkt.ip6.IP6:
    if isinstance(network, dpkt.ip.IP):
        made = dpkt.ip.IP(src=source, dst=target, p=protocol, ttl=TTL, data=carried)
        made.len = len(made)
        return made
    made = dpkt.ip6.IP6(src=source, dst=target, nxt=protocol, hlim=TTL, data=carried)
    made.plen = len(bytes(carried))
    return made


def _bytes_of(network: dpkt.ip.IP | dpkt.ip6.IP6) -> bytes:
    """dpkt fills in the checksums that are 0."""
    return bytes(network)


def _pseudo_header(source: bytes, target: bytes, protocol: int, body: bytes) -> bytes:
    return source + target + struct.pack("!II", len(body), protocol)
