"""`Stream`: a source read into tables piece by piece, so that memory does not grow with it.

The rows are those of a `Trace`. A piece holds connections in the order of their numbers; pieces
come as connections are settled (`tracker.settling`), so that from piece to piece numbers may go
back: who ended comes before who began earlier and is still open, and at the capture's end the
connections of one part of the traffic come before those of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from tcptrace.ahead import import_beside
from tcptrace.interrupt import Interrupt
from tcptrace.pipeline import Feeding, Reading
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tracker.settling import Piece, Settling
from tcptrace.tracker.tracker import Tracker

if TYPE_CHECKING:
    import pandas as pd

    from tcptrace.part import Part

PIECE = 4096  # connections that are judged before the next piece is made
SHARE = 16  # a piece looks at all that is in the table: it is made for this share of it at least


class Stream:
    """Iterate it, once, for `Part`s; there is always one, be it empty. Or ask for `anomalies`.

    capture : facts of the input, complete once the iteration is
    """

    def __init__(
        self, reading: Reading, progress: bool | None = None, interrupt: Interrupt | None = None
    ) -> None:
        self._feeding = Feeding(reading, progress, interrupt)
        self._profile = reading.profile
        self.capture: CaptureFacts = self._feeding.facts

    def __iter__(self) -> Iterator[Part]:
        import_beside("tcptrace.part")
        given = False
        for piece, until in self._pieces():
            if len(piece) or not given:
                from tcptrace.part import Part

                given = True
                self.capture.add_reconstruction(piece.found)
                yield Part(piece, self.capture, self._profile, until)
            del piece  # lest it be held while the next one is made

    @cached_property
    def anomalies(self) -> pd.DataFrame:
        """As `Trace.anomalies`, instead of iterating this: all is read when it is asked for.

        No row is final before the capture's end, but most of what a trace holds is not needed.
        """
        import_beside("tcptrace.anomalies.catalogue")
        from tcptrace.anomalies.kept import Kept

        kept = Kept()
        for piece, _ in self._pieces():
            self.capture.add_reconstruction(piece.found)
            kept.add(piece.found, piece.conns)
        from tcptrace.anomalies.catalogue import find_anomalies

        return find_anomalies(kept.found(), self.capture, self._profile).table

    def _pieces(self) -> Iterator[tuple[Piece, int]]:
        tracker, now = self._feeding.tracker, 0
        settling = Settling(tracker)
        for segments in self._feeding:
            now = int(segments.clock[-1]) if len(segments) else now
            if _is_due(tracker, settling):
                yield from ((piece, now) for piece in settling.settle(now))
        self._feeding.finish()
        end = max(now, self.capture.end or 0)
        tracker.end()
        while tracker.judge_more():
            if _is_due(tracker, settling):
                yield from ((piece, end) for piece in settling.settle(end, over=True))
        yield from ((piece, end) for piece in settling.settle(end, over=True))
        self.capture.evicted = tracker.evicted


def _is_due(tracker: Tracker, settling: Settling) -> bool:
    said = tracker.undrained
    return said >= PIECE and SHARE * said >= tracker.held + settling.waiting
