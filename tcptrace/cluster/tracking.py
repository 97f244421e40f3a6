"""A share's segments to its connections, on a worker; and spans of connections from all shares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tcptrace.cluster.decoding import TOLD
from tcptrace.columns import Matrix
from tcptrace.decode.segments import Segments
from tcptrace.packed import Packed
from tcptrace.sources.reading import BATCH
from tcptrace.tables.capture_facts import Learned
from tcptrace.tcp.profile import Profile
from tcptrace.tracker.tracker import Reconstruction, Tracker
from tcptrace.tracker.transitions import Connections, Endpoints, Transitions

_CLOCK = Segments.index("clock")


@dataclass(frozen=True)
class Course:
    """What a share's tracker must know of the whole capture.

    firsts : position of each piece's first segment among all; numbers : packets of its file
    before each piece; clocks : the latest time of a segment before each piece, ns; begun, until :
    the times of the first of all and the latest; edges : positions where spans begin, and the
    end of the last
    """

    firsts: tuple[int, ...]
    numbers: tuple[int, ...]
    clocks: tuple[int, ...]
    begun: int
    until: int
    edges: tuple[int, ...]
    profile: Profile


@dataclass(frozen=True)
class Tracked:
    """What is known of a share: connections that begin in each span, their latest time, ns."""

    counts: tuple[int, ...]
    end: int
    learned: Learned
    evicted: int


@dataclass(frozen=True)
class Span:
    """Connections that begin in one span; `begun` are the positions of their first segments.

    The other tables' `conn` counts from 0.
    """

    begun: Matrix
    connections: Packed
    endpoints: Packed
    transitions: Packed
    histories: list[str]


def track(pieces: list[list[Packed]], course: Course) -> dict[Any, Any]:
    """`Tracked` under TOLD; under each span's number the `Span`."""
    tracker, opened = Tracker(course.profile, begun=course.begun), [np.zeros(0, np.int64)]
    before = zip(course.firsts, course.numbers, course.clocks, strict=True)
    for piece, (first, number, clock) in zip(pieces, before, strict=True):
        for rows, places in _batches(piece):
            rows.packet[:] += number
            tracker.feed(rows, np.maximum(rows.time + rows.clock, clock))
            opened.append(first + places[rows.opens == 1])
    found = tracker.finish(course.until)
    begun = _begun(found, np.concatenate(opened))
    edges = np.searchsorted(begun, course.edges).tolist()
    spans = [slice(*pair) for pair in pairwise(edges)]
    counts = tuple(span.stop - span.start for span in spans)
    end = int(found.connections.time_end.max(initial=0))
    told: dict[Any, Any] = {TOLD: Tracked(counts, end, Learned.of(found), tracker.evicted)}
    return told | {place: _span(found, begun, span) for place, span in enumerate(spans)}


def _batches(piece: list[Packed]) -> Iterator[tuple[Segments, Matrix]]:
    for packed in piece:
        matrix = packed.matrix()
        for start in range(0, len(matrix), BATCH):
            rows = matrix[start : start + BATCH]
            yield Segments(rows[:, :-1]), rows[:, -1]


def _begun(found: Reconstruction, opened: Matrix) -> Matrix:
    """The position at which each connection began, of those where its ordinals did.

    The first of its ordinals is its own: a SYN can stray only into what had begun before.
    """
    numbers, first = np.unique(found.numbers, return_index=True)
    return opened[first[numbers >= 0]]


def _span(found: Reconstruction, begun: Matrix, span: slice) -> Span:
    tables = found.connections, found.endpoints, found.transitions
    packed = []
    for rows in tables:
        edges = np.searchsorted(rows.conn, [span.start, span.stop])
        own = rows.matrix[edges[0] : edges[1]].copy()
        own[:, 0] -= span.start
        packed.append(Packed.of(own))
    return Span(begun[span], packed[0], packed[1], packed[2], found.histories[span])


def joined(spans: list[Span]) -> Reconstruction:
    """The connections of one span, of all shares, in order of beginning; conn from 0."""
    begun = np.concatenate([span.begun for span in spans])
    order = np.argsort(begun)
    conns = np.empty(len(order), np.int64)
    conns[order] = np.arange(len(order))
    bases = np.cumsum([0, *(len(span.begun) for span in spans)]).tolist()
    tables = []
    for name in ("connections", "endpoints", "transitions"):
        parts = [getattr(span, name).matrix() for span in spans]
        for part, base in zip(parts, bases, strict=False):
            part[:, 0] = conns[base + part[:, 0]]
        rows = np.concatenate(parts)
        tables.append(rows[np.argsort(rows[:, 0], kind="stable")])
    told = [history for span in spans for history in span.histories]
    return _reconstruction(tables, [told[place] for place in order.tolist()])


def whole(spans: list[Reconstruction]) -> Reconstruction:
    """All spans, one after the other."""
    bases = np.cumsum([0, *(len(span.connections) for span in spans)]).tolist()
    tables = []
    for name in ("connections", "endpoints", "transitions"):
        parts = [getattr(span, name).matrix.copy() for span in spans]
        for part, base in zip(parts, bases, strict=False):
            part[:, 0] += base
        tables.append(np.concatenate(parts))
    return _reconstruction(tables, [history for span in spans for history in span.histories])


def _reconstruction(tables: list[Matrix], histories: list[str]) -> Reconstruction:
    connections, endpoints, transitions = tables
    return Reconstruction(
        Connections(connections),
        Endpoints(endpoints),
        Transitions(transitions),
        histories,
        np.arange(len(connections)),
    )
