# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`ZeekTimers` ⚙: where a row of Zeek's is over, and a segment begins another one.

`k` is the first cell of a slot's row.
"""

from __future__ import annotations

import cython

from tcptrace.tcp import flags as bits
from tcptrace.tracker import zeek_rows as words
from tcptrace.tracker.zeek_rows import EndpointState, ZeekSlots

TIME_END = cython.declare(cython.Py_ssize_t, ZeekSlots.index("time_end"))
ATTEMPT_AT = cython.declare(cython.Py_ssize_t, ZeekSlots.index("attempt_at"))
DELETE_AT = cython.declare(cython.Py_ssize_t, ZeekSlots.index("delete_at"))
CREATED = cython.declare(cython.Py_ssize_t, ZeekSlots.index("created"))
START = cython.declare(cython.Py_ssize_t, ZeekSlots.index("start_0"))
ORIG = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("orig"))
IDLE = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("idle"))
STATE = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("state_0"))
CLOSED_SIDE = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("closed_0"))
SYN = cython.declare(cython.longlong, bits.SYN)
ACK = cython.declare(cython.longlong, bits.ACK)
INACTIVE = cython.declare(cython.longlong, int(EndpointState.INACTIVE))
SYN_SENT = cython.declare(cython.longlong, int(EndpointState.SYN_SENT))
SYN_ACK_SENT = cython.declare(cython.longlong, int(EndpointState.SYN_ACK_SENT))
RESET = cython.declare(cython.longlong, int(EndpointState.RESET))
SETTLED = cython.declare(cython.longlong, words.IDLES.index(words.IDLE))
PATIENTLY = cython.declare(cython.longlong, words.IDLES.index(words.PATIENT_IDLE))
HANDSHAKE_IDLE = cython.declare(cython.longlong, words.HANDSHAKE_IDLE)
SETTLED_IDLE = cython.declare(cython.longlong, words.IDLE)
PATIENT_IDLE = cython.declare(cython.longlong, words.PATIENT_IDLE)
NEVER = cython.declare(cython.longlong, words.NEVER)
LINGER = cython.declare(cython.longlong, words.LINGER)
SESSION_CHECK = cython.declare(cython.longlong, words.SESSION_CHECK)


@cython.final
@cython.cclass
class ZeekTimers:
    """The timers of many connections: `ZeekSlots`, a row a slot, and the same as octets."""

    cells: cython.longlong[::1]
    octets: cython.uchar[::1]

    @cython.ccall
    @cython.exceptval(-1)
    def look(self, cells: cython.longlong[::1], octets: cython.uchar[::1]) -> cython.int:
        """Turn to where the rows are now."""
        self.cells, self.octets = cells, octets
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def may_be_over(
        self, k: cython.Py_ssize_t, flags: cython.longlong, now: cython.longlong
    ) -> cython.bint:
        """Whether `is_over` has to be asked at all: most segments come long before any timer."""
        return (
            flags & SYN != 0
            or now >= self.cells[k + ATTEMPT_AT]
            or now >= self.cells[k + DELETE_AT]
            or now >= self.cells[k + TIME_END] + LINGER
        )

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def is_over(
        self,
        k: cython.Py_ssize_t,
        flags: cython.longlong,
        seq: cython.longlong,
        now: cython.longlong,
    ) -> cython.bint:
        """Whether a segment begins another of Zeek's rows: by a timer, or as a SYN that reuses."""
        return self._timed_out(k, now) or (flags & SYN != 0 and self._is_reused(k, flags, seq))

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _timed_out(self, k: cython.Py_ssize_t, now: cython.longlong) -> cython.bint:
        orig: cython.longlong = self.octets[8 * k + STATE + self.octets[8 * k + ORIG]]
        resp: cython.longlong = self.octets[8 * k + STATE + 1 - self.octets[8 * k + ORIG]]
        if now >= self.cells[k + ATTEMPT_AT]:
            self.cells[k + ATTEMPT_AT] = NEVER
            if resp == INACTIVE and orig in (SYN_SENT, SYN_ACK_SENT):
                return True
        created: cython.longlong = self.cells[k + CREATED]
        active: cython.longlong = self.cells[k + TIME_END]
        if now >= self.cells[k + DELETE_AT] or now - active >= self._patience(k):
            return True
        if now - active <= LINGER or not self._seems_over(k):
            return False
        checks: cython.longlong = max(0, (active - created) // SESSION_CHECK + 1)
        return created + LINGER + checks * SESSION_CHECK <= now

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _patience(self, k: cython.Py_ssize_t) -> cython.longlong:
        """How long its silence is borne."""
        if self.octets[8 * k + IDLE] == PATIENTLY:
            return PATIENT_IDLE
        return SETTLED_IDLE if self.octets[8 * k + IDLE] == SETTLED else HANDSHAKE_IDLE

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _seems_over(self, k: cython.Py_ssize_t) -> cython.bint:
        o: cython.Py_ssize_t = 8 * k
        one: cython.longlong = self.octets[o + STATE]
        other: cython.longlong = self.octets[o + STATE + 1]
        closed: cython.longlong = self.octets[o + CLOSED_SIDE] + self.octets[o + CLOSED_SIDE + 1]
        if closed == 1:
            return one in (INACTIVE, RESET) or other in (INACTIVE, RESET)
        return closed == 2 or (one == INACTIVE and other == INACTIVE)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _is_reused(
        self, k: cython.Py_ssize_t, flags: cython.longlong, seq: cython.longlong
    ) -> cython.bint:
        """TCPSessionAdapter::IsReuse."""
        o: cython.Py_ssize_t = 8 * k
        orig: cython.Py_ssize_t = self.octets[o + ORIG]
        resp: cython.Py_ssize_t = 1 - orig
        if flags & ACK and self.octets[o + STATE + orig] != INACTIVE:
            return False
        if self.octets[o + CLOSED_SIDE] or self.octets[o + CLOSED_SIDE + 1]:
            return True
        if seq == self.cells[k + START + (resp if flags & ACK else orig)]:
            return False
        crossed: cython.bint = not flags & ACK and self.octets[o + STATE + orig] == SYN_ACK_SENT
        crossed = crossed and self.octets[o + STATE + resp] == INACTIVE
        return not (crossed and seq == self.cells[k + START + resp])
