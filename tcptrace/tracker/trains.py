# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Trains`: what a segment changes of its connection, and most of all segments in one loop.

A *plain* segment is one without SYN, FIN and RST, of a connection that is remembered (`recent`),
goes on, and is the only incarnation of its four-tuple, while none of its part is overdue. Whatever
is not plain is `ConnectionTable`'s.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Kind, Segments
from tcptrace.tcp import flags
from tcptrace.tracker.queues import Queues, Standing
from tcptrace.tracker.recent import Recent
from tcptrace.tracker.slots import Slots

if not cython.compiled:
    from tcptrace.tcp.sequence import diff
    from tcptrace.tracker.marks import mark

TIME = cython.declare(cython.Py_ssize_t, Segments.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Segments.index("packet"))
KIND = cython.declare(cython.Py_ssize_t, Segments.index("kind"))
ENDS = cython.declare(cython.Py_ssize_t, Segments.index("src_hi"))  # to dst_port
SEQ = cython.declare(cython.Py_ssize_t, Segments.index("seq"))
ACK = cython.declare(cython.Py_ssize_t, Segments.index("ack"))
FLAGS = cython.declare(cython.Py_ssize_t, Segments.index("flags"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Segments.index("payload"))
SLOT = cython.declare(cython.Py_ssize_t, Segments.index("slot"))  # then "sender", "opens"
CLOCK = cython.declare(cython.Py_ssize_t, Segments.index("clock"))
WIDTH = cython.declare(cython.Py_ssize_t, Segments.width())
PLAIN = cython.declare(cython.Py_ssize_t, Slots.index("plain"))
PART = cython.declare(cython.Py_ssize_t, Slots.index("part"))
ENDS_0 = cython.declare(cython.Py_ssize_t, Slots.index("hi_0"))  # to port_1
TIME_END = cython.declare(cython.Py_ssize_t, Slots.index("time_end"))
PACKET_END = cython.declare(cython.Py_ssize_t, Slots.index("packet_end"))
NXT_0 = cython.declare(cython.Py_ssize_t, Slots.index("nxt_0"))
PREVIOUS = cython.declare(cython.Py_ssize_t, Slots.index("previous"))
QUEUE = cython.declare(cython.Py_ssize_t, Slots.index("queue"))
SHOWN = cython.declare(cython.Py_ssize_t, Slots.index("shown"))
USED = cython.declare(cython.Py_ssize_t, Slots.index("used"))
OLDER = cython.declare(cython.Py_ssize_t, Slots.index("older"))
NEWER = cython.declare(cython.Py_ssize_t, Slots.index("newer"))
ISS_0 = cython.declare(cython.Py_ssize_t, Slots.index("iss_0"))
SYN_ACKED_0 = cython.declare(cython.Py_ssize_t, Slots.index("syn_acked_0"))
SLOT_WIDTH = cython.declare(cython.Py_ssize_t, Slots.width())
# What a slot's first segment says of it: its ends; then what is unknown before it, side by side.
PATH = cython.declare(cython.Py_ssize_t, Segments.index("path"))
FILE = cython.declare(cython.Py_ssize_t, Segments.index("file"))
UNKNOWN = cython.declare(cython.Py_ssize_t, Slots.index("nxt_0"))  # to "newer"
LINKS = cython.declare(cython.Py_ssize_t, Slots.index("newer") + 1)  # to "shown"
TIME_START = cython.declare(cython.Py_ssize_t, Slots.index("time_start"))
PACKET_START = cython.declare(cython.Py_ssize_t, Slots.index("packet_start"))
FIRST_PATH = cython.declare(cython.Py_ssize_t, Slots.index("path"))
FIRST_FILE = cython.declare(cython.Py_ssize_t, Slots.index("file"))
END_REASON = cython.declare(cython.Py_ssize_t, Slots.index("end_reason"))
LEFT_AT = cython.declare(cython.Py_ssize_t, Slots.index("left_at"))
cython.declare(SYN=cython.longlong, ACK_BIT=cython.longlong, NOT_PLAIN=cython.longlong)
cython.declare(FIN=cython.longlong, RST=cython.longlong)
SYN, ACK_BIT, FIN, RST = flags.SYN, flags.ACK, flags.FIN, flags.RST
NOT_PLAIN = SYN | FIN | RST
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
cython.declare(OPEN=cython.Py_ssize_t, ENDED=cython.Py_ssize_t, HALF_OPEN=cython.Py_ssize_t)
OPEN, ENDED, HALF_OPEN = map(int, Standing)
# What a connection's segments have shown: the FINs of both sides, a RST, one that is no SYN.
BOTH_FINS = cython.declare(cython.longlong, 3)
RESET = cython.declare(cython.longlong, 4)
NO_SYN = cython.declare(cython.longlong, 8)
MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-2, check=True)
def _side(
    cells: cython.longlong[::1],
    k: cython.size_t,
    src_hi: cython.longlong,
    src_lo: cython.longlong,
    dst_hi: cython.longlong,
    dst_lo: cython.longlong,
    src_port: cython.longlong,
    dst_port: cython.longlong,
) -> cython.longlong:
    """Which side of a slot, whose ends are from `k` on, is the source; -1: neither."""
    if (
        cells[k + 1] == src_lo
        and cells[k + 4] == src_port
        and cells[k + 5] == dst_port
        and cells[k + 3] == dst_lo
        and cells[k] == src_hi
        and cells[k + 2] == dst_hi
    ):
        return 0
    if (
        cells[k + 1] == dst_lo
        and cells[k + 4] == dst_port
        and cells[k + 5] == src_port
        and cells[k + 3] == src_lo
        and cells[k] == dst_hi
        and cells[k + 2] == src_hi
    ):
        return 1
    return -1


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1, check=True)
def _fill(
    s: cython.longlong[::1], at: cython.size_t, cells: cython.longlong[::1], k: cython.size_t
) -> cython.int:
    """A slot's cells, by its first segment."""
    e: cython.size_t = at + ENDS
    c: cython.size_t = k + ENDS_0
    cells[c], cells[c + 1], cells[c + 2] = s[e], s[e + 1], s[e + 2]
    cells[c + 3], cells[c + 4], cells[c + 5] = s[e + 3], s[e + 4], s[e + 5]
    c = k + UNKNOWN
    cells[c] = cells[c + 1] = cells[c + 2] = cells[c + 3] = -1
    cells[c + 4] = cells[c + 5] = cells[c + 6] = cells[c + 7] = -1
    c = k + LINKS
    cells[c] = cells[c + 1] = cells[c + 2] = cells[c + 3] = 0
    cells[k + USED] = 1
    cells[k + TIME_START] = cells[k + TIME_END] = s[at + TIME]
    cells[k + PACKET_START] = s[at + PACKET]
    cells[k + FIRST_PATH], cells[k + FIRST_FILE] = s[at + PATH], s[at + FILE]
    cells[k + PLAIN] = cells[k + PACKET_END] = cells[k + END_REASON] = cells[k + LEFT_AT] = 0
    return 0


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1, check=True)
def _hear(
    s: cython.longlong[::1], at: cython.size_t, cells: cython.longlong[::1], k: cython.size_t
) -> cython.int:
    """A segment of a connection is its last one, and none came later."""
    now: cython.longlong = s[at + TIME]
    if cells[k + TIME_END] < now:
        cells[k + TIME_END] = now
    cells[k + PACKET_END] = s[at + PACKET]
    return 0


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1, check=True)
def _go_on(
    s: cython.longlong[::1],
    at: cython.size_t,
    cells: cython.longlong[::1],
    k: cython.size_t,
    side: cython.size_t,
) -> cython.int:
    """What a plain segment changes of its connection, as `Trains.note` would."""
    _hear(s, at, cells, k)
    nxt: cython.size_t = k + NXT_0 + side
    end: cython.longlong = (s[at + SEQ] + s[at + PAYLOAD]) & MASK32
    known: cython.longlong = cells[nxt]
    if known < 0 or diff(end, known) > 0:
        cells[nxt] = end
    return 0


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1, check=True)
def _note(
    s: cython.longlong[::1],
    at: cython.size_t,
    cells: cython.longlong[::1],
    k: cython.size_t,
    side: cython.size_t,
) -> cython.Py_ssize_t:
    """What any segment changes of its connection; what has become of that."""
    bits: cython.longlong = s[at + FLAGS]
    seq: cython.longlong = s[at + SEQ]
    _hear(s, at, cells, k)
    shown: cython.longlong = cells[k + SHOWN]
    end: cython.longlong = seq + s[at + PAYLOAD]
    if bits & SYN:
        end += 1
        cells[k + ISS_0 + side] = seq
        if bits & ACK_BIT:
            cells[k + SYN_ACKED_0 + 1 - side] = s[at + ACK]
    else:
        shown |= NO_SYN
    if bits & FIN:
        end += 1
        shown |= 1 << side
    end &= MASK32
    nxt: cython.size_t = k + NXT_0 + side
    known: cython.longlong = cells[nxt]
    if bits & RST:
        shown |= RESET
    elif known < 0 or bits & SYN or diff(end, known) > 0:
        cells[nxt] = end
    cells[k + SHOWN] = shown
    if shown & RESET or shown & BOTH_FINS == BOTH_FINS:
        cells[k + PLAIN] = 0
        return ENDED
    if not shown & NO_SYN:
        return HALF_OPEN
    cells[k + PLAIN] = cells[k + OLDER] < 0 and cells[k + NEWER] < 0
    return OPEN


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1, check=True)
def _walk(
    trains: Trains,
    s: cython.longlong[::1],
    cells: cython.longlong[::1],
    recent: cython.ulonglong[::1],
    due: cython.longlong[::1],
    row: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """`Trains.walk`, whose buffers stay where they are meanwhile."""
    found: cython.longlong = -1
    its: cython.ulonglong = 0
    while row < count:
        if trains.recent.far:
            trains.recent.expect(row, count)
        at: cython.size_t = row * WIDTH
        e: cython.size_t = at + ENDS
        src_hi: cython.longlong = s[e]
        src_lo: cython.longlong = s[e + 1]
        dst_hi: cython.longlong = s[e + 2]
        dst_lo: cython.longlong = s[e + 3]
        src_port: cython.longlong = s[e + 4]
        dst_port: cython.longlong = s[e + 5]
        its = mark(src_hi + dst_hi, src_lo + dst_lo, src_port + dst_port, trains.recent.key)
        place: cython.size_t = 2 * (its >> trains.recent.shift)
        if recent[place] != its:
            break
        slot: cython.size_t = recent[place + 1]
        k: cython.size_t = slot * SLOT_WIDTH
        side: cython.longlong = _side(
            cells, k + ENDS_0, src_hi, src_lo, dst_hi, dst_lo, src_port, dst_port
        )
        if side < 0:
            break
        odd: cython.longlong = (s[at + KIND] ^ SEGMENT) | (s[at + FLAGS] & NOT_PLAIN)
        if odd or not cells[k + PLAIN] or s[at + CLOCK] >= due[cells[k + PART]]:
            if cells[k + USED] == 1 and cells[k + NEWER] < 0:
                found = 2 * slot + side
            break
        _go_on(s, at, cells, k, side)
        trains.queues.turn += 1
        cells[k + PREVIOUS] = trains.queues.turn
        e = at + SLOT
        s[e], s[e + 1], s[e + 2] = slot, side, 0
        row += 1
    trains.mark, trains.found = its, found
    return row


@cython.final
@cython.cclass
class Trains:
    """What segments change of their connections.

    mark, found : of the segment that is not plain; 2 * slot + sender, -1 if it is not remembered.
    """

    s: cython.longlong[::1]
    cells: cython.longlong[::1]
    recent: Recent
    queues: Queues
    mark: cython.ulonglong
    found: cython.longlong

    def __init__(self, recent: Recent, queues: Queues) -> None:
        """Of connections that are remembered and stand in their queues."""
        self.recent = recent
        self.queues = queues
        self.mark = self.found = 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=False)
    def look(self, segments: cython.longlong[::1], cells: cython.longlong[::1]) -> cython.int:
        """Turn to a batch of segments and to the slots where they are now."""
        self.s = segments
        self.cells = cells
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def walk(self, row: cython.Py_ssize_t, count: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Take in plain segments from a row on; the first row whose segment is not plain."""
        return _walk(self, self.s, self.cells, self.recent.met, self.queues.due, row, count)

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def begin(self, at: cython.Py_ssize_t, slot: cython.Py_ssize_t) -> cython.int:
        """Fill a slot by its first segment."""
        return _fill(self.s, at, self.cells, slot * SLOT_WIDTH)

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def note(
        self, at: cython.Py_ssize_t, slot: cython.Py_ssize_t, side: cython.longlong
    ) -> cython.int:
        """Keep what later segments are judged by, and the order of last segments."""
        if self.s[at + KIND] != SEGMENT:
            begun: cython.bint = self.cells[slot * SLOT_WIDTH + QUEUE] == 0
            return self.queues.append(slot, OPEN) if begun else 0
        return self.queues.append(slot, _note(self.s, at, self.cells, slot * SLOT_WIDTH, side))
