"""`Packets`: a batch of captured packets; bytes stay in one buffer, everything else is columns."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Matrix, Rows


class Packets(Rows):
    """A batch of captured packets, of any kind, in capture order; their bytes lie in `data`."""

    COLUMNS: ClassVar[dict[str, str]] = {
        "time": "ns since the epoch, UTC",
        "offset": "where the packet's bytes begin in `data`",
        "captured": "octets that were kept (caplen)",
        "length": "octets that were on the wire",
        "link_type": "LINKTYPE number of the first bytes",
        "interface": "which interface of the file, from 0, counted over its sections",
        "number": "1-based number of the packet in its file, Wireshark's frame.number",
        "file": "which file of the capture, from 0",
    }

    def __init__(self, matrix: Matrix, data: memoryview | bytes | bytearray = b"") -> None:
        super().__init__(matrix)
        self.data = data if isinstance(data, memoryview) else memoryview(data)

    @classmethod
    def concat(cls, batches: list[Self]) -> Self:
        """The packets of several batches, one after the other, their used bytes in one buffer."""
        batches = [batch for batch in batches if len(batch)]
        if not batches:
            return cls.zeros(0)
        if all(batch.data is batches[0].data for batch in batches):
            return cls(np.concatenate([batch.matrix for batch in batches]), batches[0].data)
        pieces = [batch._trimmed() for batch in batches]
        base = 0
        for piece in pieces:
            piece.offset[:] += base
            base += len(piece.data)
        data = b"".join(piece.data for piece in pieces)
        return cls(np.concatenate([piece.matrix for piece in pieces]), data)

    def take(self, which: slice | Matrix | npt.NDArray[np.bool_]) -> Self:
        """The packets picked by a slice, an index array or a mask; the bytes are not copied."""
        return type(self)(self.matrix[which], self.data)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.matrix, bytes(self.data))

    def packet_bytes(self, row: int) -> bytes:
        """The kept octets of one packet of the batch, for people and for rare link types."""
        start = int(self.matrix[row, 1])
        return bytes(self.data[start : start + int(self.matrix[row, 2])])

    def _trimmed(self) -> Self:
        """A copy of the rows over the stretch of `data` that they use."""
        first = int(self.offset.min())
        last = int((self.offset + self.captured).max())
        piece = type(self)(self.matrix.copy(), self.data[first:last])
        piece.offset[:] -= first
        return piece
