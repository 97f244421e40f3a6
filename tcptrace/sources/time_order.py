"""Several files as one capture: one after the other where they can be, merged where they overlap.

A file's own order is never changed, even where its times run backwards: each packet is placed
by the greatest time of its file so far, which is what comes of always taking, of the next
packets of all files, the earliest. A tie goes to the file that began first, then to the one named
first: so a capture that was cut between packets of one moment has them in order again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tcptrace.columns import Matrix
from tcptrace.errors import CaptureError
from tcptrace.sources.packets import Packets
from tcptrace.sources.reading import BATCH

MOST_OPEN = 200


@dataclass(frozen=True)
class Span:
    """A file that will be read: its first packet's time (None: no packets), how to read it.

    `read` is handed how many files are open already.
    """

    first_time: int | None
    file: int
    path: str
    read: Callable[[int], Iterator[Packets]]

    @property
    def place(self) -> tuple[int, int]:
        """Sorts files by their first packet."""
        return (-(1 << 63) if self.first_time is None else self.first_time, self.file)


class _Open:
    """A file being read: the batch in hand and the keys by which its packets are placed."""

    def __init__(self, span: Span, rank: int, already_open: int) -> None:
        self.rank = rank
        self._batches = span.read(already_open)
        self._latest = -(1 << 63)
        self.batch = Packets.zeros(0)
        self.keys: Matrix = np.zeros(0, np.int64)

    def advance(self) -> bool:
        """Have a batch with packets in hand; False at the file's end."""
        while not len(self.batch):
            batch = next(self._batches, None)
            if batch is None:
                return False
            self.batch = batch
            self.keys = np.maximum(np.maximum.accumulate(batch.time), self._latest)
            self._latest = int(self.keys[-1]) if len(batch) else self._latest
        return True

    @property
    def last(self) -> tuple[int, int]:
        """The place of the last packet in hand."""
        return int(self.keys[-1]), self.rank

    def take_until(self, place: tuple[int, int]) -> tuple[Packets, Matrix]:
        """The packets in hand up to a place, and their keys; they are in hand no longer."""
        side = "right" if self.rank <= place[1] else "left"
        count = int(np.searchsorted(self.keys, place[0], side))  # type: ignore[call-overload]
        taken = self.batch.take(slice(0, count)), self.keys[:count]
        self.batch = self.batch.take(slice(count, None))
        self.keys = self.keys[count:]
        return taken


def in_time_order(spans: list[Span]) -> Iterator[Packets]:
    """The packets of all files in time order, in batches of at most `BATCH`.

    A file is opened when its turn comes and closed at its end. CaptureError if more than
    `MOST_OPEN` files overlap at one time.
    """
    waiting = deque(enumerate(sorted(spans, key=lambda span: span.place)))
    opened: list[_Open] = []  # in the order of ranks
    while True:
        opened = [file for file in opened if file.advance()]
        if not opened and not waiting:
            return
        if not opened:
            opened.append(_open(waiting, opened))
            continue
        until = min(file.last for file in opened)
        if waiting and (waiting[0][1].place[0], waiting[0][0]) <= until:
            opened.append(_open(waiting, opened))
            continue
        yield from _merged([file.take_until(until) for file in opened])


def _open(waiting: deque[tuple[int, Span]], opened: list[_Open]) -> _Open:
    if len(opened) == MOST_OPEN:
        expected = f"at most {MOST_OPEN} files that overlap in time"
        raise CaptureError(waiting[0][1].path, f"expected {expected}; read fewer at once")
    rank, span = waiting.popleft()
    return _Open(span, rank, len(opened))


def _merged(pieces: list[tuple[Packets, Matrix]]) -> Iterator[Packets]:
    pieces = [piece for piece in pieces if len(piece[0])]
    if len(pieces) == 1:
        yield pieces[0][0]
        return
    batch = Packets.concat([packets for packets, _ in pieces])
    order = np.argsort(np.concatenate([keys for _, keys in pieces]), kind="stable")
    for start in range(0, len(batch), BATCH):
        yield batch.take(order[start : start + BATCH])
