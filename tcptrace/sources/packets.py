"""`Packets`: a batch of captured packets; bytes stay in one buffer, everything else is columns."""

from __future__ import annotations

from typing import ClassVar

from tcptrace.columns import Matrix, Rows


class Packets(Rows):
    """A batch of captured packets, of any kind, in capture order; their bytes lie in `data`."""

    COLUMNS: ClassVar[dict[str, str]] = {
        "time": "ns since the epoch, UTC",
        "offset": "where the packet's bytes begin in `data`",
        "captured": "octets that were kept (caplen)",
        "length": "octets that were on the wire",
        "link_type": "LINKTYPE number of the first bytes",
        "interface": "which interface of the capture, from 0",
        "number": "1-based number of the packet in its file, Wireshark's frame.number",
        "file": "which file of the capture, from 0",
    }

    def __init__(self, matrix: Matrix, data: memoryview | bytes | bytearray = b"") -> None:
        super().__init__(matrix)
        self.data = memoryview(data)

    def packet_bytes(self, row: int) -> bytes:
        """The kept octets of one packet of the batch, for people and for rare link types."""
        start = int(self.matrix[row, 1])
        return bytes(self.data[start : start + int(self.matrix[row, 2])])
