"""Two ways for a segment into the Zeek model, which leave the same: by what it is, or as any."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from zeek_ends import Seen
from zeek_segments import made

from tcptrace.decode.segments import Checksum, Kind, Mark, Segments
from tcptrace.tracker.zeek_rows import ZeekSlots

ODDITIES = (
    ("checksum", Checksum.BAD),
    ("checksum", Checksum.UNKNOWN),
    ("checksum", Checksum.OFFLOADED),
    ("kind", Kind.DAMAGED),
    ("kind", Kind.ICMP_ERROR),
    ("marks", Mark.HEADER_CUT),
    ("marks", Mark.IP_CHECKSUM),
    ("marks", Mark.SUPER_SEGMENT),
    ("opens", 1),
    ("opens", 0),
    ("payload", 1 << 32),
    ("clock", 1 << 40),
)
oddities = st.lists(st.tuples(st.integers(0, 30), st.sampled_from(ODDITIES)), max_size=3)


def rows_of(seen: list[Seen], odd: list[tuple[int, tuple[str, int]]]) -> Segments:
    """The rows of a conversation, some of them odd."""
    segments = made(seen)
    for row, (column, value) in odd:
        if row < len(segments):
            getattr(segments, column)[row] = value
    return segments


def by_model(module: Any, segments: Segments) -> Any:
    """Each segment as what it is."""
    model = module.ZeekModel()
    model.feed(segments.cells, len(segments))
    return model


def by_packets(module: Any, segments: Segments) -> Any:
    """Each segment as one that may do anything."""
    model = module.ZeekModel()
    model.packets.look(segments.cells, len(segments))
    clock = -(1 << 63) + 1
    for row in np.flatnonzero(segments.kind != Kind.ICMP_ERROR).tolist():
        clock = max(clock, int(segments.time[row]), int(segments.clock[row]))
        model.packets.take(row * Segments.width(), clock)
    return model


def held(model: Any) -> tuple[Any, ...]:
    """All that a model holds; an attempt's timer says nothing any more once it was answered."""
    connections = model.connections
    row = np.asarray(connections.cells)[: ZeekSlots.width()].copy()
    row[ZeekSlots.index("attempt_at")] = 0
    blocks = {key: list(block.starts) for key, block in connections.sides.blocks.items()}
    beside = (connections.earlier, connections.histories.tails, blocks)
    return dict(zip(ZeekSlots.COLUMNS, row.tolist(), strict=True)), beside, model.streams.of(0)
