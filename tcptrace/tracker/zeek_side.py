# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`ZeekSides` ⚙: endpoints in the eyes of the Zeek model, and what is known of their streams.

Everywhere `k` is the first cell of a slot's row and `own` the sender whose endpoint it is about,
0 or 1; `flags` are tcp.flags.
"""

from __future__ import annotations

import cython

from tcptrace.tcp import flags as bits
from tcptrace.tcp import sequence
from tcptrace.tracker import zeek_rows as words
from tcptrace.tracker.blocks import Blocks
from tcptrace.tracker.zeek_rows import EndpointState, ZeekSlots

if not cython.compiled:
    from tcptrace.tcp.sequence import diff

WIDTH = cython.declare(cython.Py_ssize_t, ZeekSlots.width())
START = cython.declare(cython.Py_ssize_t, ZeekSlots.index("start_0"))
LAST = cython.declare(cython.Py_ssize_t, ZeekSlots.index("last_0"))
ACKED = cython.declare(cython.Py_ssize_t, ZeekSlots.index("acked_0"))
DELIVERED = cython.declare(cython.Py_ssize_t, ZeekSlots.index("delivered_0"))
TRIMMED = cython.declare(cython.Py_ssize_t, ZeekSlots.index("trimmed_0"))
HIGH = cython.declare(cython.Py_ssize_t, ZeekSlots.index("high_0"))
STATE = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("state_0"))
BEFORE = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("before_0"))
GIVEN_UP = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("given_up_0"))
FINS = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("fins_0"))
HOLES = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("holes_0"))
FIN = cython.declare(cython.longlong, bits.FIN)
SYN = cython.declare(cython.longlong, bits.SYN)
RST = cython.declare(cython.longlong, bits.RST)
INACTIVE = cython.declare(cython.longlong, int(EndpointState.INACTIVE))
SYN_SENT = cython.declare(cython.longlong, int(EndpointState.SYN_SENT))
SYN_ACK_SENT = cython.declare(cython.longlong, int(EndpointState.SYN_ACK_SENT))
PARTIAL = cython.declare(cython.longlong, int(EndpointState.PARTIAL))
ESTABLISHED = cython.declare(cython.longlong, int(EndpointState.ESTABLISHED))
RESET = cython.declare(cython.longlong, int(EndpointState.RESET))
FAR = cython.declare(cython.longlong, words.FAR)
UNACKED = cython.declare(cython.longlong, words.UNACKED)
ABOVE_HOLE = cython.declare(cython.longlong, words.ABOVE_HOLE)
MASK = cython.declare(cython.longlong, sequence.MASK)
HALF = cython.declare(cython.longlong, sequence.HALF)


@cython.final
@cython.cclass
class ZeekSides:
    """The endpoints of many connections: TCP_Endpoint and TCP_Reassembler.

    cells, octets : `ZeekSlots`, a row a slot, and the same as octets. `blocks` holds the octets
    above a hole, by 2 * slot + sender; where there are some, the octet `holes` is set.
    """

    cells: cython.longlong[::1]
    octets: cython.uchar[::1]
    blocks: dict

    def __init__(self) -> None:
        self.blocks = {}

    @cython.ccall
    @cython.exceptval(-1)
    def look(self, cells: cython.longlong[::1], octets: cython.uchar[::1]) -> cython.int:
        """Turn to where the rows are now."""
        self.cells, self.octets = cells, octets
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def begin(
        self,
        k: cython.Py_ssize_t,
        own: cython.Py_ssize_t,
        flags: cython.longlong,
        seq: cython.longlong,
        end: cython.longlong,
    ) -> cython.int:
        """Number the octets by the first packet, or anew by a SYN where one is believed."""
        state: cython.longlong = self.octets[8 * k + STATE + own]
        if state == INACTIVE and not flags & SYN:
            return self.number(k + own, (seq - 1) & MASK, seq)
        if (
            state in (INACTIVE, ESTABLISHED, PARTIAL)
            or (state in (SYN_SENT, SYN_ACK_SENT) and seq != self.cells[k + START + own])
            or (state == RESET and self.octets[8 * k + BEFORE + own] == INACTIVE)
        ):
            return self.number(k + own, seq, end)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def number(
        self, at: cython.Py_ssize_t, start: cython.longlong, last: cython.longlong
    ) -> cython.int:
        """Number the octets from `start` on; the wraps stay: TCP_Endpoint::InitStartSeq."""
        self.cells[at + START] = start
        self.cells[at + ACKED] = (self.cells[at + ACKED] >> 32 << 32) + start
        self.cells[at + LAST] = (self.cells[at + LAST] >> 32 << 32) + last
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(check=False)
    def relative(
        self, number: cython.longlong, near: cython.longlong, start: cython.longlong
    ) -> cython.longlong:
        """`number` from the ISN `start` on, unwrapped near `near`; negative if before the ISN."""
        last: cython.longlong = near & MASK
        wraps: cython.longlong = near >> 32
        far: cython.longlong = diff(number, last)
        wraps += (far > 0 and number < last) - (far < 0 < wraps and number > last)
        if wraps == 0:
            return diff(number, start & MASK)
        return (wraps << 32) + number - start

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def send(
        self,
        k: cython.Py_ssize_t,
        own: cython.Py_ssize_t,
        end: cython.longlong,
        flags: cython.longlong,
    ) -> cython.bint:
        """Move `last` to the segment's end; whether that end is nothing new."""
        at: cython.Py_ssize_t = k + own
        wide: cython.longlong = self.cells[at + LAST]
        last: cython.longlong = wide & MASK
        far: cython.longlong = diff(end, last)
        if flags & (SYN | RST) and (far > FAR or far < -FAR):
            return False
        is_reset: cython.bint = self.octets[8 * k + STATE + own] == RESET
        ahead: cython.bint = (flags & FIN) != 0 and last == (self.cells[at + START] + 1) & MASK
        if ahead or (far > 0 and not is_reset):
            self.cells[at + LAST] = ((wide >> 32) + (end < last) << 32) + end
            return False
        return not is_reset

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def acknowledge(
        self,
        k: cython.Py_ssize_t,
        own: cython.Py_ssize_t,
        number: cython.longlong,
        flags: cython.longlong,
    ) -> cython.longlong:
        """Its peer acknowledges up to `number`: relative to the ISN, 0 if below it."""
        at: cython.Py_ssize_t = k + own
        if self.octets[8 * k + STATE + own] == INACTIVE:
            self.number(at, (number - 1) & MASK, (number - 1) & MASK)
            return 1
        acked: cython.longlong = self.cells[at + ACKED]
        last: cython.longlong = acked & MASK
        relative: cython.longlong = self.relative(number, acked, self.cells[at + START])
        far: cython.longlong = diff(number, last)
        if relative >= 0 and far > 0 and not flags & RST and not (number == 0 and far > FAR):
            self.cells[at + ACKED] = ((acked >> 32) + (number < last) << 32) + number
        return max(relative, 0)

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def store(
        self,
        k: cython.Py_ssize_t,
        own: cython.Py_ssize_t,
        start: cython.longlong,
        end: cython.longlong,
    ) -> cython.int:
        """Octets [start, end) are in the capture: TCP_Reassembler::DataSent."""
        at: cython.Py_ssize_t = k + own
        acked: cython.longlong = self.cells[at + ACKED] - self.cells[at + START]
        trimmed: cython.longlong = self.cells[at + TRIMMED]
        start = max(start, acked, trimmed)
        if self.octets[8 * k + GIVEN_UP + own] or start >= end:
            return 0
        self.cells[at + HIGH] = max(self.cells[at + HIGH], end)
        far: cython.bint = start > self.cells[at + DELIVERED] or end - trimmed > UNACKED
        if far or 0 <= acked <= 1 or self.octets[8 * k + HOLES + own]:
            return self._store_apart(k, own, start, end, 0 <= acked <= 1)
        self.cells[at + DELIVERED] = max(self.cells[at + DELIVERED], end)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _store_apart(
        self,
        k: cython.Py_ssize_t,
        own: cython.Py_ssize_t,
        start: cython.longlong,
        end: cython.longlong,
        unacked: cython.bint,
    ) -> cython.int:
        """Where a hole is open or nothing was acknowledged yet."""
        at: cython.Py_ssize_t = k + own
        if start > self.cells[at + DELIVERED]:
            with cython.gil:
                self._put(k, own, start, end)
        elif end > self.cells[at + DELIVERED]:
            self.cells[at + DELIVERED] = end
            self.absorb(k, own)
            if unacked and self.size(k, own) > ABOVE_HOLE:
                self.cells[at + TRIMMED] = self.cells[at + DELIVERED]
        delivered: cython.longlong = self.cells[at + DELIVERED]
        waiting: cython.longlong = max(0, delivered - self.cells[at + TRIMMED])
        if self.octets[8 * k + HOLES + own]:
            with cython.gil:
                waiting += self.blocks[2 * (k // WIDTH) + own].stored()
        if waiting > UNACKED or (unacked and self.cells[at + HIGH] - delivered > ABOVE_HOLE):
            # Look at the stream no more: too much of it waits above a hole or for an ACK.
            self.octets[8 * k + GIVEN_UP + own] = 1
            self.cells[at + HIGH] = 0
            self.fill(k, own)
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def _put(
        self,
        k: cython.Py_ssize_t,
        own: cython.Py_ssize_t,
        start: cython.longlong,
        end: cython.longlong,
    ) -> cython.int:
        """Octets above a hole."""
        self.blocks.setdefault(2 * (k // WIDTH) + own, Blocks()).put(start, end)
        self.octets[8 * k + HOLES + own] = 1
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def fill(self, k: cython.Py_ssize_t, own: cython.Py_ssize_t) -> cython.int:
        """Forget the holes of its stream."""
        if self.octets[8 * k + HOLES + own]:
            self.octets[8 * k + HOLES + own] = 0
            with cython.gil:
                del self.blocks[2 * (k // WIDTH) + own]
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def absorb(self, k: cython.Py_ssize_t, own: cython.Py_ssize_t) -> cython.int:
        """Count what lay above a hole as delivered where the hole is gone."""
        whole: cython.bint = False
        if self.octets[8 * k + HOLES + own]:
            with cython.gil:
                whole = self._absorb(k, own)
        return self.fill(k, own) if whole else 0

    @cython.cfunc
    @cython.exceptval(-1)
    def _absorb(self, k: cython.Py_ssize_t, own: cython.Py_ssize_t) -> cython.bint:
        """Count it where there are holes; whether none is left."""
        blocks = self.blocks[2 * (k // WIDTH) + own]
        self.cells[k + DELIVERED + own] = blocks.absorb(self.cells[k + DELIVERED + own])
        return not blocks.starts

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def next_hole(
        self, k: cython.Py_ssize_t, own: cython.Py_ssize_t, upto: cython.longlong
    ) -> cython.longlong:
        """Where the first hole of its stream ends, `upto` at most."""
        if self.octets[8 * k + HOLES + own]:
            with cython.gil:
                upto = min(upto, self.blocks[2 * (k // WIDTH) + own].starts[0])
        return upto

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def size(self, k: cython.Py_ssize_t, own: cython.Py_ssize_t) -> cython.longlong:
        """How many octets it sent, by sequence space: TCP_Endpoint::Size."""
        side: cython.Py_ssize_t = 8 * k + own
        start: cython.longlong = self.cells[k + START + own]
        acked: cython.longlong = self.cells[k + ACKED + own] - start
        aborted: cython.bint = self.octets[side + STATE] == RESET
        aborted = aborted and self.octets[side + BEFORE] == SYN_SENT
        if aborted and self.octets[8 * k + STATE + 1 - own] == INACTIVE and not 0 <= acked <= 1:
            return 0
        octets: cython.longlong = max(self.cells[k + LAST + own] - start, acked) - 1
        return max(0, octets - 1 if self.octets[8 * k + FINS + own] and octets > 0 else octets)

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def pending(self, k: cython.Py_ssize_t, own: cython.Py_ssize_t) -> cython.bint:
        """Whether a close must wait for data: TCP_Reassembler::DataPending."""
        last: cython.longlong = self.cells[k + LAST + own]
        whole: cython.longlong = self.cells[k + START + own] + self.cells[k + DELIVERED + own]
        if self.octets[8 * k + GIVEN_UP + own] or last < whole:
            return False
        peer: cython.Py_ssize_t = k + 1 - own
        waits: cython.bint = self.cells[peer + HIGH] > self.cells[peer + TRIMMED]
        return whole < last - 1 or (self.octets[8 * k + STATE + own] != RESET and waits)
