# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`FirstCopies`: how much older than its first captured copy a SYN or a FIN may be.

Copies before that one may have been lost on the way to the tap. How long a SYN waits for the next
one tells, and what IPv4 identification is missing (Linux counts it by one for each packet of a
socket, __ip_select_ident): without a gap nothing was lost.
"""

from __future__ import annotations

import cython

from tcptrace.tcp import flags
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.witness import Witness

if not cython.compiled:
    from tcptrace.tcp.sequence import diff_16

FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
IP_ID = cython.declare(cython.Py_ssize_t, Evidence.index("ip_id"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Evidence.index("payload"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
PROBE = cython.declare(cython.Py_ssize_t, Evidence.index("probe"))
REPEAT = cython.declare(cython.Py_ssize_t, Evidence.index("repeat"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
UNA = cython.declare(cython.Py_ssize_t, Sides.index("una"))
SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
RST = cython.declare(cython.longlong, flags.RST)
FAR = cython.declare(cython.longlong, 2_000_000)
FIRST_RTO = cython.declare(cython.longlong, 1_050_000_000)
EQUAL_WAITS = cython.declare(cython.longlong, 3_000_000_000)  # tcp_syn_linear_timeouts, but one
LAST_SYN = cython.declare(cython.longlong, 67_000_000_000)  # tcp_syn_retries, after the first
FULL_SEGMENT = cython.declare(cython.longlong, 1448)
COUNTED = cython.declare(cython.longlong, 64)  # a longer gap is no count
NEVER = cython.declare(cython.longlong, -1)


@cython.final
@cython.cclass
class FirstCopies:
    """What tells of SYNs and FINs lost before the tap, in one connection; `look` turns to it."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    w: Witness
    counted: cython.bint
    last_id: cython.longlong
    shown_id: cython.longlong
    missing: cython.longlong
    merged: cython.longlong
    nxt: cython.longlong
    largest: cython.longlong
    shown: cython.longlong

    def __init__(self, witness: Witness) -> None:
        self.w = witness
        self.r = witness.r
        self.e = witness.e

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def look(self, first: cython.Py_ssize_t) -> cython.int:
        """Turn to the connection whose rows begin there."""
        self.first = first
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def syn_is_older(self, at: cython.Py_ssize_t, syn: cython.Py_ssize_t) -> cython.longlong:
        """How much longer ago than the first SYN captured its sender may have begun, ns.

        Where the path is seen to lose: as long as it has been repeating by then. The wait for the
        next SYN tells, which is longer after each (RFC 6298 section 5); else nothing does.
        """
        if 0 <= self.e[at + TURNAROUND] <= FAR:
            return 0
        wait: cython.longlong = self._wait_for_next(syn)
        if wait > FIRST_RTO + FIRST_RTO // 2:
            return wait + EQUAL_WAITS
        if not self._some_lost(at, syn):
            return 0
        return LAST_SYN if wait == NEVER else wait + EQUAL_WAITS

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _wait_for_next(self, syn: cython.Py_ssize_t) -> cython.longlong:
        """How long after a SYN its sender repeated it; NEVER: not captured."""
        k: cython.Py_ssize_t = syn * WIDTH
        row: cython.Py_ssize_t = self.w.next_row(syn + 1, self.r[k + SENDER], SYN, ACK_BIT | RST)
        while row >= 0:
            wait: cython.longlong = self.r[row * WIDTH + SENT] - self.r[k + SENT]
            if self.r[row * WIDTH + BEGIN] == self.r[k + BEGIN] and wait > FIRST_RTO // 2:
                return wait
            row = self.w.next_row(row + 1, self.r[k + SENDER], SYN, ACK_BIT | RST)
        return NEVER

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _some_lost(self, at: cython.Py_ssize_t, syn: cython.Py_ssize_t) -> cython.bint:
        """Whether some of what a SYN's sender sent did not reach the tap: so may a SYN before it.

        Its octets have a hole, its identification has one, or its peer has more than the tap saw.
        """
        side: cython.longlong = self.r[syn * WIDTH + SENDER]
        nxt: cython.longlong = 1
        last: cython.longlong = self.r[syn * WIDTH + IP_ID]
        row: cython.Py_ssize_t = self.w.next_row(syn + 1, side, 0, RST)
        while row >= 0:
            k: cython.Py_ssize_t = row * WIDTH
            skipped: cython.longlong = self.r[k + IP_ID] - last
            if self.r[k + BEGIN] > nxt or (last > 0 and 1 < skipped < COUNTED):
                return True
            nxt = max(nxt, self.r[k + END])
            last = max(last, self.r[k + IP_ID])
            row = self.w.next_row(row + 1, side, 0, RST)
        return self.e[at + UNA] > nxt

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def fin_since(
        self, side: cython.longlong, fin: cython.longlong, stop: cython.Py_ssize_t
    ) -> cython.longlong:
        """When the side last showed, before the row `stop`, that its FIN had not left.

        An empty segment shows it by its number, SND.NXT. Octets do not, for they may be repeated,
        unless too few packets are missing by then to have held all others and the FIN.
        """
        self.counted = True
        self.last_id = self.shown_id = self.missing = self.merged = 0
        self.nxt, self.shown, self.largest = 1, NEVER, FULL_SEGMENT
        row: cython.Py_ssize_t = self.w.next_row(self.first, side, 0, RST)
        while 0 <= row < stop:
            k: cython.Py_ssize_t = row * WIDTH
            self.largest = max(self.largest, self.r[k + PAYLOAD])
            in_order: cython.bint = self._count(row)
            empty: cython.bint = self.r[k + END] == self.r[k + BEGIN] and not self.r[k + PROBE]
            if self.r[k + END] <= fin and in_order and (empty or not self._may_have_left(row, fin)):
                self.shown = max(self.shown, self.r[k + SENT])
                if empty:
                    self.missing, self.shown_id = 0, self.last_id
            if self.r[k + END] <= fin:
                self.nxt = max(self.nxt, self.r[k + END])
            row = self.w.next_row(row + 1, side, 0, RST)
        return self.shown

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def lost_before(
        self, side: cython.longlong, fin: cython.longlong, copy: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether an earlier FIN than the first captured, `copy`, may be missing since `fin_since`.

        That has just been asked up to the copy.
        """
        if self.last_id == 0:
            return False
        self._count(copy)
        return self.counted and self.missing >= self._needed(fin)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _may_have_left(self, row: cython.Py_ssize_t, fin: cython.longlong) -> cython.bint:
        """Whether the FIN may have left before a row of its sender that has octets."""
        if not self.counted:
            return self.r[row * WIDTH + REPEAT] != 0
        return self.missing >= self._needed(fin)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _needed(self, fin: cython.longlong) -> cython.longlong:
        """How many packets hold the octets up to a FIN that have not been seen, and the FIN."""
        return max(1, (fin - self.nxt + self.largest - 1) // self.largest)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _count(self, row: cython.Py_ssize_t) -> cython.bint:
        """Count what is missing before a row by its identification; whether it comes in order.

        What the capturing host put together to one segment (GRO) is not missing.
        """
        k: cython.Py_ssize_t = row * WIDTH
        number: cython.longlong = self.r[k + IP_ID]
        if number <= 0:  # a SYN,ACK has none, which Linux sends before it has a socket
            self.counted = self.counted and (self.r[k + FLAGS] & SYN) != 0
            return True
        gap: cython.longlong = diff_16(number, self.last_id) - 1
        if self.last_id == 0:
            self.shown_id, gap = number, 0
        if gap < -1 and gap > -COUNTED:
            if self.missing > 0 and diff_16(number, self.shown_id) > 0:
                self.missing -= 1
            return False
        self.counted = self.counted and -COUNTED < gap < COUNTED
        self.missing += max(0, gap - self.merged)
        self.merged = max(0, self.r[k + PAYLOAD] - 1) // FULL_SEGMENT
        self.last_id = number
        return True
