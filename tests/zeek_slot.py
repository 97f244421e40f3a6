"""`Slot`: one row of the Zeek model's, whose columns and octets tests read and set by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from tcptrace.tracker.zeek_rows import ZeekSlots


class Slot:
    """The only row there is; `look` is what turns a kernel to it."""

    def __init__(self) -> None:
        rows = ZeekSlots.zeros(1)
        self.cells = rows.cells
        self.octets = memoryview(rows.matrix.reshape(-1).view(np.uint8))

    @classmethod
    def of(cls, connections: Any) -> Slot:
        """Slot 0 of `ZeekConnections`."""
        slot = cls.__new__(cls)
        slot.cells, slot.octets = connections.cells, connections.octets
        return slot

    def seen_by(self, kernel: Any) -> Any:
        """The kernel, turned to this row."""
        kernel.look(self.cells, self.octets)
        return kernel

    def set(self, **values: int) -> None:
        """Set columns or octets; those of a pair are named with their sender."""
        for name, value in values.items():
            cells, place = self._place(name)
            cells[place] = value

    def get(self, name: str) -> int:
        cells, place = self._place(name)
        return int(cells[place])

    def _place(self, name: str) -> tuple[memoryview, int]:
        if name in ZeekSlots.OCTETS:
            return self.octets, ZeekSlots.octet(name)
        return self.cells, ZeekSlots.index(name)
