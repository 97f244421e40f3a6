"""Pins spans of connections: how many begin in each, and that none of them is lost."""

from __future__ import annotations

import numpy as np
from exchange import CLOSE, OPEN, SECOND, Between, exchange

from tcptrace.cluster.decoding import TOLD, Share
from tcptrace.cluster.tracking import Course, joined, track, whole
from tcptrace.decode.segments import Segments
from tcptrace.tcp.timers import profile
from tcptrace.tracker.tracker import Tracker

PACKET = Segments.index("packet")


def capture() -> Segments:
    """Ten connections, a second apart."""
    batches = []
    for number in range(10):
        batch = exchange(OPEN + CLOSE, Between(client=(f"::ffff:192.0.2.{number + 10}", 5)))
        batch.time[:] += number * 10 * SECOND
        batches.append(batch)
    return Segments.concat(batches)


def test_shares_and_spans_put_together_are_the_whole() -> None:
    """Two shares, three spans, two pieces: the reconstruction of one tracker."""
    rows = capture()
    course = Course(
        (0, 32),
        (0, 32),
        (0, int(rows.time[31])),
        int(rows.time[0]),
        int(rows.time[-1]),
        (0, 6, 7, 60),
        profile("linux"),
    )
    made = []
    for share in (0, 1):
        pieces = [Share(), Share()]
        own = np.flatnonzero(
            rows.src_lo.astype(np.uint64) + rows.dst_lo.astype(np.uint64) & 1 == share
        )
        for piece, first, last in zip(pieces, (0, 32), (32, 60), strict=True):
            here = own[(own >= first) & (own < last)]
            own_rows = rows.matrix[here]
            own_rows[:, PACKET] -= (
                first  # as a worker numbers them that does not read what is before
            )
            piece.add(own_rows, here - first)
        made.append(track([piece.closed() for piece in pieces], course))
    assert [1, 1, 8] == np.sum([each[TOLD].counts for each in made], axis=0).tolist()
    found = whole([joined([each[place] for each in made]) for place in range(3)])
    tracker = Tracker(profile("linux"))
    tracker.feed(rows)
    expected = tracker.finish()
    for name in ("connections", "endpoints", "transitions"):
        assert getattr(expected, name).matrix.tolist() == getattr(found, name).matrix.tolist()
    assert expected.histories == found.histories
