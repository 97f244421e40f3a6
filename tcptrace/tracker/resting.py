# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`RestingLog` ⚙: an `EvidenceLog` that packs away the rows of quiet connections."""

from __future__ import annotations

import cython

from tcptrace.tracker.evidence import EvidenceLog
from tcptrace.tracker.packing import Packing
from tcptrace.tracker.pages import Pages
from tcptrace.tracker.slots import Brief, Evidence, Keeping

if not cython.compiled:
    from tcptrace.tracker.memory import brief_of, row_of

    ROWS = Keeping.index("rows")
    FIRST_CHUNK = Keeping.index("first_chunk")
    LAST_CHUNK = Keeping.index("last_chunk")
    LAST_ROWS = Keeping.index("last_rows")
    LOOSE = Keeping.index("loose")
    PIN = Keeping.index("pin")
    PINNED_ROWS = Keeping.index("pinned_rows")
    PATH = Keeping.index("path")
    INTERFACE = Keeping.index("interface")
    SLOT_WIDTH = Keeping.width()
    CHUNK = Keeping.CHUNK
    PACKED = Keeping.PACKED
    CROWDED = 32_000  # some 10 MB

    BRIEF = len(Brief.CELLS)
    B_TIME = Brief.index("time_low")
    B_PACKET = Brief.index("packet")
    B_SEQ = Brief.index("seq")
    B_ACK = Brief.index("ack")
    B_TSVAL = Brief.index("tsval")
    B_TSECR = Brief.index("tsecr")
    B_SIZES = Brief.index("sizes")
    B_LABELS = Brief.index("labels")
    B_BITS = Brief.index("bits")
    KIND_SHIFT = Brief.shift("kind")
    CHECKSUM_SHIFT = Brief.shift("checksum")
    TIMESTAMP_SHIFT = Brief.shift("has_timestamp")
    SENDER_SHIFT = Brief.shift("sender")
    COPY_SHIFT = Brief.shift("copy")
    FLAGS_MASK = Brief.mask("flags")
    KIND_MASK = Brief.mask("kind")
    CHECKSUM_MASK = Brief.mask("checksum")
    HAS_ID = Brief.field("has_ip_id")
    IS_ODD = Brief.field("odd")

    TIME = Evidence.index("time")
    PACKET = Evidence.index("packet")
    SEQ = Evidence.index("seq")
    ACK = Evidence.index("ack")
    PAYLOAD = Evidence.index("payload")
    TSVAL = Evidence.index("tsval")
    TSECR = Evidence.index("tsecr")
    SACK = Evidence.index("sack_1_left")
    SACK_END = Evidence.index("sack_2_right") + 1
    KIND = Evidence.index("kind")
    IP_ID = Evidence.index("ip_id")
    FLAGS = Evidence.index("flags")
    WINDOW = Evidence.index("window")
    CHECKSUM = Evidence.index("checksum")
    HAS_TIMESTAMP = Evidence.index("has_timestamp")
    SACK_BLOCKS = Evidence.index("sack_blocks")
    ICMP = Evidence.index("icmp")
    SENDER = Evidence.index("sender")
    COPY = Evidence.index("copy")
    WORKED_OUT = Evidence.index("begin")
    WIDTH = Evidence.width()
    MASK32 = 0xFFFFFFFF
    UPPER = 1 << 32


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _lay_out(
    c: cython.p_int, at: cython.Py_ssize_t, e: cython.p_longlong, to: cython.Py_ssize_t
) -> cython.int:
    """Lay a brief out as `Evidence` has it; what an odd row says, or is worked out later, is 0."""
    bits: cython.longlong = c[at + B_BITS]
    upper: cython.longlong = c[at + B_TIME + 1]
    cell: cython.Py_ssize_t
    e[to + TIME] = upper * UPPER + (c[at + B_TIME] & MASK32)
    e[to + PACKET] = c[at + B_PACKET] & MASK32
    e[to + SEQ] = c[at + B_SEQ] & MASK32
    e[to + ACK] = c[at + B_ACK] & MASK32
    e[to + PAYLOAD] = c[at + B_SIZES] & 0xFFFF
    e[to + TSVAL] = c[at + B_TSVAL] & MASK32
    e[to + TSECR] = c[at + B_TSECR] & MASK32
    for cell in range(SACK, SACK_END):
        e[to + cell] = 0
    e[to + KIND] = bits >> KIND_SHIFT & KIND_MASK
    e[to + IP_ID] = c[at + B_LABELS] & 0xFFFF if bits & HAS_ID else -1
    e[to + FLAGS] = bits & FLAGS_MASK
    e[to + WINDOW] = c[at + B_SIZES] >> 16 & 0xFFFF
    e[to + CHECKSUM] = bits >> CHECKSUM_SHIFT & CHECKSUM_MASK
    e[to + HAS_TIMESTAMP] = bits >> TIMESTAMP_SHIFT & 1
    e[to + SACK_BLOCKS] = e[to + ICMP] = 0
    e[to + SENDER] = bits >> SENDER_SHIFT & 1
    e[to + COPY] = bits >> COPY_SHIFT & 1
    for cell in range(WORKED_OUT, WIDTH):
        e[to + cell] = 0
    return 0


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
        k: cython.p_longlong
        place: cython.Py_ssize_t
        with cython.nogil:
            for place in range(slots.shape[0]):
                if place + 1 < slots.shape[0]:
                    self._expect_chunk(self.table[slots[place + 1] * SLOT_WIDTH + FIRST_CHUNK])
                k = row_of(self.table, slots[place] * SLOT_WIDTH, SLOT_WIDTH)
                if k[FIRST_CHUNK] >= 0:
                    self._pack(k)

    def collect(
        self, slots: cython.longlong[::1], out: cython.longlong[::1], keep: cython.bint = False
    ) -> None:
        """Lay the rows of these slots into `out`, one after the other; their room is free again.

        With `keep` they stay where they are, and nothing changes.
        """
        packing: Packing = Packing(self.pages)  # its own: others may collect at the same time
        k: cython.p_longlong
        at: cython.Py_ssize_t = 0
        place: cython.Py_ssize_t
        with cython.nogil:
            for place in range(slots.shape[0]):
                if place + 1 < slots.shape[0]:
                    self._expect_chunk(self.table[slots[place + 1] * SLOT_WIDTH + FIRST_CHUNK])
                k = row_of(self.table, slots[place] * SLOT_WIDTH, SLOT_WIDTH)
                if k[FIRST_CHUNK] <= PACKED:
                    at = self._unpack(k, packing, out, at)
                else:
                    at = self._pour(k, out, at)
        if not keep:
            for place in range(slots.shape[0]):
                k = row_of(self.table, slots[place] * SLOT_WIDTH, SLOT_WIDTH)
                if k[FIRST_CHUNK] <= PACKED:
                    self._forget(k)
                else:
                    self._give_back(k)

    @cython.cfunc
    @cython.final
    @cython.nogil
    @cython.exceptval(-1)
    def _pour(
        self, k: cython.p_longlong, out: cython.longlong[::1], at: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """Lay the rows of a slot's chunks out from cell `at` on; the cell behind them."""
        chunk: cython.longlong = k[FIRST_CHUNK]
        row: cython.Py_ssize_t
        used: cython.Py_ssize_t
        c: cython.p_int
        e: cython.p_longlong
        while chunk >= 0:
            if cython.compiled:
                self._expect_chunk(self.after[chunk])
            used = self._used(k, chunk)
            c = brief_of(self.rows, chunk * CHUNK * BRIEF, CHUNK * BRIEF)
            e = row_of(out, at, used * WIDTH)
            for row in range(used):
                _lay_out(c, row * BRIEF, e, row * WIDTH)
                if c[row * BRIEF + B_BITS] & IS_ODD:
                    self.odds.read(c[row * BRIEF + B_SIZES], out, at + row * WIDTH)
            at += used * WIDTH
            chunk = self.after[chunk]
        return at

    @cython.cfunc
    @cython.final
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def _used(self, k: cython.p_longlong, chunk: cython.longlong) -> cython.Py_ssize_t:
        """How many rows are in a chunk of a slot: at least one, and CHUNK at most."""
        if chunk != k[LAST_CHUNK]:
            return CHUNK
        return max(1, min(k[LAST_ROWS], CHUNK))

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _pack(self, k: cython.p_longlong) -> cython.int:
        chunk: cython.longlong = k[FIRST_CHUNK]
        first: cython.Py_ssize_t = self.pages.begin()
        row: cython.Py_ssize_t
        self.packing.begin(first, k[PATH], k[INTERFACE])
        while chunk >= 0:
            self._expect_chunk(self.after[chunk])
            for row in range(self._used(k, chunk)):
                self.packing.pack(self.rows, (chunk * CHUNK + row) * BRIEF, self.odds)
            chunk = self.after[chunk]
        self._give_back(k)
        k[FIRST_CHUNK] = PACKED - first
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _begin_unpacking(self, k: cython.p_longlong, packing: Packing) -> cython.int:
        """Turn to the octets of a slot; how many rows they are."""
        first: cython.Py_ssize_t = PACKED - k[FIRST_CHUNK]
        packing.begin(first, k[PATH], k[INTERFACE])
        return k[ROWS]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _unpack(
        self,
        k: cython.p_longlong,
        packing: Packing,
        out: cython.longlong[::1],
        at: cython.Py_ssize_t,
    ) -> cython.Py_ssize_t:
        """Lay packed rows out as `_pour` does others."""
        row: cython.Py_ssize_t
        c: cython.p_int
        e: cython.p_longlong
        for row in range(self._begin_unpacking(k, packing)):
            packing.unpack(packing.brief, 0, packing.odds)
            e = row_of(out, at + row * WIDTH, WIDTH)
            c = brief_of(packing.brief, 0, BRIEF)
            _lay_out(c, 0, e, 0)
            if c[B_BITS] & IS_ODD:
                packing.odds.read(c[B_SIZES], out, at + row * WIDTH)
                packing.odds.let_go(c[B_SIZES])
        return at + k[ROWS] * WIDTH

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _forget(self, k: cython.p_longlong) -> cython.int:
        """The pages of packed rows are free again."""
        self.pages.let_go(PACKED - k[FIRST_CHUNK])
        k[FIRST_CHUNK] = -1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _bring_back(self, k: cython.p_longlong) -> cython.int:
        """Lay the rows into the pool again, as if they came anew, those kept for good first."""
        first: cython.Py_ssize_t = PACKED - k[FIRST_CHUNK]
        count: cython.Py_ssize_t = self._begin_unpacking(k, self.packing)
        pin: cython.longlong = k[PIN]
        pinned_rows: cython.longlong = k[PINNED_ROWS]
        chunks: cython.longlong = (count + CHUNK - 1) // CHUNK
        k[FIRST_CHUNK] = -1
        k[PIN] = (chunks - k[LOOSE]) * CHUNK
        k[ROWS] = k[LOOSE] = 0
        place: cython.Py_ssize_t
        while k[ROWS] < count:
            place = self._next_row(k)
            self.packing.unpack(self.rows, place, self.odds)
        self.pages.let_go(first)
        k[PIN], k[PINNED_ROWS] = pin, pinned_rows
        return 0
