# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`ZeekOpenings` ⚙: a SYN that begins a connection, and the SYN,ACK that answers it.

Of a flood there is little else. A slot that such a segment finds, and how it leaves it, is known
but for the numbers, cell by cell; what is not exactly so is left to `zeek_packet`.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Checksum, Mark, Segments
from tcptrace.tcp import flags as bits
from tcptrace.tcp import sequence
from tcptrace.tracker import completeness
from tcptrace.tracker import zeek_machine as machine
from tcptrace.tracker import zeek_rows as words
from tcptrace.tracker.zeek_rows import EndpointState, ZeekSlots

if not cython.compiled:  # constants of C
    SLOT = Segments.index("slot")
    SENDER = Segments.index("sender")
    OPENS = Segments.index("opens")
    KIND = Segments.index("kind")
    MARKS = Segments.index("marks")
    TIME = Segments.index("time")
    SEQ = Segments.index("seq")
    ACK_NUMBER = Segments.index("ack")
    FLAGS = Segments.index("flags")
    WINDOW = Segments.index("window")
    PAYLOAD = Segments.index("payload")
    CHECKSUM = Segments.index("checksum")
    SRC_PORT = Segments.index("src_port")
    DST_PORT = Segments.index("dst_port")
    WIDTH = ZeekSlots.width()
    TIME_START = ZeekSlots.index("time_start")
    TIME_END = ZeekSlots.index("time_end")
    CREATED = ZeekSlots.index("created")
    ATTEMPT_AT = ZeekSlots.index("attempt_at")
    DELETE_AT = ZeekSlots.index("delete_at")
    START = ZeekSlots.index("start_0")
    LAST = ZeekSlots.index("last_0")
    ACKED = ZeekSlots.index("acked_0")
    DELIVERED = ZeekSlots.index("delivered_0")
    TRIMMED = ZeekSlots.index("trimmed_0")
    PACKETS = ZeekSlots.index("packets_0")
    SYN = bits.SYN
    SYN_ACK = bits.SYN | bits.ACK
    MOVING = bits.FIN | bits.SYN | bits.RST | bits.ACK
    BAD = int(Checksum.BAD)
    GOOD = int(Checksum.GOOD)
    DOUBTS = int(Mark.HEADER_CUT | Mark.IP_CHECKSUM)
    STREAMS = ZeekSlots.octet("closed_0") // 8
    ROW = ZeekSlots.octet("fed") // 8
    PAST = ZeekSlots.octet("before_0") // 8
    STREAM_OPENED = completeness.OPENED
    STREAM_ANSWERS = completeness.ANSWERS

LINGER = cython.declare(cython.longlong, words.LINGER)
MASK = cython.declare(cython.longlong, sequence.MASK)
NEVER = cython.declare(cython.longlong, words.NEVER)
IS_PATIENT = cython.declare(bytes, machine.IS_PATIENT)

# A row begins with cells of octets: the ends, their STREAMS, the ROW, the PAST and its letters.
VOUCHED = cython.declare(cython.longlong, ZeekSlots.shift("vouched_0"))
VOUCHED_PEER = cython.declare(cython.longlong, ZeekSlots.shift("vouched_1"))
PATIENT = cython.declare(cython.longlong, ZeekSlots.shift("patient_0"))
PATIENT_PEER = cython.declare(cython.longlong, ZeekSlots.shift("patient_1"))

_SENT, _DONE = EndpointState.SYN_SENT, EndpointState.ESTABLISHED
_HISTORY = len(ZeekSlots.OCTETS)
_FIRST = ZeekSlots.bits_at(_HISTORY, ord("S"))
_ENDS_OPENED = ZeekSlots.bits(met=1, state_0=_SENT, seen_0=machine.ONCE["S"])
_ENDS_ANSWERED = ZeekSlots.bits(
    met=3, state_0=_DONE, state_1=_DONE, seen_0=machine.ONCE["S"], seen_1=machine.ONCE["H"]
)
_PAST_ANSWERED = ZeekSlots.bits(before_0=_SENT) + _FIRST + ZeekSlots.bits_at(_HISTORY + 1, ord("h"))
_SETTLED = words.IDLES.index(words.IDLE)
_PATIENTLY = words.IDLES.index(words.PATIENT_IDLE)
ENDS_OPENED = cython.declare(cython.longlong, _ENDS_OPENED)
ENDS_ANSWERED = cython.declare(cython.longlong, _ENDS_ANSWERED)
VOUCHED_BIT = cython.declare(cython.longlong, ZeekSlots.bits(vouched_0=1))
ROW_OPENED = cython.declare(cython.longlong, ZeekSlots.bits(fed=1, letters=1))
ROW_MASK = cython.declare(cython.longlong, ~ZeekSlots.bits(cut=1, patient_0=1, patient_1=1))
ROW_ANSWERED = cython.declare(cython.longlong, ZeekSlots.bits(letters=1, idle=_SETTLED))
ROW_PATIENT = cython.declare(cython.longlong, ZeekSlots.bits(letters=1, idle=_PATIENTLY))
PAST_OPENED = cython.declare(cython.longlong, _FIRST)
PAST_ANSWERED = cython.declare(cython.longlong, _PAST_ANSWERED)


@cython.final
@cython.cclass
class ZeekOpenings:
    """Takes in the first segment of a connection, and the second, where they are an opening's.

    cells : `ZeekSlots`, a row a slot. seen : `completeness.Streams`, an octet a slot.
    """

    rows: cython.longlong[::1]
    cells: cython.longlong[::1]
    seen: cython.uchar[::1]

    @cython.ccall
    @cython.exceptval(-1)
    def look(
        self, rows: cython.longlong[::1], cells: cython.longlong[::1], seen: cython.uchar[::1]
    ) -> cython.int:
        """Turn to a batch, and to where the rows are now."""
        self.rows, self.cells, self.seen = rows, cells, seen
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def take(self, at: cython.size_t, now: cython.longlong) -> cython.bint:
        """Take in the segment at cell `at`; whether it was an opening's, as told above.

        now : the latest time of any segment so far
        """
        if (
            self.rows[at + KIND] | self.rows[at + PAYLOAD] | self.rows[at + MARKS] & DOUBTS != 0
            or self.rows[at + WINDOW] == 0
            or self.rows[at + CHECKSUM] == BAD
        ):
            return False
        k: cython.size_t = self.rows[at + SLOT] * WIDTH
        flags: cython.longlong = self.rows[at + FLAGS] & MOVING
        if flags == SYN_ACK:
            return self._answer(at, k, now)
        return flags == SYN and self._open(at, k, now)

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def _open(self, at: cython.size_t, k: cython.size_t, now: cython.longlong) -> cython.bint:
        """The slot is empty: no connection was in it since it was emptied, nor before it."""
        if self.rows[at + OPENS] != 1 or self.rows[at + SENDER] or self.cells[k + ROW]:
            return False
        time: cython.longlong = self.rows[at + TIME]
        seq: cython.longlong = self.rows[at + SEQ]
        patient: cython.longlong = IS_PATIENT[self.rows[at + SRC_PORT]]
        patient_peer: cython.longlong = IS_PATIENT[self.rows[at + DST_PORT]]
        vouched: cython.longlong = self.rows[at + CHECKSUM] == GOOD
        self.cells[k] = ENDS_OPENED | vouched << VOUCHED
        self.cells[k + ROW] = ROW_OPENED | patient << PATIENT | patient_peer << PATIENT_PEER
        self.cells[k + PAST] = PAST_OPENED
        self.cells[k + TIME_START] = self.cells[k + TIME_END] = time
        self.cells[k + CREATED] = now
        self.cells[k + ATTEMPT_AT] = min(time + LINGER, NEVER)
        self.cells[k + DELETE_AT] = NEVER
        self.cells[k + DELIVERED] = self.cells[k + DELIVERED + 1] = 1
        self.cells[k + TRIMMED] = self.cells[k + TRIMMED + 1] = 1
        self.cells[k + START] = self.cells[k + ACKED] = seq
        self.cells[k + LAST] = (seq + 1) & MASK
        self.cells[k + PACKETS] = 1
        self.seen[self.rows[at + SLOT]] = STREAM_OPENED
        return True

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(-1)
    def _answer(self, at: cython.size_t, k: cython.size_t, now: cython.longlong) -> cython.bint:
        """The slot is as a SYN left it; repeated ones change no more than how many there were."""
        ends: cython.longlong = self.cells[k]
        row: cython.longlong = self.cells[k + ROW]
        if (
            ends & ~VOUCHED_BIT != ENDS_OPENED
            or row & ROW_MASK != ROW_OPENED
            or self.cells[k + PAST] != PAST_OPENED
            or self.cells[k + STREAMS] | self.cells[k + LAST + 1] | self.cells[k + ACKED + 1] != 0
            or self.rows[at + OPENS] != 0
            or self.rows[at + SENDER] != 1
        ):
            return False
        seq: cython.longlong = self.rows[at + SEQ]
        start: cython.longlong = self.cells[k + START]
        acked: cython.longlong = self.rows[at + ACK_NUMBER]
        if acked != start + 1 or self.cells[k + ACKED] != start:
            return False
        if now >= self.cells[k + ATTEMPT_AT] or now >= self.cells[k + TIME_END] + LINGER:
            return False
        vouched: cython.longlong = self.rows[at + CHECKSUM] == GOOD
        self.cells[k] = ENDS_ANSWERED | ends & VOUCHED_BIT | vouched << VOUCHED_PEER
        self.cells[k + ROW] = row + (ROW_PATIENT if row >> PATIENT_PEER & 1 else ROW_ANSWERED)
        self.cells[k + PAST] = PAST_ANSWERED
        self.cells[k + TIME_END] = self.rows[at + TIME]
        self.cells[k + ACKED] = acked
        self.cells[k + START + 1] = self.cells[k + ACKED + 1] = seq
        self.cells[k + LAST + 1] = (seq + 1) & MASK
        self.cells[k + PACKETS + 1] += 1
        self.seen[self.rows[at + SLOT]] |= STREAM_ANSWERS
        return True
