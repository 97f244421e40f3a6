"""Pins the worse captures: what is taken away is gone, and nothing else has changed."""

from __future__ import annotations

from random import Random

import dpkt

from .capture_file import LINKTYPE_ETHERNET, CaptureFile
from .tampering import (
    ETHERNET,
    TAMPERINGS,
    Records,
    headless,
    one_direction,
    thinned,
    without_ip_id,
    without_sack,
    without_timestamps,
)

TIMESTAMPS = bytes([1, 1, 8, 10]) + bytes(range(8))
SACK = bytes([1, 1, 5, 10]) + bytes(range(8))
ID = 0x1234


def records(number: int, version: int = 4) -> Records:
    """Segments with both options, sent by client and server in turn."""
    capture = CaptureFile(LINKTYPE_ETHERNET)
    for place in range(number):
        capture.add(place, ("client", "server")[place % 2], packet(version))
    return capture.records


def packet(version: int) -> bytes:
    tcp = dpkt.tcp.TCP(sport=1, dport=2, seq=3, ack=4, flags=16, opts=TIMESTAMPS + SACK, data=b"x")
    tcp.off = 5 + len(TIMESTAMPS + SACK) // 4
    if version == 6:
        made = dpkt.ip6.IP6(src=bytes(16), dst=bytes(15) + b"1", nxt=6, hlim=64, data=tcp)
        made.plen = len(bytes(tcp))
        return bytes(made)
    made = dpkt.ip.IP(src=bytes(4), dst=b"abcd", id=ID, p=6, data=tcp)
    made.len = len(made)
    return bytes(made)


def parsed(record: tuple[int, bytes]) -> dpkt.ip.IP | dpkt.ip6.IP6:
    return dpkt.ethernet.Ethernet(record[1]).data


def fresh_checksums(packet: bytes) -> bytes:
    """The packet with the checksums that dpkt finds right."""
    network = dpkt.ip.IP(packet) if packet[0] >> 4 == 4 else dpkt.ip6.IP6(packet)
    network.data.sum = 0
    if packet[0] >> 4 == 4:
        network.sum = 0
    return bytes(network)


def test_options_become_no_operations() -> None:
    """One option is gone, the other is there, the length is as before and the checksum right."""
    for version in (4, 6):
        for tamper, gone in ((without_timestamps, TIMESTAMPS), (without_sack, SACK)):
            (record,) = tamper(records(1, version), Random(1))
            segment = parsed(record).data
            left = (TIMESTAMPS + SACK).replace(gone, bytes([1]) * len(gone))
            assert (left, b"x", 3, 4) == (segment.opts, segment.data, segment.seq, segment.ack)
            assert fresh_checksums(record[1][ETHERNET:]) == record[1][ETHERNET:]


def test_ip_identification_is_zero() -> None:
    """IPv4's number is gone and its header's checksum right; IPv6 is as it was."""
    (record,) = without_ip_id(records(1), Random(1))
    assert (ID, 0) == (parsed(records(1)[0]).id, parsed(record).id)
    assert fresh_checksums(record[1][ETHERNET:]) == record[1][ETHERNET:]
    assert records(1, 6) == without_ip_id(records(1, 6), Random(1))


def test_one_direction_is_one_hosts() -> None:
    """All that one host has sent, and nothing of the other."""
    left = one_direction(records(10), Random(1))
    assert left in (records(10)[0::2], records(10)[1::2])
    both = {len(one_direction(records(11), Random(seed))) for seed in range(20)}
    assert {5, 6} == both


def test_packets_are_removed_by_chance() -> None:
    """About 5 % are gone, the others in order; the same seed removes the same."""
    whole = records(4000)
    left = thinned(whole, Random(1))
    assert 130 <= len(whole) - len(left) <= 270
    assert sorted(left) == left
    assert left == thinned(whole, Random(1))


def test_head_is_cut_off() -> None:
    """The last 70 % are left."""
    assert records(10)[3:] == headless(records(10), Random(1))


def test_every_tampering_leaves_the_original_alone() -> None:
    """What is worse is a copy."""
    whole = records(6)
    for tamper in TAMPERINGS.values():
        tamper(whole, Random(1))
    assert records(6) == whole
