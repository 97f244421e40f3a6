"""Sequence numbers wrap at 2^32: wherever that falls in a connection, nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from zeek_ends import Seen
from zeek_model import zeek_rows

from tcptrace.columns import Matrix
from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Kind, Segments
from tcptrace.sources.capture import open_capture
from tcptrace.tcp import flags
from tcptrace.tracker.tracker import Reconstruction, Tracker

CAPTURES = Path(__file__).resolve().parent.parent.parent / "captures"
NAMES = ["close_by_client", "half_close", "handshake_ack_lost", "simultaneous_open", "zero_window"]
NUMBERS = 1 << 32
NEAR = (-1, 0, 1)
# Zeek's account alone depends on where numbers wrap: below 2^32 it counts from the ISN alone, and
# misjudges what is sent again across a wrap (`test_zeeks_own_numbering_after_a_wrap`).
ZEEKS = ("zeek_bytes", "missed_bytes")
EDGES = [f"sack_{block}_{edge}" for block in (1, 2, 3, 4) for edge in ("left", "right")]


def segments_of(name: str) -> Segments:
    """The segments of a recorded connection."""
    decoder = Decoder()
    (path,) = CAPTURES.glob(f"{name}/capture.*")
    return Segments.concat([decoder.feed(packets) for packets in open_capture(str(path))])


def shifted(segments: Segments, by: tuple[int, int]) -> Segments:
    """The same with all sequence numbers of each side moved by so much, modulo 2^32."""
    moved = Segments(segments.matrix.copy())
    first = (moved.src_port == moved.src_port[0]) & (moved.src_lo == moved.src_lo[0])
    own, others = (np.where(first, *sides) for sides in (by, by[::-1]))
    acks = moved.flags & flags.ACK != 0
    _move(moved.seq, own, moved.kind != Kind.ICMP_ERROR)
    _move(moved.ack, others, acks)
    for block, edge in enumerate(EDGES):
        _move(getattr(moved, edge), others, moved.sack_blocks > block // 2)
    return moved


def _move(column: Matrix, by: Matrix, where: Matrix) -> None:
    column[:] = np.where(where, (column + by) % NUMBERS, column)


def told(segments: Segments) -> dict[str, object]:
    """What is told of the connections but for the initial sequence numbers, and by Zeek's rules."""
    tracker = Tracker()
    tracker.feed(segments)
    found: Reconstruction = tracker.finish()
    rows: dict[str, object] = {}
    for kind in (found.connections, found.endpoints, found.transitions):
        for column in type(kind).COLUMNS:
            if column not in ("iss", *ZEEKS):
                rows[f"{type(kind).__name__}.{column}"] = getattr(kind, column).tolist()
    return rows


@pytest.mark.parametrize("name", NAMES)
def test_wrap_at_every_segment(name: str) -> None:
    """Each side's numbers wrap just before, at and just after each segment."""
    segments = segments_of(name)
    expected = told(shifted(segments, (1000, 1000)))
    sides = segments.src_port == segments.src_port[0]
    for side in (0, 1):
        for number in np.unique(segments.seq[sides == (side == 0)]).tolist():
            for near in NEAR:
                wrap = (NUMBERS - number + near) % NUMBERS
                by = (wrap, 1000) if side == 0 else (1000, wrap)
                assert expected == told(shifted(segments, by)), (side, number, near)


def test_zeeks_own_numbering_after_a_wrap() -> None:
    """What Zeek's rules make of it by the plain model, the same as told: 4 GiB that never were."""
    segments = segments_of("handshake_ack_lost")
    number = int(segments.seq[segments.src_port != segments.src_port[0]][0])
    moved = shifted(segments, (1000, NUMBERS - 1 - number))
    (row,) = zeek_rows(seen_in(moved))
    assert row.ends[1].missed == told_by_zeeks_rules(moved)


def seen_in(segments: Segments) -> list[Seen]:
    """The same as the plain model takes them."""
    letters = {"S": flags.SYN, "F": flags.FIN, "R": flags.RST, "A": flags.ACK}
    first = int(segments.src_port[0])
    ports = first, int(segments.dst_port[0])
    return [
        Seen(
            time=int(segments.time[row]),
            sender=int(segments.src_port[row] != first),
            flags="".join(name for name, bit in letters.items() if segments.flags[row] & bit),
            seq=int(segments.seq[row]),
            ack=int(segments.ack[row]),
            payload=int(segments.payload[row]),
            window=int(segments.window[row]),
            ports=ports,
        )
        for row in range(len(segments))
    ]


def told_by_zeeks_rules(segments: Segments) -> int:
    """The responder's missed octets."""
    tracker = Tracker()
    tracker.feed(segments)
    return int(tracker.finish().endpoints.missed_bytes[1])
