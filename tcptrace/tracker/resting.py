# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`RestingLog` ⚙: an `EvidenceLog` that packs away the rows of quiet connections."""

from __future__ import annotations

import cython

from tcptrace.tracker.evidence import EvidenceLog
from tcptrace.tracker.packing import Packing
from tcptrace.tracker.pages import Pages
from tcptrace.tracker.slots import Brief, Evidence, Keeping

ROWS = cython.declare(cython.Py_ssize_t, Keeping.index("rows"))
FIRST_CHUNK = cython.declare(cython.Py_ssize_t, Keeping.index("first_chunk"))
LAST_CHUNK = cython.declare(cython.Py_ssize_t, Keeping.index("last_chunk"))
LAST_ROWS = cython.declare(cython.Py_ssize_t, Keeping.index("last_rows"))
LOOSE = cython.declare(cython.Py_ssize_t, Keeping.index("loose"))
PIN = cython.declare(cython.Py_ssize_t, Keeping.index("pin"))
PINNED_ROWS = cython.declare(cython.Py_ssize_t, Keeping.index("pinned_rows"))
PATH = cython.declare(cython.Py_ssize_t, Keeping.index("path"))
INTERFACE = cython.declare(cython.Py_ssize_t, Keeping.index("interface"))
SLOT_WIDTH = cython.declare(cython.Py_ssize_t, Keeping.width())
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
BRIEF = cython.declare(cython.Py_ssize_t, len(Brief.CELLS))
B_SIZES = cython.declare(cython.Py_ssize_t, Brief.index("sizes"))
B_BITS = cython.declare(cython.Py_ssize_t, Brief.index("bits"))
ODD_SHIFT = cython.declare(cython.int, Brief.shift("odd"))
CHUNK = cython.declare(cython.Py_ssize_t, Keeping.CHUNK)
PACKED = cython.declare(cython.longlong, Keeping.PACKED)
CROWDED = cython.declare(cython.longlong, 32_000)  # some 10 MB


@cython.cclass
class RestingLog(EvidenceLog):
    """What is packed is unpacked by the connection's next segment, or when it is collected.

    Packing takes time and saves room: it begins where the pool holds CROWDED chunks.
    """

    pages: Pages
    packing: Packing

    def __init__(self) -> None:
        super().__init__()
        self.pages = Pages()
        self.packing = Packing(self.pages)

    def is_crowded(self) -> bool:
        """Whether so much is kept that quiet connections should be packed away."""
        return self.used > CROWDED

    def pack(self, slots: cython.longlong[::1]) -> None:
        """Pack the rows of these slots, which are quiet; nothing of what is kept changes."""
        place: cython.Py_ssize_t
        with cython.nogil:
            for place in range(slots.shape[0]):
                if place + 1 < slots.shape[0]:
                    self._expect_chunk(self.table[slots[place + 1] * SLOT_WIDTH + FIRST_CHUNK])
                if self.table[slots[place] * SLOT_WIDTH + FIRST_CHUNK] >= 0:
                    self._pack(slots[place])

    def collect(
        self, slots: cython.longlong[::1], out: cython.longlong[::1], keep: cython.bint = False
    ) -> None:
        """Lay the rows of these slots into `out`, one after the other; their room is free again.

        With `keep` they stay where they are, and nothing changes.
        """
        packing: Packing = Packing(self.pages)  # its own: others may collect at the same time
        at: cython.Py_ssize_t = 0
        place: cython.Py_ssize_t
        with cython.nogil:
            for place in range(slots.shape[0]):
                if place + 1 < slots.shape[0]:
                    self._expect_chunk(self.table[slots[place + 1] * SLOT_WIDTH + FIRST_CHUNK])
                if self.table[slots[place] * SLOT_WIDTH + FIRST_CHUNK] <= PACKED:
                    at = self._unpack(slots[place], packing, out, at)
                else:
                    at = self._pour(slots[place], out, at)
        if not keep:
            for place in range(slots.shape[0]):
                if self.table[slots[place] * SLOT_WIDTH + FIRST_CHUNK] <= PACKED:
                    self._forget(slots[place])
                else:
                    self._give_back(slots[place])

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _pack(self, slot: cython.Py_ssize_t) -> cython.int:
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        chunk: cython.longlong = self.table[k + FIRST_CHUNK]
        first: cython.Py_ssize_t = self.pages.begin()
        row: cython.Py_ssize_t
        used: cython.Py_ssize_t
        self.packing.begin(first, self.table[k + PATH], self.table[k + INTERFACE])
        while chunk >= 0:
            self._expect_chunk(self.after[chunk])
            used = self.table[k + LAST_ROWS] if chunk == self.table[k + LAST_CHUNK] else CHUNK
            for row in range(used):
                self.packing.pack(self.rows, (chunk * CHUNK + row) * BRIEF, self.odds)
            chunk = self.after[chunk]
        self._give_back(slot)
        self.table[k + FIRST_CHUNK] = PACKED - first
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _begin_unpacking(self, k: cython.Py_ssize_t, packing: Packing) -> cython.int:
        """Turn to the octets of a slot; how many rows they are."""
        first: cython.Py_ssize_t = PACKED - self.table[k + FIRST_CHUNK]
        packing.begin(first, self.table[k + PATH], self.table[k + INTERFACE])
        return self.table[k + ROWS]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _unpack(
        self,
        slot: cython.Py_ssize_t,
        packing: Packing,
        out: cython.longlong[::1],
        at: cython.Py_ssize_t,
    ) -> cython.Py_ssize_t:
        """Lay packed rows out as `_pour` does others."""
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        row: cython.Py_ssize_t
        for row in range(self._begin_unpacking(k, packing)):
            packing.unpack(packing.brief, 0, packing.odds)
            self._read(packing.brief, 0, packing.odds, out, at + row * WIDTH)
            if packing.brief[B_BITS] >> ODD_SHIFT & 1:
                packing.odds.let_go(packing.brief[B_SIZES])
        return at + self.table[k + ROWS] * WIDTH

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _forget(self, slot: cython.Py_ssize_t) -> cython.int:
        """The pages of packed rows are free again."""
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        self.pages.let_go(PACKED - self.table[k + FIRST_CHUNK])
        self.table[k + FIRST_CHUNK] = -1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _bring_back(self, slot: cython.Py_ssize_t) -> cython.int:
        """Lay the rows into the pool again, as if they came anew, those kept for good first."""
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        first: cython.Py_ssize_t = PACKED - self.table[k + FIRST_CHUNK]
        count: cython.Py_ssize_t = self._begin_unpacking(k, self.packing)
        pin: cython.longlong = self.table[k + PIN]
        pinned_rows: cython.longlong = self.table[k + PINNED_ROWS]
        chunks: cython.longlong = (count + CHUNK - 1) // CHUNK
        self.table[k + FIRST_CHUNK] = -1
        self.table[k + PIN] = (chunks - self.table[k + LOOSE]) * CHUNK
        self.table[k + ROWS] = self.table[k + LOOSE] = 0
        place: cython.Py_ssize_t
        while self.table[k + ROWS] < count:
            place = self._next_row(k)
            self.packing.unpack(self.rows, place, self.odds)
        self.pages.let_go(first)
        self.table[k + PIN], self.table[k + PINNED_ROWS] = pin, pinned_rows
        return 0
