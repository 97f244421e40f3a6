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

if not cython.compiled:
    from tcptrace.tcp.sequence import diff
    from tcptrace.tracker.memory import row_of

    TIME = Evidence.index("time")
    KIND = Evidence.index("kind")
    SEQ = Evidence.index("seq")
    ACK = Evidence.index("ack")
    FLAGS = Evidence.index("flags")
    PAYLOAD = Evidence.index("payload")
    CHECKSUM = Evidence.index("checksum")
    HAS_TIMESTAMP = Evidence.index("has_timestamp")
    TSVAL = Evidence.index("tsval")
    TSECR = Evidence.index("tsecr")
    SENDER = Evidence.index("sender")
    COPY = Evidence.index("copy")
    BEGIN = Evidence.index("begin")
    END = Evidence.index("end")
    ACKED = Evidence.index("acked")
    REPEAT = Evidence.index("repeat")
    PROBE = Evidence.index("probe")
    DOUBT = Evidence.index("doubt")
    WIDTH = Evidence.width()

    ISS = Sides.index("iss")
    BASE = Sides.index("base")
    TURNAROUND = Sides.index("turnaround")
    ACTIVE = Sides.index("active")
    FIN_OCTET = Sides.index("fin")
    FIN_SEEN = Sides.index("fin_seen")
    NXT = Sides.index("nxt")
    UNA = Sides.index("una")
    SPOKE = Sides.index("spoke")
    TIMESTAMPS = Sides.index("timestamps")
    SIDE_WIDTH = Sides.width()

    SYN = flags.SYN
    ACK_BIT = flags.ACK
    FIN = flags.FIN
    RST = flags.RST
    SEGMENT = Kind.SEGMENT
    BAD = Checksum.BAD

    LOOK_BACK = 24
    MASK32 = 0xFFFFFFFF

    # What makes a segment no evidence for its sender (FORGED) or of no effect on its receiver.
    FORGED = 1
    UNDELIVERED = 2


def measure(
    rows: cython.longlong[::1],
    offsets: cython.longlong[::1],
    sides: cython.longlong[::1],
    count: cython.Py_ssize_t,
) -> None:
    """Fill all that is worked out in `Evidence` but dates, and `Sides` from iss to timestamps."""
    conn: cython.Py_ssize_t
    first: cython.Py_ssize_t
    many: cython.Py_ssize_t
    r: cython.p_longlong
    e: cython.p_longlong
    with cython.nogil:
        for conn in range(count):
            first = offsets[conn]
            many = offsets[conn + 1] - first
            e = row_of(sides, 2 * conn * SIDE_WIDTH, 2 * SIDE_WIDTH)
            _begin(e)
            if many > 0:
                r = row_of(rows, first * WIDTH, many * WIDTH)
                _find_bases(r, many, e)
                _unwrap(r, many, e)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _begin(e: cython.p_longlong) -> cython.int:
    """Nothing is known of either side."""
    e[ISS] = e[BASE] = e[TURNAROUND] = e[FIN_OCTET] = -1
    e[SIDE_WIDTH + ISS] = e[SIDE_WIDTH + BASE] = -1
    e[SIDE_WIDTH + TURNAROUND] = e[SIDE_WIDTH + FIN_OCTET] = -1
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _find_bases(r: cython.p_longlong, many: cython.Py_ssize_t, e: cython.p_longlong) -> cython.int:
    """Find what octet 0 of each side stands for, in its SYN or in the first that tells."""
    row: cython.Py_ssize_t
    for row in range(many):
        k: cython.Py_ssize_t = row * WIDTH
        own: cython.Py_ssize_t = (r[k + SENDER] & 1) * SIDE_WIDTH
        peer: cython.Py_ssize_t = SIDE_WIDTH - own
        bits: cython.longlong = r[k + FLAGS]
        if r[k + KIND] != SEGMENT:
            continue
        e[own + SPOKE] = 1
        if bits & (SYN | RST) == SYN and e[own + ISS] < 0:
            e[own + ISS] = r[k + SEQ]
            e[own + ACTIVE] = 0 if bits & ACK_BIT else 1
            e[own + TIMESTAMPS] = r[k + HAS_TIMESTAMP]
        elif bits & (SYN | ACK_BIT | RST) == SYN and r[k + SEQ] == e[own + ISS]:
            e[own + ACTIVE] = 1  # its SYN,ACK, of a simultaneous open, had overtaken it
        elif not bits & RST and e[own + ISS] < 0 and e[own + BASE] < 0:
            e[own + BASE] = (r[k + SEQ] - 1) & MASK32
            e[own + TIMESTAMPS] = r[k + HAS_TIMESTAMP]
        if bits & (ACK_BIT | RST) == ACK_BIT and e[peer + BASE] < 0:
            e[peer + BASE] = (r[k + ACK] - 1) & MASK32
    if e[ISS] >= 0:
        e[BASE] = e[ISS]
    if e[SIDE_WIDTH + ISS] >= 0:
        e[SIDE_WIDTH + BASE] = e[SIDE_WIDTH + ISS]
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _unwrap(r: cython.p_longlong, many: cython.Py_ssize_t, e: cython.p_longlong) -> cython.int:
    row: cython.Py_ssize_t
    both: cython.bint = e[TIMESTAMPS] != 0 and e[SIDE_WIDTH + TIMESTAMPS] != 0
    for row in range(many):
        k: cython.Py_ssize_t = row * WIDTH
        own: cython.Py_ssize_t = (r[k + SENDER] & 1) * SIDE_WIDTH
        bits: cython.longlong = r[k + FLAGS]
        _unwrap_row(r, k, e, own)
        if r[k + KIND] != SEGMENT or r[k + COPY]:
            continue
        if both and not r[k + HAS_TIMESTAMP] and not bits & RST:
            r[k + DOUBT] = FORGED
            continue
        if r[k + CHECKSUM] == BAD:
            r[k + DOUBT] = UNDELIVERED
        if not bits & RST:
            _advance(r, k, e, own)
            if bits & ACK_BIT and not r[k + DOUBT]:
                _measure_turnaround(r, row, e, own)
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _unwrap_row(
    r: cython.p_longlong, k: cython.Py_ssize_t, e: cython.p_longlong, own: cython.Py_ssize_t
) -> cython.int:
    peer: cython.Py_ssize_t = SIDE_WIDTH - own
    bits: cython.longlong = r[k + FLAGS]
    near: cython.longlong = max(e[own + NXT], e[own + UNA])
    begin: cython.longlong = 0
    if e[own + BASE] >= 0:
        begin = near + diff(r[k + SEQ], e[own + BASE] + near)
    length: cython.longlong = r[k + PAYLOAD]
    if not bits & RST:
        length += ((bits & SYN) != 0) + ((bits & FIN) != 0)
    r[k + BEGIN] = begin
    r[k + END] = begin + length
    r[k + ACKED] = -1
    if bits & ACK_BIT and e[peer + BASE] >= 0:
        near = max(e[peer + NXT], e[peer + UNA])
        r[k + ACKED] = near + diff(r[k + ACK], e[peer + BASE] + near)
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _advance(
    r: cython.p_longlong, k: cython.Py_ssize_t, e: cython.p_longlong, own: cython.Py_ssize_t
) -> cython.int:
    """Mark what the segment is against what its sender had sent, then count it in."""
    peer: cython.Py_ssize_t = SIDE_WIDTH - own
    bits: cython.longlong = r[k + FLAGS]
    nxt: cython.longlong = e[own + NXT]
    end: cython.longlong = r[k + END]
    empty: cython.bint = not bits & (SYN | FIN)
    if empty and r[k + PAYLOAD] <= 1 and nxt > 1 and r[k + BEGIN] == nxt - 1:
        r[k + PROBE] = 1
    elif end > r[k + BEGIN] and r[k + BEGIN] < nxt:
        r[k + REPEAT] = 1
    if bits & FIN:
        if e[own + FIN_OCTET] < 0 or end - 1 < e[own + FIN_OCTET]:
            e[own + FIN_OCTET] = end - 1
        e[own + FIN_SEEN] = 1
    if end > nxt:
        e[own + NXT] = end
    if r[k + ACKED] > e[peer + UNA]:
        e[peer + UNA] = r[k + ACKED]
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _measure_turnaround(
    r: cython.p_longlong, row: cython.Py_ssize_t, e: cython.p_longlong, own: cython.Py_ssize_t
) -> cython.int:
    """The least time from a segment to the side until its answer passes the tap again."""
    cause: cython.Py_ssize_t = _answered(r, row)
    if cause >= 0:
        wait: cython.longlong = r[row * WIDTH + TIME] - r[cause * WIDTH + TIME]
        if wait >= 0 and (e[own + TURNAROUND] < 0 or wait < e[own + TURNAROUND]):
            e[own + TURNAROUND] = wait
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _answered(r: cython.p_longlong, row: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The row that a segment answers: by TSecr, else the only one that it newly acknowledges."""
    k: cython.Py_ssize_t = row * WIDTH
    stop: cython.Py_ssize_t = max(0, row - LOOK_BACK)
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
