"""What the capture is: files, packets, span, link types, where the tap stands, what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcptrace.tables.wording import counted, octets, span

if TYPE_CHECKING:
    import pandas as pd

    from tcptrace.tables.capture_facts import CaptureFacts
    from tcptrace.tables.seams import Seam

MOST_FILES = 3
MOST_REASONS = 5
PLACES = {
    "originator": "beside the originators",
    "responder": "beside the responders",
    "middle": "on the path between the endpoints",
}


def warnings(capture: CaptureFacts, verbose: int) -> list[str]:
    """What a reader of a table should know of the capture; with `verbose`, what it is as well."""
    told = [f"cut short: {cut}" for cut in cuts(capture)]
    if capture.loss.dropped:
        told.append(f"{counted(capture.loss.dropped, 'packet')} dropped while capturing")
    if capture.evicted:
        told.append(f"{_evicted(capture)}: --max-connections keeps more")
    if not verbose:
        return told
    skipped = _skipped(capture)
    return [
        *told,
        str(capture),
        *map(_seam, capture.seams),
        *([f"skipped: {skipped}"] if skipped else []),
    ]


def lines(capture: CaptureFacts, connections: int, picked: pd.DataFrame) -> list[tuple[str, str]]:
    """Label and text of each line, empty texts where there is nothing to say."""
    some = f"{len(picked):,} picked of {connections:,}"
    return [
        ("capture", _files(capture)),
        ("packets", _packets(capture)),
        ("time", _time(capture)),
        ("files", _seams(capture)),
        ("link", ", ".join(capture.link_types)),
        ("tap", _tap(picked)),
        ("cut short", "; ".join(cuts(capture))),
        ("missing", _missing(capture)),
        ("skipped", _skipped(capture)),
        ("connections", some if len(picked) < connections else f"{connections:,}"),
    ]


def cuts(capture: CaptureFacts) -> list[str]:
    """Each file that is not whole, where its reading ended and why; and if it was broken off."""
    broken_off = f"interrupted after {counted(capture.packets, 'packet')}: what follows is not told"
    return [broken_off] * capture.interrupted + [
        f"{file.path} at byte {file.truncated_at:,}" + (f": {file.damage}" if file.damage else "")
        for file in capture.truncated
    ]


def _files(capture: CaptureFacts) -> str:
    paths = [file.path for file in capture.files]
    more = f" and {len(paths) - MOST_FILES} more files" if len(paths) > MOST_FILES else ""
    return ", ".join(paths[:MOST_FILES]) + more


def _packets(capture: CaptureFacts) -> str:
    if not capture.packets:
        return "none: the capture holds no packet"
    return f"{counted(capture.packets, 'packet')}, {counted(capture.segments, 'TCP segment')}"


def _time(capture: CaptureFacts) -> str:
    if capture.span is None:
        return ""
    first, last = capture.span
    day = "%Y-%m-%d %H:%M:%S.%f"
    until = last.strftime("%H:%M:%S.%f" if first.date() == last.date() else day)
    return f"{first.strftime(day)} to {until} UTC ({span(capture.duration.value)})"


def _seams(capture: CaptureFacts) -> str:
    told = [_seam(seam) for seam in capture.seams[:MOST_FILES]]
    more = len(capture.seams) - len(told)
    return "; ".join([*told, *([f"{more:,} more overlaps and gaps"] if more else [])])


def _seam(seam: Seam) -> str:
    """Two files by name, what is between them, from when to when and for how long."""
    lasts = f"from {_moment(seam.start)} to {_moment(seam.end)} UTC ({span(seam.duration)})"
    if seam.overlaps:
        return f"{seam.earlier} and {seam.later} overlap {lasts}"
    return f"nothing between {seam.earlier} and {seam.later} {lasts}"


def _moment(time: int) -> str:
    import numpy as np

    return str(np.datetime_as_string(np.datetime64(time, "ns"), unit="us")).replace("T", " ")


def _tap(picked: pd.DataFrame) -> str:
    """Where the tap stands: the one place, or how many connections say which."""
    counts = picked["vantage"].value_counts()
    known = {PLACES[place]: counts[place] for place in PLACES if counts.get(place)}
    if len(known) == 1:
        return next(iter(known))
    return ", ".join(f"{place} ({count:,})" for place, count in known.items())


def _missing(capture: CaptureFacts) -> str:
    """What the capture lost, by the tracker's count and by the capturing program's."""
    loss, told = capture.loss, []
    if loss.octets:
        told.append(f"{octets(loss.octets)} acknowledged but not captured")
    if loss.dropped:
        told.append(f"{counted(loss.dropped, 'packet')} dropped while capturing")
    if capture.evicted:
        told.append(_evicted(capture))
    if capture.skipped_files:
        told.append(f"{counted(len(capture.skipped_files), 'file')} left out: no capture")
    return "; ".join(told)


def _evicted(capture: CaptureFacts) -> str:
    return f"{counted(capture.evicted, 'connection')} evicted before the end: too many were open"


def _skipped(capture: CaptureFacts) -> str:
    reasons = sorted(capture.skipped.items(), key=lambda pair: -pair[1])
    told = ", ".join(f"{count:,} {reason}" for reason, count in reasons[:MOST_REASONS])
    more = sum(count for _, count in reasons[MOST_REASONS:])
    return f"{told}, {more:,} for other reasons" if more else told
