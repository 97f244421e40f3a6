"""Wireshark's tcp.completeness: what of a connection's life a stream has shown, packet-tcp.c."""

from __future__ import annotations

from enum import IntFlag

from tcptrace.tcp.flags import ACK, FIN, RST, SYN


class Completeness(IntFlag):
    """The bits of Wireshark's tcp.completeness."""

    SYN = 1
    SYN_ACK = 2
    ACK = 4
    DATA = 8
    FIN = 16
    RST = 32


def adds(control_bits: int, has_payload: bool) -> Completeness:
    """What a segment adds to its stream's completeness, packet-tcp.c."""
    done = Completeness(0)
    if control_bits & (SYN | ACK) == SYN:
        done |= Completeness.SYN | (Completeness.DATA if has_payload else done)
    elif control_bits & SYN:
        done |= Completeness.SYN_ACK
    elif control_bits & ACK:
        done |= Completeness.DATA if has_payload else Completeness.ACK
    if control_bits & (FIN | ACK) == FIN | ACK:
        done |= Completeness.FIN
    return done | Completeness.RST if control_bits & RST else done
