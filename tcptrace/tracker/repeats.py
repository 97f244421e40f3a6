# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`repeats`: the segments that repeat octets and that a long timer may have sent."""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tracker.slots import Evidence

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
REPEAT = cython.declare(cython.Py_ssize_t, Evidence.index("repeat"))
PROBE = cython.declare(cython.Py_ssize_t, Evidence.index("probe"))
DOUBT = cython.declare(cython.Py_ssize_t, Evidence.index("doubt"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)


def repeats(
    rows: cython.longlong[::1],
    offsets: cython.longlong[::1],
    count: cython.Py_ssize_t,
    after: cython.longlong,
    found: cython.longlong[::1],
) -> int:
    """How many there are that came more than `after` ns after their connection's first segment.

    Their rows go to `found`, round and round: where there is no room for all, the last stay.
    """
    conn: cython.Py_ssize_t
    row: cython.Py_ssize_t
    since: cython.longlong
    many: cython.Py_ssize_t = 0
    with cython.nogil:
        for conn in range(count):
            for row in range(offsets[conn], offsets[conn + 1]):
                since = rows[offsets[conn] * WIDTH + TIME]
                if rows[row * WIDTH + TIME] - since > after and _repeats(rows, row * WIDTH):
                    found[many % found.shape[0]] = row
                    many += 1
    return many


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _repeats(r: cython.longlong[::1], k: cython.Py_ssize_t) -> cython.bint:
    if not (r[k + REPEAT] or r[k + PROBE]) or r[k + COPY] or r[k + DOUBT]:
        return False
    return r[k + KIND] == SEGMENT and not r[k + FLAGS] & RST
