# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`LostFins`: FINs that were lost before the tap, and when they had left.

Gaps in the IPv4 identification tell of them, and how long a repeat waits tells when.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tracker.fins import Fins
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.waits import Waits
from tcptrace.tracker.witness import Witness

if not cython.compiled:
    from tcptrace.tcp.sequence import diff, diff_16

KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
IP_ID = cython.declare(cython.Py_ssize_t, Evidence.index("ip_id"))
HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Evidence.index("has_timestamp"))
TSVAL = cython.declare(cython.Py_ssize_t, Evidence.index("tsval"))
TSECR = cython.declare(cython.Py_ssize_t, Evidence.index("tsecr"))
SACK_BLOCKS = cython.declare(cython.Py_ssize_t, Evidence.index("sack_blocks"))
SACK_RIGHT = cython.declare(cython.Py_ssize_t, Evidence.index("sack_1_right"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
ACK = cython.declare(cython.Py_ssize_t, Evidence.index("ack"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
REPEAT = cython.declare(cython.Py_ssize_t, Evidence.index("repeat"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
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
PRESUMED = cython.declare(cython.longlong, Basis.PRESUMED)
MILLISECOND = cython.declare(cython.longlong, 1_000_000)
FULL_SEGMENT = cython.declare(cython.longlong, 1448)
NEARBY = cython.declare(cython.longlong, 64)
LOST_MOST = cython.declare(cython.longlong, 6)
PROBE_AFTER = cython.declare(cython.longlong, 206_000_000)
DELAYED_ACK = cython.declare(cython.longlong, 45_000_000)  # TCP_DELACK_MIN and a tick
SOON = cython.declare(cython.longlong, 30_000_000)
REPEATED_AFTER = cython.declare(cython.longlong, 1_000_000_000)  # two were lost, at the most
PROMPT = cython.declare(cython.longlong, 100_000_000)
PROBE_SLACK = cython.declare(cython.longlong, 60_000_000)
NEVER = cython.declare(cython.longlong, -1)


@cython.final
@cython.cclass
class LostFins:
    """What tells of FINs lost before the tap, in one connection at a time; `look` turns to it."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    now: cython.longlong
    w: Witness
    fins: Fins
    waits: Waits

    def __init__(self, fins: Fins, witness: Witness) -> None:
        self.fins = fins
        self.waits = Waits(witness)
        self.w = witness
        self.r = witness.r
        self.e = witness.e

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def look(
        self, first: cython.Py_ssize_t, last: cython.Py_ssize_t, now: cython.longlong
    ) -> cython.int:
        """Turn to the rows of one connection, which the tap watched until `now`."""
        self.first, self.last, self.now = first, last, now
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def between(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        beyond: cython.Py_ssize_t,
        low: cython.longlong,
    ) -> cython.longlong:
        """When a lost FIN left, between `low` and the segment numbered behind it.

        With what arrived unacknowledged, if a D-SACK tells that it did; else where the copy that
        was captured would be its probe; else midway.
        """
        b: cython.Py_ssize_t = beyond * WIDTH
        t: cython.longlong = self.r[b + SENT]
        if self.r[b + SACK_BLOCKS] and diff(self.r[b + SACK_RIGHT], self.r[b + ACK]) <= 0:
            owed: cython.longlong = self._owed(side, self._own_before(side, beyond), beyond)
            if low < owed < t:
                return owed
        copy: cython.Py_ssize_t = self.fins.fin_copy(side, fin, self.first)
        if copy >= 0:
            first: cython.longlong = self.r[copy * WIDTH + SENT] - self._probe_wait(
                at, side, self.r[copy * WIDTH + SENT]
            )
            if low < first < t:
                return first
        return low + min((t - low) // 2, SOON)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _own_before(self, side: cython.longlong, before: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The side's last row before another; that itself if there is none."""
        row: cython.Py_ssize_t = before - 1
        while row >= self.first:
            k: cython.Py_ssize_t = row * WIDTH
            if self.r[k + SENDER] == side and self.r[k + KIND] == SEGMENT:
                return row
            row -= 1
        return before

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _probe_wait(
        self, at: cython.Py_ssize_t, side: cython.longlong, moment: cython.longlong
    ) -> cython.longlong:
        """How long after a FIN that was lost its tail-loss probe leaves, at that moment."""
        self.waits.measure(self.first, self.last, side, moment)
        return self.waits.of_probe() or PROBE_AFTER + (6 * self._trip(at, side)) // 5

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _trip(self, at: cython.Py_ssize_t, side: cython.longlong) -> cython.longlong:
        """How long a side waits for an answer, on the average."""
        theirs: cython.Py_ssize_t = at + (1 - 2 * side) * SIDE_WIDTH
        nearest: cython.longlong = max(self.e[at + TURNAROUND], 0) + max(
            self.e[theirs + TURNAROUND], 0
        )
        return nearest + (self.e[at + JITTER] + self.e[theirs + JITTER]) // 2

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def lost_copies(
        self, at: cython.Py_ssize_t, side: cython.longlong, copy: cython.Py_ssize_t
    ) -> cython.int:
        """A gap in the IPv4 identification before the first captured FIN tells of lost ones.

        Linux counts it by one for each packet of a socket (__ip_select_ident), and repeats a FIN
        by tail-loss probe after about 206 ms and a round trip (tcp_schedule_loss_probe).
        """
        k: cython.Py_ssize_t = copy * WIDTH
        theirs: cython.Py_ssize_t = at + (1 - 2 * side) * SIDE_WIDTH
        previous: cython.Py_ssize_t = self.previous_numbered(side, copy)
        if self.e[at + TURNAROUND] < 2 * MILLISECOND:
            return 0
        if previous < 0 or self.r[k + IP_ID] <= 0:
            return self._lost_with_ack(at, side, copy)
        p: cython.Py_ssize_t = previous * WIDTH
        gap: cython.longlong = (self.r[k + IP_ID] - self.r[p + IP_ID] - 1) & 0xFFFF
        if not 0 < gap < LOST_MOST:
            return 0
        hole: cython.longlong = max(0, self.r[k + BEGIN] - self._sent_before(side, copy))
        gap -= (hole + FULL_SEGMENT - 1) // FULL_SEGMENT
        if gap <= 0:
            return 0
        wait: cython.longlong = self._probe_wait(at, side, self.r[k + SENT])
        if hole:
            wait = 2 * self._trip(at, side) + 8 * MILLISECOND
        owed: cython.longlong = self._owed(side, previous, copy)
        if not hole and owed == NEVER:  # a timeout follows the probe, then twice as long a one
            wait += self.waits.timeout() * ((1 << (gap - 1)) - 1)
        moment: cython.longlong = self.r[k + SENT] - wait
        if owed != NEVER and gap == 1:
            if owed < moment - PROBE_SLACK or owed > moment + PROBE_SLACK:
                return 0
            if self.r[k + ACKED] <= self.e[theirs + FIN_OCTET] or self.e[theirs + FIN_OCTET] < 0:
                return 0
            moment = owed
        moment = max(moment, self.r[p + SENT])
        self.e[at + FIN_OUT + WHEN] = moment
        self.e[at + FIN_OUT + EARLIEST] = min(self.e[at + FIN_OUT + EARLIEST], self.r[p + SENT])
        self.e[at + FIN_OUT + BASIS] = PRESUMED
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _lost_with_ack(
        self, at: cython.Py_ssize_t, side: cython.longlong, copy: cython.Py_ssize_t
    ) -> cython.int:
        """Without identification it is the ACK that is missing which tells of a lost FIN.

        What arrived is acknowledged within a delayed ACK's time (RFC 9293 section 3.8.6.3). If
        instead a FIN is the first to do so, and as late as the probe of one that left in that
        time, then that one carried the ACK.
        """
        k: cython.Py_ssize_t = copy * WIDTH
        margin: cython.longlong = PROBE_SLACK // 2 + self.e[at + JITTER]
        owed: cython.longlong = self._owed(side, self._own_before(side, copy), copy)
        moment: cython.longlong = self.r[k + SENT] - self._probe_wait(at, side, self.r[k + SENT])
        if owed == NEVER:
            return self._lost_at_once(at, side, copy, moment)
        owed = max(owed, self._echoed(side, copy))
        if owed - margin <= moment <= owed + DELAYED_ACK + margin:
            self.e[at + FIN_OUT + WHEN] = max(moment, owed)
            self.e[at + FIN_OUT + EARLIEST] = min(self.e[at + FIN_OUT + EARLIEST], owed - margin)
            self.e[at + FIN_OUT + BASIS] = PRESUMED
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _lost_at_once(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        copy: cython.Py_ssize_t,
        moment: cython.longlong,
    ) -> cython.int:
        """On a path that loses segments a FIN that comes as a probe would, after silence, is one.

        Programs that close first do so as soon as they have read or written what they wanted; few
        do so a probe's time later. Who closes second may have waited. `moment` is when the FIN
        would have left that was lost.
        """
        margin: cython.longlong = PROBE_SLACK // 3 + self.e[at + JITTER] // 2
        margin += (self.r[copy * WIDTH + SENT] - moment) // 16
        fin: cython.longlong = self.e[at + FIN_OCTET]
        peer_fin: cython.longlong = self.e[at + (1 - 2 * side) * SIDE_WIDTH + FIN_OCTET]
        second: cython.bint = 0 <= peer_fin < self.r[copy * WIDTH + ACKED]
        own: cython.longlong = self.fins.last_before(side, fin, self.r[copy * WIDTH + SENT] - 1)
        heard: cython.longlong = NEVER
        least: cython.longlong = self.r[copy * WIDTH + SENT] - REPEATED_AFTER
        lossy: cython.bint = False
        row: cython.Py_ssize_t
        for row in range(self.first, self.last):
            k: cython.Py_ssize_t = row * WIDTH
            lossy = lossy or self.r[k + REPEAT] != 0 or self.r[k + SACK_BLOCKS] > 0
            if self.r[k + SENDER] != side and self.r[k + ARRIVES] <= moment + margin:
                heard = max(heard, self.r[k + ARRIVES])
        if not lossy or own > moment + margin:
            return 0
        self.e[at + FIN_OUT + EARLIEST] = min(
            self.e[at + FIN_OUT + EARLIEST], max(own, least) - margin
        )
        if not second and max(own, heard) >= moment - margin - PROMPT:
            self.e[at + FIN_OUT + WHEN] = max(moment, own)
            self.e[at + FIN_OUT + BASIS] = PRESUMED
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _echoed(self, side: cython.longlong, row: cython.Py_ssize_t) -> cython.longlong:
        """When the segment arrived whose TSval a side's row echoes; NEVER for none."""
        k: cython.Py_ssize_t = row * WIDTH
        other: cython.Py_ssize_t = row - 1
        while other >= self.first and self.r[k + HAS_TIMESTAMP]:
            o: cython.Py_ssize_t = other * WIDTH
            theirs: cython.bint = self.r[o + SENDER] != side and self.r[o + KIND] == SEGMENT
            if theirs and self.r[o + HAS_TIMESTAMP] and self.r[o + TSVAL] == self.r[k + TSECR]:
                return self.r[o + ARRIVES]
            other -= 1
        return NEVER

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _sent_before(self, side: cython.longlong, copy: cython.Py_ssize_t) -> cython.longlong:
        """One past the highest octet of the side that was captured before a row."""
        highest: cython.longlong = 1
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, 0, RST)
        while 0 <= row < copy:
            highest = max(highest, self.r[row * WIDTH + END])
            row = self.w.next_row(row + 1, side, 0, RST)
        return highest

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def previous_numbered(
        self, side: cython.longlong, copy: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """The side's row with the next lower identification; -1 if none nearby has a lower one.

        Nearby rows on both sides are asked, for the path may have turned them.
        """
        found: cython.Py_ssize_t = -1
        nearest: cython.longlong = NEARBY
        row: cython.Py_ssize_t
        for row in range(max(self.first, copy - NEARBY), min(self.last, copy + NEARBY)):
            k: cython.Py_ssize_t = row * WIDTH
            own: cython.bint = self.r[k + SENDER] == side and self.r[k + KIND] == SEGMENT
            if own and self.r[k + IP_ID] > 0 and not self.r[k + FLAGS] & (SYN | RST):
                behind: cython.longlong = diff_16(self.r[copy * WIDTH + IP_ID], self.r[k + IP_ID])
                if 0 < behind < nearest:
                    found, nearest = row, behind
        return found

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _owed(
        self, side: cython.longlong, previous: cython.Py_ssize_t, copy: cython.Py_ssize_t
    ) -> cython.longlong:
        """When what the side had yet to acknowledge at `previous` arrived; NEVER: it owed none."""
        moment: cython.longlong = NEVER
        row: cython.Py_ssize_t
        for row in range(self.first, copy):
            k: cython.Py_ssize_t = row * WIDTH
            if self.r[k + SENDER] == side or self.r[k + COPY] or self.r[k + KIND] != SEGMENT:
                continue
            owes: cython.bint = self.r[k + END] > max(
                self.r[previous * WIDTH + ACKED], self.r[k + BEGIN]
            )
            if owes and moment == NEVER and self.r[k + ARRIVES] <= self.r[copy * WIDTH + SENT]:
                moment = self.r[k + ARRIVES]
        return moment
