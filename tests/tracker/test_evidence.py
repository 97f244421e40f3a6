"""Pins `EvidenceLog`: what is kept, what is only counted, and that long connections cost little."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from exchange import CLOSE, OPEN, SECOND, exchange

from tcptrace.decode.segments import Segments
from tcptrace.tracker.connections import ConnectionTable
from tcptrace.tracker.slots import Evidence, Tallies

Kernel = Callable[[str], ModuleType]
LINGER = 300 * SECOND


class Kept:
    """A table and a log that are fed the same segments."""

    def __init__(self, kernel: Kernel) -> None:
        self.table: Any = ConnectionTable(1000, LINGER, 0)
        self.log = kernel("tcptrace.tracker.evidence").EvidenceLog()

    def add(self, segments: Segments) -> None:
        self.table.assign(segments.cells, len(segments))
        self.log.add(segments.cells, len(segments), self.table.matrix())

    def rows(self) -> Evidence:
        return Evidence(self.log.collect([self.slot()], self.table.matrix())[0])

    def tallies(self) -> Tallies:
        return Tallies(self.log.tallies_of([self.slot()]))

    def slot(self) -> int:
        """The only connection's."""
        self.table.end_all()
        left = self.table.left()
        self.slots = left or self.slots
        assert 1 == len(self.slots)
        return int(self.slots[0])


def kept(kernel: Kernel, text: str) -> Kept:
    made = Kept(kernel)
    made.add(exchange(text))
    return made


def stream(count: int) -> str:
    """Data and its acknowledgements, so many of each."""
    pair = "{0}.1 C PA {1}+10 a1\n{0}.2 S A 1 a{2}\n"
    return "".join(pair.format(1 + n, 1 + 10 * n, 11 + 10 * n) for n in range(count))


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


def test_tallies_of_what_is_not_kept(kernel: Kernel) -> None:
    """Segments and payload are counted whether or not the rows are kept."""
    tallies = kept(kernel, OPEN + stream(500)).tallies()
    assert [502, 501] == tallies.segments.tolist()
    assert [5000, 0] == tallies.payload.tolist()
    assert [0, 0] == tallies.retransmits.tolist()


def test_retransmission_against_reordering(kernel: Kernel) -> None:
    """Octets sent again are repeats; those that come just after their own ACK were overtaken."""
    again = kept(kernel, OPEN + "1 C PA 1+10 a1\n1.3 C PA 1+10 a1").tallies()
    assert ([1, 0], [0, 0]) == (again.retransmits.tolist(), again.reordered.tolist())
    overtaken = kept(kernel, OPEN + "1 S A 1 a11\n1.001 C PA 1+10 a1").tallies()
    assert ([0, 0], [1, 0]) == (overtaken.retransmits.tolist(), overtaken.reordered.tolist())
    assert [0, 0] == overtaken.unseen.tolist()


def test_octets_that_the_capture_lacks(kernel: Kernel) -> None:
    """An ACK beyond all that was captured counts what is missing."""
    assert [100, 0] == kept(kernel, OPEN + "1 S A 1 a101").tallies().unseen.tolist()


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
    made.table.release(first)
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
    """A connection that goes on and on costs no more than it did (tracemalloc counts NumPy's)."""
    made = kept(kernel, OPEN + stream(50))
    more = exchange(stream(1000))
    tracemalloc.start()
    try:
        made.add(more)
        assert tracemalloc.get_traced_memory()[0] < 20_000
    finally:
        tracemalloc.stop()
