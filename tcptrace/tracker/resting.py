# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`RestingLog` ⚙: an `EvidenceLog` that packs away the rows of quiet connections."""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.tracker.evidence import EvidenceLog
from tcptrace.tracker.packing import Packing
from tcptrace.tracker.slots import Brief, Evidence, Keeping

ROWS = cython.declare(cython.Py_ssize_t, Keeping.index("rows"))
FIRST_CHUNK = cython.declare(cython.Py_ssize_t, Keeping.index("first_chunk"))
LAST_CHUNK = cython.declare(cython.Py_ssize_t, Keeping.index("last_chunk"))
LOOSE = cython.declare(cython.Py_ssize_t, Keeping.index("loose"))
PIN = cython.declare(cython.Py_ssize_t, Keeping.index("pin"))
PINNED_ROWS = cython.declare(cython.Py_ssize_t, Keeping.index("pinned_rows"))
SLOT_WIDTH = cython.declare(cython.Py_ssize_t, Keeping.width())
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
COPY_COLUMN = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
B_BITS = cython.declare(cython.Py_ssize_t, Brief.index("bits"))
COPY = cython.declare(cython.longlong, Brief.field("copy"))
CHUNK = cython.declare(cython.Py_ssize_t, Keeping.CHUNK)
CROWDED = cython.declare(cython.longlong, 200_000)  # some 64 MB
ELSEWHERE = cython.declare(cython.longlong, Keeping.ELSEWHERE)


@cython.cclass
class RestingLog(EvidenceLog):
    """What is packed is unpacked by the connection's next segment, or when it is collected.

    Packing takes time and saves room: it begins where the pool holds CROWDED chunks.
    """

    packing: Packing
    packed: dict
    places: cython.longlong[::1]
    poured: object

    def __init__(self) -> None:
        super().__init__()
        self.packing, self.packed = Packing(), {}
        self.poured = np.zeros(0, np.int64)
        self.places = memoryview(np.arange(len(Evidence.COPIED)))

    def is_crowded(self) -> bool:
        """Whether so much is kept that quiet connections should be packed away."""
        return self.used > CROWDED

    def pack(self, slots: cython.longlong[::1]) -> None:
        """Pack the rows of these slots, which are quiet; nothing of what is kept changes."""
        place: cython.Py_ssize_t
        for place in range(slots.shape[0]):
            slot: cython.Py_ssize_t = slots[place]
            k: cython.Py_ssize_t = slot * SLOT_WIDTH
            if self.table[k + FIRST_CHUNK] >= 0:
                cells: cython.longlong[::1] = self._room(self.table[k + ROWS])
                EvidenceLog._pour(self, slot, cells, 0)
                self.packed[slot] = self.packing.pack(cells, self.table[k + ROWS])
                EvidenceLog._give_back(self, slot)
                self.table[k + FIRST_CHUNK] = ELSEWHERE

    def _room(self, count: cython.Py_ssize_t) -> memoryview:
        """Cells for so many rows, kept from call to call: fresh memory costs time."""
        if len(self.poured) < count * WIDTH:
            self.poured = np.zeros(2 * count * WIDTH, np.int64)
        return memoryview(self.poured)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _pour(
        self, slot: cython.Py_ssize_t, out: cython.longlong[::1], at: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        if self.table[k + FIRST_CHUNK] != ELSEWHERE:
            return EvidenceLog._pour(self, slot, out, at)
        with cython.gil:
            self.packing.unpack(self.packed[slot], self.table[k + ROWS], out, at)
        return at + self.table[k + ROWS] * WIDTH

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _give_back(self, slot: cython.Py_ssize_t) -> cython.int:
        if self.table[slot * SLOT_WIDTH + FIRST_CHUNK] != ELSEWHERE:
            return EvidenceLog._give_back(self, slot)
        with cython.gil:
            del self.packed[slot]
        self.table[slot * SLOT_WIDTH + FIRST_CHUNK] = -1
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def _bring_back(self, slot: cython.Py_ssize_t) -> cython.int:
        """Lay the rows into the pool again, as if they came anew, those kept for good first."""
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        count: cython.Py_ssize_t = self.table[k + ROWS]
        pin: cython.longlong = self.table[k + PIN]
        pinned_rows: cython.longlong = self.table[k + PINNED_ROWS]
        chunks: cython.longlong = (count + CHUNK - 1) // CHUNK
        cells: cython.longlong[::1] = self._room(count)
        self._pour(slot, cells, 0)
        self._give_back(slot)
        self.table[k + PIN] = (chunks - self.table[k + LOOSE]) * CHUNK
        self.table[k + LAST_CHUNK] = -1
        self.table[k + ROWS] = self.table[k + LOOSE] = 0
        row: cython.Py_ssize_t
        for row in range(count):
            place: cython.Py_ssize_t = self._next_row(k)
            self._write(place, k, cells, row * WIDTH, self.places)
            if cells[row * WIDTH + COPY_COLUMN]:
                self.rows[place + B_BITS] |= COPY
        self.table[k + PIN], self.table[k + PINNED_ROWS] = pin, pinned_rows
        return 0
