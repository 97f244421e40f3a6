"""Several files in time order, against the plain rule: always take the earliest next packet."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.errors import CaptureError
from tcptrace.sources.packets import Packets
from tcptrace.sources.reading import BATCH
from tcptrace.sources.time_order import MOST_OPEN, Span, in_time_order


class Files:
    """Files that count how many of them are open."""

    def __init__(self, times: list[list[int]], batch: int = 3) -> None:
        self.open = 0
        self.most = 0
        self._batch = batch
        self.spans = [
            Span(each[0] if each else None, file, f"file{file}", self._reader(file, each))
            for file, each in enumerate(times)
        ]

    def _reader(self, file: int, times: list[int]) -> Callable[[int], Iterator[Packets]]:
        def read(already_open: int) -> Iterator[Packets]:
            self.open += 1
            self.most = max(self.most, self.open)
            for start in range(0, len(times), self._batch):
                yield self._packets(file, times[start : start + self._batch], start)
            self.open -= 1

        return read

    def _packets(self, file: int, times: list[int], start: int) -> Packets:
        packets = Packets.zeros(len(times))
        packets.time[:] = times
        packets.file[:] = file
        packets.number[:] = np.arange(start + 1, start + 1 + len(times))
        packets.offset[:] = 8 * np.arange(len(times))
        packets.captured[:] = 8
        packets.data = memoryview(packets.number.astype("<i8").tobytes())
        return packets


def earliest_next(times: list[list[int]]) -> list[tuple[int, int]]:
    """(file, number) by the plain rule; a tie goes to the one that began first, then by name."""
    found, at = [], [0] * len(times)
    while True:
        heads = [
            (each[at[file]], each[0], file)
            for file, each in enumerate(times)
            if at[file] < len(each)
        ]
        if not heads:
            return found
        *_, file = min(heads)
        at[file] += 1
        found.append((file, at[file]))


def order(files: Files) -> list[tuple[int, int]]:
    packets = Packets.concat(list(in_time_order(files.spans)))
    for row in range(len(packets)):
        number = int(packets.number[row])
        assert number.to_bytes(8, "little") == packets.packet_bytes(row)
    return list(zip(packets.file.tolist(), packets.number.tolist(), strict=True))


@given(st.lists(st.lists(st.integers(0, 12), max_size=10), max_size=5), st.integers(1, 5))
def test_the_earliest_next_packet_comes_first(times: list[list[int]], batch: int) -> None:
    """Also with times that run backwards inside files, ties, empty files, any batches."""
    assert earliest_next(times) == order(Files(times, batch))


def test_files_that_follow_one_another_are_open_one_at_a_time() -> None:
    """Named in any order; the next is opened when the one before is done."""
    files = Files([[20, 21, 22, 23], [0, 1, 2, 3], [10, 11]])
    assert [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (0, 1)] == order(files)[:7]
    assert 1 == files.most


def test_only_files_that_overlap_are_open_together() -> None:
    """A chain of overlaps needs two at a time."""
    files = Files([[n * 10, n * 10 + 1, n * 10 + 12] for n in range(20)], batch=1)
    order(files)
    assert 3 >= files.most


def test_batches_stay_bounded() -> None:
    """Merged batches are cut again."""
    times = [list(range(file, 3 * BATCH, 2)) for file in range(2)]
    batches = list(in_time_order(Files(times, BATCH).spans))
    assert max(len(batch) for batch in batches) <= BATCH
    assert 3 * BATCH == sum(len(batch) for batch in batches)


def test_too_many_files_at_one_time() -> None:
    """The error names the file that was one too many."""
    files = Files([[0, 100]] * (MOST_OPEN + 1))
    with pytest.raises(CaptureError, match=f"file{MOST_OPEN}: expected at most {MOST_OPEN} files"):
        order(files)
