# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""When each segment left its sender and reached its receiver.

A sender's TSval ticks where the segment was made, so it dates it despite jitter (RFC 7323
section 5.4; Linux: one tick a millisecond).
"""

from __future__ import annotations

import cython

from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Evidence

if not cython.compiled:
    from tcptrace.tcp.sequence import diff
    from tcptrace.tracker.memory import row_of

    TIME = Evidence.index("time")
    HAS_TIMESTAMP = Evidence.index("has_timestamp")
    TSVAL = Evidence.index("tsval")
    SENDER = Evidence.index("sender")
    DOUBT = Evidence.index("doubt")
    SENT = Evidence.index("sent")
    ARRIVES = Evidence.index("arrives")
    WIDTH = Evidence.width()

    TURNAROUND = Sides.index("turnaround")
    JITTER = Sides.index("jitter")
    CLOCK = Sides.index("clock")
    SIDE_WIDTH = Sides.width()

    TICK = 1_000_000
    NONE = 1 << 62
    DRIFT = 20_000_000
    CLOCK_SPREAD = 4_000_000_000


def date(
    rows: cython.longlong[::1],
    offsets: cython.longlong[::1],
    sides: cython.longlong[::1],
    count: cython.Py_ssize_t,
) -> None:
    """Fill `sent` and `arrives`, and each side's jitter, from the turnarounds in `sides`."""
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
            e[CLOCK] = e[SIDE_WIDTH + CLOCK] = e[JITTER] = e[SIDE_WIDTH + JITTER] = 0
            if many > 0:
                r = row_of(rows, first * WIDTH, many * WIDTH)
                _date_side(r, many, e, 0)
                _date_side(r, many, e, 1)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _date_side(
    r: cython.p_longlong, many: cython.Py_ssize_t, e: cython.p_longlong, side: cython.Py_ssize_t
) -> cython.int:
    own: cython.Py_ssize_t = side * SIDE_WIDTH
    away: cython.longlong = max(e[own + TURNAROUND], 0) // 2
    onward: cython.longlong = max(e[SIDE_WIDTH - own + TURNAROUND], 0) // 2
    origin: cython.Py_ssize_t = _clock_origin(r, many, side)
    fastest: cython.longlong = 0
    if origin >= 0:
        fastest = _fastest_by_clock(r, many, side, origin)
        e[own + CLOCK] = fastest != NONE
    clock: cython.bint = e[own + CLOCK] != 0
    row: cython.Py_ssize_t
    spread: cython.longlong = 0
    now: cython.longlong = r[TIME]
    for row in range(many):
        k: cython.Py_ssize_t = row * WIDTH
        now = max(now, r[k + TIME])  # a clock that steps back does not turn the order round
        if r[k + SENDER] != side:
            continue
        late: cython.longlong = 0
        if clock and r[k + HAS_TIMESTAMP]:
            late = max(0, _lag(r, k, origin) - fastest - TICK)
            if late > CLOCK_SPREAD:
                late = 0
            spread = max(spread, min(late, 50 * TICK))
        r[k + SENT] = now - away - late
        r[k + ARRIVES] = now + onward
    e[own + JITTER] = spread
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _clock_origin(
    r: cython.p_longlong, many: cython.Py_ssize_t, side: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """The first row of the side that carries a timestamp, -1 for none."""
    row: cython.Py_ssize_t
    for row in range(many):
        k: cython.Py_ssize_t = row * WIDTH
        if r[k + SENDER] == side and r[k + HAS_TIMESTAMP] and not r[k + DOUBT]:
            return row
    return -1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _lag(r: cython.p_longlong, k: cython.Py_ssize_t, origin: cython.Py_ssize_t) -> cython.longlong:
    """How much later than by the sender's clock the segment passed, against the origin row."""
    o: cython.Py_ssize_t = origin * WIDTH
    return r[k + TIME] - r[o + TIME] - diff(r[k + TSVAL], r[o + TSVAL]) * TICK


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _fastest(
    r: cython.p_longlong,
    first: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    side: cython.Py_ssize_t,
    origin: cython.Py_ssize_t,
) -> cython.longlong:
    """The least lag of the side's segments, that of its fastest; NONE without any."""
    least: cython.longlong = NONE
    row: cython.Py_ssize_t
    for row in range(first, last):
        k: cython.Py_ssize_t = row * WIDTH
        if r[k + SENDER] == side and r[k + HAS_TIMESTAMP] and not r[k + DOUBT]:
            least = min(least, _lag(r, k, origin))
    return least


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _fastest_by_clock(
    r: cython.p_longlong,
    many: cython.Py_ssize_t,
    side: cython.Py_ssize_t,
    origin: cython.Py_ssize_t,
) -> cython.longlong:
    """The least lag of all, NONE if TSval does not tick milliseconds.

    Then the fastest lags of both halves drift apart (old Linux, BSD).
    """
    one: cython.longlong = _fastest(r, 0, many // 2, side, origin)
    two: cython.longlong = _fastest(r, many // 2, many, side, origin)
    if one == NONE or two == NONE:
        return min(one, two)
    span: cython.longlong = r[(many - 1) * WIDTH + TIME] - r[TIME]
    apart: cython.longlong = abs(two - one)
    return min(one, two) if apart < DRIFT or 4 * apart < span else NONE
