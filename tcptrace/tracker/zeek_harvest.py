# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`harvest` ⚙: the rows of conn.log that a `ZeekModel` holds, as `ZeekRows` and histories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cython
import numpy as np

from tcptrace.tracker.completeness import Streams
from tcptrace.tracker.zeek_connection import ZeekConnections
from tcptrace.tracker.zeek_rows import ZeekRows, ZeekSlots

if TYPE_CHECKING:
    from tcptrace.tracker.zeek import ZeekModel

WIDTH = cython.declare(cython.Py_ssize_t, ZeekRows.width())
SLOT = cython.declare(cython.Py_ssize_t, ZeekRows.index("slot"))
PART = cython.declare(cython.Py_ssize_t, ZeekRows.index("part"))
MAIN = cython.declare(cython.Py_ssize_t, ZeekRows.index("main"))
PACKETS = cython.declare(cython.Py_ssize_t, ZeekRows.index("packets_0"))
COMPLETENESS = cython.declare(cython.Py_ssize_t, ZeekRows.index("completeness"))
SLOT_WIDTH = cython.declare(cython.Py_ssize_t, ZeekSlots.width())
FED = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("fed"))
CUT = cython.declare(cython.Py_ssize_t, ZeekSlots.octet("cut"))


def harvest(model: ZeekModel, slots: cython.longlong[::1]) -> tuple[ZeekRows, list[str]]:
    """What Zeek would have written so far about these slots, and each row's history.

    Rows come in the order of the slots, a slot's rows in the order of time. The model keeps
    them until the slot is opened again or released. A slot that was never fed has no row.
    """
    connections: ZeekConnections = model.connections
    streams: Streams = model.streams
    rows = ZeekRows.zeros(_count(connections, slots))
    cells: cython.longlong[::1] = rows.cells
    earlier: dict[int, str] = {}
    first: cython.Py_ssize_t
    place: cython.Py_ssize_t = 0
    k: cython.Py_ssize_t
    with cython.nogil:
        for k in range(slots.shape[0]):
            if _is_fed(connections, slots[k]):
                first = place
                if connections.octets[8 * slots[k] * SLOT_WIDTH + CUT]:
                    with cython.gil:
                        place = _lay_earlier(connections, slots[k], rows, place, earlier)
                connections.tell(slots[k] * SLOT_WIDTH, cells, place * WIDTH)
                place += 1
                _settle_parts(cells, first, place, streams.of(slots[k]))
    histories = connections.histories.of(rows.slot)
    for row, history in earlier.items():
        histories[row] = history
    rows.settle(histories)
    return rows, histories


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _is_fed(connections: ZeekConnections, slot: cython.longlong) -> cython.bint:
    octet: cython.Py_ssize_t = 8 * slot * SLOT_WIDTH + FED
    return octet < connections.octets.shape[0] and connections.octets[octet] != 0


@cython.cfunc
@cython.exceptval(-1)
def _count(connections: ZeekConnections, slots: cython.longlong[::1]) -> cython.Py_ssize_t:
    """How many rows there are of these slots."""
    k: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    with cython.nogil:
        for k in range(slots.shape[0]):
            if _is_fed(connections, slots[k]):
                count += 1
                if connections.octets[8 * slots[k] * SLOT_WIDTH + CUT]:
                    with cython.gil:
                        count += len(connections.earlier[slots[k]])
    return count


@cython.cfunc
@cython.exceptval(-1)
def _lay_earlier(
    connections: ZeekConnections,
    slot: cython.Py_ssize_t,
    rows: object,
    place: cython.Py_ssize_t,
    histories: dict,
) -> cython.Py_ssize_t:
    """Lay out the rows that Zeek cut off in a slot, from row `place` on; the row after them."""
    for row, history in connections.earlier[slot]:
        rows.matrix[place] = np.frombuffer(row, np.int64)
        histories[place] = history
        place += 1
    return place


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _settle_parts(
    cells: cython.longlong[::1],
    first: cython.Py_ssize_t,
    after: cython.Py_ssize_t,
    completeness: cython.longlong,
) -> cython.int:
    """Number the rows of a slot, and say which one speaks for it."""
    row: cython.Py_ssize_t
    best: cython.Py_ssize_t = first
    for row in range(first, after):
        cells[row * WIDTH + PART] = row - first
        cells[row * WIDTH + COMPLETENESS] = completeness
        if _packets(cells, row) > _packets(cells, best):
            best = row
    cells[best * WIDTH + MAIN] = 1
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _packets(cells: cython.longlong[::1], row: cython.Py_ssize_t) -> cython.longlong:
    return cells[row * WIDTH + PACKETS] + cells[row * WIDTH + PACKETS + 1]
