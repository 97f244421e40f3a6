# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`FinSending`: the milestone fin_out, and FINs that were lost before the tap.

A captured FIN shows its sender's move, but the first copy may have been lost on the way to the
tap: gaps in the IPv4 identification and segments numbered behind the FIN tell of it.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tcp.states import Event
from tcptrace.tracker.fins import Fins
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.witness import Witness

KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
IP_ID = cython.declare(cython.Py_ssize_t, Evidence.index("ip_id"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
ACK = cython.declare(cython.Py_ssize_t, Evidence.index("ack"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
DOUBT = cython.declare(cython.Py_ssize_t, Evidence.index("doubt"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
FIN_OUT = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_out"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
EARLIEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("earliest"))
BASIS = cython.declare(cython.Py_ssize_t, list(FIELDS).index("basis"))
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
JITTER = cython.declare(cython.Py_ssize_t, Sides.index("jitter"))
FIN_OCTET = cython.declare(cython.Py_ssize_t, Sides.index("fin"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())
SYN = cython.declare(cython.longlong, flags.SYN)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
OBSERVED = cython.declare(cython.longlong, Basis.OBSERVED)
PRESUMED = cython.declare(cython.longlong, Basis.PRESUMED)
INFERRED = cython.declare(cython.longlong, Basis.INFERRED)
SND_FIN = cython.declare(cython.longlong, Event.SND_FIN)
UNCAPTURED = cython.declare(cython.longlong, Reason.UNCAPTURED)
OWN_SEGMENT = cython.declare(cython.longlong, Reason.OWN_SEGMENT)
MILLISECOND = cython.declare(cython.longlong, 1_000_000)
FULL_SEGMENT = cython.declare(cython.longlong, 1448)
LOST_MOST = cython.declare(cython.longlong, 6)
PROBE_AFTER = cython.declare(cython.longlong, 206_000_000)
PROBE_SLACK = cython.declare(cython.longlong, 60_000_000)
WIDE = cython.declare(cython.longlong, 100_000_000)
NEVER = cython.declare(cython.longlong, -1)


@cython.final
@cython.cclass
class FinSending:
    """When a side's first FIN left, for one connection at a time; `look` turns to it."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    now: cython.longlong
    w: Witness
    fins: Fins

    def __init__(self, fins: Fins, witness: Witness, rows: memoryview, sides: memoryview) -> None:
        self.fins = fins
        self.w = witness
        self.r = rows
        self.e = sides

    def look(self, first: cython.Py_ssize_t, last: cython.Py_ssize_t, now: cython.longlong) -> None:
        """Turn to the rows of one connection, which the tap watched until `now`."""
        self.first, self.last, self.now = first, last, now

    @cython.ccall
    @cython.exceptval(-1, check=True)
    def fin_leaves(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        r, e = self.r, self.e
        copy: cython.Py_ssize_t = self.fins.fin_copy(side, fin, self.first)
        beyond: cython.Py_ssize_t = self.fins.beyond(side, fin, self.first)
        if copy >= 0 and (proof < 0 or copy < proof) and (beyond < 0 or copy < beyond):
            self.w.sends(at + FIN_OUT, at, copy)
            self.w.say(at + FIN_OUT, OBSERVED, SND_FIN, OWN_SEGMENT)
            e[at + FIN_OUT + EARLIEST] = min(
                e[at + FIN_OUT + EARLIEST], self._idle_since(at, side, copy)
            )
            self._lost_copies(at, side, copy)
            return 0
        t: cython.longlong = self.now
        if beyond >= 0:
            t = self._before_peer_fin(at, side, beyond)
        if proof >= 0:
            trip: cython.longlong = r[proof * WIDTH + ARRIVES] - r[proof * WIDTH + SENT]
            t = min(t, r[proof * WIDTH + SENT] - trip)
        low: cython.longlong = self.fins.last_before(side, fin, t)
        when: cython.longlong = t
        if low != NEVER and beyond >= 0 and t == r[beyond * WIDTH + SENT] and t - low > WIDE:
            when = low + (t - low) // 2
        self.w.moment(at + FIN_OUT, max(when, low), low, max(t, low))
        self.w.say(at + FIN_OUT, INFERRED, SND_FIN, UNCAPTURED)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _lost_copies(
        self, at: cython.Py_ssize_t, side: cython.longlong, copy: cython.Py_ssize_t
    ) -> cython.int:
        """A gap in the IPv4 identification before the first captured FIN tells of lost ones.

        Linux counts it by one for each packet of a socket (__ip_select_ident), and repeats a FIN
        by tail-loss probe after about 206 ms and a round trip (tcp_schedule_loss_probe).
        """
        r, e = self.r, self.e
        k: cython.Py_ssize_t = copy * WIDTH
        theirs: cython.Py_ssize_t = at + (1 - 2 * side) * SIDE_WIDTH
        trip: cython.longlong = max(e[at + TURNAROUND], 0) + max(e[theirs + TURNAROUND], 0)
        trip += (e[at + JITTER] + e[theirs + JITTER]) // 2
        previous: cython.Py_ssize_t = self._previous_numbered(side, copy)
        if previous < 0 or e[at + TURNAROUND] < 2 * MILLISECOND or r[k + IP_ID] <= 0:
            return 0
        p: cython.Py_ssize_t = previous * WIDTH
        gap: cython.longlong = (r[k + IP_ID] - r[p + IP_ID] - 1) & 0xFFFF
        if not 0 < gap < LOST_MOST:
            return 0
        hole: cython.longlong = max(0, r[k + BEGIN] - self._sent_before(side, copy))
        gap -= (hole + FULL_SEGMENT - 1) // FULL_SEGMENT
        if gap <= 0:
            return 0
        wait: cython.longlong = PROBE_AFTER + (6 * trip) // 5
        if hole:
            wait = 2 * trip + 8 * MILLISECOND
        moment: cython.longlong = r[k + SENT] - wait
        owed: cython.longlong = self._owed(side, previous, copy)
        if owed != NEVER and gap == 1:
            if owed < moment - PROBE_SLACK or owed > moment + PROBE_SLACK:
                return 0
            if r[k + ACKED] <= e[theirs + FIN_OCTET] or e[theirs + FIN_OCTET] < 0:
                return 0
            moment = owed
        moment = max(moment, r[p + SENT])
        e[at + FIN_OUT + WHEN] = moment
        e[at + FIN_OUT + EARLIEST] = min(e[at + FIN_OUT + EARLIEST], r[p + SENT])
        e[at + FIN_OUT + BASIS] = PRESUMED
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _sent_before(self, side: cython.longlong, copy: cython.Py_ssize_t) -> cython.longlong:
        """One past the highest octet of the side that was captured before a row."""
        highest: cython.longlong = 1
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, 0, RST)
        while 0 <= row < copy:
            highest = max(highest, self.r[row * WIDTH + END])
            row = self.w.next_row(row + 1, side, 0, RST)
        return highest

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _previous_numbered(
        self, side: cython.longlong, copy: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """The side's row before `copy` with the highest identification; -1 unless it counts."""
        r = self.r
        row: cython.Py_ssize_t = copy - 1
        found: cython.Py_ssize_t = -1
        while row >= self.first:
            k: cython.Py_ssize_t = row * WIDTH
            own: cython.bint = r[k + SENDER] == side and r[k + KIND] == SEGMENT
            if own and r[k + IP_ID] > 0 and not r[k + FLAGS] & (SYN | RST):
                ahead: cython.longlong = 1
                if found >= 0:
                    ahead = r[k + IP_ID] - r[found * WIDTH + IP_ID]
                if 0 < ahead < LOST_MOST:
                    found = row
                elif -LOST_MOST < ahead < 0:
                    return found
            row -= 1
        return found

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _owed(
        self, side: cython.longlong, previous: cython.Py_ssize_t, copy: cython.Py_ssize_t
    ) -> cython.longlong:
        """When what the side had yet to acknowledge at `previous` arrived; NEVER: it owed none."""
        r = self.r
        moment: cython.longlong = NEVER
        row: cython.Py_ssize_t
        for row in range(self.first, copy):
            k: cython.Py_ssize_t = row * WIDTH
            if r[k + SENDER] == side or r[k + COPY] or r[k + KIND] != SEGMENT:
                continue
            owes: cython.bint = r[k + END] > max(r[previous * WIDTH + ACKED], r[k + BEGIN])
            if owes and moment == NEVER and r[k + ARRIVES] <= r[copy * WIDTH + SENT]:
                moment = r[k + ARRIVES]
        return moment

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _before_peer_fin(
        self, at: cython.Py_ssize_t, side: cython.longlong, beyond: cython.Py_ssize_t
    ) -> cython.longlong:
        """When an uncaptured FIN had left at the latest, by the segment numbered behind it.

        If that also acknowledges the peer's FIN for the first time, and by no D-SACK, the FINs
        crossed: had this one answered the peer's, the peer would have sent its own once more.
        """
        r, e = self.r, self.e
        t: cython.longlong = r[beyond * WIDTH + SENT]
        theirs: cython.longlong = e[at + (1 - 2 * side) * SIDE_WIDTH + FIN_OCTET]
        if theirs < 0 or self.fins.covering(side, theirs, self.first) != beyond:
            return t
        copy: cython.Py_ssize_t = self.fins.fin_copy(1 - side, theirs, self.first)
        if copy >= 0 and self.fins.duplicate_sack(1 - side, theirs, beyond):
            return self._with_lost_ack(side, copy, beyond, t - 1)
        if copy < 0:
            return t
        before: cython.longlong = self.fins.last_before(
            side, e[at + FIN_OCTET], r[copy * WIDTH + ARRIVES]
        )
        if before == NEVER:
            return r[copy * WIDTH + ARRIVES] - MILLISECOND
        return before + max(0, r[copy * WIDTH + ARRIVES] - before) // 2

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _with_lost_ack(
        self,
        side: cython.longlong,
        copy: cython.Py_ssize_t,
        beyond: cython.Py_ssize_t,
        moment: cython.longlong,
    ) -> cython.longlong:
        """When a FIN left whose peer's FIN, `copy`, came before it and whose ACK was lost, too.

        A gap of one in the identification: one packet was both. Otherwise it lies between.
        """
        r = self.r
        previous: cython.Py_ssize_t = self._previous_numbered(side, beyond)
        if previous < 0 or r[beyond * WIDTH + IP_ID] <= 0:
            return moment
        gap: cython.longlong = r[beyond * WIDTH + IP_ID] - r[previous * WIDTH + IP_ID] - 1
        came: cython.longlong = r[copy * WIDTH + ARRIVES]
        return came + MILLISECOND if gap == 1 else came + max(0, moment - came) // 2

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _idle_since(
        self, at: cython.Py_ssize_t, side: cython.longlong, copy: cython.Py_ssize_t
    ) -> cython.longlong:
        """Since when something was outstanding before the FIN left: close() may be as old."""
        r = self.r
        begin: cython.longlong = r[copy * WIDTH + BEGIN]
        since: cython.longlong = r[copy * WIDTH + SENT] - self.e[at + JITTER] - MILLISECOND
        sent: cython.longlong = 0
        acked: cython.longlong = 0
        row: cython.Py_ssize_t
        for row in range(self.first, copy):
            k: cython.Py_ssize_t = row * WIDTH
            if r[k + COPY] or r[k + DOUBT] or r[k + KIND] != SEGMENT or r[k + FLAGS] & RST:
                continue
            if r[k + SENDER] == side:
                if r[k + END] > r[k + BEGIN] and sent <= acked:
                    since = r[k + SENT]
                sent = max(sent, r[k + END])
            else:
                acked = max(acked, r[k + ACKED])
        if acked >= begin:
            return r[copy * WIDTH + SENT] - self.e[at + JITTER] - MILLISECOND
        return since
