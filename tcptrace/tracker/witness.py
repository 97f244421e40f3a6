# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Witness`: how the inference asks the evidence of one connection and writes down what it finds.

That is milestones, and the moves that a segment seemed to make and a later one disproves.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tcp.states import Event
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Evidence.index("packet"))
KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
DOUBT = cython.declare(cython.Py_ssize_t, Evidence.index("doubt"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
EARLIEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("earliest"))
LATEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("latest"))
BASIS = cython.declare(cython.Py_ssize_t, list(FIELDS).index("basis"))
SHOWN_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("packet"))
CONFIRMED_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("confirmed"))
EVENT = cython.declare(cython.Py_ssize_t, list(FIELDS).index("event"))
REASON = cython.declare(cython.Py_ssize_t, list(FIELDS).index("reason"))
ROW = cython.declare(cython.Py_ssize_t, list(FIELDS).index("row"))
ENDED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("ended"))
JITTER = cython.declare(cython.Py_ssize_t, Sides.index("jitter"))
CLOCK = cython.declare(cython.Py_ssize_t, Sides.index("clock"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())
RCV_FIN = cython.declare(cython.longlong, Event.RCV_FIN)
RST = cython.declare(cython.longlong, flags.RST)
OBSERVED = cython.declare(cython.longlong, Basis.OBSERVED)
PRESUMED = cython.declare(cython.longlong, Basis.PRESUMED)
OWN_SEGMENT = cython.declare(cython.longlong, Reason.OWN_SEGMENT)
NO_SOCKET = cython.declare(cython.longlong, Reason.NO_SOCKET)
NOTHING_MORE = cython.declare(cython.longlong, Reason.NOTHING_MORE)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
MILLISECOND = cython.declare(cython.longlong, 1_000_000)
NEVER = cython.declare(cython.longlong, -1)
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
FAR = cython.declare(cython.longlong, 2_000_000)
FAR_MARGIN = cython.declare(cython.longlong, 6_000_000)
UNMEASURED = cython.declare(cython.longlong, 50_000_000)
FORGED = cython.declare(cython.longlong, 1)
# What a label says beside the flags: whether the row is evidence at all, and of which side.
TRUSTED = cython.declare(cython.longlong, 1 << 12)
OF_SIDE_0 = cython.declare(cython.longlong, 1 << 13)


@cython.final
@cython.cclass
class Witness:
    """The evidence rows and sides of a batch; `look` turns it to one connection's rows.

    taken_back : of each side, by its cell in the sides, what `refute` and `take_back` handed on:
        (moment, 1 for the receipt of a FIN else 0, event, time and number of the packet that
        seemed to make the move, number of the one that disproves it or 0, reason).
    """

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    labels: cython.int[::1]
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    taken_back: dict
    refuted: cython.Py_ssize_t

    def __init__(self, rows: cython.longlong[::1], sides: cython.longlong[::1]) -> None:
        self.r = rows
        self.e = sides
        self.first = self.last = 0
        self.taken_back = {}
        self.refuted = 0
        self.labels = memoryview(np.zeros(len(rows) // WIDTH, np.int32))
        with cython.nogil:
            self._label()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _label(self) -> cython.int:
        """Put beside each other what `next_row` asks of the rows: the same is asked many times."""
        r = self.r
        row: cython.Py_ssize_t
        for row in range(self.labels.shape[0]):
            k: cython.Py_ssize_t = row * WIDTH
            if not r[k + COPY] and r[k + DOUBT] != FORGED and r[k + KIND] == SEGMENT:
                self.labels[row] = r[k + FLAGS] | TRUSTED | OF_SIDE_0 << r[k + SENDER]
        return 0

    def taken_back_by(self, at: int) -> list:
        """What was handed on of a side, by moment; what one segment acknowledges before its FIN."""
        return sorted(self.taken_back.get(at, ()))

    def how_many_taken_back(self) -> int:
        """How many moves were handed on, of all sides."""
        return self.refuted

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def look(self, first: cython.Py_ssize_t, last: cython.Py_ssize_t) -> cython.int:
        """Turn to the rows of one connection."""
        self.first, self.last = first, last
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def next_row(
        self,
        row: cython.Py_ssize_t,
        side: cython.longlong,
        set_bits: cython.longlong,
        clear_bits: cython.longlong,
    ) -> cython.Py_ssize_t:
        """The next trusted segment of a side (-1: of either) with these bits set and clear."""
        asked: cython.longlong = set_bits | (TRUSTED if side < 0 else OF_SIDE_0 << side)
        both: cython.longlong = asked | clear_bits
        while row < self.last:
            if self.labels[row] & both == asked:
                return row
            row += 1
        return -1

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def last_sent(
        self, side: cython.longlong, set_bits: cython.longlong, clear_bits: cython.longlong
    ) -> cython.longlong:
        """When the side's last such segment left; NEVER for none."""
        latest: cython.longlong = NEVER
        row: cython.Py_ssize_t = self.next_row(self.first, side, set_bits, clear_bits | RST)
        while row >= 0:
            latest = max(latest, self.r[row * WIDTH + SENT])
            row = self.next_row(row + 1, side, set_bits, clear_bits | RST)
        return latest

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def round_trip(self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t) -> cython.longlong:
        """How long a side waits for an answer, at the least: past the tap, to the peer and back."""
        return max(self.e[at + TURNAROUND], 0) + max(self.e[peer + TURNAROUND], 0)

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def margin(self, at: cython.Py_ssize_t) -> cython.longlong:
        """How far a side's segments may have left before they are said to, ns.

        Far from it the way is only estimated, as half of there and back, and may be all of it; what
        has no clock may be late as well.
        """
        e = self.e
        margin: cython.longlong = e[at + JITTER] + MILLISECOND
        if e[at + TURNAROUND] < 0 or (e[at + TURNAROUND] > FAR and not e[at + CLOCK]):
            margin += UNMEASURED
        elif e[at + TURNAROUND] > FAR:
            margin += max(FAR_MARGIN, min(e[at + TURNAROUND] // 2, UNMEASURED))
        return margin

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def sends(
        self, m: cython.Py_ssize_t, at: cython.Py_ssize_t, row: cython.Py_ssize_t
    ) -> cython.int:
        """A milestone of the sender of a row."""
        r, e = self.r, self.e
        k: cython.Py_ssize_t = row * WIDTH
        early: cython.longlong = r[k + SENT] - self.margin(at)
        self.moment(m, r[k + SENT], early, r[k + TIME])
        e[m + SHOWN_BY], e[m + ROW] = r[k + PACKET], row
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def takes(
        self,
        m: cython.Py_ssize_t,
        at: cython.Py_ssize_t,
        row: cython.Py_ssize_t,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        """A milestone of the receiver of a row, proved by its own segment `proof` (-1: not)."""
        r, e = self.r, self.e
        k: cython.Py_ssize_t = row * WIDTH
        late: cython.longlong = r[k + ARRIVES] + max(2 * e[at + JITTER], 10 * MILLISECOND)
        if e[at + TURNAROUND] < 0 or (e[at + TURNAROUND] > FAR and not e[at + CLOCK]):
            late += UNMEASURED
        elif e[at + TURNAROUND] > FAR:  # as late again as the way there and back is long
            late += min(e[at + TURNAROUND], UNMEASURED)
        when: cython.longlong = r[k + ARRIVES]
        if proof >= 0:
            late = r[proof * WIDTH + TIME]
            when = min(when, r[proof * WIDTH + SENT])
        self.moment(m, max(when, r[k + TIME]), r[k + TIME], max(late, r[k + TIME]))
        if proof >= 0:
            e[m + CONFIRMED_BY] = r[proof * WIDTH + PACKET]
        e[m + SHOWN_BY], e[m + ROW] = r[k + PACKET], row
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def ends(
        self,
        at: cython.Py_ssize_t,
        when: cython.longlong,
        basis: cython.longlong,
        event: cython.longlong,
        row: cython.Py_ssize_t,
    ) -> cython.int:
        """Note how a side ended, of which the row tells; the earliest end stays."""
        r, e = self.r, self.e
        m: cython.Py_ssize_t = at + ENDED
        k: cython.Py_ssize_t = row * WIDTH
        if e[m + WHEN] != NEVER and e[m + WHEN] <= when:
            return 0
        if r[k + SENDER] == (at // SIDE_WIDTH) % 2 and r[k + KIND] == SEGMENT:
            self.sends(m, at, row)
        else:
            self.takes(m, at, row, -1)
        e[m + WHEN] = when
        e[m + EARLIEST] = min(when, e[m + EARLIEST])
        reason: cython.longlong = OWN_SEGMENT if basis == OBSERVED else NO_SOCKET
        self.say(m, basis, event, NOTHING_MORE if basis == PRESUMED else reason)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def moment(
        self,
        m: cython.Py_ssize_t,
        when: cython.longlong,
        earliest: cython.longlong,
        latest: cython.longlong,
    ) -> cython.int:
        e = self.e
        e[m + WHEN], e[m + EARLIEST], e[m + LATEST], e[m + ROW] = when, earliest, latest, -1
        e[m + SHOWN_BY] = e[m + CONFIRMED_BY] = 0
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def say(
        self,
        m: cython.Py_ssize_t,
        basis: cython.longlong,
        event: cython.longlong,
        reason: cython.longlong,
    ) -> cython.int:
        self.e[m + BASIS], self.e[m + EVENT], self.e[m + REASON] = basis, event, reason
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def refute(
        self,
        at: cython.Py_ssize_t,
        event: cython.longlong,
        cause: cython.Py_ssize_t,
        by: cython.Py_ssize_t,
        reason: cython.longlong,
    ) -> cython.int:
        """Hand on a move of a side that the row `cause` seemed to make; the row `by` disproves it.

        `by` is -1 where no single segment does.
        """
        r = self.r
        k: cython.Py_ssize_t = cause * WIDTH
        own: cython.bint = r[k + KIND] == SEGMENT and r[k + SENDER] == (at // SIDE_WIDTH) % 2
        when: cython.longlong = r[k + SENT] if own else max(r[k + ARRIVES], r[k + TIME])
        return self._hand_on(at, event, when, r[k + TIME], r[k + PACKET], by, reason)

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def take_back(
        self,
        at: cython.Py_ssize_t,
        milestone: cython.Py_ssize_t,
        by: cython.Py_ssize_t,
        reason: cython.longlong,
    ) -> cython.int:
        """Undo a milestone of a side, if it had come to pass, because of the row `by`."""
        e = self.e
        m: cython.Py_ssize_t = at + milestone
        when: cython.longlong = e[m + WHEN]
        if when != NEVER:
            self._hand_on(at, e[m + EVENT], when, e[m + EARLIEST], e[m + SHOWN_BY], by, reason)
            e[m + WHEN] = NEVER
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _hand_on(
        self,
        at: cython.Py_ssize_t,
        event: cython.longlong,
        when: cython.longlong,
        earliest: cython.longlong,
        packet: cython.longlong,
        by: cython.Py_ssize_t,
        reason: cython.longlong,
    ) -> cython.int:
        proof: cython.longlong = self.r[by * WIDTH + PACKET] if by >= 0 else 0
        with cython.gil:
            self._note(at, event, when, earliest, packet, proof, reason)
        self.refuted += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _note(
        self,
        at: cython.Py_ssize_t,
        event: cython.longlong,
        when: cython.longlong,
        earliest: cython.longlong,
        packet: cython.longlong,
        proof: cython.longlong,
        reason: cython.longlong,
    ) -> cython.int:
        last: cython.longlong = 1 if event == RCV_FIN else 0
        found: list = self.taken_back.setdefault(at, [])
        found.append((when, last, event, earliest, packet, proof, reason))
        return 0
