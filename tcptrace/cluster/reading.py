"""`read_distributed`: one capture, decoded and tracked by the workers of a Dask cluster.

The client hands out tasks and takes in what is known of files and counts, never rows. What is
decoded together is in `pieces`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import getitem
from typing import Any

import numpy as np

from tcptrace.cluster import decoding, tables, tracking
from tcptrace.cluster.decoding import TOLD, Job, Told, summed
from tcptrace.cluster.pieces import Piece, decoded_pieces, numbers_before
from tcptrace.cluster.trace import DistributedTrace
from tcptrace.errors import UsageError
from tcptrace.pipeline import checked_count, profile_named
from tcptrace.sources.capture import Capture, open_capture
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.filter import Filter
from tcptrace.sources.naming import named_sources
from tcptrace.sources.scapy_list import is_scapy_packets
from tcptrace.sources.streams import is_stream
from tcptrace.sources.stretches import stretches
from tcptrace.tables.capture_facts import CaptureFacts, ClockSteps
from tcptrace.tcp.profile import Profile
from tcptrace.tracker.slots import PARTS

CHUNK_SIZE = 128 << 20  # bytes of a file that are decoded at once


def read_distributed(
    paths: Any,
    client: Any,
    *,
    filter: str | None = None,
    profile: str | Profile | None = None,
    chunk_size: int = CHUNK_SIZE,
) -> DistributedTrace:
    """Read a capture on a Dask cluster; the tables are those of `read`, spread over its workers.

    paths : files that this process and every worker can open by the same name: a path, a list of
        paths, a directory, a glob pattern
    client : a `distributed.Client`
    filter, profile : as in `read`
    chunk_size : pcap files of more bytes are cut, and decoded in pieces of about so many; pcapng
        and compressed ones are not

    CaptureError for a file that cannot be read; UsageError for a stream, which only one process
    can read, and for a filter, a profile or a size that makes no sense.
    """
    if any(is_stream(each) or is_scapy_packets(each) for each in named_sources(paths).sources):
        raise UsageError("workers open files by their names: a stream or a list has none")
    if filter is not None:
        Filter(filter)
    checked_count(chunk_size, "chunk_size", "decode at least one byte at once")
    run = _Run(_Tasks(client), filter, profile_named(profile))
    return run.trace(open_capture(paths), chunk_size)


class _Tasks:
    """Tasks of one run on a cluster, each under a name of its own."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._run = uuid.uuid4().hex
        self._count = 0

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The future of what `function` makes of these arguments; futures among them are awaited.

        The function must be pure: it is called again where a worker was lost.
        """
        self._count += 1
        name = f"{function.__name__}-{self._run}-{self._count}"
        return self.client.submit(function, *arguments, key=name, pure=False)

    def take(self, made: Any, key: Any) -> Any:
        """The future of one part of what a task made: only that travels."""
        return self(getitem, made, key)

    def shares(self) -> int:
        """How many shares there are: some for each thread, for they are not of one size."""
        threads: int = sum(self.client.nthreads().values())
        return min(PARTS, max(2, 2 * threads))


class _Run:
    """One capture on its way through the cluster."""

    def __init__(self, tasks: _Tasks, filter: str | None, profile: Profile) -> None:
        self._tasks = tasks
        self._filter = filter
        self._profile = profile
        self._shares = tasks.shares()

    def trace(self, capture: Capture, chunk_size: int) -> DistributedTrace:
        """Everything, once it is known how many connections there are."""
        pieces = decoded_pieces(self._jobs(capture.files, chunk_size), self._decoded)
        told = [piece.told for piece in pieces]
        course = _course(told, self._shares, self._profile)
        tracked = [
            self._tasks(
                tracking.track, [self._tasks.take(piece.made, share) for piece in pieces], course
            )
            for share in range(self._shares)
        ]
        known = self._gathered(tracked)
        facts = _facts(told, capture)
        for each in known:
            facts.add_learned(each.learned)
            facts.evicted += each.evicted
        counts = np.sum([each.counts for each in known], axis=0).tolist()
        spans = [
            self._tasks(tracking.joined, [self._tasks.take(share, place) for share in tracked])
            for place in range(self._shares)
        ]
        found = self._tasks(tables.findings, spans, facts, self._profile)
        until = max(each.end for each in known)
        bases = np.cumsum([0, *counts]).tolist()
        rows = [
            self._tasks(tables.connections_of, span, base, until, self._tasks.take(found, place))
            for place, (span, base) in enumerate(zip(spans, bases[:-1], strict=True))
        ]
        moves = [
            self._tasks(tables.timeline_of, span, base)
            for span, base in zip(spans, bases[:-1], strict=True)
        ]
        anomalies = [self._tasks.take(found, tables.TABLE)]
        partitions = {"connections": rows, "timeline": moves, "anomalies": anomalies}
        return DistributedTrace(self._tasks, partitions, bases, facts, self._profile)

    def _gathered(self, made: Sequence[Any]) -> list[Any]:
        """What is to be told of each; errors of the workers are raised here."""
        gathered: list[Any] = self._tasks.client.gather(
            [self._tasks.take(each, TOLD) for each in made]
        )
        return gathered

    def _decoded(self, jobs: list[Job]) -> list[Piece]:
        made = [self._tasks(decoding.decode, job) for job in jobs]
        return [Piece(*each) for each in zip(jobs, made, self._gathered(made), strict=True)]

    def _jobs(self, files: list[FileFacts], chunk_size: int) -> list[list[Job]]:
        """For each file what is to be decoded: its stretches where it is large, else all of it."""
        large = [file.path for file in files if (file.size or 0) > chunk_size]
        cuts = [self._tasks(stretches, path, chunk_size) for path in large]
        found = dict(zip(large, self._tasks.client.gather(cuts), strict=True))
        jobs = [
            Job((file.path,), (number,), self._filter, self._shares)
            for number, file in enumerate(files)
        ]
        return [
            [replace(job, stretch=each) for each in found.get(job.paths[0], [])] or [job]
            for job in jobs
        ]


def _course(told: list[Told], spans: int, profile: Profile) -> tracking.Course:
    firsts = np.cumsum([0, *(piece.facts.segments for piece in told)]).tolist()
    clocks = np.maximum.accumulate([0, *(piece.clock for piece in told)]).tolist()
    edges = [firsts[-1] * place // spans for place in range(spans + 1)]
    return tracking.Course(
        tuple(firsts[:-1]),
        tuple(numbers_before(told)),
        tuple(clocks[:-1]),
        next((piece.begun for piece in told if piece.begun is not None), 0),
        clocks[-1],
        tuple(edges),
        profile,
    )


def _facts(told: list[Told], capture: Capture) -> CaptureFacts:
    """The facts of the capture, of those of its pieces."""
    facts = CaptureFacts(skipped_files=list(capture.skipped_files))
    files: list[list[FileFacts]] = [[] for _ in capture.files]
    for piece in told:
        for file, own in zip(piece.files, piece.facts.files, strict=True):
            files[file].append(own)
        facts.packets += piece.facts.packets
        facts.segments += piece.facts.segments
    skipped = summed([piece.facts.skipped for piece in told])  # a piece may undo what one counted
    facts.skipped = {reason: number for reason, number in skipped.items() if number}
    facts.counters = summed([piece.facts.counters for piece in told])
    facts.clock = ClockSteps.join([piece.facts.clock for piece in told], numbers_before(told))
    facts.take_files([FileFacts.join(each) for each in files])
    return facts
