"""`Decoder`: packets become segments; every packet is a row or is counted in `skipped`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Matrix
from tcptrace.decode import (
    checksums,
    ip_headers,
    link_headers,
    plain,
    shim_headers,
    starts,
    tcp_headers,
    tcp_options,
    tunnel_headers,
    udp_headers,
    wireless_headers,
)
from tcptrace.decode.continuations import Continuations, Part
from tcptrace.decode.datagrams import Datagrams
from tcptrace.decode.fragments import Fragments
from tcptrace.decode.headers import END_GROUP, GROUP_BITS, Header
from tcptrace.decode.segments import Segments
from tcptrace.decode.skipped import REASONS, TALLIES, Tally
from tcptrace.sources.packets import Packets


class Reading(NamedTuple):
    """What rows of Segments are made with: their cells, and what reads octets of one buffer."""

    matrix: Matrix
    judge: checksums.Judge
    options: tcp_options.Options


class Decoder:
    """Feed it batches of packets in capture order; it keeps fragments and counts between them.

    A datagram in fragments is a segment of the packet that completes it. Of an A-MSDU every
    subframe counts: only there can a packet give several rows, and `counters` has how many rows
    are beyond one a packet. So `rows - beyond + sum(skipped)` is always the packets fed.
    """

    def __init__(self, unfinished: dict[int, Fragments] | None = None) -> None:
        """`unfinished` is that of a decoder which was fed the packets before."""
        self._reasons: Counter[int] = Counter()
        self._tallies = np.zeros(len(Tally), np.int64)
        self._continuations = Continuations(self._reasons, self._tallies, unfinished)
        self._scratch = Datagrams.zeros(0)

    def feed(self, packets: Packets) -> Segments:
        """The segments, and ICMP errors about segments, of a batch, in its order."""
        reading = self._reading(packets.data, len(packets))
        left = np.empty(len(packets), np.int64)
        left = left[: plain.read(packets.cells, reading.judge, reading.options, left.data)]
        if not len(left):
            return Segments(reading.matrix)
        datagrams = self._rows(len(left))
        size, tallies = len(packets.data), self._tallies.data
        first = Part(datagrams, packets.data)
        self._walk(first, starts.start(packets.cells, left.data, datagrams.cells, size, tallies))
        self._read(first, packets, reading, left)
        there = np.ones(len(packets), np.bool_)
        there[left] = datagrams.header == Header.TCP
        if there.all() and not datagrams.more_at.any():
            return Segments(reading.matrix)
        return self._with_continued(there, reading, first, packets)

    def finish(self) -> Segments:
        """What the end of the capture completes: nothing, for half a datagram is no segment."""
        return Segments.zeros(0)

    def unfinished(self) -> dict[int, Fragments]:
        """Datagrams of which not all fragments have come, by level; empty if there are none."""
        kept = self._continuations.fragments
        return {level: fragments for level, fragments in kept.items() if len(fragments)}

    @property
    def skipped(self) -> dict[str, int]:
        """Why packets gave no segment, by name; reasons that did not occur are left out."""
        return {name: self._reasons[why] for why, name in REASONS.items() if self._reasons[why]}

    @property
    def counters(self) -> dict[str, int]:
        """What else was met, by name; all names, zeros included."""
        return {name: int(self._tallies[tally]) for tally, name in TALLIES.items()}

    def _rows(self, count: int) -> Datagrams:
        """Rows to be overwritten; kept from batch to batch, for fresh memory costs time."""
        if len(self._scratch) < count:
            self._scratch = Datagrams.zeros(count)
        return self._scratch.take(slice(count))

    def _walk(self, part: Part, groups: int) -> None:
        """Run the kernels, group by group, until every row stands at an end."""
        cells, data, tallies = part.datagrams.cells, part.data, self._tallies.data
        kernels: dict[int, Callable[[], int]] = {
            Header.ETHERNET >> GROUP_BITS: lambda: link_headers.walk(cells, data),
            Header.WLAN >> GROUP_BITS: lambda: wireless_headers.walk(cells, data),
            Header.LLC >> GROUP_BITS: lambda: shim_headers.walk(cells, data),
            Header.IPV4 >> GROUP_BITS: lambda: ip_headers.walk(cells, data, tallies),
            Header.UDP >> GROUP_BITS: lambda: udp_headers.walk(cells, data),
            Header.GRE >> GROUP_BITS: lambda: tunnel_headers.walk(cells, data),
        }
        while groups & ((1 << END_GROUP) - 1):
            group = (groups & -groups).bit_length() - 1
            groups = groups & ~(1 << group) | kernels[group]()

    def _reading(self, data: memoryview, count: int) -> Reading:
        matrix = np.empty((count, Segments.width()), np.int64)
        tallies = self._tallies.data
        judge = checksums.Judge(data, tallies)
        return Reading(matrix, judge, tcp_options.Options(data, matrix.reshape(-1).data, tallies))

    def _read(self, part: Part, packets: Packets, reading: Reading, places: Matrix) -> None:
        cells = part.datagrams.cells
        reading.judge.judge(cells)
        tcp_headers.read(packets.cells, cells, places.data, reading.options)

    def _with_continued(
        self, there: npt.NDArray[np.bool_], reading: Reading, first: Part, packets: Packets
    ) -> Segments:
        """The rows of a batch that are `there`, and of all that continues it, in its order.

        The packets without a row are counted.
        """
        order = [np.flatnonzero(there)]
        walked, rows = [first.datagrams], [_closed_up(reading.matrix, there)]
        for datagrams, more in self._continued(first, packets):
            walked.append(datagrams)
            rows.append(more)
            order.append(datagrams.row[datagrams.header == Header.TCP])
        self._count_skipped(Datagrams.concat(walked))
        if len(walked) == 1:
            return rows[0]
        return Segments.concat(rows).take(np.argsort(np.concatenate(order), kind="stable"))

    def _continued(
        self, part: Part, packets: Packets, level: int = 0
    ) -> Iterator[tuple[Datagrams, Segments]]:
        """All that continues a part, each with its segments, read before the next is made.

        It ends: each header walked and each part counts in `depth`.
        """
        for continued in self._continuations.parts(part, packets, level):
            datagrams = continued.datagrams
            self._walk(continued, _groups(datagrams))
            reading = self._reading(continued.data, len(datagrams))
            self._read(continued, packets, reading, np.arange(len(datagrams)))
            yield datagrams, Segments(reading.matrix[datagrams.header == Header.TCP])
            yield from self._continued(continued, packets, level + 1)

    def _count_skipped(self, datagrams: Datagrams) -> None:
        """One reason a packet; none for a packet of which any part gave a segment."""
        skipped = datagrams.header == Header.SKIPPED
        reasons = datagrams.value[skipped]
        if datagrams.more_end.any():
            rows, segments = datagrams.row[skipped], datagrams.row[datagrams.header == Header.TCP]
            distinct = np.unique(segments)
            self._tallies[Tally.MORE_SUBFRAMES] += len(segments) - len(distinct)
            packets, first = np.unique(rows, return_index=True)
            reasons = reasons[first[~np.isin(packets, distinct)]]
        self._reasons.update(dict(enumerate(np.bincount(reasons).tolist())))


def _groups(datagrams: Datagrams) -> int:
    groups: npt.NDArray[np.int64] = np.unique(datagrams.header >> GROUP_BITS)
    return sum(1 << int(group) for group in groups)


def _closed_up(matrix: Matrix, there: npt.NDArray[np.bool_]) -> Segments:
    """The rows that are `there`, in place of all, unless too much memory would stay behind them."""
    count = np.count_nonzero(there)
    if 2 * count < len(there):
        return Segments(matrix[there])
    plain.close_up(matrix.reshape(-1).data, np.flatnonzero(~there).data)
    return Segments(matrix[:count])
