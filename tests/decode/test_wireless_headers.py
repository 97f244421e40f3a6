"""802.11 data frames and what captures put before them."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack

import pytest
from scapy.layers.dot11 import Dot11, Dot11Beacon, Dot11QoS, RadioTap
from scapy.layers.l2 import LLC, SNAP
from scapy.packet import Packet

from tcptrace.decode.decoder import Decoder
from tcptrace.decode.link_types import LINK_TYPES
from tests.decode.crafted import assert_the_segment, captured, cell, ipv4

DATA = Dot11(type=2, subtype=0)
QOS = Dot11(type=2, subtype=8) / Dot11QoS()
BODY = LLC() / SNAP(code=0x0800) / ipv4()
BRIDGED = Dot11(type=2, subtype=0, FCfield=0x03, addr4="02:00:00:00:00:04")
FRAME = bytes(DATA / BODY)


def radiotap(present: int, fields: bytes, frame: bytes) -> bytes:
    return pack("<BBHI", 0, 0, 8 + len(fields), present) + fields + frame


STACKS: dict[str, tuple[str, Packet | bytes]] = {
    "data": ("IEEE802_11", FRAME),
    "qos": ("IEEE802_11", QOS / BODY),
    "four addresses": ("IEEE802_11", BRIDGED / BODY),
    "qos and ht control": (
        "IEEE802_11",
        bytes(Dot11(type=2, subtype=8, FCfield=0x80) / Dot11QoS()) + bytes(4) + bytes(BODY),
    ),
    "first fragment": ("IEEE802_11", Dot11(type=2, FCfield=0x04) / BODY),
    "radiotap": ("IEEE802_11_RADIOTAP", RadioTap() / DATA / BODY),
    "radiotap, extended": (
        "IEEE802_11_RADIOTAP",
        radiotap(0x80000002, pack("<I", 0) + b"\0\0\0\0", FRAME),
    ),
    "radiotap, padded": (
        "IEEE802_11_RADIOTAP",
        radiotap(0x03, bytes(8) + b"\x20\0\0\0", bytes(QOS) + bytes(2) + bytes(BODY)),
    ),
    "prism": ("IEEE802_11_PRISM", pack("<II", 0x44, 144) + bytes(136) + FRAME),
    "prism, big endian": ("IEEE802_11_PRISM", pack(">II", 0x44, 144) + bytes(136) + FRAME),
    "prism that is avs": ("IEEE802_11_PRISM", pack(">II", 0x80211001, 64) + bytes(56) + FRAME),
    "avs": ("IEEE802_11_AVS", pack(">II", 0x80211001, 64) + bytes(56) + FRAME),
    "ppi": ("PPI", pack("<BBHI", 0, 0, 12, LINK_TYPES["IEEE802_11"]) + bytes(4) + FRAME),
    "ppi, raw": ("PPI", pack("<BBHI", 0, 0, 8, LINK_TYPES["RAW"]) + bytes(ipv4())),
    "pktap": (
        "PKTAP",
        pack("<III", 108, 1, LINK_TYPES["RAW"]) + bytes(96) + bytes(ipv4()),
    ),
}

SKIPPED: dict[str, tuple[str, Packet | bytes]] = {
    "wlan-not-data": ("IEEE802_11", Dot11() / Dot11Beacon()),
    "encrypted": ("IEEE802_11", bytes(Dot11(type=2, FCfield=0x40)) + bytes(60)),
    "wlan-fragment": ("IEEE802_11", bytes(Dot11(type=2, SC=3)) + bytes(60)),
    "truncated-link": ("IEEE802_11_RADIOTAP", radiotap(0, b"", b"")),
    "damaged-link": ("IEEE802_11_RADIOTAP", pack("<BBHI", 0, 0, 3, 0) + FRAME),
    "link-type-unknown": ("PPI", pack("<BBHI", 0, 0, 8, 147) + FRAME),
}


def subframe(packet: Packet) -> bytes:
    """A subframe of an A-MSDU, padded to four octets."""
    body = bytes(LLC() / SNAP(code=0x0800) / packet)
    octets = bytes(12) + pack(">H", len(body)) + body
    return octets + bytes(-len(octets) % 4)


def amsdu(*subframes: bytes) -> bytes:
    return bytes(Dot11(type=2, subtype=8) / Dot11QoS(A_MSDU_Present=1)) + b"".join(subframes)


@pytest.mark.parametrize("name", STACKS)
def test_the_segment_behind_each_stack(decoder: Callable[[], Decoder], name: str) -> None:
    """Each stack leads to the same segment."""
    link_type, octets = STACKS[name]
    assert_the_segment(decoder().feed(captured([octets], LINK_TYPES[link_type])))


@pytest.mark.parametrize("reason", SKIPPED)
def test_frames_without_a_segment(decoder: Callable[[], Decoder], reason: str) -> None:
    """Management, protected, cut frames and later fragments are counted."""
    link_type, octets = SKIPPED[reason]
    decoding = decoder()
    assert 0 == len(decoding.feed(captured([octets], LINK_TYPES[link_type])))
    assert {reason: 1} == decoding.skipped


def test_every_subframe_is_a_row(decoder: Callable[[], Decoder]) -> None:
    """An A-MSDU gives its segments in their order, all with the packet's number."""
    packets = []
    for seq in (1, 2, 3):
        packet = ipv4()
        packet["TCP"].seq = seq
        packets.append(subframe(packet))
    frames = [amsdu(*packets), FRAME]
    decoding = decoder()
    segments = decoding.feed(captured(frames, LINK_TYPES["IEEE802_11"]))
    assert [1, 2, 3, 1000] == segments.seq.tolist()
    assert [1, 1, 1, 2] == segments.packet.tolist()
    assert [5, 5, 5, 5] == segments.payload.tolist()
    assert 2 == decoding.counters["segments-beyond-one-a-packet"]
    assert {} == decoding.skipped


def test_subframes_without_segments_are_one_reason(decoder: Callable[[], Decoder]) -> None:
    """A packet is counted once, and not at all if any of its subframes is a row."""
    other = ipv4()
    other.proto = 132
    frames = [amsdu(subframe(other), subframe(other)), amsdu(subframe(other), subframe(ipv4()))]
    decoding = decoder()
    segments = decoding.feed(captured(frames, LINK_TYPES["IEEE802_11"]))
    assert [2] == segments.packet.tolist()
    assert {"other-transport": 1} == decoding.skipped


def test_subframe_length_bounds_its_segment(decoder: Callable[[], Decoder]) -> None:
    """A subframe cut short by its own length holds no octets of the next one."""
    whole = subframe(ipv4())
    cut = whole[:12] + pack(">H", 8 + 20 + 32 + 2) + whole[14:]
    segments = decoder().feed(captured([amsdu(cut)], LINK_TYPES["IEEE802_11"]))
    assert (5, 2) == (cell(segments, "payload"), cell(segments, "kept"))
