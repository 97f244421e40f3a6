"""`Fragments`: IP fragments put together, bounded in datagrams, octets and time.

RFC 791 section 3.2, RFC 8200 section 4.5, RFC 815. Where fragments overlap, the octets that came
first stay, as in Wireshark and Zeek; Linux drops such datagrams (RFC 5722), which an observer
cannot know to have happened. A fragment that reaches beyond 65,535 octets (teardrop, ping of
death) is dropped. One cut by the snap length counts with its full length: of the datagram, what
lies before the first missing octet was kept.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_DATAGRAMS = 1024  # unfinished ones; each new one beyond drops the oldest
MAX_OCTETS = 16 << 20  # of all unfinished ones together
MAX_FRAGMENTS = 2048  # of one datagram: octets 65,535 by 48, what the smallest MTU carries, less
LIFETIME = 60 * 10**9  # ns; RFC 8200 section 4.5, and more than Linux' ipfrag_time
LARGEST = 65_535

Key = tuple[int, ...]


class Fragment(NamedTuple):
    """One fragment of an IP datagram.

    key : what all fragments of the datagram share: addresses, identification, path
    offset, length : where its octets belong and how many they were on the wire
    more : whether others follow
    kept : the octets that were captured
    protocol : what the datagram's payload is, true of the fragment at offset 0
    marks : Mark bits of its packet
    """

    key: Key
    offset: int
    length: int
    more: bool
    kept: bytes
    protocol: int
    marks: int = 0


class Datagram(NamedTuple):
    """A datagram's payload put together: what was kept of its `length` octets, the row of Datagrams
    at its offset 0, how many fragments it had, and the marks of them all."""

    kept: bytes
    length: int
    protocol: int
    first: list[int]
    fragments: int
    marks: int


@dataclass
class _Unfinished:
    began: int
    parts: list[Fragment] = field(default_factory=list)
    units: int = 0  # a bit for each 8 octets that are there
    length: int = -1  # known from the last fragment
    first: list[int] = field(default_factory=list)
    octets: int = 0
    marks: int = 0


class Fragments:
    """Unfinished datagrams, oldest first.

    dropped : fragments that did not fit their datagram, or any bound
    overlaps : fragments that repeat octets which were there already
    """

    def __init__(self) -> None:
        self._unfinished: dict[Key, _Unfinished] = {}
        self._octets = 0
        self.dropped = 0
        self.overlaps = 0

    def __len__(self) -> int:
        """How many datagrams are unfinished."""
        return len(self._unfinished)

    def handed_over(self) -> Fragments:
        """The same datagrams, for one who goes on: nothing was dropped yet."""
        after = Fragments()
        after._unfinished, after._octets = deepcopy(self._unfinished), self._octets
        return after

    def add(self, fragment: Fragment, cells: list[int], time: int) -> Datagram | None:
        """The datagram that `fragment` completes, or None.

        `cells` is the fragment's row of Datagrams: the datagram's `first` is that of the
        fragment at offset 0. `time` in ns.
        """
        self._expire(time)
        if not _fits(fragment):
            self.dropped += 1
            return None
        datagram = self._unfinished.setdefault(fragment.key, _Unfinished(time))
        if not self._take(datagram, fragment, cells):
            self.dropped += 1
            return None
        if datagram.length >= 0 and datagram.units == _units(0, datagram.length):
            self._forget(fragment.key)
            return _whole(datagram)
        self._bound()
        return None

    def _take(self, datagram: _Unfinished, fragment: Fragment, cells: list[int]) -> bool:
        end = fragment.offset + fragment.length
        if len(datagram.parts) >= MAX_FRAGMENTS or 0 <= datagram.length < end:
            return False
        if not fragment.more:
            if datagram.units >> ((end + 7) // 8) or datagram.length not in (-1, end):
                return False  # a last fragment before others, or a second last one
            datagram.length = end
        mine = _units(fragment.offset, fragment.length)
        self.overlaps += bool(datagram.units & mine)
        datagram.units |= mine
        datagram.marks |= fragment.marks
        datagram.parts.append(fragment)
        datagram.octets += len(fragment.kept)
        self._octets += len(fragment.kept)
        if fragment.offset == 0 and not datagram.first:
            datagram.first = cells
        return True

    def _expire(self, now: int) -> None:
        while self._unfinished:
            oldest = next(iter(self._unfinished))
            if now - self._unfinished[oldest].began <= LIFETIME:
                return
            self._forget(oldest)

    def _bound(self) -> None:
        while len(self._unfinished) > MAX_DATAGRAMS or self._octets > MAX_OCTETS:
            self._forget(next(iter(self._unfinished)))

    def _forget(self, key: Key) -> None:
        self._octets -= self._unfinished.pop(key).octets


def _fits(fragment: Fragment) -> bool:
    """Whether it can be part of a datagram: all but the last hold whole units of 8 octets."""
    whole = fragment.length % 8 == 0 or not fragment.more
    return 0 < fragment.length and whole and fragment.offset + fragment.length <= LARGEST


def _units(offset: int, length: int) -> int:
    """A bit for each unit of 8 octets from `offset`."""
    return ((1 << ((length + 7) // 8)) - 1) << (offset // 8)


def _whole(datagram: _Unfinished) -> Datagram:
    octets = bytearray(datagram.length)
    there = bytearray(datagram.length)
    for part in reversed(datagram.parts):  # the first to come overwrites
        end = part.offset + len(part.kept)
        octets[part.offset : end] = part.kept
        there[part.offset : end] = b"\1" * len(part.kept)
    missing = there.find(0)
    kept = bytes(octets if missing < 0 else octets[:missing])
    protocol = next(part.protocol for part in datagram.parts if part.offset == 0)
    first, count = datagram.first, len(datagram.parts)
    return Datagram(kept, datagram.length, protocol, first, count, datagram.marks)
