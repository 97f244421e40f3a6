"""Pins `Packing`: rows come out as they went in, whatever they hold, and take little room."""

from __future__ import annotations

from typing import Any

import numpy as np
from exchange import CLOSE, OPEN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keeping import Kernel, kept, stream

from tcptrace.tracker.slots import Evidence

KEPT = len(Evidence.COPIED) + 1
SENDER = Evidence.index("sender")
NUMBERS = st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-3, 3))
ROW = st.lists(NUMBERS, min_size=KEPT, max_size=KEPT)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(ROW, max_size=12), st.lists(st.integers(0, 1), min_size=12, max_size=12))
def test_any_rows_come_out_as_they_went_in(
    kernel: Kernel, rows: list[list[int]], senders: list[int]
) -> None:
    """All of 64 bits, between two senders, and what was not kept is 0."""
    matrix = np.zeros((len(rows), Evidence.width()), np.int64)
    matrix[:, :KEPT] = np.array(rows, np.int64).reshape(-1, KEPT)
    matrix[:, SENDER] = senders[: len(rows)]
    packing = kernel("tcptrace.tracker.packing").Packing()
    packed = packing.pack(matrix.reshape(-1).data, len(matrix))
    out = np.full((len(matrix) + 2, Evidence.width()), 7, np.int64)
    packing.unpack(packed, len(matrix), out.reshape(-1).data, Evidence.width())
    assert (out[1:-1] == matrix).all() and (out[[0, -1]] == 7).all()


def test_packed_a_row_takes_a_tenth(kernel: Kernel) -> None:
    """Of 224 octets, with numbers as segments have them."""
    rows: Any = kept(kernel, OPEN + stream(15) + CLOSE).rows().matrix.copy()
    packed = kernel("tcptrace.tracker.packing").Packing().pack(rows.reshape(-1).data, len(rows))
    assert len(packed) < 22 * len(rows)
