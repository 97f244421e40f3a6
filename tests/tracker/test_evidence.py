"""Pins `EvidenceLog`: what is kept, which are copies, and that long connections cost little."""

from __future__ import annotations

import tracemalloc

import numpy as np
from exchange import CLOSE, OPEN, exchange
from keeping import Kept, Kernel, kept, stream

from tcptrace.tracker.slots import Evidence

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
