# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`ConnectionTable`: which open connection, and which incarnation, each segment belongs to.

A four-tuple leads to its newest incarnation, which knows the older one. A SYN with another ISN
begins a new one (RFC 9293 section 3.6.1); segments go to the one whose numbers they fit.
Only the clock and the limit know of all connections: all else is as if a part were alone.
"""

from __future__ import annotations

from typing import Any

import cython
import numpy as np

from tcptrace.decode.segments import Kind, Segments
from tcptrace.tcp import flags
from tcptrace.tracker.four_tuples import FourTuples
from tcptrace.tracker.queues import Queues
from tcptrace.tracker.recent import Recent
from tcptrace.tracker.slots import PARTS, Slots, grown
from tcptrace.tracker.trains import Trains
from tcptrace.tracker.transitions import EndReason

if not cython.compiled:
    from tcptrace.tcp.sequence import diff

TIME = cython.declare(cython.Py_ssize_t, Segments.index("time"))
KIND = cython.declare(cython.Py_ssize_t, Segments.index("kind"))
SEQ = cython.declare(cython.Py_ssize_t, Segments.index("seq"))
ACK = cython.declare(cython.Py_ssize_t, Segments.index("ack"))
FLAGS = cython.declare(cython.Py_ssize_t, Segments.index("flags"))
SLOT = cython.declare(cython.Py_ssize_t, Segments.index("slot"))
SENDER = cython.declare(cython.Py_ssize_t, Segments.index("sender"))
OPENS = cython.declare(cython.Py_ssize_t, Segments.index("opens"))
CLOCK = cython.declare(cython.Py_ssize_t, Segments.index("clock"))
WIDTH = cython.declare(cython.Py_ssize_t, Segments.width())
PLAIN = cython.declare(cython.Py_ssize_t, Slots.index("plain"))
USED = cython.declare(cython.Py_ssize_t, Slots.index("used"))
ORDINAL = cython.declare(cython.Py_ssize_t, Slots.index("ordinal"))
OLDER = cython.declare(cython.Py_ssize_t, Slots.index("older"))
NEWER = cython.declare(cython.Py_ssize_t, Slots.index("newer"))
PART = cython.declare(cython.Py_ssize_t, Slots.index("part"))
HASH = cython.declare(cython.Py_ssize_t, Slots.index("hash"))
ISS_0 = cython.declare(cython.Py_ssize_t, Slots.index("iss_0"))
NXT_0 = cython.declare(cython.Py_ssize_t, Slots.index("nxt_0"))
SYN_ACKED = cython.declare(cython.Py_ssize_t, Slots.index("syn_acked_0"))
END_REASON = cython.declare(cython.Py_ssize_t, Slots.index("end_reason"))
LEFT_AT = cython.declare(cython.Py_ssize_t, Slots.index("left_at"))
AFTER = cython.declare(cython.Py_ssize_t, Slots.index("after"))
SLOT_WIDTH = cython.declare(cython.Py_ssize_t, Slots.width())
cython.declare(SYN=cython.longlong, ACK_BIT=cython.longlong, RST=cython.longlong)
SYN, ACK_BIT, RST = flags.SYN, flags.ACK, flags.RST
cython.declare(ICMP_ERROR=cython.longlong, SEGMENT=cython.longlong)
ICMP_ERROR, SEGMENT = Kind.ICMP_ERROR, Kind.SEGMENT
PORT_REUSED = cython.declare(cython.longlong, EndReason.PORT_REUSED)
IDLE = cython.declare(cython.longlong, EndReason.IDLE)
EVICTED = cython.declare(cython.longlong, EndReason.EVICTED)
CAPTURE_END = cython.declare(cython.longlong, EndReason.CAPTURE_END)
MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)
FAR = cython.declare(cython.longlong, 1 << 33)
LEAST_SLOTS = cython.declare(cython.Py_ssize_t, 1024)
MANY = cython.declare(cython.Py_ssize_t, PARTS)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1, check=True)
def _tell_time(
    s: cython.longlong[::1],
    count: cython.Py_ssize_t,
    clock: cython.longlong,
    clocks: cython.longlong[::1],
    told: cython.bint,
) -> cython.longlong:
    """Fill in the clock of each row; that of the last."""
    row: cython.Py_ssize_t
    for row in range(count):
        clock = max(clock, s[row * WIDTH + TIME])
        if told:
            clock = max(clock, clocks[row])
        s[row * WIDTH + CLOCK] = clock
    return clock


@cython.final
@cython.cclass
class ConnectionTable:
    """The open connections of a capture; `assign` fills the tracker's columns of a batch."""

    slots: object
    cells: cython.longlong[::1]
    s: cython.longlong[::1]
    tuples: FourTuples
    queues: Queues
    recent: Recent
    trains: Trains
    fresh: cython.Py_ssize_t
    limit: cython.longlong
    open_count: cython.longlong
    born = cython.declare(cython.longlong, visibility="readonly")
    clock: cython.longlong

    def __init__(self, limit: int, ended_linger: int, seed: int) -> None:
        """Keep `limit` connections at most; what is not open goes after `ended_linger` ns idle."""
        self.slots = np.zeros((0, SLOT_WIDTH), np.int64)
        self.tuples = FourTuples(seed)
        self.queues = Queues(ended_linger)
        self.recent = Recent(self.tuples, seed)
        self.trains = Trains(self.recent, self.queues)
        self.fresh = 0  # from here on no slot was ever used, nor its memory touched
        self._more_slots()
        self.limit = limit
        self.open_count = 0
        self.born = 0
        self.clock = 0

    def matrix(self) -> Any:
        """The slots, columns as in `Slots`; valid until the next `assign`."""
        return self.slots

    def assign(
        self,
        segments: cython.longlong[::1],
        count: cython.Py_ssize_t,
        clocks: cython.longlong[::1] = None,
    ) -> None:
        """Fill slot, sender, opens and clock of each row; one without a connection gets slot -1.

        clocks : the clock of each row, ns, where these are not all segments of the capture
        """
        row: cython.Py_ssize_t = 0
        part: cython.Py_ssize_t
        self.s = segments
        told: cython.bint = clocks is not None
        others: cython.longlong[::1] = clocks if told else segments
        self.clock = _tell_time(segments, count, self.clock, others, told)
        now: cython.longlong = self.clock
        self._look()
        self.recent.begin(count, self.fresh)
        with cython.nogil:
            while True:
                row = self.trains.walk(row, count)
                if row >= count:
                    break
                self.clock = segments[row * WIDTH + CLOCK]
                self._place(row * WIDTH, self.trains.found, row)
                row += 1
            self.clock = now
            for part in range(MANY):
                self._let_go(part)

    def left(self) -> Any:
        """Slots whose connections have ended since the last call, in the order of their end."""
        return self.queues.left()

    def release(self, slots: cython.longlong[::1]) -> None:
        """Give slots of `left` back once their connections have been told."""
        place: cython.Py_ssize_t
        with cython.nogil:
            for place in range(slots.shape[0]):
                self.cells[slots[place] * SLOT_WIDTH + USED] = 0
                self.queues.give_back(slots[place])

    def end_all(self, until: int = 0) -> None:
        """The capture is over: every open connection leaves, in the order of its beginning.

        until : the latest time of any segment, ns, where others have seen a later one
        """
        part: cython.Py_ssize_t
        self.clock = max(self.clock, until)
        for part in range(MANY):
            self._let_go(part)
        open_ones: Any = np.flatnonzero(self.slots[:, USED] == 1)
        order: Any = open_ones[np.argsort(self.slots[open_ones, ORDINAL], kind="stable")]
        slots: cython.longlong[::1] = memoryview(order)
        place: cython.Py_ssize_t
        with cython.nogil:
            for place in range(slots.shape[0]):
                if self.cells[slots[place] * SLOT_WIDTH + USED] == 1:
                    self._leave(slots[place], CAPTURE_END, self.clock)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _place(
        self, at: cython.Py_ssize_t, found: cython.longlong, row: cython.Py_ssize_t
    ) -> cython.int:
        """Take in a segment that is not plain; `found` if its four-tuple is remembered."""
        tag: cython.longlong
        if found >= 0:
            tag = self.cells[(found >> 1) * SLOT_WIDTH + HASH]
        else:
            tag = self.recent.tag_of(row)
            found = self.tuples.find(at, tag)
        part: cython.Py_ssize_t = (
            self.cells[(found >> 1) * SLOT_WIDTH + PART] if found >= 0 else self.tuples.part(at)
        )
        if self.queues.due[part] <= self.clock and self._let_go(part):
            found = self.tuples.find(at, tag)
        newest: cython.longlong = found >> 1
        sender: cython.longlong = found & 1
        self.s[at + OPENS] = 0
        if found < 0 and self.s[at + KIND] == ICMP_ERROR:
            self.s[at + SLOT] = -1
            return 0
        slot: cython.longlong = -1
        if found >= 0:
            slot = self._incarnation(at, newest, sender)
        if slot < 0:
            slot, sender = self._begin(at, newest, part, tag), 0
            newest = slot
            self.s[at + OPENS] = 1
        elif slot != newest:
            sender = self.tuples.sender(at, slot)
        self.s[at + SLOT] = slot
        self.s[at + SENDER] = sender
        self.recent.meet(self.trains.mark, newest)
        return self.trains.note(at, slot, sender)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _incarnation(
        self, at: cython.Py_ssize_t, newest: cython.Py_ssize_t, sender: cython.longlong
    ) -> cython.Py_ssize_t:
        """The slot that the segment belongs to; -1 if it begins a new incarnation."""
        older: cython.Py_ssize_t = self.cells[newest * SLOT_WIDTH + OLDER]
        bits: cython.longlong = self.s[at + FLAGS] & (SYN | ACK_BIT | RST)
        if self.s[at + KIND] == SEGMENT and bits == SYN:
            if (
                older >= 0
                and self.cells[older * SLOT_WIDTH + ISS_0 + self.tuples.sender(at, older)]
                == self.s[at + SEQ]
            ):
                return older
            return newest if self._continues(at, newest, sender) else -1
        if older < 0:
            return newest
        old: cython.longlong = self._misfit(at, older, self.tuples.sender(at, older))
        return older if old < self._misfit(at, newest, sender) else newest

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _continues(
        self, at: cython.Py_ssize_t, slot: cython.Py_ssize_t, side: cython.longlong
    ) -> cython.bint:
        """Whether a SYN belongs to the connection: its own again, a crossing or late first one."""
        iss: cython.longlong = self.cells[slot * SLOT_WIDTH + ISS_0 + side]
        peer: cython.longlong = self.cells[slot * SLOT_WIDTH + ISS_0 + 1 - side]
        if iss >= 0:
            return iss == self.s[at + SEQ]
        if self.cells[slot * SLOT_WIDTH + NXT_0 + side] >= 0:
            return diff(self.cells[slot * SLOT_WIDTH + NXT_0 + side], self.s[at + SEQ]) == 1
        if peer < 0:
            return False
        acked: cython.longlong = self.cells[slot * SLOT_WIDTH + SYN_ACKED + side]
        return acked < 0 or acked == (self.s[at + SEQ] + 1) & MASK32

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _misfit(
        self, at: cython.Py_ssize_t, slot: cython.Py_ssize_t, side: cython.longlong
    ) -> cython.longlong:
        """How far the segment's numbers lie from those of a connection."""
        nxt: cython.longlong = self.cells[slot * SLOT_WIDTH + NXT_0 + side]
        peer: cython.longlong = self.cells[slot * SLOT_WIDTH + NXT_0 + 1 - side]
        total: cython.longlong = 0
        if (
            self.s[at + FLAGS] & SYN
            and self.cells[slot * SLOT_WIDTH + ISS_0 + side] >= 0
            and self.cells[slot * SLOT_WIDTH + ISS_0 + side] != self.s[at + SEQ]
        ):
            total = FAR
        if nxt >= 0 and not (self.s[at + FLAGS] & RST and self.s[at + SEQ] == 0):
            total += abs(diff(self.s[at + SEQ], nxt))
        if self.s[at + FLAGS] & ACK_BIT:
            total += abs(diff(self.s[at + ACK], peer)) if peer >= 0 else FAR
        return total

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _begin(
        self,
        at: cython.Py_ssize_t,
        older: cython.Py_ssize_t,
        part: cython.Py_ssize_t,
        tag: cython.longlong,
    ) -> cython.Py_ssize_t:
        if older >= 0 and self.cells[older * SLOT_WIDTH + OLDER] >= 0:
            self._leave(self.cells[older * SLOT_WIDTH + OLDER], PORT_REUSED, self.clock)
        if self.open_count >= self.limit:
            self._leave(self.queues.longest_silent(), EVICTED, self.clock)
            found: cython.longlong = self.tuples.find(at, tag)
            older = found >> 1
        slot: cython.Py_ssize_t = self._take_slot()
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        self.trains.begin(at, slot)
        self.cells[k + ORDINAL] = self.born
        self.born += 1
        self.cells[k + PART] = part
        self.cells[k + HASH] = tag
        self.cells[k + OLDER] = self.cells[k + AFTER] = older
        if older >= 0:
            self.cells[older * SLOT_WIDTH + NEWER] = slot
            self.cells[older * SLOT_WIDTH + PLAIN] = 0
            self.tuples.replace(older, slot)
        else:
            self.tuples.insert(slot, self.open_count)
        self.open_count += 1
        return slot

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _take_slot(self) -> cython.Py_ssize_t:
        slot: cython.Py_ssize_t = self.queues.take()
        if slot >= 0:
            return slot
        if self.fresh * SLOT_WIDTH == self.cells.shape[0]:
            with cython.gil:
                self._more_slots()
                self._look()
        self.fresh += 1
        return self.fresh - 1

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _more_slots(self) -> cython.int:
        """Twice as many slots."""
        self.slots = grown(self.slots, max(2 * len(self.slots), LEAST_SLOTS))
        self.cells = memoryview(self.slots.reshape(-1))
        self.queues.look(self.cells)
        self.recent.remember(len(self.slots))
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _look(self) -> cython.int:
        """Have the others turn to the batch, and to where the slots are now."""
        self.tuples.look(self.s, self.cells)
        self.recent.look(self.s, self.cells)
        self.trains.look(self.s, self.cells)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _let_go(self, part: cython.Py_ssize_t) -> cython.bint:
        """Ended connections of a part leave once they were silent for long; whether any did."""
        gone: cython.bint = False
        slot: cython.Py_ssize_t = self.queues.overdue(part, self.clock)
        while slot >= 0:
            self._leave(slot, IDLE, self.queues.deadline(slot))
            gone = True
            slot = self.queues.overdue(part, self.clock)
        return gone

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _leave(
        self, slot: cython.Py_ssize_t, reason: cython.longlong, moment: cython.longlong
    ) -> cython.int:
        """Take a connection out of the table; its slot stays filled until it is released.

        An older incarnation leaves before it: only so is it known which of the two is real.
        """
        k: cython.Py_ssize_t = slot * SLOT_WIDTH
        older: cython.Py_ssize_t = self.cells[k + OLDER]
        newer: cython.Py_ssize_t = self.cells[k + NEWER]
        if older >= 0 and reason != PORT_REUSED:
            self._leave(older, PORT_REUSED, moment)
        if newer >= 0:
            self.cells[newer * SLOT_WIDTH + OLDER] = -1
        else:
            self.tuples.replace(slot, -1)
        self.queues.leave(slot)
        self.open_count -= 1
        self.cells[k + END_REASON], self.cells[k + LEFT_AT] = reason, moment
        self.cells[k + USED], self.cells[k + PLAIN] = 2, 0
        return 0
