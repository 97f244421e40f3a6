# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Queues`: the slots in their orders, linked in the slots themselves.

Connections that have ended stand in the order of their last segments, in a queue for each part,
and so do those that are half-open, having shown nothing but SYNs. Those that go on have turns
instead, which are put in order where the table is full: most segments are theirs. Those that left
the table stand in the order of their leaving.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import cython
import numpy as np

from tcptrace.tracker.slots import PARTS, Slots

PREVIOUS = cython.declare(cython.Py_ssize_t, Slots.index("previous"))
FOLLOWING = cython.declare(cython.Py_ssize_t, Slots.index("following"))
PART = cython.declare(cython.Py_ssize_t, Slots.index("part"))
QUEUE = cython.declare(cython.Py_ssize_t, Slots.index("queue"))
TIME_END = cython.declare(cython.Py_ssize_t, Slots.index("time_end"))
WIDTH = cython.declare(cython.Py_ssize_t, Slots.width())
MANY = cython.declare(cython.Py_ssize_t, PARTS)


class Standing(IntEnum):
    """What a connection's segments have made of it."""

    OPEN = 0
    ENDED = 1  # a RST, or both FINs
    HALF_OPEN = 2  # nothing but SYNs


OPEN = cython.declare(cython.Py_ssize_t, int(Standing.OPEN))
ENDED = cython.declare(cython.Py_ssize_t, int(Standing.ENDED))
HALF_OPEN = cython.declare(cython.Py_ssize_t, int(Standing.HALF_OPEN))
# Which queue a slot stands in: none, with those that go on, the first of the parts' own.
NOWHERE = cython.declare(cython.longlong, 0)
GOING_ON = cython.declare(cython.longlong, 1)
LINKED = 2
OF_PARTS = cython.declare(cython.longlong, LINKED)
NEVER = cython.declare(cython.longlong, (1 << 63) - 1)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _queue(standing: cython.Py_ssize_t, part: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Which queue a connection stands in."""
    if standing == OPEN:
        return GOING_ON
    return OF_PARTS + part + (MANY if standing == HALF_OPEN else 0)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1, check=True)
def _link(
    cells: cython.longlong[::1],
    k: cython.size_t,
    tails: cython.longlong[::1],
    queue: cython.size_t,
    slot: cython.longlong,
) -> cython.int:
    """Put the slot that begins at `k` behind the last of a queue; 1 if there was none."""
    last: cython.longlong = tails[queue]
    tails[queue] = slot
    cells[k + QUEUE] = queue
    cells[k + PREVIOUS] = last
    cells[k + FOLLOWING] = -1
    if last < 0:
        return 1
    cells[last * WIDTH + FOLLOWING] = slot
    return 0


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-2, check=True)
def _unlink(
    cells: cython.longlong[::1],
    k: cython.size_t,
    heads: cython.longlong[::1],
    tails: cython.longlong[::1],
) -> cython.longlong:
    """Take the slot that begins at `k` out of its queue; the one that is its first now, else -1."""
    queue: cython.longlong = cells[k + QUEUE]
    cells[k + QUEUE] = NOWHERE
    if queue < OF_PARTS:
        return -1
    before: cython.longlong = cells[k + PREVIOUS]
    after: cython.longlong = cells[k + FOLLOWING]
    if after >= 0:
        cells[after * WIDTH + PREVIOUS] = before
    else:
        tails[queue] = before
    if before >= 0:
        cells[before * WIDTH + FOLLOWING] = after
        return -1
    heads[queue] = after
    return after


@cython.final
@cython.cclass
class Queues:
    """Heads and tails of the queues, of what left, and what is free; -1 where there is nothing.

    due : by part, before when none of its connections is overdue.
    turn : of the last segment of a connection that goes on.
    order, turns : those that went on when they were last put in order; `passed` of them are done.
    """

    cells: cython.longlong[::1]
    heads: cython.longlong[::1]
    tails: cython.longlong[::1]
    due: cython.longlong[::1]
    order: cython.longlong[::1]
    turns: cython.longlong[::1]
    passed: cython.Py_ssize_t
    turn: cython.longlong
    free: cython.longlong
    first_left: cython.longlong
    last_left: cython.longlong
    left_count: cython.Py_ssize_t
    linger: cython.longlong

    def __init__(self, linger: int) -> None:
        """Connections that are not open may go after `linger` ns of silence."""
        many = OF_PARTS + 2 * PARTS
        self.heads, self.tails = (memoryview(np.full(many, -1, np.int64)) for _ in range(2))
        self.due = memoryview(np.full(PARTS, NEVER, np.int64))
        self.order, self.turns = (memoryview(np.zeros(0, np.int64)) for _ in range(2))
        self.passed = self.turn = self.left_count = 0
        self.free = self.first_left = self.last_left = -1
        self.linger = linger

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=False)
    def look(self, cells: cython.longlong[::1]) -> cython.int:
        """Turn to where the slots are now."""
        self.cells = cells
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def overdue(self, part: cython.Py_ssize_t, now: cython.longlong) -> cython.Py_ssize_t:
        """A slot of one that is not open and has been silent for long at `now`; -1 for none.

        No stack waits so long between two SYNs: a host that is half-open has given up by then.
        """
        if now < self.due[part]:
            return -1
        slot: cython.longlong = self.heads[OF_PARTS + part]
        half: cython.longlong = self.heads[OF_PARTS + MANY + part]
        if half >= 0 and (slot < 0 or self.deadline(half) < self.deadline(slot)):
            slot = half
        self.due[part] = self.deadline(slot) if slot >= 0 else NEVER
        return slot if slot >= 0 and self.due[part] <= now else -1

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def deadline(self, slot: cython.Py_ssize_t) -> cython.longlong:
        """Until when a connection that is not open stays, ns, if it is silent."""
        return self.cells[slot * WIDTH + TIME_END] + self.linger

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def longest_silent(self) -> cython.Py_ssize_t:
        """The connection that goes where there are too many: an ended, a half-open, an open one."""
        found: cython.longlong = self._longest_silent(ENDED)
        if found < 0:
            found = self._longest_silent(HALF_OPEN)
        if found < 0:
            found = self._first_in_order()
        if found < 0:
            with cython.gil:
                self._put_in_order()
            found = self._first_in_order()
        return found

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _longest_silent(self, standing: cython.Py_ssize_t) -> cython.longlong:
        """Of all parts."""
        found: cython.longlong = -1
        part: cython.Py_ssize_t
        for part in range(MANY):
            head: cython.longlong = self.heads[_queue(standing, part)]
            if head >= 0 and (found < 0 or self.deadline(head) < self.deadline(found)):
                found = head
        return found

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _first_in_order(self) -> cython.longlong:
        """The first that had no segment since they were put in order; -1: all had, or have left."""
        while self.passed < self.order.shape[0]:
            slot: cython.Py_ssize_t = self.order[self.passed]
            k: cython.Py_ssize_t = slot * WIDTH
            if self.cells[k + QUEUE] == GOING_ON and (
                self.cells[k + PREVIOUS] == self.turns[self.passed]
            ):
                return slot
            self.passed += 1
        return -1

    @cython.cfunc
    @cython.exceptval(-1, check=True)
    def _put_in_order(self) -> cython.int:
        """Sort those that go on by their turns: no more often than each had its turn again."""
        table: Any = np.asarray(self.cells).reshape(-1, WIDTH)
        slots: Any = np.flatnonzero(table[:, QUEUE] == GOING_ON)
        turns: Any = table[slots, PREVIOUS]
        order: Any = np.argsort(turns)
        self.order = memoryview(slots[order])
        self.turns = memoryview(turns[order])
        self.passed = 0
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def append(self, slot: cython.Py_ssize_t, standing: cython.Py_ssize_t) -> cython.int:
        """A connection had a segment just now: to the end of the queue where it belongs."""
        k: cython.Py_ssize_t = slot * WIDTH
        queue: cython.longlong = _queue(standing, self.cells[k + PART])
        stands: cython.longlong = self.cells[k + QUEUE]
        if queue == GOING_ON:
            if stands >= OF_PARTS:
                self.detach(slot)
            self.turn += 1
            self.cells[k + QUEUE], self.cells[k + PREVIOUS] = queue, self.turn
            return 0
        if stands == queue and self.tails[queue] == slot:
            return 0
        if stands >= OF_PARTS:
            self.detach(slot)
        if _link(self.cells, k, self.tails, queue, slot):
            self.heads[queue] = slot
            self._hurry(k)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def detach(self, slot: cython.Py_ssize_t) -> cython.int:
        """Take a connection out of its queue."""
        after: cython.longlong = _unlink(self.cells, slot * WIDTH, self.heads, self.tails)
        return self._hurry(after * WIDTH) if after >= 0 else 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _hurry(self, k: cython.Py_ssize_t) -> cython.int:
        """A slot is the first of a queue of its part."""
        part: cython.Py_ssize_t = self.cells[k + PART]
        self.due[part] = min(self.due[part], self.cells[k + TIME_END] + self.linger)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def leave(self, slot: cython.Py_ssize_t) -> cython.int:
        """Take a connection out of its queue, to be told by `left`."""
        self.detach(slot)
        self.cells[slot * WIDTH + FOLLOWING] = -1
        if self.last_left >= 0:
            self.cells[self.last_left * WIDTH + FOLLOWING] = slot
        else:
            self.first_left = slot
        self.last_left = slot
        self.left_count += 1
        return 0

    def left(self) -> Any:
        """The slots that left since the last call, in order, int64."""
        found: Any = np.empty(self.left_count, np.int64)
        slots: cython.longlong[::1] = memoryview(found)
        place: cython.Py_ssize_t
        for place in range(self.left_count):
            slots[place] = self.first_left
            self.first_left = self.cells[self.first_left * WIDTH + FOLLOWING]
        self.first_left = self.last_left = -1
        self.left_count = 0
        return found

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def give_back(self, slot: cython.Py_ssize_t) -> cython.int:
        """A slot is free."""
        self.cells[slot * WIDTH + FOLLOWING] = self.free
        self.free = slot
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def take(self) -> cython.Py_ssize_t:
        """The slot that was given back last; -1 if none is free."""
        slot: cython.Py_ssize_t = self.free
        if slot >= 0:
            self.free = self.cells[slot * WIDTH + FOLLOWING]
        return slot
