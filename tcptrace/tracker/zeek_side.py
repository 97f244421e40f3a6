# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Side` ⚙: an endpoint in the eyes of the Zeek model, and what is known of its stream.

Everywhere `side` is the sender of the segment at hand and `peer` the other endpoint, `flags`
are tcp.flags.
"""

from __future__ import annotations

import cython

from tcptrace.tcp import flags as bits
from tcptrace.tcp import sequence
from tcptrace.tracker import zeek_rows as words
from tcptrace.tracker.blocks import Blocks
from tcptrace.tracker.zeek_rows import EndpointState

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


@cython.cfunc
@cython.exceptval(check=False)
def _diff(left: cython.longlong, right: cython.longlong) -> cython.longlong:
    """tcp.sequence.diff, for this kernel."""
    return ((left - right + HALF) & MASK) - HALF


@cython.final
@cython.no_gc
@cython.cclass
class Side:
    """An endpoint in Zeek's eyes, and its stream: TCP_Endpoint and TCP_Reassembler.

    `start` is the ISN; `last` is one past the highest number sent and `acked` the highest
    acknowledged, with the wraps in their upper 32 bits; `*_mark`, `fin_end`, `delivered`,
    `trimmed` and `high` count from the ISN. `high` is one past the last octet kept, 0 for none.
    """

    sender: cython.longlong
    state: cython.longlong
    before: cython.longlong
    start: cython.longlong
    last: cython.longlong
    acked: cython.longlong
    fins: cython.longlong
    fin_end: cython.longlong
    packets: cython.longlong
    missed: cython.longlong
    delivered: cython.longlong
    trimmed: cython.longlong
    high: cython.longlong
    syn_mark: cython.longlong
    fin_mark: cython.longlong
    rst_mark: cython.longlong
    corrupt: cython.longlong
    repeats: cython.longlong
    shut: cython.longlong
    gaps: cython.longlong
    closed: cython.bint
    ended: cython.bint
    given_up: cython.bint
    vouched: cython.bint
    blocks: object

    def __init__(self, sender: cython.longlong) -> None:
        self.sender = sender
        self.state = self.before = INACTIVE
        self.start = self.last = self.acked = self.fins = self.fin_end = self.packets = 0
        self.syn_mark = self.fin_mark = self.rst_mark = 0
        self.corrupt = self.repeats = self.shut = self.gaps = self.missed = self.high = 0
        self.delivered = self.trimmed = 1
        self.closed = self.ended = self.given_up = self.vouched = False
        self.blocks = None

    @cython.ccall
    @cython.exceptval(-1)
    def begin(
        self, flags: cython.longlong, seq: cython.longlong, end: cython.longlong
    ) -> cython.int:
        """Number the octets by the first packet, or anew by a SYN where one is believed."""
        state: cython.longlong = self.state
        if state == INACTIVE and not flags & SYN:
            return self.number((seq - 1) & MASK, seq)
        if (
            state in (INACTIVE, ESTABLISHED, PARTIAL)
            or (state in (SYN_SENT, SYN_ACK_SENT) and seq != self.start)
            or (state == RESET and self.before == INACTIVE)
        ):
            return self.number(seq, end)
        return 0

    @cython.ccall
    @cython.exceptval(-1)
    def number(self, start: cython.longlong, last: cython.longlong) -> cython.int:
        """Number the octets from `start` on; the wraps stay: TCP_Endpoint::InitStartSeq."""
        self.start = start
        self.acked = (self.acked >> 32 << 32) + start
        self.last = (self.last >> 32 << 32) + last
        return 0

    @cython.ccall
    @cython.exceptval(check=False)
    def relative(self, number: cython.longlong, near: cython.longlong) -> cython.longlong:
        """`number` from the ISN on, unwrapped near `near`; negative if before the ISN."""
        last: cython.longlong = near & MASK
        wraps: cython.longlong = near >> 32
        far: cython.longlong = _diff(number, last)
        wraps += (far > 0 and number < last) - (far < 0 < wraps and number > last)
        if wraps == 0:
            return _diff(number, self.start & MASK)
        return (wraps << 32) + number - self.start

    @cython.ccall
    @cython.exceptval(-1)
    def send(self, end: cython.longlong, flags: cython.longlong) -> cython.bint:
        """Move `last` to the segment's end; whether that end is nothing new."""
        last: cython.longlong = self.last & MASK
        far: cython.longlong = _diff(end, last)
        if flags & (SYN | RST) and (far > FAR or far < -FAR):
            return False
        ahead: cython.bint = (flags & FIN) != 0 and last == (self.start + 1) & MASK
        if ahead or (far > 0 and self.state != RESET):
            self.last = ((self.last >> 32) + (end < last) << 32) + end
            return False
        return self.state != RESET

    @cython.ccall
    @cython.exceptval(-1)
    def acknowledge(self, number: cython.longlong, flags: cython.longlong) -> cython.longlong:
        """The peer acknowledges up to `number`: relative to the ISN, 0 if below it."""
        if self.state == INACTIVE:
            self.number((number - 1) & MASK, (number - 1) & MASK)
            return 1
        last: cython.longlong = self.acked & MASK
        relative: cython.longlong = self.relative(number, self.acked)
        far: cython.longlong = _diff(number, last)
        if relative >= 0 and far > 0 and not flags & RST and not (number == 0 and far > FAR):
            self.acked = ((self.acked >> 32) + (number < last) << 32) + number
        return max(relative, 0)

    @cython.ccall
    @cython.exceptval(-1)
    def store(self, peer: Side, start: cython.longlong, end: cython.longlong) -> cython.int:
        """Octets [start, end) are in the capture: TCP_Reassembler::DataSent."""
        start = max(start, max(self.acked - self.start, self.trimmed))
        if self.given_up or start >= end:
            return 0
        self.high = max(self.high, end)
        unacked: cython.bint = 0 <= self.acked - self.start <= 1
        far: cython.bint = start > self.delivered or end - self.trimmed > UNACKED
        if far or unacked or self.blocks is not None:
            return self._store_apart(peer, start, end)
        self.delivered = max(self.delivered, end)
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def _store_apart(self, peer: Side, start: cython.longlong, end: cython.longlong) -> cython.int:
        """Where a hole is open or nothing was acknowledged yet."""
        unacked: cython.bint = 0 <= self.acked - self.start <= 1
        if start > self.delivered:
            self.blocks = Blocks() if self.blocks is None else self.blocks
            self.blocks.put(start, end)
        elif end > self.delivered:
            self.delivered = end
            self.absorb()
            if unacked and self.size(peer) > ABOVE_HOLE:
                self.trimmed = self.delivered
        above: cython.longlong = self.blocks.stored() if self.blocks is not None else 0
        waiting: cython.longlong = above + max(0, self.delivered - self.trimmed)
        if waiting > UNACKED or (unacked and self.high - self.delivered > ABOVE_HOLE):
            # Look at the stream no more: too much of it waits above a hole or for an ACK.
            self.given_up = True
            self.high = 0
            self.blocks = None
        return 0

    @cython.ccall
    @cython.exceptval(-1)
    def absorb(self) -> cython.int:
        """Count what lay above a hole as delivered where the hole is gone."""
        if self.blocks is None:
            return 0
        self.delivered = self.blocks.absorb(self.delivered)
        if not self.blocks.starts:
            self.blocks = None
        return 0

    @cython.ccall
    @cython.exceptval(-1)
    def size(self, peer: Side) -> cython.longlong:
        """How many octets it sent, by sequence space: TCP_Endpoint::Size."""
        aborted: cython.bint = self.before == SYN_SENT and self.state == RESET
        acked: cython.longlong = self.acked - self.start
        if aborted and peer.state == INACTIVE and not 0 <= acked <= 1:
            return 0
        octets: cython.longlong = max(self.last - self.start, acked) - 1
        return max(0, octets - 1 if self.fins and octets > 0 else octets)

    @cython.ccall
    @cython.exceptval(-1)
    def pending(self, peer: Side) -> cython.bint:
        """Whether a close must wait for data: TCP_Reassembler::DataPending."""
        whole: cython.longlong = self.start + self.delivered
        if self.given_up or self.last < whole:
            return False
        return whole < self.last - 1 or (self.state != RESET and peer.high > peer.trimmed)
