"""Pins `EvidenceLog`: what is kept, which are copies, and that long connections cost little."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from exchange import CLOSE, OPEN, exchange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keeping import Kept, Kernel, kept, stream

from tcptrace.decode.segments import Segments
from tcptrace.tracker.slots import Evidence, Keeping

# NumPy's memory alone: what the interpreter keeps beside it hangs on what ran before.
ARRAYS = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)


def test_short_connection_is_kept_whole(kernel: Kernel) -> None:
    """Every segment is a row, in order, its columns copied."""
    segments = exchange(OPEN + CLOSE)
    made = Kept(kernel)
    made.add(segments)
    rows = made.rows()
    for name in Evidence.COPIED:
        assert getattr(segments, name).tolist() == getattr(rows, name).tolist()


def test_long_connection_keeps_its_ends(kernel: Kernel) -> None:
    """Of 2,000 segments the opening, the last before the FIN and all behind it are kept."""
    made = kept(kernel, OPEN + stream(1000) + CLOSE.replace("1.", "2000."))
    rows = made.rows()
    assert len(rows) < 150
    assert [1, 2, 3] == rows.packet[:3].tolist()
    fin = rows.packet.tolist().index(2004)
    assert list(range(2004 - 32, 2007)) == rows.packet[fin - 32 :].tolist()
    assert (np.diff(rows.packet) > 0).all()


def test_copies_of_the_capture(kernel: Kernel) -> None:
    """Same identification within 50 ms, or without one within 1 ms, is the same packet twice."""
    text = "1 C PA 1+10 a1 id=9\n1.04 C PA 1+10 a1 id=9\n1.2 C PA 1+10 a1 id=9"
    segments = exchange(OPEN + text)
    segments.checksum_field[3:] = 77
    made = Kept(kernel)
    made.add(segments)
    assert [0, 0, 0, 0, 1, 0] == made.rows().copy.tolist()
    assert ([1, 0], [1, 0]) == (
        made.tallies().copies.tolist(),
        made.tallies().retransmits.tolist(),
    )


def test_repeat_without_identification_is_none_of_the_captures(kernel: Kernel) -> None:
    """With no IP ID, 3 ms apart and on the same path, it was sent twice."""
    segments = exchange(OPEN + "1 C PA 1+10 a1\n1.003 C PA 1+10 a1")
    segments.checksum_field[3:] = 77
    made = Kept(kernel)
    made.add(segments)
    assert 0 == made.rows().copy.sum()


def test_reused_slot_counts_anew(kernel: Kernel) -> None:
    """A connection that takes over a slot inherits neither rows nor tallies."""
    made = kept(kernel, OPEN + stream(20))
    first = made.slot()
    made.rows()
    made.table.release(np.array([first]))
    made.add(exchange(OPEN))
    assert [2, 1] == made.tallies().segments.tolist()
    assert 3 == len(made.rows())


def test_flood_of_fins_is_bounded(kernel: Kernel) -> None:
    """What is kept for good has an end, whatever a hostile sender repeats."""
    made = Kept(kernel)
    flood = exchange("0 C S 0\n" + "".join(f"{1 + n / 10} C FA {n % 7} a1\n" for n in range(6000)))
    made.add(flood)
    assert len(made.rows()) < 2048 + 200


def test_dropped_rows_make_room_for_the_next(kernel: Kernel) -> None:
    """A connection that goes on and on costs no more than it did."""
    made = kept(kernel, OPEN + stream(50))
    more = exchange(stream(1000))
    tracemalloc.start()
    try:
        made.add(more)
        kept_in_arrays = tracemalloc.take_snapshot().filter_traces([ARRAYS]).traces
        assert sum(each.size for each in kept_in_arrays) < 20_000
    finally:
        tracemalloc.stop()


def test_more_rows_than_a_batch_has(kernel: Kernel) -> None:
    """Nothing beyond its end is read."""
    segments = exchange(OPEN)
    segments.slot[:] = 0
    with pytest.raises(IndexError):
        kernel("tcptrace.tracker.evidence").EvidenceLog().add(segments.cells, len(segments) + 1, 1)


def test_slot_beyond_the_table(kernel: Kernel) -> None:
    """Nothing is written behind what is kept."""
    segments = exchange(OPEN)
    segments.slot[:] = 5
    with pytest.raises(IndexError):
        kernel("tcptrace.tracker.evidence").EvidenceLog().add(segments.cells, len(segments), 2)


MOMENTS = st.sampled_from([0, 999_999, 1_000_000, 30_000_000, 50_000_000, 50_000_001, -70_000_000])
FEW = {"seq": 2, "ack": 2, "ip_id": 2, "ttl": 2, "path": 2, "kind": 3, "sack_blocks": 2}
ROW = st.tuples(MOMENTS, *(st.integers(0, many - 1) for many in FEW.values()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(ROW, min_size=1, max_size=24))
def test_copies_are_those_that_every_pair_tells(
    kernel: Kernel, rows: list[tuple[int, ...]]
) -> None:
    """However alike rows are, and whatever their order in time."""
    segments = Segments.zeros(len(rows))
    segments.opens[0] = 1
    for name, column in zip(("time", *FEW), np.array(rows).T, strict=True):
        getattr(segments, name)[:] = column
    kernel("tcptrace.tracker.evidence").EvidenceLog().add(segments.cells, len(segments), 1)
    assert [_is_copy(segments, row) for row in range(len(rows))] == segments.copy.tolist()


def _is_copy(segments: Segments, row: int) -> bool:
    """Of a row in its chunk, looking back until one came too long before."""
    for other in range(row - 1, row - row % Keeping.CHUNK - 1, -1):
        if _same(segments, row, other):
            return True
        if segments.time[row] - segments.time[other] > 50_000_000:
            return False
    return False


def _same(segments: Segments, row: int, other: int) -> bool:
    def differ(name: str) -> bool:
        column = getattr(segments, name)
        return bool(column[row] != column[other])

    gap = abs(int(segments.time[row] - segments.time[other]))
    if segments.kind[row] or gap > 50_000_000 or any(map(differ, ("seq", "ack", "ip_id", "kind"))):
        return False
    known = segments.ip_id[row] > 0 or gap < 1_000_000
    return bool(known or differ("ttl") or differ("path"))
