"""`Decoder`: packets become segments; every packet is a row or is counted in `skipped`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from tcptrace.decode import (
    checksums,
    ip_headers,
    link_headers,
    shim_headers,
    starts,
    tcp_headers,
)
from tcptrace.decode.datagrams import Datagrams
from tcptrace.decode.headers import END_GROUP, GROUP_BITS, Header
from tcptrace.decode.segments import Segments
from tcptrace.decode.skipped import REASONS, TALLIES, Reason, Tally
from tcptrace.sources.packets import Packets


class Decoder:
    """Feed it batches of packets in capture order; it keeps fragments and counts between them.

    skipped : why packets gave no segment, reason → packets; with the packets that gave one
        it adds up to all that were fed.
    """

    def __init__(self) -> None:
        self._reasons: Counter[int] = Counter()
        self._tallies = np.zeros(len(Tally), np.int64)
        self._scratch = Datagrams.zeros(0)

    def feed(self, packets: Packets) -> Segments:
        """The segments, and ICMP errors about segments, of a batch, in its order."""
        datagrams = self._rows(len(packets))
        groups = starts.start(packets.cells, datagrams.cells, len(packets.data))
        self._walk(datagrams, packets, groups)
        return self._read(datagrams, packets)

    def finish(self) -> Segments:
        """What the end of the capture completes: nothing, for a half datagram is no segment."""
        return Segments.zeros(0)

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

    def _walk(self, datagrams: Datagrams, packets: Packets, groups: int) -> None:
        cells, data, tallies = datagrams.cells, packets.data, self._tallies.data
        kernels: dict[int, Callable[[], int]] = {
            Header.ETHERNET >> GROUP_BITS: lambda: link_headers.walk(cells, data),
            Header.LLC >> GROUP_BITS: lambda: shim_headers.walk(cells, data),
            Header.IPV4 >> GROUP_BITS: lambda: ip_headers.walk(cells, data, tallies),
        }
        while groups & ((1 << END_GROUP) - 1):
            group = (groups & -groups).bit_length() - 1
            groups = groups & ~(1 << group) | kernels.get(group, lambda: 0)()

    def _read(self, datagrams: Datagrams, packets: Packets) -> Segments:
        cells, data, tallies = datagrams.cells, packets.data, self._tallies.data
        checksums.judge(cells, data, _words(data), tallies)
        matrix = np.empty((len(datagrams), Segments.width()), np.int64)
        count = tcp_headers.read(packets.cells, cells, data, matrix.reshape(-1).data, tallies)
        if count < len(datagrams):
            self._count_skipped(datagrams)
        return Segments(matrix[:count])

    def _count_skipped(self, datagrams: Datagrams) -> None:
        ends = datagrams.header
        reasons = datagrams.value[ends == Header.SKIPPED]
        self._reasons[Reason.UDP] += int(np.count_nonzero(ends == Header.UDP))
        left = (ends != Header.TCP) & (ends != Header.SKIPPED) & (ends != Header.UDP)
        self._reasons[Reason.OTHER_TRANSPORT] += int(np.count_nonzero(left))
        self._reasons.update(dict(enumerate(np.bincount(reasons).tolist())))


def _words(data: memoryview) -> memoryview:
    return data[: len(data) // 8 * 8].cast("B").cast("Q")
