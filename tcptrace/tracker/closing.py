# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""How each endpoint closed: the milestones fin_out, fin_taken and fin_acked.

The acknowledgement of a FIN is the only proof that it was taken in (RFC 9293 section 3.10.7.4);
a repetition of any octet up to the FIN refutes every ACK of it that would have arrived before.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tcp.states import Event
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis
from tcptrace.tracker.witness import Witness

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Evidence.index("packet"))
KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Evidence.index("payload"))
HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Evidence.index("has_timestamp"))
TSVAL = cython.declare(cython.Py_ssize_t, Evidence.index("tsval"))
TSECR = cython.declare(cython.Py_ssize_t, Evidence.index("tsecr"))
IP_ID = cython.declare(cython.Py_ssize_t, Evidence.index("ip_id"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
SACK_BLOCKS = cython.declare(cython.Py_ssize_t, Evidence.index("sack_blocks"))
SACK_LEFT = cython.declare(cython.Py_ssize_t, Evidence.index("sack_1_left"))
SACK_RIGHT = cython.declare(cython.Py_ssize_t, Evidence.index("sack_1_right"))
SEQ = cython.declare(cython.Py_ssize_t, Evidence.index("seq"))
ACK = cython.declare(cython.Py_ssize_t, Evidence.index("ack"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
DOUBT = cython.declare(cython.Py_ssize_t, Evidence.index("doubt"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
REPEAT = cython.declare(cython.Py_ssize_t, Evidence.index("repeat"))
PROBE = cython.declare(cython.Py_ssize_t, Evidence.index("probe"))

FIN_OUT = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_out"))
FIN_ACKED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_acked"))
FIN_TAKEN = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_taken"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
EARLIEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("earliest"))
LATEST = cython.declare(cython.Py_ssize_t, list(FIELDS).index("latest"))
BASIS = cython.declare(cython.Py_ssize_t, list(FIELDS).index("basis"))
SHOWN_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("packet"))
CONFIRMED_BY = cython.declare(cython.Py_ssize_t, list(FIELDS).index("confirmed"))
ROW = cython.declare(cython.Py_ssize_t, list(FIELDS).index("row"))
BASE = cython.declare(cython.Py_ssize_t, Sides.index("base"))
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
JITTER = cython.declare(cython.Py_ssize_t, Sides.index("jitter"))
SPOKE = cython.declare(cython.Py_ssize_t, Sides.index("spoke"))
FIN_OCTET = cython.declare(cython.Py_ssize_t, Sides.index("fin"))
FIN_SEEN = cython.declare(cython.Py_ssize_t, Sides.index("fin_seen"))
NXT = cython.declare(cython.Py_ssize_t, Sides.index("nxt"))
UNA = cython.declare(cython.Py_ssize_t, Sides.index("una"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())
SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
OBSERVED = cython.declare(cython.longlong, Basis.OBSERVED)
CONFIRMED = cython.declare(cython.longlong, Basis.CONFIRMED)
PRESUMED = cython.declare(cython.longlong, Basis.PRESUMED)
INFERRED = cython.declare(cython.longlong, Basis.INFERRED)
SND_FIN = cython.declare(cython.longlong, Event.SND_FIN)
RCV_FIN = cython.declare(cython.longlong, Event.RCV_FIN)
RCV_ACK_OF_FIN = cython.declare(cython.longlong, Event.RCV_ACK_OF_FIN)
ECHO = cython.declare(cython.longlong, Reason.ECHO)
NOT_REPEATED = cython.declare(cython.longlong, Reason.NOT_REPEATED)
UNCAPTURED = cython.declare(cython.longlong, Reason.UNCAPTURED)
OWN_SEGMENT = cython.declare(cython.longlong, Reason.OWN_SEGMENT)
SILENCE = cython.declare(cython.longlong, Reason.SILENCE)
DUPLICATE_SACK = cython.declare(cython.longlong, Reason.DUPLICATE_SACK)
ONE_SIDED = cython.declare(cython.longlong, Reason.ONE_SIDED)

MILLISECOND = cython.declare(cython.longlong, 1_000_000)
DARK = cython.declare(cython.longlong, 3)
FULL_SEGMENT = cython.declare(cython.longlong, 1448)
LOST_MOST = cython.declare(cython.longlong, 6)
PROBE_AFTER = cython.declare(cython.longlong, 206_000_000)
PROBE_SLACK = cython.declare(cython.longlong, 60_000_000)
WIDE = cython.declare(cython.longlong, 100_000_000)
FIRST_RTO = cython.declare(cython.longlong, 250_000_000)
NEVER = cython.declare(cython.longlong, -1)
MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)


@cython.cfunc
@cython.exceptval(check=False)
def _diff(left: cython.longlong, right: cython.longlong) -> cython.longlong:
    """tcp.sequence.diff, for this kernel."""
    return ((left - right + 0x80000000) & MASK32) - 0x80000000


@cython.cclass
class Closing:
    """One pass over the evidence of a batch of connections."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    now: cython.longlong
    w: object

    def __init__(self, witness: Witness, rows: memoryview, sides: memoryview) -> None:
        self.w = witness
        self.r = rows
        self.e = sides

    def settle(
        self, offsets: cython.longlong[::1], count: cython.Py_ssize_t, now: cython.longlong[::1]
    ) -> None:
        """Fill the closing milestones of both sides; the tap watched a connection until `now`."""
        conn: cython.Py_ssize_t
        for conn in range(count):
            self.first, self.last = offsets[conn], offsets[conn + 1]
            self.now = now[conn]
            self.w.look(self.first, self.last)
            one: cython.Py_ssize_t = 2 * conn * SIDE_WIDTH
            two: cython.Py_ssize_t = one + SIDE_WIDTH
            for at in (one, two):
                for milestone in (FIN_OUT, FIN_ACKED, FIN_TAKEN):
                    self.e[at + milestone + WHEN] = NEVER
            self._hidden_fin(one, 0)
            self._hidden_fin(two, 1)
            self._close(one, two, 0)
            self._close(two, one, 1)

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _hidden_fin(self, at: cython.Py_ssize_t, side: cython.longlong) -> cython.int:
        """A FIN that was not captured: its octet is used or acknowledged, one past all captured."""
        r, e = self.r, self.e
        if e[at + FIN_OCTET] >= 0:
            return 0
        highest: cython.longlong = 1
        row: cython.Py_ssize_t
        if not e[at + SPOKE]:
            highest = self._acked_before_last(side)
        row = self.w.next_row(self.first, side, 0, RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if r[k + END] > r[k + BEGIN]:
                highest = max(highest, r[k + END])
            row = self.w.next_row(row + 1, side, 0, RST)
        if max(e[at + NXT], e[at + UNA]) == highest + 1:
            e[at + FIN_OCTET] = highest
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _acked_before_last(self, side: cython.longlong) -> cython.longlong:
        """What the peer acknowledged of an unseen side before it acknowledged the last of it."""
        r = self.r
        before: cython.longlong = 1
        last: cython.longlong = 1
        row: cython.Py_ssize_t = self.w.next_row(self.first, 1 - side, ACK_BIT, RST)
        while row >= 0:
            if r[row * WIDTH + ACKED] > last:
                before, last = last, r[row * WIDTH + ACKED]
            row = self.w.next_row(row + 1, 1 - side, ACK_BIT, RST)
        return before

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _close(
        self, at: cython.Py_ssize_t, peer: cython.Py_ssize_t, side: cython.longlong
    ) -> cython.int:
        """The FIN of one side: its sending, its being taken in, its being acknowledged."""
        fin: cython.longlong = self.e[at + FIN_OCTET]
        if fin < 0:
            return 0
        proof: cython.Py_ssize_t = self._covering(1 - side, fin, self.first)
        self._fin_leaves(at, side, fin, proof)
        self._fin_taken(at, peer, side, fin, proof)
        self._fin_acknowledged(at, peer, side, fin, proof)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _covering(
        self, side: cython.longlong, fin: cython.longlong, row: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """The side's next segment from `row` on that acknowledges the peer's octet `fin`."""
        row = self.w.next_row(row, side, ACK_BIT, RST)
        while row >= 0 and self.r[row * WIDTH + ACKED] <= fin:
            row = self.w.next_row(row + 1, side, ACK_BIT, RST)
        return row

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _fin_copy(
        self, side: cython.longlong, fin: cython.longlong, row: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """The side's next segment from `row` on that carries its FIN."""
        row = self.w.next_row(row, side, FIN, RST)
        while row >= 0 and self.r[row * WIDTH + END] != fin + 1:
            row = self.w.next_row(row + 1, side, FIN, RST)
        return row

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _beyond(
        self, side: cython.longlong, fin: cython.longlong, row: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """The side's next segment numbered behind its own FIN: it had sent it before."""
        row = self.w.next_row(row, side, 0, RST)
        while row >= 0 and self.r[row * WIDTH + BEGIN] <= fin:
            row = self.w.next_row(row + 1, side, 0, RST)
        return row

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _fin_leaves(
        self,
        at: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        r, e = self.r, self.e
        copy: cython.Py_ssize_t = self._fin_copy(side, fin, self.first)
        beyond: cython.Py_ssize_t = self._beyond(side, fin, self.first)
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
        low: cython.longlong = self._last_before(side, fin, t)
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
        if theirs < 0 or self._covering(side, theirs, self.first) != beyond:
            return t
        copy: cython.Py_ssize_t = self._fin_copy(1 - side, theirs, self.first)
        if copy >= 0 and self._duplicate_sack(1 - side, theirs, beyond):
            return self._with_lost_ack(side, copy, beyond, t - 1)
        if copy < 0:
            return t
        before: cython.longlong = self._last_before(
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
    def _last_before(
        self, side: cython.longlong, fin: cython.longlong, moment: cython.longlong
    ) -> cython.longlong:
        """When the side last sent something below its FIN, before the moment; NEVER if never."""
        r = self.r
        found: cython.longlong = NEVER
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, 0, RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if r[k + END] <= fin and r[k + SENT] <= moment:
                found = max(found, r[k + SENT])
            row = self.w.next_row(row + 1, side, 0, RST)
        return found

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

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _fin_taken(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        """The peer takes the FIN in: proved by its ACK, else presumed of a copy not refuted."""
        r, e = self.r, self.e
        m: cython.Py_ssize_t = peer + FIN_TAKEN
        cause: cython.Py_ssize_t
        if proof >= 0:
            cause = self._taken_copy(side, fin, proof)
            if cause >= 0:
                self.w.takes(m, peer, cause, proof)
                self.w.say(m, CONFIRMED, RCV_FIN, ECHO)
            else:
                t: cython.longlong = r[proof * WIDTH + SENT]
                self.w.moment(m, t, min(t, e[at + FIN_OUT + EARLIEST]), r[proof * WIDTH + TIME])
                self.w.say(m, INFERRED, RCV_FIN, UNCAPTURED)
                e[m + SHOWN_BY] = e[m + CONFIRMED_BY] = r[proof * WIDTH + PACKET]
            return 0
        cause = self._presumed_copy(peer, side, fin)
        if cause >= 0:
            self.w.takes(m, peer, cause, -1)
            self.w.say(m, PRESUMED, RCV_FIN, NOT_REPEATED)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _taken_copy(
        self, side: cython.longlong, fin: cython.longlong, proof: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """Which of the side's segments, arriving before the proof left, completed its octets."""
        r = self.r
        p: cython.Py_ssize_t = proof * WIDTH
        chosen: cython.Py_ssize_t = -1
        echoed: cython.Py_ssize_t = -1
        older: cython.Py_ssize_t = -1
        before: cython.Py_ssize_t = -1
        start: cython.Py_ssize_t = self._fin_copy(side, fin, self.first)
        row: cython.Py_ssize_t = start
        both: cython.bint
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if r[k + END] > r[k + BEGIN] and not r[k + PROBE] and r[k + DOUBT] == 0:
                both = r[k + HAS_TIMESTAMP] != 0 and r[p + HAS_TIMESTAMP] != 0
                if both and r[k + TSVAL] == r[p + TSECR] and echoed < 0:
                    echoed, before = row, chosen
                if both and _diff(r[k + TSVAL], r[p + TSECR]) < 0:
                    older = row
                if chosen < 0 or r[k + ARRIVES] <= r[p + SENT] + MILLISECOND:
                    chosen = row
            row = self.w.next_row(row + 1, side, 0, RST)
        if echoed >= 0 and before >= 0 and self._duplicate_sack(side, fin, proof):
            return before
        if echoed >= 0:
            return echoed
        return older if older >= 0 else chosen

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _duplicate_sack(
        self, side: cython.longlong, fin: cython.longlong, proof: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether the proof carries a D-SACK of the FIN (RFC 2883) that no ACK before it did."""
        r = self.r
        p: cython.Py_ssize_t = proof * WIDTH
        if r[p + SACK_BLOCKS] == 0 or _diff(r[p + SACK_RIGHT], r[p + ACK]) > 0:
            return False
        if _diff(r[p + ACK], r[p + SACK_RIGHT]) > r[p + ACKED] - (fin + 1):
            return False
        row: cython.Py_ssize_t = proof - 1
        while row >= self.first:
            k: cython.Py_ssize_t = row * WIDTH
            if r[k + SENDER] == r[p + SENDER] and not r[k + COPY] and r[k + KIND] == SEGMENT:
                same: cython.bint = r[k + SACK_RIGHT] == r[p + SACK_RIGHT]
                return not (r[k + SACK_BLOCKS] > 0 and same)
            row -= 1
        return True

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _presumed_copy(
        self, peer: cython.Py_ssize_t, side: cython.longlong, fin: cython.longlong
    ) -> cython.Py_ssize_t:
        """The first copy of the FIN after which the peer did not speak as if it lacked it."""
        r, e = self.r, self.e
        slack: cython.longlong = 2 * MILLISECOND + e[peer + JITTER]
        lacking: cython.longlong = NEVER
        row: cython.Py_ssize_t = self.w.next_row(self.first, 1 - side, ACK_BIT, 0)
        while row >= 0:
            lacking = max(lacking, r[row * WIDTH + SENT])
            row = self.w.next_row(row + 1, 1 - side, ACK_BIT, 0)
        unanswered: cython.longlong = 0
        found: cython.Py_ssize_t = -1
        row = self._fin_copy(side, fin, self.first)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            new: cython.bint = r[k + END] > r[k + BEGIN] and r[k + BEGIN] <= fin
            if new and not r[k + PROBE] and r[k + ARRIVES] + slack >= lacking:
                unanswered += 1
                if found < 0:
                    found = row
            row = self.w.next_row(row + 1, side, 0, RST)
        return found if unanswered < DARK or not e[peer + SPOKE] else -1

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _fin_acknowledged(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        r, e = self.r, self.e
        m: cython.Py_ssize_t = at + FIN_ACKED
        repeated: cython.longlong = self._last_repeat(side, fin)
        slack: cython.longlong = 2 * MILLISECOND + e[at + JITTER]
        row: cython.Py_ssize_t = proof
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            held: cython.bint = r[k + DOUBT] == 0 and r[k + ARRIVES] + slack >= repeated
            if held and not self._missed(side, row, slack):
                break
            row = self._covering(1 - side, fin, row + 1)
        if row >= 0:
            self.w.takes(m, at, row, -1)
            self.w.say(m, PRESUMED, RCV_ACK_OF_FIN, NOT_REPEATED)
            self._confirm_ack(at, peer, side, row)
        elif not e[peer + SPOKE] or self._quiet(at, side, fin):
            self._silent_ack(at, peer, side, fin, proof)
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _missed(
        self, side: cython.longlong, row: cython.Py_ssize_t, slack: cython.longlong
    ) -> cython.bint:
        """Whether an ACK rode on octets that the side later shows that it lacks."""
        r = self.r
        k: cython.Py_ssize_t = row * WIDTH
        if r[k + END] == r[k + BEGIN]:
            return False
        later: cython.Py_ssize_t = self.w.next_row(row + 1, side, ACK_BIT, RST)
        while later >= 0:
            o: cython.Py_ssize_t = later * WIDTH
            if r[o + SENT] > r[k + ARRIVES] + slack:
                return r[o + ACKED] <= r[k + BEGIN] and not self._sacks(o, k)
            later = self.w.next_row(later + 1, side, ACK_BIT, RST)
        return False

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _sacks(self, o: cython.Py_ssize_t, k: cython.Py_ssize_t) -> cython.bint:
        """Whether a segment's first two SACK blocks hold the first octet of another."""
        r = self.r
        block: cython.Py_ssize_t
        for block in range(min(r[o + SACK_BLOCKS], 2)):
            left: cython.longlong = r[o + SACK_LEFT + 2 * block]
            if _diff(r[k + SEQ], left) >= 0 and _diff(r[k + SEQ], left) < _diff(
                r[o + SACK_RIGHT + 2 * block], left
            ):
                return True
        return False

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _confirm_ack(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        cause: cython.Py_ssize_t,
    ) -> cython.int:
        """A later segment proves it: it echoes the ACK or acknowledges octets sent only with it."""
        r, e = self.r, self.e
        c: cython.Py_ssize_t = cause * WIDTH
        m: cython.Py_ssize_t = at + FIN_ACKED
        fresh: cython.longlong = r[c + BEGIN]
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, ACK_BIT, RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            later: cython.bint = r[k + SENT] >= r[c + TIME]
            echo: cython.bint = (
                r[k + HAS_TIMESTAMP] != 0
                and r[c + HAS_TIMESTAMP] != 0
                and _diff(r[k + TSECR], r[c + TSVAL]) >= 0
            )
            if later and (echo or (r[k + ACKED] > fresh and r[c + REPEAT] == 0)):
                e[m + BASIS], e[m + CONFIRMED_BY] = CONFIRMED, r[k + PACKET]
                e[m + LATEST] = max(e[m + EARLIEST], r[k + TIME])
                e[m + WHEN] = max(e[m + EARLIEST], min(e[m + WHEN], r[k + SENT]))
                return 0
            row = self.w.next_row(row + 1, side, ACK_BIT, RST)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _last_repeat(self, side: cython.longlong, fin: cython.longlong) -> cython.longlong:
        """When the side last repeated an octet up to its FIN; NEVER if it did not."""
        r = self.r
        latest: cython.longlong = NEVER
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, 0, RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            if r[k + BEGIN] <= fin and r[k + END] > r[k + BEGIN] and not r[k + PROBE]:
                latest = max(latest, r[k + SENT])
            row = self.w.next_row(row + 1, side, 0, RST)
        return latest

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _quiet(
        self, at: cython.Py_ssize_t, side: cython.longlong, fin: cython.longlong
    ) -> cython.bint:
        """Whether the side would have repeated its FIN by now, had no ACK arrived."""
        r = self.r
        last: cython.longlong = NEVER
        gap: cython.longlong = FIRST_RTO + 2 * max(self.e[at + TURNAROUND], 0)
        row: cython.Py_ssize_t = self._fin_copy(side, fin, self.first)
        copies: cython.longlong = 0
        while row >= 0:
            sent: cython.longlong = r[row * WIDTH + SENT]
            if last != NEVER:
                gap = max(gap, 2 * (sent - last))
            last = sent
            copies += 1
            row = self._fin_copy(side, fin, row + 1)
        if last == NEVER:
            return True
        return copies < DARK and self._reset_after(last) > last + (gap * 11) // 5

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _reset_after(self, moment: cython.longlong) -> cython.longlong:
        """Until when silence tells something: a RST after the moment, or the end of watching."""
        r = self.r
        row: cython.Py_ssize_t = self.w.next_row(self.first, -1, RST, 0)
        while row >= 0:
            if r[row * WIDTH + TIME] >= moment:
                return r[row * WIDTH + TIME]
            row = self.w.next_row(row + 1, -1, RST, 0)
        return self.now

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _silent_ack(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        fin: cython.longlong,
        proof: cython.Py_ssize_t,
    ) -> cython.int:
        """No ACK of the FIN was captured that holds, yet nothing is repeated: one came unseen."""
        e = self.e
        m: cython.Py_ssize_t = at + FIN_ACKED
        trip: cython.longlong = max(e[peer + TURNAROUND], 0) + max(e[at + TURNAROUND], 0)
        t: cython.longlong = max(self._last_repeat(side, fin), e[at + FIN_OUT + WHEN])
        after: cython.Py_ssize_t = self._beyond(side, fin, self.first)
        late: cython.longlong = t + trip + FIRST_RTO
        when: cython.longlong = t + trip
        if not e[peer + SPOKE] and after >= 0:
            late = max(t, self.r[after * WIDTH + SENT])
            when = t + (late - t) // 2
        self.w.moment(m, when, t, late)
        self.w.say(m, INFERRED, RCV_ACK_OF_FIN, SILENCE)
        if e[peer + FIN_TAKEN + WHEN] == NEVER:
            self.w.moment(peer + FIN_TAKEN, t + trip // 2, t, t + trip)
            self.w.say(peer + FIN_TAKEN, INFERRED, RCV_FIN, SILENCE)
        return 0
