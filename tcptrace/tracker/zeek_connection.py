# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`ZeekConnections` ⚙: rows of Zeek's conn.log in the making; `zeek_machine` says their moves.

Everywhere `k` is the first cell of a slot's row and `own` the sender of the segment at hand.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.tcp import flags as bits
from tcptrace.tracker import zeek_machine as machine
from tcptrace.tracker import zeek_rows as words
from tcptrace.tracker.slots import grown
from tcptrace.tracker.zeek_history import ZeekHistories
from tcptrace.tracker.zeek_machine import Act
from tcptrace.tracker.zeek_rows import EndpointState, ZeekRows, ZeekSlots
from tcptrace.tracker.zeek_side import ZeekSides
from tcptrace.tracker.zeek_timers import ZeekTimers

if not cython.compiled:
    from tcptrace.cells import clear

WIDTH = cython.declare(cython.Py_ssize_t, ZeekSlots.width())
TIME_END = cython.declare(cython.Py_ssize_t, ZeekSlots.index("time_end"))
ATTEMPT_AT = cython.declare(cython.Py_ssize_t, ZeekSlots.index("attempt_at"))
DELETE_AT = cython.declare(cython.Py_ssize_t, ZeekSlots.index("delete_at"))
TIME_START = cython.declare(cython.Py_ssize_t, ZeekSlots.index("time_start"))
CREATED = cython.declare(cython.Py_ssize_t, ZeekSlots.index("created"))
DELIVERED = cython.declare(cython.Py_ssize_t, ZeekSlots.index("delivered_0"))
TRIMMED = cython.declare(cython.Py_ssize_t, ZeekSlots.index("trimmed_0"))
PACKETS = cython.declare(cython.Py_ssize_t, ZeekSlots.index("packets_0"))
MISSED = cython.declare(cython.Py_ssize_t, ZeekSlots.index("missed_0"))
GAPS = cython.declare(cython.Py_ssize_t, ZeekSlots.index("gaps_0"))
FIN_END = cython.declare(cython.Py_ssize_t, ZeekSlots.index("fin_end_0"))
FED = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("fed"))
CUT = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("cut"))
ORIG = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("orig"))
PARTIAL = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("partial"))
DEFERRED = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("deferred"))
IDLE = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("idle"))
MET = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("met"))
PATIENT = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("patient_0"))
STATE = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("state_0"))
BEFORE = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("before_0"))
CLOSED_SIDE = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("closed_0"))
ENDED = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("ended_0"))
GIVEN_UP = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("given_up_0"))
HOLES = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("holes_0"))
LETTERS = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("letters"))
ROOM = cython.declare(cython.Py_ssize_t, ZeekSlots.room())
FINS = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("fins_0"))

R_SLOT = cython.declare(cython.Py_ssize_t, ZeekRows.index("slot"))
R_SWAPPED = cython.declare(cython.Py_ssize_t, ZeekRows.index("swapped"))
R_TIME_START = cython.declare(cython.Py_ssize_t, ZeekRows.index("time_start"))
R_TIME_END = cython.declare(cython.Py_ssize_t, ZeekRows.index("time_end"))
R_PACKETS = cython.declare(cython.Py_ssize_t, ZeekRows.index("packets_0"))
R_BYTES = cython.declare(cython.Py_ssize_t, ZeekRows.index("bytes_0"))
R_MISSED = cython.declare(cython.Py_ssize_t, ZeekRows.index("missed_0"))
R_ORIG_STATE = cython.declare(cython.Py_ssize_t, ZeekRows.index("orig_state"))
R_RESP_STATE = cython.declare(cython.Py_ssize_t, ZeekRows.index("resp_state"))

SYN = cython.declare(cython.longlong, bits.SYN)
ACK = cython.declare(cython.longlong, bits.ACK)
INACTIVE = cython.declare(cython.longlong, int(EndpointState.INACTIVE))
CLOSED = cython.declare(cython.longlong, int(EndpointState.CLOSED))
RESET = cython.declare(cython.longlong, int(EndpointState.RESET))
STATES = cython.declare(cython.longlong, machine.STATES)
SEGMENTS = cython.declare(cython.longlong, machine.SEGMENTS)
FLIPS = cython.declare(cython.longlong, int(Act.FLIPS))
WHOLE = cython.declare(cython.longlong, int(Act.WHOLE))
ATTEMPTS = cython.declare(cython.longlong, int(Act.ATTEMPTS))
ESTABLISHES = cython.declare(cython.longlong, int(Act.ESTABLISHES))
SETTLES = cython.declare(cython.longlong, int(Act.SETTLES))
REVIVES = cython.declare(cython.longlong, int(Act.REVIVES))
CLOSES = cython.declare(cython.longlong, int(Act.CLOSES))
cython.declare(STATE_AFTER=bytes, PEER_AFTER=bytes, BEFORE_AFTER=bytes, ACTS=bytes, CLEAN=bytes)
STATE_AFTER, PEER_AFTER, BEFORE_AFTER = machine.STATE_AFTER, machine.PEER_AFTER, machine.BEFORE
ACTS, CLEAN = machine.ACTS, machine.CLEAN
IS_SERVER = cython.declare(bytes, machine.IS_SERVER)
IS_PATIENT = cython.declare(bytes, machine.IS_PATIENT)
NEVER = cython.declare(cython.longlong, words.NEVER)
LINGER = cython.declare(cython.longlong, words.LINGER)
SETTLED = cython.declare(cython.longlong, words.IDLES.index(words.IDLE))
PATIENTLY = cython.declare(cython.longlong, words.IDLES.index(words.PATIENT_IDLE))
GAP = cython.declare(cython.longlong, ord("G"))


@cython.final
@cython.cclass
class ZeekConnections:
    """Zeek's connections, each in a slot; what few of them need is kept beside the rows, by slot.

    matrix : `ZeekSlots`, a row a slot; cells and octets are its own
    earlier : those that Zeek cut off in the same slot, each a row of `ZeekRows` and its history
    """

    matrix: object
    cells: cython.longlong[::1]
    octets: cython.uchar[::1]
    sides: ZeekSides
    histories: ZeekHistories
    timers: ZeekTimers
    earlier: dict

    def __init__(self) -> None:
        self.sides, self.histories, self.timers = ZeekSides(), ZeekHistories(), ZeekTimers()
        self.earlier = {}
        self.matrix = np.zeros((0, WIDTH), np.int64)
        self.make_room(1024)

    @cython.ccall
    @cython.exceptval(-1)
    def make_room(self, slots: cython.Py_ssize_t) -> cython.int:
        """Have a row for each of so many slots."""
        size: cython.Py_ssize_t = len(self.matrix)
        if slots > size:
            self.matrix = grown(self.matrix, max(slots, 2 * size))
            self.cells = memoryview(self.matrix.reshape(-1))
            self.octets = memoryview(self.matrix.reshape(-1).view(np.uint8))
            self.sides.look(self.cells, self.octets)
            self.histories.look(self.cells, self.octets)
            self.timers.look(self.cells, self.octets)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def begin(
        self,
        k: cython.Py_ssize_t,
        own: cython.Py_ssize_t,
        time: cython.longlong,
        clock: cython.longlong,
    ) -> cython.int:
        """Begin a row in a slot that is empty; `clock` is the latest time of any segment."""
        side: cython.Py_ssize_t
        self.cells[k + TIME_START] = self.cells[k + TIME_END] = time
        self.cells[k + CREATED] = clock
        self.cells[k + ATTEMPT_AT] = self.cells[k + DELETE_AT] = NEVER
        for side in range(2):
            self.cells[k + DELIVERED + side] = self.cells[k + TRIMMED + side] = 1
        self.octets[8 * k + FED] = 1
        self.octets[8 * k + ORIG] = own
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def name_ends(
        self,
        k: cython.Py_ssize_t,
        flags: cython.longlong,
        source: cython.Py_ssize_t,
        target: cython.Py_ssize_t,
    ) -> cython.int:
        """Look at the first packet's ports; the roles are swapped where they ask for it."""
        own: cython.Py_ssize_t = self.octets[8 * k + ORIG]
        self.octets[8 * k + PATIENT + own] = IS_PATIENT[source]
        self.octets[8 * k + PATIENT + 1 - own] = IS_PATIENT[target]
        if flags & (SYN | ACK) == SYN or not IS_SERVER[source]:
            return 0
        if not IS_SERVER[target] or (not flags & SYN and source < target):
            self.histories.flip(k)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def forget(self, k: cython.Py_ssize_t) -> cython.int:
        """Empty a slot, what is beside the rows included."""
        if self.octets[8 * k + FED]:
            if self.octets[8 * k + CUT]:
                with cython.gil:
                    del self.earlier[k // WIDTH]
            self._clear(k)
        return 0

    @cython.ccall
    @cython.exceptval(-1)
    def cut(self, k: cython.Py_ssize_t) -> cython.int:
        """Put a slot's row aside, for another one of Zeek's begins."""
        row = ZeekRows.zeros(1)
        self.tell(k, row.cells, 0)
        told = row.matrix.tobytes(), self.histories.of(row.slot)[0]
        self.earlier.setdefault(k // WIDTH, []).append(told)
        self._clear(k)
        self.octets[8 * k + CUT] = 1
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _clear(self, k: cython.Py_ssize_t) -> cython.int:
        if self.octets[8 * k + HOLES] or self.octets[8 * k + HOLES + 1]:
            self.sides.fill(k, 0)
            self.sides.fill(k, 1)
        if self.octets[8 * k + LETTERS] > ROOM:
            self.histories.drop_tail(k)
        clear(self.cells, k, WIDTH)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def move(
        self,
        k: cython.Py_ssize_t,
        own: cython.Py_ssize_t,
        kind: cython.Py_ssize_t,
        time: cython.longlong,
    ) -> cython.bint:
        """Move the sender's machine, and the peer's with it; whether the sender closes."""
        side: cython.Py_ssize_t = 8 * k + own
        peer: cython.Py_ssize_t = 8 * k + 1 - own
        peer_state: cython.longlong = self.octets[peer + STATE]
        place: cython.Py_ssize_t = 0 if own == self.octets[8 * k + ORIG] else STATES
        place = ((place + self.octets[side + STATE]) * STATES + peer_state) * 2 * SEGMENTS + kind
        if BEFORE_AFTER[place] != STATES:
            self.octets[side + BEFORE] = BEFORE_AFTER[place]
            self.octets[side + STATE] = STATE_AFTER[place]
        if PEER_AFTER[place] != peer_state:
            self.octets[peer + BEFORE] = peer_state
            self.octets[peer + STATE] = PEER_AFTER[place]
        if ACTS[place] & ~CLOSES:
            self.act(k, own, ACTS[place], time)
        return ACTS[place] & CLOSES != 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def act(
        self,
        k: cython.Py_ssize_t,
        own: cython.Py_ssize_t,
        acts: cython.longlong,
        time: cython.longlong,
    ) -> cython.int:
        """What a move does besides changing states, but for closing."""
        o: cython.Py_ssize_t = 8 * k
        if acts & FLIPS:
            self.histories.flip(k)
        if acts & SETTLES:
            self.octets[o + IDLE] = SETTLED
        if acts & ATTEMPTS:
            self.cells[k + ATTEMPT_AT] = min(time + LINGER, NEVER)
        if acts & ESTABLISHES and self.octets[o + PATIENT + 1 - self.octets[o + ORIG]]:
            self.octets[o + IDLE] = PATIENTLY
        if acts & WHOLE:
            self.octets[o + PARTIAL] = 0
            self.octets[o + MET] |= 1 if own == self.octets[o + ORIG] else 2
        peer: cython.Py_ssize_t = o + 1 - own
        if acts & REVIVES and self.octets[peer + BEFORE] == CLOSED:
            self.octets[peer + BEFORE], self.octets[peer + STATE] = RESET, CLOSED
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def trim(
        self, k: cython.Py_ssize_t, own: cython.Py_ssize_t, upto: cython.longlong
    ) -> cython.int:
        """Its stream was acknowledged up to here: TCP_Reassembler::AckReceived."""
        at: cython.Py_ssize_t = k + own
        if self.octets[8 * k + FINS + own] and 0 <= self.cells[at + FIN_END] <= upto:
            upto = self.cells[at + FIN_END] - 1
        if upto <= self.cells[at + TRIMMED]:
            return 0
        while upto > self.cells[at + DELIVERED] and not (
            upto <= 2 and self.octets[8 * k + PARTIAL]
        ):
            self._gap(k, own, self.sides.next_hole(k, own, upto))
            self.sides.absorb(k, own)
        self.cells[at + TRIMMED] = upto
        self.sides.absorb(k, own)
        return self.check_end(k, own)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _gap(
        self, k: cython.Py_ssize_t, own: cython.Py_ssize_t, upto: cython.longlong
    ) -> cython.int:
        """Octets were acknowledged and not captured; gaps in a handshake cannot be believed."""
        at: cython.Py_ssize_t = k + own
        is_clean: cython.bint = self._is_clean(8 * k) and self._is_clean(8 * k + 1)
        if is_clean and not self.octets[8 * k + GIVEN_UP + own]:
            self.cells[at + MISSED] += upto - self.cells[at + DELIVERED]
            self.cells[at + GAPS] += 1
            self.histories.add(k, own, GAP, self.cells[at + GAPS])
        self.cells[at + DELIVERED] = upto
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _is_clean(self, side: cython.Py_ssize_t) -> cython.bint:
        return CLEAN[self.octets[side + STATE] * STATES + self.octets[side + BEFORE]]

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def check_end(self, k: cython.Py_ssize_t, own: cython.Py_ssize_t) -> cython.int:
        """Note a stream's end once, and close what waited for it: TCP_Reassembler::CheckEOF."""
        side: cython.Py_ssize_t = 8 * k + own
        if self.octets[side + ENDED]:
            return 0
        if not (self.octets[side + FINS] or self.octets[side + STATE] >= CLOSED):
            return 0
        if self.sides.pending(k, own):
            return 0
        self.octets[side + ENDED] = 1
        if self.octets[8 * k + DEFERRED]:
            self.close(k, own)
            self.octets[8 * k + DEFERRED] = 0
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def close(self, k: cython.Py_ssize_t, own: cython.Py_ssize_t) -> cython.int:
        """What follows a FIN or RST once all data is delivered: ConnectionClosed."""
        side: cython.Py_ssize_t = 8 * k + own
        peer: cython.Py_ssize_t = 8 * k + 1 - own
        self.octets[8 * k + DEFERRED] = self.sides.pending(k, own)
        if self.octets[8 * k + DEFERRED] or self.octets[side + CLOSED_SIDE]:
            return 0
        self.octets[side + CLOSED_SIDE] = 1
        is_reset: cython.bint = self.octets[side + STATE] == RESET
        if is_reset or self.octets[peer + CLOSED_SIDE] or self.octets[peer + STATE] == INACTIVE:
            self.cells[k + ATTEMPT_AT] = NEVER
            self.cells[k + DELETE_AT] = min(self.cells[k + TIME_END] + LINGER, NEVER)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def tell(
        self, k: cython.Py_ssize_t, out: cython.longlong[::1], at: cython.Py_ssize_t
    ) -> cython.int:
        """Lay out what a row says as `ZeekRows` has it, from cell `at` on."""
        o: cython.Py_ssize_t = 8 * k
        orig: cython.Py_ssize_t = self.octets[o + ORIG]
        side: cython.Py_ssize_t
        out[at + R_SLOT] = k // WIDTH
        out[at + R_SWAPPED] = orig
        out[at + R_TIME_START] = self.cells[k + TIME_START]
        out[at + R_TIME_END] = self.cells[k + TIME_END]
        for side in range(2):
            out[at + R_PACKETS + side] = self.cells[k + PACKETS + side]
            out[at + R_BYTES + side] = self.sides.size(k, side)
            out[at + R_MISSED + side] = self.cells[k + MISSED + side]
        out[at + R_ORIG_STATE] = self.octets[o + STATE + orig]
        out[at + R_RESP_STATE] = self.octets[o + STATE + 1 - orig]
        return 0
