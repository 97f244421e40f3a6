# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Witness`: how the inference asks the evidence of one connection and writes down what it finds.

That is milestones, and the moves that a segment seemed to make and a later one disproves.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.taken_back import TakenBack
from tcptrace.tracker.transitions import Basis

if not cython.compiled:
    from tcptrace.tracker.memory import brief_of, row_of

    TIME = Evidence.index("time")
    PACKET = Evidence.index("packet")
    KIND = Evidence.index("kind")
    FLAGS = Evidence.index("flags")
    SENDER = Evidence.index("sender")
    COPY = Evidence.index("copy")
    DOUBT = Evidence.index("doubt")
    SENT = Evidence.index("sent")
    ARRIVES = Evidence.index("arrives")
    WIDTH = Evidence.width()
    WHEN = list(FIELDS).index("time")
    EARLIEST = list(FIELDS).index("earliest")
    LATEST = list(FIELDS).index("latest")
    BASIS = list(FIELDS).index("basis")
    SHOWN_BY = list(FIELDS).index("packet")
    CONFIRMED_BY = list(FIELDS).index("confirmed")
    EVENT = list(FIELDS).index("event")
    REASON = list(FIELDS).index("reason")
    ROW = list(FIELDS).index("row")
    ENDED = STEP * list(MILESTONES).index("ended")
    JITTER = Sides.index("jitter")
    CLOCK = Sides.index("clock")
    TAKEN_BACK = Sides.index("taken_back")
    SIDE_WIDTH = Sides.width()
    RST = flags.RST
    OBSERVED = Basis.OBSERVED
    PRESUMED = Basis.PRESUMED
    OWN_SEGMENT = Reason.OWN_SEGMENT
    NO_SOCKET = Reason.NO_SOCKET
    NOTHING_MORE = Reason.NOTHING_MORE
    SEGMENT = Kind.SEGMENT
    MILLISECOND = 1_000_000
    NEVER = -1
    TURNAROUND = Sides.index("turnaround")
    FAR = 2_000_000
    FAR_MARGIN = 6_000_000
    UNMEASURED = 50_000_000
    FORGED = 1
    # What a label says beside the flags: whether the row is evidence at all, and of which side.
    TRUSTED = 1 << 12
    OF_SIDE_0 = 1 << 13


@cython.final
@cython.cclass
class Witness:
    """The evidence rows and sides of a batch; `look` turns it to one connection's rows.

    label : the labels of all rows up to those of the connection, once it was looked at
    taken_back : what `refute` and `take_back` handed on; `Sides` tell each side's last.
    """

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    labels: cython.int[::1]
    label: cython.p_int
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    taken_back: TakenBack

    def __init__(self, rows: cython.longlong[::1], sides: cython.longlong[::1]) -> None:
        self.r = rows
        self.e = sides
        self.first = self.last = 0
        self.taken_back = TakenBack()
        self.labels = memoryview(np.zeros(len(rows) // WIDTH, np.int32))
        with cython.nogil:
            self._label()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _label(self) -> cython.int:
        """Put beside each other what `next_row` asks of the rows: the same is asked many times."""
        row: cython.Py_ssize_t
        many: cython.Py_ssize_t = self.labels.shape[0]
        if many == 0:
            return 0
        r: cython.p_longlong = row_of(self.r, 0, many * WIDTH)
        label: cython.p_int = brief_of(self.labels, 0, many)
        for row in range(many):
            k: cython.Py_ssize_t = row * WIDTH
            if r[k + COPY] == 0 and r[k + DOUBT] != FORGED and r[k + KIND] == SEGMENT:
                label[row] = r[k + FLAGS] | TRUSTED | OF_SIDE_0 << (r[k + SENDER] & 1)
        return 0

    def how_many_taken_back(self) -> int:
        """How many moves were handed on, of all sides."""
        return self.taken_back.made

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def look(self, first: cython.Py_ssize_t, last: cython.Py_ssize_t) -> cython.int:
        """Turn to the rows of one connection."""
        self.first, self.last = first, last
        if last > 0:
            self.label = brief_of(self.labels, 0, last)
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
        asked: cython.int = set_bits | (TRUSTED if side < 0 else OF_SIDE_0 << side)
        both: cython.int = asked | clear_bits
        if row < 0:
            return self.labels[row]  # which is out of bounds
        while row < self.last:
            if self.label[row] & both == asked:
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
        margin: cython.longlong = self.e[at + JITTER] + MILLISECOND
        if self.e[at + TURNAROUND] < 0 or (
            self.e[at + TURNAROUND] > FAR and not self.e[at + CLOCK]
        ):
            margin += UNMEASURED
        elif self.e[at + TURNAROUND] > FAR:
            margin += max(FAR_MARGIN, min(self.e[at + TURNAROUND] // 2, UNMEASURED))
        return margin

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def sends(
        self, m: cython.Py_ssize_t, at: cython.Py_ssize_t, row: cython.Py_ssize_t
    ) -> cython.int:
        """A milestone of the sender of a row."""
        k: cython.Py_ssize_t = row * WIDTH
        early: cython.longlong = self.r[k + SENT] - self.margin(at)
        self.moment(m, self.r[k + SENT], early, self.r[k + TIME])
        self.e[m + SHOWN_BY], self.e[m + ROW] = self.r[k + PACKET], row
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
        k: cython.Py_ssize_t = row * WIDTH
        late: cython.longlong = self.r[k + ARRIVES] + max(2 * self.e[at + JITTER], 10 * MILLISECOND)
        if self.e[at + TURNAROUND] < 0 or (
            self.e[at + TURNAROUND] > FAR and not self.e[at + CLOCK]
        ):
            late += UNMEASURED
        elif self.e[at + TURNAROUND] > FAR:  # as late again as the way there and back is long
            late += min(self.e[at + TURNAROUND], UNMEASURED)
        when: cython.longlong = self.r[k + ARRIVES]
        if proof >= 0:
            late = self.r[proof * WIDTH + TIME]
            when = min(when, self.r[proof * WIDTH + SENT])
        self.moment(m, max(when, self.r[k + TIME]), self.r[k + TIME], max(late, self.r[k + TIME]))
        if proof >= 0:
            self.e[m + CONFIRMED_BY] = self.r[proof * WIDTH + PACKET]
        self.e[m + SHOWN_BY], self.e[m + ROW] = self.r[k + PACKET], row
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
        m: cython.Py_ssize_t = at + ENDED
        k: cython.Py_ssize_t = row * WIDTH
        if self.e[m + WHEN] != NEVER and self.e[m + WHEN] <= when:
            return 0
        if self.r[k + SENDER] == (at // SIDE_WIDTH) % 2 and self.r[k + KIND] == SEGMENT:
            self.sends(m, at, row)
        else:
            self.takes(m, at, row, -1)
        self.e[m + WHEN] = when
        self.e[m + EARLIEST] = min(when, self.e[m + EARLIEST])
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
        self.e[m + WHEN], self.e[m + EARLIEST], self.e[m + LATEST], self.e[m + ROW] = (
            when,
            earliest,
            latest,
            -1,
        )
        self.e[m + SHOWN_BY] = self.e[m + CONFIRMED_BY] = 0
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
        k: cython.Py_ssize_t = cause * WIDTH
        own: cython.bint = (
            self.r[k + KIND] == SEGMENT and self.r[k + SENDER] == (at // SIDE_WIDTH) % 2
        )
        when: cython.longlong = (
            self.r[k + SENT] if own else max(self.r[k + ARRIVES], self.r[k + TIME])
        )
        return self._hand_on(at, event, when, self.r[k + TIME], self.r[k + PACKET], by, reason)

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
        m: cython.Py_ssize_t = at + milestone
        when: cython.longlong = self.e[m + WHEN]
        if when != NEVER:
            self._hand_on(
                at, self.e[m + EVENT], when, self.e[m + EARLIEST], self.e[m + SHOWN_BY], by, reason
            )
            self.e[m + WHEN] = NEVER
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
        row: cython.Py_ssize_t = self.taken_back.add(event, when, self.e[at + TAKEN_BACK])
        self.e[at + TAKEN_BACK] = self.taken_back.made
        return self.taken_back.say(row, earliest, packet, proof, reason)
