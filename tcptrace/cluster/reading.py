"""`read_distributed`: one capture, decoded and tracked by the workers of a Dask cluster.

The client hands out tasks and takes in what is known of files and counts, never rows. Read
`_pieces` first: what is decoded together, so that each decoder sees what one decoder would.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from operator import getitem
from typing import Any

import numpy as np

from tcptrace.cluster import decoding, tables, tracking
from tcptrace.cluster.decoding import TOLD, Job, Told, summed
from tcptrace.cluster.trace import DistributedTrace
from tcptrace.errors import UsageError
from tcptrace.pipeline import profile_named
from tcptrace.sources.capture import open_capture
from tcptrace.sources.filter import Filter
from tcptrace.sources.naming import named_sources
from tcptrace.sources.scapy_list import is_scapy_packets
from tcptrace.sources.streams import is_stream
from tcptrace.tables.capture_facts import CaptureFacts, ClockSteps
from tcptrace.tcp.profile import Profile
from tcptrace.tracker.slots import PARTS


def read_distributed(
    paths: Any,
    client: Any,
    *,
    filter: str | None = None,
    profile: str | Profile | None = None,
) -> DistributedTrace:
    """Read a capture on a Dask cluster; the tables are those of `read`, spread over its workers.

    paths : files that this process and every worker can open by the same name: a path, a list of
        paths, a directory, a glob pattern
    client : a `distributed.Client`
    filter, profile : as in `read`

    CaptureError for a file that cannot be read; UsageError for a stream, which only one process
    can read, and for a filter or a profile that makes no sense.
    """
    if any(is_stream(each) or is_scapy_packets(each) for each in named_sources(paths).sources):
        raise UsageError("workers open files by their names: a stream or a list has none")
    if filter is not None:
        Filter(filter)
    capture = open_capture(paths)
    names = [file.path for file in capture.files]
    run = _Run(_Tasks(client), filter, profile_named(profile))
    return run.trace(names, list(capture.skipped_files))


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

    def trace(self, names: list[str], skipped_files: list[str]) -> DistributedTrace:
        """Everything, once it is known how many connections there are."""
        made, told = self._pieces(names)
        course = _course(told, self._shares, self._profile)
        tracked = [
            self._tasks(tracking.track, [self._tasks.take(piece, share) for piece in made], course)
            for share in range(self._shares)
        ]
        known = self._gathered(tracked)
        facts = _facts(told, len(names), skipped_files)
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

    def _decoded(self, jobs: list[Job]) -> tuple[list[Any], list[Told]]:
        made = [self._tasks(decoding.decode, job) for job in jobs]
        return made, self._gathered(made)

    def _pieces(self, names: list[str]) -> tuple[list[Any], list[Told]]:
        """All files decoded, in pieces that follow each other: the futures, and what they tell.

        Each file is a piece, unless files overlap in time: those are read together, as one
        process reads them. Where datagrams are unfinished at the end of a piece and later ones
        have fragments, too, those are decoded once more, one after the other.
        """
        made, told = self._decoded([self._job(names, (file,)) for file in range(len(names))])
        pairs = sorted(zip(told, made, strict=True), key=lambda pair: _place(pair[0]))
        groups = _overlapping([piece for piece, _ in pairs])
        kept = {piece.files: future for piece, future in pairs}
        wanted = [
            tuple(sorted(file for piece in group for file in piece.files)) for group in groups
        ]
        again = [files for files in wanted if files not in kept]
        new, new_told = self._decoded([self._job(names, files) for files in again])
        kept |= dict(zip(again, new, strict=True))
        facts = {piece.files: piece for piece in [*told, *new_told]}
        return self._with_fragments(
            names, [kept[files] for files in wanted], [facts[files] for files in wanted]
        )

    def _with_fragments(
        self, names: list[str], made: list[Any], told: list[Told]
    ) -> tuple[list[Any], list[Told]]:
        unfinished: dict[int, Any] = {}
        for place, piece in enumerate(told):
            if not piece.has_fragments:
                continue
            if unfinished:
                job = self._job(names, piece.files, unfinished)
                (made[place],), (told[place],) = self._decoded([job])
            unfinished = told[place].unfinished
        return made, told

    def _job(
        self, names: list[str], files: tuple[int, ...], unfinished: dict[int, Any] | None = None
    ) -> Job:
        paths = tuple(names[file] for file in files)
        return Job(paths, files, self._filter, self._shares, unfinished)


def _place(piece: Told) -> tuple[int, int]:
    """Sorts pieces of one file as `sources.time_order` does files."""
    return (-(1 << 63) if piece.first is None else piece.first, piece.files[0])


def _overlapping(pieces: list[Told]) -> list[list[Told]]:
    """Pieces of one file, in their order, those together whose packets come among each other's."""
    groups: list[list[Told]] = []
    latest = -(1 << 63)
    for piece in pieces:
        if piece.first is not None and piece.first < latest:
            groups[-1].append(piece)
        else:
            groups.append([piece])
        if piece.last is not None:
            latest = max(latest, piece.last)
    return groups


def _course(told: list[Told], spans: int, profile: Profile) -> tracking.Course:
    firsts = np.cumsum([0, *(piece.facts.segments for piece in told)]).tolist()
    clocks = np.maximum.accumulate([0, *(piece.clock for piece in told)]).tolist()
    edges = [firsts[-1] * place // spans for place in range(spans + 1)]
    return tracking.Course(
        tuple(firsts[:-1]), tuple(clocks[:-1]), clocks[-1], tuple(edges), profile
    )


def _facts(told: list[Told], count: int, skipped_files: list[str]) -> CaptureFacts:
    """The facts of the capture, of those of its pieces."""
    facts = CaptureFacts(skipped_files=skipped_files)
    files: list[Any] = [None] * count
    for piece in told:
        for file, own in zip(piece.files, piece.facts.files, strict=True):
            files[file] = own
        facts.packets += piece.facts.packets
        facts.segments += piece.facts.segments
    skipped = summed([piece.facts.skipped for piece in told])  # a piece may undo what one counted
    facts.skipped = {reason: number for reason, number in skipped.items() if number}
    facts.counters = summed([piece.facts.counters for piece in told])
    facts.clock = ClockSteps.join([piece.facts.clock for piece in told])
    facts.take_files(files)
    return facts
