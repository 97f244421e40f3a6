"""Pins that pieces are joined exactly: however a file is cut, the rows and facts of all of it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tcptrace.cluster.decoding import TOLD, Job, decode, summed
from tcptrace.cluster.pieces import Piece, decoded_pieces, numbers_before
from tcptrace.columns import Matrix
from tcptrace.decode.segments import Segments
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.stretches import Stretch, stretches
from tcptrace.tables.capture_facts import ClockSteps
from tests.cluster.traffic import SECOND, Record, fragmented, records, written
from tests.sources.crafted import Told, pcap

SHARES = 3
RAW = 101
PACKET, CLOCK, TIME = (Segments.index(name) for name in ("packet", "clock", "time"))


def here(jobs: list[Job]) -> list[Piece]:
    """What a cluster does, in this process."""
    made = [decode(job) for job in jobs]
    return [Piece(job, each, each[TOLD]) for job, each in zip(jobs, made, strict=True)]


def rows_of(pieces: list[Piece]) -> Matrix:
    """All rows in order; packets numbered as in the file, `clock` the latest time so far."""
    found, clock = [], 0
    for piece, number in zip(pieces, numbers_before([each.told for each in pieces]), strict=True):
        parts = [part.matrix() for share in range(SHARES) for part in piece.made[share]]
        rows = np.concatenate([np.zeros((0, Segments.width() + 1), np.int64), *parts])
        rows = rows[np.argsort(rows[:, -1])]
        rows[:, PACKET] += number
        rows[:, CLOCK] = np.maximum(rows[:, CLOCK] + rows[:, TIME], clock)
        clock = max(clock, piece.told.clock)
        found.append(rows[:, :-1])
    return np.concatenate(found)


def assert_same(job: Job, cuts: list[Stretch]) -> list[Piece]:
    """In stretches as in one go."""
    (whole,) = here([job])
    jobs = [replace(job, stretch=cut) for cut in cuts] or [job]
    pieces = decoded_pieces([jobs], here)
    assert rows_of([whole]).tolist() == rows_of(pieces).tolist()
    told = [piece.told for piece in pieces]
    assert whole.told.facts.files == [FileFacts.join([each.facts.files[0] for each in told])]
    assert whole.told.facts.counters == summed([each.facts.counters for each in told])
    clock = ClockSteps.join([each.facts.clock for each in told], numbers_before(told))
    assert whole.told.facts.clock == clock
    return pieces


def traffic(seed: int) -> list[Record]:
    """Some packets, some of them in fragments, and a clock that is set back now and then."""
    packets = fragmented(list(records()[seed * 60 : seed * 60 + 60]), 4)
    step = seed % 3 * SECOND
    return [
        (time - step * (place % 17 > 11), octets) for place, (time, octets) in enumerate(packets)
    ]


def with_a_capture_inside(packets: list[Record], seed: int) -> list[Record]:
    """And somebody fetches a capture of some of them, which is in a packet of its own."""
    inside = pcap([Told(time, octets[:30], len(octets)) for time, octets in packets])[
        24 + seed % 16 :
    ]
    place = seed % len(packets)
    return [*packets[:place], (packets[place][0], b"\x60" + inside), *packets[place:]]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 20),
    every=st.integers(1, 4_000),
    fetched=st.booleans(),
    end=st.integers(40, 9_000),
    damaged=st.booleans(),
    filter=st.sampled_from([None, "greater 60"]),
)
def test_any_cut_gives_the_same(
    seed: int, every: int, fetched: bool, end: int, damaged: bool, filter: str | None
) -> None:
    """Between any records, of files that end anywhere or are damaged, behind wrong guesses."""
    assume(end > 56 or not damaged)  # else its first record is none, and `read` says so
    packets = with_a_capture_inside(traffic(seed), seed) if fetched else traffic(seed)
    octets = bytearray(pcap([Told(*record) for record in packets], network=RAW))
    if damaged and end < len(octets):
        octets[end : end + 8] = b"\xff" * 8
    elif not damaged:
        del octets[end:]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "made.pcap")
        Path(path).write_bytes(octets)
        assert_same(Job((path,), (0,), filter, SHARES), stretches(path, every))


def test_wrong_borders_are_found_out(tmp_path: Path) -> None:
    """Stretches that begin anywhere: what the one before proves wrong is read together with it."""
    octets = pcap([Told(*record) for record in traffic(1)], network=RAW)
    path = tmp_path / "made.pcap"
    path.write_bytes(octets)
    borders = [24, *range(1_000, len(octets), 1_000)]
    cuts = [Stretch(*each) for each in zip(borders, [*borders[1:], None], strict=True)]
    (piece,) = assert_same(Job((str(path),), (0,), None, SHARES), cuts)
    assert Stretch(24, None) == piece.job.stretch


def in_stretches(job: Job, every: int) -> list[Job]:
    return [replace(job, stretch=each) for each in stretches(job.paths[0], every)] or [job]


def test_stretches_of_a_file_stay_in_its_order_among_others(tmp_path: Path) -> None:
    """A file that runs back in time is not sorted, but the files are."""
    packets = sorted(records()[:300])
    early, late = packets[:150], packets[150:]
    paths = [str(path) for path in written([late, [], early[75:] + early[:75]], tmp_path)]
    jobs = [Job((path,), (number,), None, SHARES) for number, path in enumerate(paths)]
    pieces = decoded_pieces([in_stretches(job, 900) for job in jobs], here)
    assert len(pieces) > 8
    assert (
        rows_of(decoded_pieces([[job] for job in jobs], here)).tolist() == rows_of(pieces).tolist()
    )


def test_files_that_overlap_are_read_together_whatever_their_size(tmp_path: Path) -> None:
    """One job for both, in the order of their numbers."""
    packets = list(records()[:200])
    paths = [str(path) for path in written([packets[::2], [], packets[1::2]], tmp_path)]
    jobs = [Job((path,), (number,), None, SHARES) for number, path in enumerate(paths)]
    pieces = decoded_pieces([in_stretches(job, 900) for job in jobs], here)
    assert 2 == len(pieces)
    assert (
        rows_of(decoded_pieces([[job] for job in jobs], here)).tolist() == rows_of(pieces).tolist()
    )
