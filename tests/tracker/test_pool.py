"""Pins `Pool`: rows come out as they went in, whether a brief holds them or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from exchange import OPEN, exchange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keeping import Kept, Kernel, stream

from tcptrace.tracker.slots import Brief, Evidence


@dataclass
class Field:
    """A column, and what the decoder may find in it."""

    name: str
    least: int
    most: int


FIELDS = [
    *(Field(name, 0, (1 << 32) - 1) for name in ("seq", "ack", "payload", "tsval", "tsecr")),
    *(Field(name, 0, 0xFFFF) for name in ("window", "checksum_field")),
    *(Field(name, -1, 0xFFFF) for name in ("ip_id", "mss", "window_scale")),
    Field("path", -(1 << 63), (1 << 63) - 1),
    Field("packet", 1, 1 << 50),
    Field("flags", 0, 0xFFF),
    Field("ttl", 0, 255),
    Field("checksum", 0, 3),
    Field("interface", 0, 3),
    Field("sack_blocks", 0, 4),
    Field("fast_open", 0, 1),
    Field("icmp", 0, 1 << 17),
    Field("sender", 0, 1),
]
ANY = st.tuples(*(st.integers(field.least, field.most) for field in FIELDS))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(ANY, min_size=1, max_size=20))
def test_any_row_comes_out_as_it_went_in(kernel: Kernel, rows: list[tuple[int, ...]]) -> None:
    """Whatever headers can say, in any mixture of briefs and odd rows."""
    segments = exchange(OPEN + stream(10)).take(slice(len(rows)))
    for place, field in enumerate(FIELDS):
        getattr(segments, field.name)[:] = [row[place] for row in rows]
    segments.slot[:], segments.opens[:] = 0, 0
    segments.opens[0] = 1
    made = Kept(kernel)
    made.log.add(segments.cells, len(segments), len(made.table.matrix()))
    collected = Evidence.zeros(len(rows))
    made.log.collect(np.array([0]).data, collected.cells)
    for name in Evidence.COPIED:
        assert getattr(segments, name).tolist() == getattr(collected, name).tolist(), name


@pytest.mark.parametrize(("column", "copies"), [("path", 1), ("interface", 1), ("ttl", 1), ("", 0)])
def test_without_identification_another_way_makes_it_a_copy(
    kernel: Kernel, column: str, copies: int
) -> None:
    """3 ms apart: the same packet where it came by another path, interface or with another TTL."""
    segments = exchange(OPEN + "1 C PA 1+10 a1\n1.003 C PA 1+10 a1")
    segments.checksum_field[3:] = 77
    if column:
        getattr(segments, column)[-1] += 1
    made = Kept(kernel)
    made.add(segments)
    assert copies == made.rows().copy.sum()


def test_fields_of_a_brief_lie_side_by_side() -> None:
    """None covers another, and all of them fit in a cell."""
    fields = [Brief.field(name) for name in Brief.BITS]
    assert sum(fields) == np.bitwise_or.reduce(fields) < 1 << 31
