"""Packets whose walk does not go on in place: fragments, compressed and unusual ones, A-MSDUs.

Their octets lie elsewhere (put together, inflated, rebuilt), so each continues as a row of
another `Part`, which is walked like the first.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tcptrace.decode.datagrams import MAX_DEPTH, Datagrams
from tcptrace.decode.fragments import LARGEST, Fragment, Fragments
from tcptrace.decode.headers import AFTER_IP, Header
from tcptrace.decode.protocols import IpProtocol
from tcptrace.decode.skipped import Reason, Tally
from tcptrace.decode.unusual import ip_octets
from tcptrace.sources.packets import Packets

_AT = {name: place for place, name in enumerate(Datagrams.COLUMNS)}
_ELSEWHERE = [Header.FRAGMENT, Header.FRAGMENT_V6, Header.COMPRESSED, Header.UNUSUAL]
_FRAGMENT_HEADER = 8

# As many are put in one part, and a packet's more: a packet of 100 octets may inflate to 65,535.
MOST_OCTETS = 1 << 20
_IPCOMP_HEADER = 4


class Part(NamedTuple):
    """Rows to be walked and the buffer that their offsets point into."""

    datagrams: Datagrams
    data: memoryview


class Continued(NamedTuple):
    """What comes of a row elsewhere: octets, how many they were on the wire, what they are."""

    cells: list[int]
    header: Header
    octets: bytes
    length: int


class Continuations:
    """Makes the next part of a part; keeps fragments from batch to batch."""

    def __init__(
        self,
        reasons: Counter[int],
        tallies: npt.NDArray[np.int64],
        unfinished: dict[int, Fragments] | None = None,
    ) -> None:
        """`unfinished` is what another one, of the packets before, has in `fragments`."""
        self.fragments: defaultdict[int, Fragments] = defaultdict(Fragments)  # by level
        for level, fragments in (unfinished or {}).items():
            self.fragments[level] = fragments.handed_over()
        self._reasons = reasons
        self._tallies = tallies

    def parts(self, part: Part, packets: Packets, level: int) -> Iterator[Part]:
        """What goes on elsewhere; its rows in `part` become CONTINUED or SKIPPED.

        level : how many times the rows of `part` went on elsewhere before. Fragments are put
            together with those of their level: only these come in the order of the packets.
        """
        more = part.datagrams.take(part.datagrams.more_at > 0)
        if len(more):
            yield Part(_subframes(more), part.data)
        gathered: list[Continued] = []
        octets = 0
        for continued in self._elsewhere(part, packets, self.fragments[level]):
            gathered.append(continued)
            octets += len(continued.octets)
            if octets >= MOST_OCTETS:
                yield _gathered(gathered)
                gathered, octets = [], 0
        if gathered:
            yield _gathered(gathered)

    def _elsewhere(self, part: Part, packets: Packets, fragments: Fragments) -> Iterator[Continued]:
        ends = part.datagrams.header
        for row in np.flatnonzero(np.isin(ends, _ELSEWHERE)).tolist():
            cells = part.datagrams.matrix[row].tolist()
            found = self._one(cells, part.data, packets, fragments)
            if isinstance(found, Reason):
                _settle(part, row, Header.SKIPPED, found)
            else:
                _settle(part, row, Header.CONTINUED, Reason.NOT_IP)
                yield found

    def _one(
        self, cells: list[int], data: memoryview, packets: Packets, fragments: Fragments
    ) -> Continued | Reason:
        # A stream may inflate to itself, and so no header be walked in between.
        cells[_AT["depth"]] += 1
        if cells[_AT["depth"]] > MAX_DEPTH:
            return Reason.TOO_DEEP
        header = cells[_AT["header"]]
        if header in (Header.FRAGMENT, Header.FRAGMENT_V6):
            time = int(packets.time[cells[_AT["row"]]])
            return self._fragment(cells, _fragment(cells, data), fragments, time)
        if header == Header.COMPRESSED:
            return self._inflated(cells, data)
        return self._unusual(cells, packets)

    def _fragment(
        self, cells: list[int], fragment: Fragment | None, fragments: Fragments, time: int
    ) -> Continued | Reason:
        self._tallies[Tally.FRAGMENTS] += 1
        if fragment is None or cells[_AT["more_end"]]:
            return Reason.FRAGMENT_INCOMPLETE
        whole = fragments.add(fragment, cells, time)
        every = self.fragments.values()
        self._tallies[Tally.FRAGMENTS_DROPPED] = sum(each.dropped for each in every)
        self._tallies[Tally.FRAGMENT_OVERLAPS] = sum(each.overlaps for each in every)
        if whole is None:
            return Reason.FRAGMENT_INCOMPLETE
        self._tallies[Tally.REASSEMBLED] += 1
        self._reasons[Reason.FRAGMENT_INCOMPLETE] -= whole.fragments - 1
        self._reasons[Reason.FRAGMENT] += whole.fragments - 1
        first = list(whole.first)
        first[_AT["row"]] = cells[_AT["row"]]
        first[_AT["depth"]] = max(first[_AT["depth"]], cells[_AT["depth"]])
        first[_AT["marks"]] = whole.marks
        return _after_ip(first, whole.protocol, whole.kept, whole.length)

    def _inflated(self, cells: list[int], data: memoryview) -> Continued | Reason:
        """RFC 2394: the payload as one raw deflate stream, if that is what it is."""
        at, kept, end = (cells[_AT[name]] for name in ("at", "kept_end", "end"))
        if kept < end or at + _IPCOMP_HEADER > kept:
            return Reason.COMPRESSED
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            octets = stream.decompress(data[at + _IPCOMP_HEADER : kept], LARGEST)
        except zlib.error:
            return Reason.COMPRESSED
        if not stream.eof:
            return Reason.COMPRESSED
        self._tallies[Tally.DECOMPRESSED] += 1
        return _after_ip(cells, data[at], octets, len(octets))

    def _unusual(self, cells: list[int], packets: Packets) -> Continued | Reason:
        row = cells[_AT["row"]]
        octets = ip_octets(int(packets.link_type[row]), packets.packet_bytes(row))
        if not octets:
            return Reason.LINK_TYPE_UNKNOWN
        self._tallies[Tally.UNUSUAL] += 1
        header = Header.IPV4 if octets[0] >> 4 == 4 else Header.IPV6
        return Continued(cells, header, octets, len(octets))


def _subframes(more: Datagrams) -> Datagrams:
    """The rows of the next subframes, each in the bounds of its A-MSDU."""
    rows = Datagrams(more.matrix.copy())
    for column, source in (("at", "more_at"), ("kept_end", "more_kept"), ("end", "more_end")):
        rows.matrix[:, _AT[column]] = rows.matrix[:, _AT[source]]
    rows.matrix[:, _AT["more_at"]] = 0
    rows.matrix[:, _AT["header"]] = Header.AMSDU
    rows.matrix[:, _AT["icmp"]] = 0
    return rows


def _settle(part: Part, row: int, header: Header, reason: Reason) -> None:
    part.datagrams.matrix[row, _AT["header"]] = header
    part.datagrams.matrix[row, _AT["value"]] = reason


def _fragment(cells: list[int], data: memoryview) -> Fragment | None:
    """The fragment that a row stands at; None if its own header was not captured."""
    at, network_at, kept, end = (
        cells[_AT[name]] for name in ("at", "network_at", "kept_end", "end")
    )
    addresses = tuple(cells[_AT[name]] for name in ("src_hi", "src_lo", "dst_hi", "dst_lo", "path"))
    if cells[_AT["header"]] == Header.FRAGMENT:
        field = int.from_bytes(data[network_at + 6 : network_at + 8])
        protocol = data[network_at + 9]
        key = (*addresses, cells[_AT["ip_id"]], protocol)
        offset, more = (field & 0x1FFF) * 8, bool(field & 0x2000)
    else:
        field = int.from_bytes(data[at + 2 : at + 4])
        protocol = data[at]
        key = (*addresses, int.from_bytes(data[at + 4 : at + 8]))
        offset, more = field & 0xFFF8, bool(field & 1)
        at += _FRAGMENT_HEADER
    if at > kept:
        return None
    octets = bytes(data[at:kept])
    return Fragment(key, offset, end - at, more, octets, protocol, cells[_AT["marks"]])


def _after_ip(cells: list[int], protocol: int, octets: bytes, length: int) -> Continued | Reason:
    """A row at what stands behind an IP header; the reason if that is of no interest."""
    if protocol == IpProtocol.ESP:
        return Reason.ENCRYPTED
    header = AFTER_IP.get(protocol)
    return Continued(cells, header, octets, length) if header else Reason.OTHER_TRANSPORT


def _gathered(continued: list[Continued]) -> Part:
    """One part of rows that go on elsewhere, their octets one after the other."""
    rows = np.array([one.cells for one in continued], np.int64)
    at = 0
    for row, one in zip(rows, continued, strict=True):
        row[_AT["header"]] = one.header
        row[_AT["network_at"]] = -1  # in another buffer
        row[_AT["at"]] = at
        row[_AT["kept_end"]] = at + len(one.octets)
        row[_AT["end"]] = at + max(one.length, len(one.octets))
        at += len(one.octets)
    return Part(Datagrams(rows), memoryview(b"".join(one.octets for one in continued)))
