# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Numbers counted from the ISS, and delays from the tap to each end.

`measure` unwraps sequence numbers, marks repeats, probes and doubtful segments, and measures the
turnaround of each endpoint; `dating` goes on from there.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Checksum, Kind
from tcptrace.tcp import flags
from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Evidence

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
SEQ = cython.declare(cython.Py_ssize_t, Evidence.index("seq"))
ACK = cython.declare(cython.Py_ssize_t, Evidence.index("ack"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Evidence.index("payload"))
CHECKSUM = cython.declare(cython.Py_ssize_t, Evidence.index("checksum"))
HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Evidence.index("has_timestamp"))
TSVAL = cython.declare(cython.Py_ssize_t, Evidence.index("tsval"))
TSECR = cython.declare(cython.Py_ssize_t, Evidence.index("tsecr"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
REPEAT = cython.declare(cython.Py_ssize_t, Evidence.index("repeat"))
PROBE = cython.declare(cython.Py_ssize_t, Evidence.index("probe"))
DOUBT = cython.declare(cython.Py_ssize_t, Evidence.index("doubt"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())

ISS = cython.declare(cython.Py_ssize_t, Sides.index("iss"))
BASE = cython.declare(cython.Py_ssize_t, Sides.index("base"))
TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
ACTIVE = cython.declare(cython.Py_ssize_t, Sides.index("active"))
FIN_OCTET = cython.declare(cython.Py_ssize_t, Sides.index("fin"))
FIN_SEEN = cython.declare(cython.Py_ssize_t, Sides.index("fin_seen"))
NXT = cython.declare(cython.Py_ssize_t, Sides.index("nxt"))
UNA = cython.declare(cython.Py_ssize_t, Sides.index("una"))
SPOKE = cython.declare(cython.Py_ssize_t, Sides.index("spoke"))
TIMESTAMPS = cython.declare(cython.Py_ssize_t, Sides.index("timestamps"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())

SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
BAD = cython.declare(cython.longlong, Checksum.BAD)

LOOK_BACK = cython.declare(cython.Py_ssize_t, 24)
MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)
HALF = cython.declare(cython.longlong, 0x80000000)

# What makes a segment no evidence for its sender (FORGED) or of no effect on its receiver.
FORGED = cython.declare(cython.longlong, 1)
UNDELIVERED = cython.declare(cython.longlong, 2)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _diff(left: cython.longlong, right: cython.longlong) -> cython.longlong:
    """tcp.sequence.diff, for this kernel."""
    return ((left - right + HALF) & MASK32) - HALF


def measure(
    rows: cython.longlong[::1],
    offsets: cython.longlong[::1],
    sides: cython.longlong[::1],
    count: cython.Py_ssize_t,
) -> None:
    """Fill all that is worked out in `Evidence` but dates, and `Sides` from iss to timestamps."""
    conn: cython.Py_ssize_t
    with cython.nogil:
        for conn in range(count):
            _measure(rows, offsets[conn], offsets[conn + 1], sides, 2 * conn * SIDE_WIDTH)


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _measure(
    r: cython.longlong[::1],
    first: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    e: cython.longlong[::1],
    at: cython.Py_ssize_t,
) -> cython.int:
    _find_bases(r, first, last, e, at)
    _unwrap(r, first, last, e, at)
    _measure_turnaround(r, first, last, e, at, 0)
    return _measure_turnaround(r, first, last, e, at, 1)


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _find_bases(
    r: cython.longlong[::1],
    first: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    e: cython.longlong[::1],
    at: cython.Py_ssize_t,
) -> cython.int:
    row: cython.Py_ssize_t
    side: cython.Py_ssize_t
    for side in range(2):
        own: cython.Py_ssize_t = at + side * SIDE_WIDTH
        e[own + ISS] = e[own + BASE] = e[own + TURNAROUND] = e[own + FIN_OCTET] = -1
    for row in range(first, last):
        k: cython.Py_ssize_t = row * WIDTH
        own = at + r[k + SENDER] * SIDE_WIDTH
        peer: cython.Py_ssize_t = at + (1 - r[k + SENDER]) * SIDE_WIDTH
        if r[k + KIND] != SEGMENT:
            continue
        e[own + SPOKE] = 1
        if r[k + FLAGS] & SYN and not r[k + FLAGS] & RST and e[own + ISS] < 0:
            e[own + ISS] = r[k + SEQ]
            e[own + ACTIVE] = 0 if r[k + FLAGS] & ACK_BIT else 1
            e[own + TIMESTAMPS] = r[k + HAS_TIMESTAMP]
        elif r[k + FLAGS] & (SYN | ACK_BIT | RST) == SYN and r[k + SEQ] == e[own + ISS]:
            e[own + ACTIVE] = 1  # its SYN,ACK, of a simultaneous open, had overtaken it
        elif not r[k + FLAGS] & RST and e[own + ISS] < 0 and e[own + BASE] < 0:
            e[own + BASE] = (r[k + SEQ] - 1) & MASK32
            e[own + TIMESTAMPS] = r[k + HAS_TIMESTAMP]
        if r[k + FLAGS] & ACK_BIT and e[peer + BASE] < 0 and not r[k + FLAGS] & RST:
            e[peer + BASE] = (r[k + ACK] - 1) & MASK32
    for side in range(2):
        own = at + side * SIDE_WIDTH
        if e[own + ISS] >= 0:
            e[own + BASE] = e[own + ISS]
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _unwrap(
    r: cython.longlong[::1],
    first: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    e: cython.longlong[::1],
    at: cython.Py_ssize_t,
) -> cython.int:
    row: cython.Py_ssize_t
    both: cython.bint = e[at + TIMESTAMPS] and e[at + SIDE_WIDTH + TIMESTAMPS]
    for row in range(first, last):
        k: cython.Py_ssize_t = row * WIDTH
        own: cython.Py_ssize_t = at + r[k + SENDER] * SIDE_WIDTH
        peer: cython.Py_ssize_t = at + (1 - r[k + SENDER]) * SIDE_WIDTH
        bits: cython.longlong = r[k + FLAGS]
        _unwrap_row(r, k, e, own, peer)
        if r[k + KIND] != SEGMENT or r[k + COPY]:
            continue
        if both and not r[k + HAS_TIMESTAMP] and not bits & RST:
            r[k + DOUBT] = FORGED
        elif r[k + CHECKSUM] == BAD:
            r[k + DOUBT] = UNDELIVERED
        if bits & RST or r[k + DOUBT] == FORGED:
            continue
        _advance(r, k, e, own, peer)
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _unwrap_row(
    r: cython.longlong[::1],
    k: cython.Py_ssize_t,
    e: cython.longlong[::1],
    own: cython.Py_ssize_t,
    peer: cython.Py_ssize_t,
) -> cython.int:
    bits: cython.longlong = r[k + FLAGS]
    near: cython.longlong = max(e[own + NXT], e[own + UNA])
    r[k + BEGIN] = near + _diff(r[k + SEQ], e[own + BASE] + near) if e[own + BASE] >= 0 else 0
    length: cython.longlong = r[k + PAYLOAD]
    if not bits & RST:
        length += ((bits & SYN) != 0) + ((bits & FIN) != 0)
    r[k + END] = r[k + BEGIN] + length
    r[k + ACKED] = -1
    if bits & ACK_BIT and e[peer + BASE] >= 0:
        near = max(e[peer + NXT], e[peer + UNA])
        r[k + ACKED] = near + _diff(r[k + ACK], e[peer + BASE] + near)
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _advance(
    r: cython.longlong[::1],
    k: cython.Py_ssize_t,
    e: cython.longlong[::1],
    own: cython.Py_ssize_t,
    peer: cython.Py_ssize_t,
) -> cython.int:
    """Mark what the segment is against what its sender had sent, then count it in."""
    bits: cython.longlong = r[k + FLAGS]
    empty: cython.bint = not bits & (SYN | FIN)
    nxt: cython.longlong = e[own + NXT]
    if empty and r[k + PAYLOAD] <= 1 and nxt > 1 and r[k + BEGIN] == nxt - 1:
        r[k + PROBE] = 1
    elif r[k + END] > r[k + BEGIN] and r[k + BEGIN] < nxt:
        r[k + REPEAT] = 1
    if bits & FIN:
        fin: cython.longlong = r[k + END] - 1
        if e[own + FIN_OCTET] < 0 or fin < e[own + FIN_OCTET]:
            e[own + FIN_OCTET] = fin
        e[own + FIN_SEEN] = 1
    e[own + NXT] = max(nxt, r[k + END])
    if r[k + ACKED] > e[peer + UNA]:
        e[peer + UNA] = r[k + ACKED]
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _measure_turnaround(
    r: cython.longlong[::1],
    first: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    e: cython.longlong[::1],
    at: cython.Py_ssize_t,
    side: cython.longlong,
) -> cython.int:
    """The least time from a segment to the side until its answer passes the tap again."""
    least: cython.longlong = -1
    row: cython.Py_ssize_t
    for row in range(first, last):
        k: cython.Py_ssize_t = row * WIDTH
        if r[k + SENDER] != side or r[k + COPY] or r[k + DOUBT] or r[k + KIND] != SEGMENT:
            continue
        if not r[k + FLAGS] & ACK_BIT or r[k + FLAGS] & RST:
            continue
        cause: cython.Py_ssize_t = _answered(r, first, row)
        if cause >= 0:
            wait: cython.longlong = r[k + TIME] - r[cause * WIDTH + TIME]
            if wait >= 0 and (least < 0 or wait < least):
                least = wait
    e[at + side * SIDE_WIDTH + TURNAROUND] = least
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _answered(
    r: cython.longlong[::1], first: cython.Py_ssize_t, row: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """The row that a segment answers: by TSecr, else the only one that it newly acknowledges."""
    k: cython.Py_ssize_t = row * WIDTH
    stop: cython.Py_ssize_t = max(first, row - LOOK_BACK)
    other: cython.Py_ssize_t = row - 1
    while other >= stop:
        o: cython.Py_ssize_t = other * WIDTH
        if r[o + KIND] == SEGMENT and not r[o + COPY]:
            if r[o + SENDER] == r[k + SENDER]:
                if not r[k + HAS_TIMESTAMP] and r[o + ACKED] >= r[k + ACKED]:
                    return -1
            elif r[k + HAS_TIMESTAMP]:
                if r[o + HAS_TIMESTAMP] and r[o + TSVAL] == r[k + TSECR]:
                    return other
            elif r[o + END] == r[k + ACKED] and r[o + END] > r[o + BEGIN]:
                return -1 if r[o + REPEAT] else other
        other -= 1
    return -1
