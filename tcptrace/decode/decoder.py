"""`Decoder`: packets become segments; every packet is a row or is counted in `skipped`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tcptrace.decode import checksums, ip_headers, link_headers, shim_headers, tcp_headers
from tcptrace.decode.datagrams import Datagrams
from tcptrace.decode.headers import AFTER_LINK_TYPE, END_GROUP, GROUP, Header, dense
from tcptrace.decode.segments import Segments
from tcptrace.decode.skipped import REASONS, TALLIES, Reason, Tally
from tcptrace.sources.packets import Packets

_FIRST = np.array(dense(AFTER_LINK_TYPE, max(AFTER_LINK_TYPE) + 2, Header.UNUSUAL), np.int64)


class Decoder:
    """Feed it batches of packets in capture order; it keeps fragments and counts between them.

    skipped : why packets gave no segment, reason → packets; with the packets that gave one
        it adds up to all that were fed.
    """

    def __init__(self) -> None:
        self._reasons: Counter[int] = Counter()
        self._tallies = np.zeros(len(Tally), np.int64)

    def feed(self, packets: Packets) -> Segments:
        """The segments, and ICMP errors about segments, of a batch, in its order."""
        datagrams = start(packets)
        self._walk(datagrams, packets)
        return self._finish_batch(datagrams, packets)

    def finish(self) -> Segments:
        """What the end of the capture completes: nothing, for a half datagram is no segment."""
        return Segments.zeros(0)

    @property
    def skipped(self) -> dict[str, int]:
        """Why packets gave no segment, by name; reasons that did not occur are left out."""
        return {
            REASONS[reason]: self._reasons[reason] for reason in REASONS if self._reasons[reason]
        }

    @property
    def counters(self) -> dict[str, int]:
        """What else was met, by name; all names, zeros included."""
        return {TALLIES[tally]: int(self._tallies[tally]) for tally in Tally}

    def _walk(self, datagrams: Datagrams, packets: Packets) -> None:
        cells, data, tallies = datagrams.cells, packets.data, self._tallies.data
        kernels: dict[int, Callable[[], int]] = {
            Header.ETHERNET // GROUP: lambda: link_headers.walk(cells, data),
            Header.LLC // GROUP: lambda: shim_headers.walk(cells, data),
            Header.IPV4 // GROUP: lambda: ip_headers.walk(cells, data, tallies),
        }
        groups = _groups(datagrams)
        while groups & ((1 << END_GROUP) - 1):
            group = (groups & -groups).bit_length() - 1
            groups = groups & ~(1 << group) | kernels.get(group, lambda: 0)()

    def _finish_batch(self, datagrams: Datagrams, packets: Packets) -> Segments:
        cells, data, tallies = datagrams.cells, packets.data, self._tallies.data
        checksums.judge(cells, data, _words(data), tallies)
        matrix = np.empty((len(datagrams), Segments.width()), np.int64)
        count = tcp_headers.read(packets.cells, cells, data, matrix.reshape(-1).data, tallies)
        self._count_skipped(datagrams)
        return Segments(matrix[:count])

    def _count_skipped(self, datagrams: Datagrams) -> None:
        ends = datagrams.header
        reasons = datagrams.value[ends == Header.SKIPPED]
        self._reasons[Reason.UDP] += int(np.count_nonzero(ends == Header.UDP))
        left = (ends != Header.TCP) & (ends != Header.SKIPPED) & (ends != Header.UDP)
        self._reasons[Reason.OTHER_TRANSPORT] += int(np.count_nonzero(left))
        for reason, count in zip(*np.unique(reasons, return_counts=True), strict=True):
            self._reasons[int(reason)] += int(count)


def start(packets: Packets) -> Datagrams:
    """A row a packet, standing at what its link type begins with."""
    datagrams = Datagrams.zeros(len(packets))
    matrix = datagrams.matrix
    known = np.clip(packets.link_type, -1, len(_FIRST) - 1)
    matrix[:, Datagrams.index("row")] = np.arange(len(packets))
    matrix[:, Datagrams.index("header")] = _FIRST[known]
    matrix[:, Datagrams.index("at")] = packets.offset
    matrix[:, Datagrams.index("kept_end")] = packets.offset + packets.captured
    matrix[:, Datagrams.index("end")] = packets.offset + np.maximum(
        packets.length, packets.captured
    )
    return datagrams


def _groups(datagrams: Datagrams) -> int:
    groups: npt.NDArray[np.int64] = np.unique(datagrams.header // GROUP)
    return sum(1 << int(group) for group in groups)


def _words(data: memoryview) -> memoryview:
    return data[: len(data) // 8 * 8].cast("B").cast("Q")
