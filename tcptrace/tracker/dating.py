# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""When each segment left its sender and reached its receiver.

A sender's TSval ticks where the segment was made, so it dates it despite jitter (RFC 7323
section 5.4; Linux: one tick a millisecond).
"""

from __future__ import annotations

import cython

from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Evidence

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Evidence.index("has_timestamp"))
TSVAL = cython.declare(cython.Py_ssize_t, Evidence.index("tsval"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
DOUBT = cython.declare(cython.Py_ssize_t, Evidence.index("doubt"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())

TURNAROUND = cython.declare(cython.Py_ssize_t, Sides.index("turnaround"))
JITTER = cython.declare(cython.Py_ssize_t, Sides.index("jitter"))
CLOCK = cython.declare(cython.Py_ssize_t, Sides.index("clock"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())


TICK = cython.declare(cython.longlong, 1_000_000)
NONE = cython.declare(cython.longlong, 1 << 62)
DRIFT = cython.declare(cython.longlong, 20_000_000)
CLOCK_SPREAD = cython.declare(cython.longlong, 4_000_000_000)
MASK32 = cython.declare(cython.longlong, 0xFFFFFFFF)
HALF = cython.declare(cython.longlong, 0x80000000)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _diff(left: cython.longlong, right: cython.longlong) -> cython.longlong:
    """tcp.sequence.diff, for this kernel."""
    return ((left - right + HALF) & MASK32) - HALF


def date(
    rows: cython.longlong[::1],
    offsets: cython.longlong[::1],
    sides: cython.longlong[::1],
    count: cython.Py_ssize_t,
) -> None:
    """Fill `sent` and `arrives`, and each side's jitter, from the turnarounds in `sides`."""
    conn: cython.Py_ssize_t
    at: cython.Py_ssize_t
    with cython.nogil:
        for conn in range(count):
            at = 2 * conn * SIDE_WIDTH
            _date_side(rows, offsets[conn], offsets[conn + 1], sides, at, 0)
            _date_side(rows, offsets[conn], offsets[conn + 1], sides, at, 1)


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _date_side(
    r: cython.longlong[::1],
    first: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    e: cython.longlong[::1],
    at: cython.Py_ssize_t,
    side: cython.longlong,
) -> cython.int:
    own: cython.Py_ssize_t = at + side * SIDE_WIDTH
    peer: cython.Py_ssize_t = at + (1 - side) * SIDE_WIDTH
    away: cython.longlong = max(e[own + TURNAROUND], 0) // 2
    onward: cython.longlong = max(e[peer + TURNAROUND], 0) // 2
    origin: cython.Py_ssize_t = _clock_origin(r, first, last, side)
    fastest: cython.longlong = 0
    e[own + CLOCK] = origin >= 0 and _ticks_milliseconds(r, first, last, side, origin)
    if e[own + CLOCK]:
        fastest = _fastest(r, first, last, side, origin)
    row: cython.Py_ssize_t
    spread: cython.longlong = 0
    now: cython.longlong = r[first * WIDTH + TIME] if first < last else 0
    for row in range(first, last):
        k: cython.Py_ssize_t = row * WIDTH
        now = max(now, r[k + TIME])  # a clock that steps back does not turn the order round
        if r[k + SENDER] != side:
            continue
        late: cython.longlong = 0
        if e[own + CLOCK] and r[k + HAS_TIMESTAMP]:
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
@cython.exceptval(-2, check=True)
def _clock_origin(
    r: cython.longlong[::1],
    first: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    side: cython.longlong,
) -> cython.Py_ssize_t:
    """The first row of the side that carries a timestamp, -1 for none."""
    row: cython.Py_ssize_t
    for row in range(first, last):
        k: cython.Py_ssize_t = row * WIDTH
        if r[k + SENDER] == side and r[k + HAS_TIMESTAMP] and not r[k + DOUBT]:
            return row
    return -1


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _lag(
    r: cython.longlong[::1], k: cython.Py_ssize_t, origin: cython.Py_ssize_t
) -> cython.longlong:
    """How much later than by the sender's clock the segment passed, against the origin row."""
    o: cython.Py_ssize_t = origin * WIDTH
    return r[k + TIME] - r[o + TIME] - _diff(r[k + TSVAL], r[o + TSVAL]) * TICK


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _fastest(
    r: cython.longlong[::1],
    first: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    side: cython.longlong,
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
@cython.exceptval(-1, check=True)
def _ticks_milliseconds(
    r: cython.longlong[::1],
    first: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    side: cython.longlong,
    origin: cython.Py_ssize_t,
) -> cython.bint:
    """Whether TSval ticks so: else the fastest lags of both halves drift apart (old Linux, BSD)."""
    middle: cython.Py_ssize_t = (first + last) // 2
    one: cython.longlong = _fastest(r, first, middle, side, origin)
    two: cython.longlong = _fastest(r, middle, last, side, origin)
    if one == NONE or two == NONE:
        return True
    span: cython.longlong = r[(last - 1) * WIDTH + TIME] - r[first * WIDTH + TIME]
    apart: cython.longlong = abs(two - one)
    return apart < DRIFT or 4 * apart < span
