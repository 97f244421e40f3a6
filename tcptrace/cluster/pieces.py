"""What is decoded together, so that each decoder sees what one decoder would: `decoded_pieces`.

A piece is a stretch of a large file, a file, or files that overlap in time. Pieces follow each
other as packets do in one process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tcptrace.cluster.decoding import Job, Told


@dataclass(frozen=True)
class Piece:
    """One piece: what was to be decoded, the future of what `decode` made, what it told."""

    job: Job
    made: Any
    told: Told


Decode = Callable[[list[Job]], list[Piece]]


def decoded_pieces(files: list[list[Job]], decode: Decode) -> list[Piece]:
    """All files decoded.

    files : for each file the job of the whole, or those of its stretches

    Files that overlap in time are read together, as one process reads them. Where datagrams are
    unfinished at the end of a piece and later ones have fragments, too, those are decoded once
    more, one after the other.
    """
    made = iter(decode([job for jobs in files for job in jobs]))
    read = [_joined([next(made) for _ in jobs], decode) for jobs in files]
    pieces: list[Piece] = []
    for group in _overlapping(sorted(read, key=_place)):
        pieces += group[0] if len(group) == 1 else decode([_together(group)])
    return _with_fragments(pieces, decode)


def numbers_before(told: list[Told]) -> list[int]:
    """How many packets of its file were read before each piece."""
    count: dict[tuple[int, ...], int] = {}
    found = []
    for piece in told:
        found.append(count.get(piece.files, 0))
        count[piece.files] = found[-1] + piece.packets
    return found


def _joined(pieces: list[Piece], decode: Decode) -> list[Piece]:
    """The stretches of one file, each from where the one before ended: those that did not begin
    at a record are part of that one instead.

    A stretch whose last record is cut proves that the next one begins within a record; one that
    ends in damage is the last, for there one process would end, too.
    """
    waiting, joined = pieces[::-1], []
    while waiting:
        piece = waiting.pop()
        while piece.told.is_cut and waiting:
            (piece,) = decode([piece.job.reaching(waiting.pop().job)])
        joined.append(piece)
        if piece.told.is_damaged:
            break
    return joined


def _place(file: list[Piece]) -> tuple[int, int]:
    """Sorts files as `sources.time_order` does."""
    first = file[0].told.first
    return (-(1 << 63) if first is None else first, file[0].told.files[0])


def _overlapping(files: list[list[Piece]]) -> list[list[list[Piece]]]:
    """Files in their order, those together whose packets come among each other's."""
    groups: list[list[list[Piece]]] = []
    latest = -(1 << 63)
    for pieces in files:
        first = pieces[0].told.first
        if first is not None and first < latest:
            groups[-1].append(pieces)
        else:
            groups.append([pieces])
        latest = max([latest, *(each.told.last for each in pieces if each.told.last is not None)])
    return groups


def _together(group: list[list[Piece]]) -> Job:
    """All files of a group, in the order of their numbers."""
    jobs = sorted((pieces[0].job for pieces in group), key=lambda job: job.files)
    paths = tuple(path for job in jobs for path in job.paths)
    files = tuple(file for job in jobs for file in job.files)
    return replace(jobs[0], paths=paths, files=files, stretch=None)


def _with_fragments(pieces: list[Piece], decode: Decode) -> list[Piece]:
    unfinished: dict[int, Any] = {}
    found = []
    for piece in pieces:
        if unfinished and piece.told.has_fragments:
            (piece,) = decode([replace(piece.job, unfinished=unfinished)])
        if piece.told.has_fragments:
            unfinished = piece.told.unfinished
        found.append(piece)
    return found
