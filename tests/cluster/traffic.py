"""Many hosts' traffic as raw IP packets, made of captures/, and cut into files in any way."""

from __future__ import annotations

import random
from functools import cache
from itertools import pairwise
from pathlib import Path

from tcptrace.sources.capture import open_capture
from tests.kernel_lab.capture_file import LINKTYPE_RAW, CaptureFile

CAPTURES = sorted(Path(__file__).resolve().parents[2].glob("captures/*/capture.pcap*"))
ETHERNET, ETHERNET_HEADER = 1, 14
SECOND = 1_000_000_000
COPIES = 6
MORE_FRAGMENTS = 0x2000

Record = tuple[int, bytes]


@cache
def records() -> tuple[Record, ...]:
    """(ns, packet) in order of time: each capture several times, between other hosts each time."""
    found = []
    for path in CAPTURES:
        for packets in open_capture(path):
            for row in range(len(packets)):
                octets = bytes(packets.packet_bytes(row))
                at = ETHERNET_HEADER if packets.link_type[row] == ETHERNET else 0
                found.append((int(packets.time[row]), octets[at:]))
    made = [
        (time + 401 * SECOND * copy, _between_others(octets, copy))
        for copy in range(COPIES)
        for time, octets in found
        if not copy or octets[0] >> 4 == 4
    ]
    return tuple(sorted(made))


def _between_others(packet: bytes, number: int) -> bytes:
    """The same packet of other hosts: halves of addresses differ so that no checksum changes."""
    octets = bytearray(packet)
    for at in (12, 16) if octets[0] >> 4 == 4 else ():
        upper = int.from_bytes(octets[at : at + 2]) - number
        lower = int.from_bytes(octets[at + 2 : at + 4]) + number
        octets[at : at + 4] = upper.to_bytes(2) + lower.to_bytes(2)
    return bytes(octets)


def fragmented(packets: list[Record], every: int) -> list[Record]:
    """The same, every so many-th in two fragments, of which the second comes 2 ms later."""
    made = []
    for number, (time, octets) in enumerate(packets):
        if number % every or octets[0] != 0x45 or len(octets) < 40:
            made.append((time, octets))
            continue
        cut = 20 + 16
        made.append((time, _fragment(octets, number, octets[20:cut], MORE_FRAGMENTS)))
        made.append((time + 2_000_000, _fragment(octets, number, octets[cut:], 2)))
    return sorted(made)


def _fragment(packet: bytes, number: int, payload: bytes, field: int) -> bytes:
    header = bytearray(packet[:20])
    header[2:4] = (20 + len(payload)).to_bytes(2)
    header[4:6] = (number & 0xFFFF).to_bytes(2)
    header[6:8] = field.to_bytes(2)
    header[10:12] = bytes(2)
    total = sum(int.from_bytes(header[at : at + 2]) for at in range(0, 20, 2))
    total = (total & 0xFFFF) + (total >> 16)
    header[10:12] = (0xFFFF - ((total & 0xFFFF) + (total >> 16))).to_bytes(2)
    return bytes(header) + payload


def cut(
    packets: list[Record], files: int, chance: random.Random, astray: int = 0
) -> list[list[Record]]:
    """So many files, one after the other; so many packets lie in another file than their own."""
    edges = sorted(chance.randrange(len(packets) + 1) for _ in range(files - 1))
    made = [packets[begin:end] for begin, end in pairwise([0, *edges, len(packets)])]
    for _ in range(astray):
        own = chance.choice([each for each in made if each])
        chance.choice(made).append(own.pop(chance.randrange(len(own))))
    return [sorted(own) for own in made]


def written(files: list[list[Record]], folder: Path) -> list[Path]:
    """The files, as pcap and pcapng in turns; their names do not tell their order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, packets in enumerate(files):
        suffix = ("pcap", "pcapng")[number % 2]
        path = folder / f"{number * 7919 % 997:03}.{suffix}"
        CaptureFile(LINKTYPE_RAW, records=packets).write(path)
        paths.append(path)
    return sorted(paths)
