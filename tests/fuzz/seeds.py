"""Octets to begin with: captures/ as they are and unpacked, and the stacks of the decoder's tests.

python -m tests.fuzz.seeds DIRECTORY    writes them to DIRECTORY/sources, decode and whole
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import importlib
import lzma
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lz4.frame
import zstandard

from tcptrace.decode.link_types import LINK_TYPES
from tcptrace.sources.capture import open_capture
from tests.fuzz.packet_list import Packet, PacketList

CAPTURES = Path(__file__).resolve().parent.parent.parent / "captures"
LONGEST = 4096
RAW = LINK_TYPES["RAW"]
UNKNOWN_TO_KERNELS = 230  # 802.15.4 without FCS: scapy's


def captures() -> list[bytes]:
    """The files of captures/ that are short enough."""
    files = sorted(CAPTURES.glob("*/*.pcap*"))
    return [octets for file in files if len(octets := file.read_bytes()) <= LONGEST]


def sources_seeds() -> Iterator[bytes]:
    """Capture files: as recorded, unpacked, packed in each way, and in the other formats."""
    crafted: Any = importlib.import_module("tests.sources.crafted")
    yield from captures()
    told = crafted.SOME
    pcapng = crafted.pcapng(told)
    plain = [pcapng, crafted.pcapng(told, order=">"), crafted.snoop(told)]
    plain += [crafted.pcap(told, order=order) for order in "<>"]
    plain += [crafted.pcap(told, magic=magic) for magic in (0xA1B23C4D, 0xA1B2CD34, 0xA1B2C3D4)]
    yield from plain
    pack = (gzip.compress, bz2.compress, lzma.compress, zstandard.compress, lz4.frame.compress)
    for packed in (compress(pcapng) for compress in pack):
        yield packed
        yield packed + packed


def decode_seeds() -> Iterator[bytes]:
    """Packets: of captures/, four of each at a time, and each stack of the decoder's tests."""
    for capture in captures():
        import io

        packets = [
            Packet(int(batch.link_type[row]), batch.packet_bytes(row))
            for batch in open_capture(io.BytesIO(capture))
            for row in range(len(batch))
        ]
        yield PacketList(packets[:8]).octets()
    for link_type, octets in stacks():
        yield PacketList([Packet(link_type, octets)]).octets()
    yield PacketList([Packet(UNKNOWN_TO_KERNELS, b"\x41\xd8" + bytes(60))]).octets()


def stacks() -> Iterator[tuple[int, bytes]]:
    """Link type and octets of every packet in the tables of tests/decode."""
    for module in ("link_headers", "shim_headers", "wireless_headers", "tunnel_headers"):
        tables: Any = importlib.import_module(f"tests.decode.test_{module}")
        for name in ("V4", "V6", "STACKS", "SKIPPED"):
            for row in getattr(tables, name, {}).values():
                kind = row[0] if isinstance(row[0], str) else None
                octets = bytes(row[0] if kind is None else row[1])
                yield RAW if kind is None else LINK_TYPES[kind], octets
    udp: Any = importlib.import_module("tests.decode.test_udp_headers")
    yield from ((RAW, octets) for octets, _ in udp.STACKS.values())
    yield from ((RAW, octets) for octets in udp.NO_TUNNEL.values())


SEEDS = {"sources": sources_seeds, "decode": decode_seeds, "whole": sources_seeds}


def write(directory: Path) -> None:
    """Each target's seeds in a folder of its name, each file named by its hash."""
    for target, seeds in SEEDS.items():
        folder = directory / target
        folder.mkdir(parents=True, exist_ok=True)
        for octets in seeds():
            (folder / hashlib.sha1(octets).hexdigest()).write_bytes(octets)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
