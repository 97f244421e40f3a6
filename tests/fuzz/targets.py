"""What is fuzzed: each target takes any octets and raises only if the contract is broken.

The contract: any octets give tables or CaptureError; each packet is a row or a reason; values keep
to the ranges that `Packets` and `Segments` promise; and how the octets are cut into readings or
batches changes nothing.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

import tcptrace
from tcptrace.columns import Matrix, Rows
from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Checksum, Kind, Segments
from tcptrace.errors import CaptureError
from tcptrace.sources import capture as capture_module
from tcptrace.sources import reading
from tcptrace.sources.capture import open_capture
from tcptrace.sources.compressed import compression_of
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.packets import Packets
from tcptrace.sources.walking import LATEST_TIME
from tests.fuzz.packet_list import PacketList

COMPARED_ONE_IN = 8  # inputs that are also read in other pieces, and compared
SMALLEST_RECORD = 12
PACKED_POSITION = re.compile(r" before byte \d+")  # how far the packed octets were read ahead
U16, U32 = (1 << 16) - 1, (1 << 32) - 1

# The ranges that Segments promises: column → least and greatest.
RANGES: dict[str, tuple[int, int]] = {
    "time": (-LATEST_TIME - 1, LATEST_TIME),
    "packet": (1, 1 << 40),
    "kind": (0, max(Kind)),
    "src_port": (0, U16),
    "dst_port": (0, U16),
    "ttl": (0, 255),
    "ip_id": (-1, U16),
    "dont_fragment": (0, 1),
    "seq": (0, U32),
    "ack": (0, U32),
    "flags": (0, 4095),
    "window": (0, U16),
    "payload": (0, U32),
    "kept": (0, U32),
    "checksum": (0, max(Checksum)),
    "checksum_field": (0, U16),
    "mss": (-1, U16),
    "window_scale": (-1, 255),
    "sack_permitted": (0, 1),
    "has_timestamp": (0, 1),
    "tsval": (0, U32),
    "tsecr": (0, U32),
    "sack_blocks": (0, 4),
    **{f"sack_{n}_{edge}": (0, U32) for n in (1, 2, 3, 4) for edge in ("left", "right")},
    "fast_open": (0, 1),
    "icmp": (0, (1 << 17) - 1),
    "slot": (0, 0),
    "sender": (0, 0),
    "opens": (0, 0),
    "copy": (0, 0),
}


# The ranges that Packets promises.
PACKET_RANGES: dict[str, tuple[int, int]] = {
    "time": (-LATEST_TIME - 1, LATEST_TIME),
    "offset": (0, 1 << 40),
    "captured": (0, 1 << 40),
    "length": (0, U32),
    "link_type": (0, U32),
    "interface": (0, U16),
    "number": (1, 1 << 40),
    "file": (0, 0),
}


def bounds(rows: type[Rows], ranges: dict[str, tuple[int, int]]) -> tuple[Matrix, Matrix]:
    """The least and the greatest value of each column, any for those not in `ranges`."""
    limits = np.iinfo(np.int64)
    told = [ranges.get(name, (limits.min, limits.max)) for name in rows.COLUMNS]
    least, greatest = np.array(told, np.int64).T
    return least, greatest


PACKET_LEAST, PACKET_GREATEST = bounds(Packets, PACKET_RANGES)
SEGMENT_LEAST, SEGMENT_GREATEST = bounds(Segments, RANGES)


class Broken(Exception):
    """The contract is broken."""


class Told(NamedTuple):
    """What came of reading a capture: packets without their place in memory, or the error."""

    columns: tuple[bytes, ...]
    octets: tuple[bytes, ...]
    facts: str
    error: str


class Dribble:
    """A binary file that gives at most so many octets at a time."""

    def __init__(self, octets: bytes, most: int) -> None:
        self._file = io.BytesIO(octets)
        self._most = most

    def read(self, count: int) -> bytes:
        return self._file.read(min(count, self._most))


def sources(octets: bytes) -> None:
    """The octets of a capture file, to Packets."""
    draw = zlib.crc32(octets)
    reading.BATCH = 1 << (draw >> 16 & 7)
    first = _read(Dribble(octets, 1 << 20), 64 << (draw & 7))
    if (draw >> 8) % COMPARED_ONE_IN == 0:
        reading.BATCH = 1 << (draw >> 19 & 7)
        other = _read(Dribble(octets, 1 + (draw >> 12) % 100), 64 << (draw >> 4 & 7))
        # How much of a damaged stream is unpacked depends on how much went in at once, but by gzip.
        packed = compression_of(octets)
        if first != other and (packed is None or packed.name == "gzip"):
            raise Broken(f"read in other pieces: {first} is not {other}")


def decode(octets: bytes) -> None:
    """A list of packets of any link type (`PacketList`), to Segments."""
    packets = PacketList.parse(octets).batch()
    if not len(packets):
        return
    draw = zlib.crc32(octets)
    whole = _decoded([packets])
    if (draw >> 8) % COMPARED_ONE_IN == 0:
        single = _decoded(_apart(packets))
        if whole != single:
            raise Broken(f"decoded one by one: {whole} is not {single}")


def whole(octets: bytes) -> None:
    """The octets of a capture file, to every table."""
    try:
        trace = tcptrace.read(io.BytesIO(octets), progress=False)
    except CaptureError:
        return
    tables = trace.connections, trace.timeline, trace.anomalies
    facts = trace.capture
    if facts.segments and not len(tables[0]) and not facts.skipped:
        raise Broken(f"{facts.segments} segments and no connection")
    str(tables[0].to_dict("records")), str(tables[1].to_dict("records"))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "sources": sources,
    "decode": decode,
    "whole": whole,
}


def _read(file: Dribble, chunk: int) -> Told:
    columns, octets, facts, error = [], [], "", ""
    capture_module.CHUNK = chunk
    try:
        capture = open_capture(file)
        for packets in capture:
            _check_packets(packets, len(capture.files[0].interfaces))
            kept = packets.matrix.copy()
            kept[:, Packets.index("offset")] = 0
            columns.append(kept.tobytes())
            octets.extend(packets.packet_bytes(row) for row in range(len(packets)))
        facts = str([_in_order(file) for file in capture.files])
    except CaptureError as failure:
        error = str(failure)
    return Told(
        (b"".join(columns),),
        tuple(octets),
        PACKED_POSITION.sub("", facts),
        PACKED_POSITION.sub("", error),
    )


def _in_order(file: FileFacts) -> FileFacts:
    """The same, its set in an order that does not tell how it was filled."""
    return replace(file, link_types=sorted(file.link_types))  # type: ignore[arg-type]


def _check_packets(packets: Packets, interfaces: int) -> None:
    matrix = packets.matrix
    right = (
        _within(matrix, PACKET_LEAST, PACKET_GREATEST)
        and (packets.offset + packets.captured <= len(packets.data)).all()
        and (np.diff(packets.number) > 0).all()
        and packets.interface.max() <= max(interfaces - 1, 0)
    )
    if not right:
        raise Broken(f"packets out of their ranges: {matrix.tolist()}")


def _within(matrix: Matrix, least: Matrix, greatest: Matrix) -> bool:
    return bool(((matrix >= least) & (matrix <= greatest)).all())


def _apart(packets: Packets) -> Iterator[Packets]:
    """The same packets, each alone in its batch and in its memory."""
    for row in range(len(packets)):
        alone = Packets(packets.matrix[row : row + 1].copy(), packets.packet_bytes(row))
        alone.matrix[0, Packets.index("offset")] = 0
        yield alone


def _decoded(batches: list[Packets] | Iterator[Packets]) -> tuple[bytes, str, str]:
    decoder, rows, fed = Decoder(), [], 0
    for packets in batches:
        rows.append(decoder.feed(packets))
        fed += len(packets)
    segments = Segments.concat(rows)
    beyond = decoder.counters["segments-beyond-one-a-packet"]
    if len(segments) - beyond + sum(decoder.skipped.values()) != fed:
        raise Broken(f"{fed} packets, {len(segments)} rows, {beyond} beyond, {decoder.skipped}")
    if min([*decoder.skipped.values(), *decoder.counters.values()], default=0) < 0:
        raise Broken(f"a negative count: {decoder.skipped} {decoder.counters}")
    _check_segments(segments)
    return segments.matrix.tobytes(), str(sorted(decoder.skipped.items())), str(decoder.counters)


def _check_segments(segments: Segments) -> None:
    if not _within(segments.matrix, SEGMENT_LEAST, SEGMENT_GREATEST):
        raise Broken(f"segments out of their ranges: {segments.matrix.tolist()}")
    if (segments.kept > segments.payload).any():
        raise Broken("more octets kept than there were")
