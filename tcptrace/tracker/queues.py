# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Queues`: the slots in their orders, linked in the slots themselves.

Connections that go on stand in the order of their last segments; those that have ended do, too,
in a queue for each part, and so do those that are half-open, having shown nothing but SYNs. Those
that left the table stand in the order of their leaving.
"""

from __future__ import annotations

from enum import IntEnum

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


@cython.final
@cython.cclass
class Queues:
    """Heads and tails of the queues, of what left, and what is free; -1 where there is nothing."""

    cells: cython.longlong[::1]
    heads: cython.longlong[::1]
    tails: cython.longlong[::1]
    free: cython.longlong
    first_left: cython.longlong
    last_left: cython.longlong
    linger: cython.longlong

    def __init__(self, linger: int) -> None:
        """Connections that are not open may go after `linger` ns of silence."""
        many = 1 + 2 * PARTS
        self.heads, self.tails = (memoryview(np.full(many, -1, np.int64)) for _ in range(2))
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
        slot: cython.longlong = self.heads[1 + part]
        half: cython.longlong = self.heads[1 + MANY + part]
        if half >= 0 and (slot < 0 or self.deadline(half) < self.deadline(slot)):
            slot = half
        return slot if slot >= 0 and self.deadline(slot) <= now else -1

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
        return found if found >= 0 else self.heads[0]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2, check=True)
    def _longest_silent(self, standing: cython.Py_ssize_t) -> cython.longlong:
        """Of all parts."""
        found: cython.longlong = -1
        part: cython.Py_ssize_t
        for part in range(MANY):
            head: cython.longlong = self.heads[self._queue(standing, part)]
            if head >= 0 and (found < 0 or self.deadline(head) < self.deadline(found)):
                found = head
        return found

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _queue(self, standing: cython.Py_ssize_t, part: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Which queue a connection stands in: 0 if it is open."""
        return 0 if standing == OPEN else 1 + part + (standing == HALF_OPEN) * MANY

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def append(self, slot: cython.Py_ssize_t, standing: cython.Py_ssize_t) -> cython.int:
        """A connection had a segment just now."""
        k: cython.Py_ssize_t = slot * WIDTH
        queue: cython.longlong = self._queue(standing, self.cells[k + PART])
        last: cython.longlong = self.tails[queue]
        self.cells[k + QUEUE], self.cells[k + PREVIOUS], self.cells[k + FOLLOWING] = queue, last, -1
        if last >= 0:
            self.cells[last * WIDTH + FOLLOWING] = slot
        else:
            self.heads[queue] = slot
        self.tails[queue] = slot
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def detach(self, slot: cython.Py_ssize_t) -> cython.int:
        """Take a connection out of its queue."""
        k: cython.Py_ssize_t = slot * WIDTH
        queue: cython.longlong = self.cells[k + QUEUE]
        before: cython.longlong = self.cells[k + PREVIOUS]
        after: cython.longlong = self.cells[k + FOLLOWING]
        if before >= 0:
            self.cells[before * WIDTH + FOLLOWING] = after
        else:
            self.heads[queue] = after
        if after >= 0:
            self.cells[after * WIDTH + PREVIOUS] = before
        else:
            self.tails[queue] = before
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
        return 0

    def left(self) -> list[int]:
        """The slots that left since the last call, in order."""
        left: list = []
        slot: cython.longlong = self.first_left
        while slot >= 0:
            left.append(slot)
            slot = self.cells[slot * WIDTH + FOLLOWING]
        self.first_left = self.last_left = -1
        return left

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
