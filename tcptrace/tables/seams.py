"""`Seam`: where one file of a capture follows another: they overlap, or nothing was captured.

Files that a program rotates follow one another without either; two taps overlap; a file that is
missing, or a capture that was stopped, leaves a gap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tcptrace.sources.facts import FileFacts

LEAST_GAP = 1_000_000_000  # ns
GAP_SHARE = 10  # a gap is longer than a tenth of the shorter file beside it, or it is mere silence


@dataclass(frozen=True)
class Seam:
    """Times in ns since the epoch; `earlier` is the path of the file that lasted longest by then.

    overlaps : both files have packets between `start` and `end`; if not, neither has, nor another
    """

    earlier: str
    later: str
    start: int
    end: int
    overlaps: bool

    @property
    def duration(self) -> int:
        """How long it is, ns."""
        return self.end - self.start


def seams(files: Iterable[FileFacts]) -> list[Seam]:
    """The overlaps and gaps between files, in the order of time; files without packets have none.

    Two files that share a moment only, as a packet's at the end of one and at the beginning of
    the other, do not overlap.
    """
    spans = sorted(
        (file.first_time, file.last_time, place, file.path)
        for place, file in enumerate(files)
        if file.first_time is not None and file.last_time is not None
    )
    found, longest = [], spans[:1]
    for span in spans[1:]:
        first, last, _, path = span
        start, end, _, earlier = longest[0]
        if first < end:
            found.append(Seam(earlier, path, first, min(end, last), True))
        elif first - end > max(LEAST_GAP, min(end - start, last - first) // GAP_SHARE):
            found.append(Seam(earlier, path, end, first, False))
        if last > end:
            longest = [span]
    return found
