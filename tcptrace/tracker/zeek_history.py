# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`ZeekHistories` ⚙: the letters of conn.log's histories, and who is who in them.

`k` is the first cell of a slot's row, `own` the sender of the segment at hand.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.columns import Matrix
from tcptrace.tcp import flags as bits
from tcptrace.tracker import zeek_machine as machine
from tcptrace.tracker import zeek_rows as words
from tcptrace.tracker.zeek_rows import ZeekSlots

WIDTH = cython.declare(cython.Py_ssize_t, ZeekSlots.width())
FIN_MARK = cython.declare(cython.Py_ssize_t, ZeekSlots.index("fin_mark_0"))
RST_MARK = cython.declare(cython.Py_ssize_t, ZeekSlots.index("rst_mark_0"))
SYN_MARK = cython.declare(cython.Py_ssize_t, ZeekSlots.index("syn_mark_0"))
ORIG = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("orig"))
PARTIAL = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("partial"))
MET = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("met"))
SEEN = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("seen_0"))
LETTERS = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("letters"))
HISTORY = cython.declare(cython.Py_ssize_t, len(ZeekSlots.OCTETS))
ROOM = cython.declare(cython.Py_ssize_t, ZeekSlots.room())
FIN = cython.declare(cython.longlong, bits.FIN)
SYN = cython.declare(cython.longlong, bits.SYN)
RST = cython.declare(cython.longlong, bits.RST)
LETTER = cython.declare(bytes, machine.LETTER)
ONCE_BIT = cython.declare(bytes, machine.ONCE_BIT)
LONGEST = cython.declare(cython.Py_ssize_t, words.LONGEST_HISTORY)
ANSWER = cython.declare(cython.longlong, ord("H"))
SMALL = cython.declare(cython.longlong, ord("a") - ord("A"))
FLIP = cython.declare(cython.longlong, ord("^"))


@cython.final
@cython.cclass
class ZeekHistories:
    """The histories of many connections.

    cells, octets : `ZeekSlots`, a row a slot, and the same as octets. `tails` holds, by slot, the
    letters for which a row has no room.
    """

    cells: cython.longlong[::1]
    octets: cython.uchar[::1]
    tails: dict

    def __init__(self) -> None:
        self.tails = {}

    @cython.ccall
    @cython.exceptval(-1)
    def look(self, cells: cython.longlong[::1], octets: cython.uchar[::1]) -> cython.int:
        """Turn to where the rows are now."""
        self.cells, self.octets = cells, octets
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def add_own(
        self,
        k: cython.Py_ssize_t,
        own: cython.Py_ssize_t,
        kind: cython.Py_ssize_t,
        controls: cython.longlong,
        place: cython.longlong,
    ) -> cython.int:
        """The letter of a packet's own flags, from `place` on; marks say where the last was."""
        o: cython.Py_ssize_t = 8 * k
        changed: cython.bint = False
        if not LETTER[kind]:
            return 0
        if controls:
            changed = self._mark(k + own, controls, place)
        elif self.octets[o + LETTERS] == 1 and self.octets[o + HISTORY] == ANSWER:
            self.octets[o + LETTERS] = 0
            self.flip(k)
            self._append(k, ANSWER | SMALL)
        seen: cython.Py_ssize_t = o + SEEN + (own != self.octets[o + ORIG])
        if changed or not self.octets[seen] & ONCE_BIT[kind]:
            self.add(k, own, LETTER[kind], 1)
        self.octets[seen] |= ONCE_BIT[kind]
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _mark(
        self, at: cython.Py_ssize_t, controls: cython.longlong, place: cython.longlong
    ) -> cython.bint:
        """Note where a SYN, FIN or RST was; whether the last one was elsewhere."""
        if controls == SYN:
            at += SYN_MARK
        elif controls == FIN:
            at += FIN_MARK
        elif controls == RST:
            at += RST_MARK
        else:
            return False
        changed: cython.bint = place != self.cells[at]
        self.cells[at] = place
        return changed

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def add(
        self,
        k: cython.Py_ssize_t,
        own: cython.Py_ssize_t,
        letter: cython.longlong,
        count: cython.longlong,
    ) -> cython.int:
        """Add a letter, a small one for the responder, for the 1st, 10th, 100th, ... of a kind."""
        while count % 10 == 0:
            count //= 10
        if count == 1:
            self._append(k, letter if own == self.octets[8 * k + ORIG] else letter | SMALL)
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def flip(self, k: cython.Py_ssize_t) -> cython.int:
        """Swap the roles: Connection::FlipRoles."""
        met: cython.longlong = self.octets[8 * k + MET]
        self.octets[8 * k + ORIG] = 1 - self.octets[8 * k + ORIG]
        self.octets[8 * k + PARTIAL] = 0
        self.octets[8 * k + MET] = (met >> 1) | ((met & 1) << 1)
        return self._append(k, FLIP)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _append(self, k: cython.Py_ssize_t, letter: cython.longlong) -> cython.int:
        letters: cython.Py_ssize_t = self.octets[8 * k + LETTERS]
        if letters < ROOM:
            self.octets[8 * k + HISTORY + letters] = letter
            self.octets[8 * k + LETTERS] = letters + 1
        else:
            with cython.gil:
                self._spill(k, letter)
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def _spill(self, k: cython.Py_ssize_t, letter: cython.longlong) -> cython.int:
        """Keep a letter beside the row."""
        tail = self.tails.setdefault(k // WIDTH, bytearray())
        if letter == FLIP or ROOM + len(tail) < LONGEST:
            tail.append(letter)
        self.octets[8 * k + LETTERS] = ROOM + 1
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def drop_tail(self, k: cython.Py_ssize_t) -> cython.int:
        """Forget what is beside the row."""
        if self.octets[8 * k + LETTERS] > ROOM:
            with cython.gil:
                del self.tails[k // WIDTH]
        return 0

    def of(self, slots: Matrix) -> list[str]:
        """The histories of some slots."""
        rows = np.asarray(self.octets).reshape(-1, 8 * WIDTH)
        inline = rows[slots, HISTORY : HISTORY + ROOM].view(f"S{ROOM}").ravel().tolist()
        known = {letters: letters.decode("ascii") for letters in set(inline)}
        histories = [known[letters] for letters in inline]
        if self.tails:
            for place, slot in enumerate(slots.tolist()):
                if slot in self.tails:
                    histories[place] += self.tails[slot].decode("ascii")
        return histories
