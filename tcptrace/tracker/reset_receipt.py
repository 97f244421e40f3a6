# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`ResetReceipt`: which RSTs their receiver would have taken in.

It must be numbered with the octet that is expected (RFC 5961 section 3.2; Linux
tcp_validate_incoming), or acknowledge the SYN, and the path must not have been dark.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tcp.states import Event
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.witness import Witness

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
SEQ = cython.declare(cython.Py_ssize_t, Evidence.index("seq"))
ACK = cython.declare(cython.Py_ssize_t, Evidence.index("ack"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
DOUBT = cython.declare(cython.Py_ssize_t, Evidence.index("doubt"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
PROBE = cython.declare(cython.Py_ssize_t, Evidence.index("probe"))
ACTIVE = cython.declare(cython.Py_ssize_t, Sides.index("active"))
FIN_OCTET = cython.declare(cython.Py_ssize_t, Sides.index("fin"))
OPENED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("opened"))
FIN_ACKED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("fin_acked"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
EVENT = cython.declare(cython.Py_ssize_t, list(FIELDS).index("event"))
MID_STREAM = cython.declare(cython.longlong, Event.MID_STREAM)
SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
NEVER = cython.declare(cython.longlong, -1)
DARK_AFTER = cython.declare(cython.longlong, 300_000_000)


@cython.final
@cython.cclass
class ResetReceipt:
    """Whether a RST could be taken in, for one connection at a time; `look` turns to it."""

    r: cython.longlong[::1]
    e: cython.longlong[::1]
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    w: Witness

    def __init__(self, witness: Witness) -> None:
        self.w = witness
        self.r = witness.r
        self.e = witness.e

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def look(self, first: cython.Py_ssize_t, last: cython.Py_ssize_t) -> cython.int:
        """Turn to the rows of one connection."""
        self.first, self.last = first, last
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def valid(
        self,
        at: cython.Py_ssize_t,
        peer: cython.Py_ssize_t,
        side: cython.longlong,
        row: cython.Py_ssize_t,
    ) -> cython.bint:
        k: cython.Py_ssize_t = row * WIDTH
        if self.e[at + ACTIVE] and not self._acknowledges_syn(side, row):
            return self.r[k + FLAGS] & ACK_BIT != 0 and self.r[k + ACKED] >= 1
        if self.e[at + OPENED + EVENT] == MID_STREAM and self.e[peer + ACTIVE]:
            return self._expected(side, row)
        low: cython.longlong = 1
        edge: cython.longlong = 1
        other: cython.Py_ssize_t
        for other in range(self.first, self.last):
            o: cython.Py_ssize_t = other * WIDTH
            if (
                self.r[o + KIND] != SEGMENT
                or self.r[o + FLAGS] & RST
                or self.r[o + COPY]
                or self.r[o + DOUBT] == 1
            ):
                continue
            if self.r[o + SENDER] == side and self.r[o + SENT] <= self.r[k + ARRIVES]:
                low = max(low, self.r[o + ACKED])
            elif self.r[o + SENDER] != side and other < row:
                edge = max(edge, self.r[o + END])
        begin: cython.longlong = self.r[k + BEGIN]
        if low <= begin <= max(edge, low):
            return True
        return begin == self.e[peer + FIN_OCTET] == low - 1 and not self._in_time_wait(at, row)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _in_time_wait(self, at: cython.Py_ssize_t, row: cython.Py_ssize_t) -> cython.bint:
        """Whether a RST finds both FINs done with.

        While its own FIN is not acknowledged, Linux takes a RST with the number of the peer's
        FIN, too (tcp_reset_check); TIME_WAIT takes the number behind it alone
        (tcp_timewait_state_process).
        """
        acked: cython.longlong = self.e[at + FIN_ACKED + WHEN]
        return acked != NEVER and acked <= self.r[row * WIDTH + ARRIVES]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _expected(self, side: cython.longlong, row: cython.Py_ssize_t) -> cython.bint:
        """Whether it has the number that its receiver's last segment before it asked for."""
        last: cython.Py_ssize_t = -1
        other: cython.Py_ssize_t = self.w.next_row(self.first, side, ACK_BIT, RST)
        while 0 <= other < row:
            last = other
            other = self.w.next_row(other + 1, side, ACK_BIT, RST)
        return last >= 0 and self.r[last * WIDTH + ACK] == self.r[row * WIDTH + SEQ]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _acknowledges_syn(self, side: cython.longlong, row: cython.Py_ssize_t) -> cython.bint:
        """Whether the active side had shown, before the RST came, that it has the SYN,ACK."""
        other: cython.Py_ssize_t = self.w.next_row(self.first, side, ACK_BIT, RST)
        while other >= 0:
            if self.r[other * WIDTH + ACKED] >= 1:
                return self.r[other * WIDTH + SENT] <= self.r[row * WIDTH + ARRIVES]
            other = self.w.next_row(other + 1, side, ACK_BIT, RST)
        return self.w.next_row(self.first, 1 - side, SYN | ACK_BIT, RST) >= 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def dark(self, side: cython.longlong, row: cython.Py_ssize_t) -> cython.bint:
        """Whether the RST's sender had asked for an answer over and over and heard nothing."""
        asked: cython.longlong = 0
        since: cython.longlong = self.r[row * WIDTH + TIME]
        other: cython.Py_ssize_t = row - 1
        while other >= self.first:
            k: cython.Py_ssize_t = other * WIDTH
            if self.r[k + SENDER] == side:
                break
            if self.r[k + END] > self.r[k + BEGIN] or self.r[k + PROBE]:
                asked += 0 if self.r[k + COPY] else 1
                since = self.r[k + TIME]
            other -= 1
        return asked >= 2 and self.r[row * WIDTH + TIME] - since > DARK_AFTER
