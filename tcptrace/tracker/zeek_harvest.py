# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`harvest` ⚙: the rows of conn.log that a `ZeekModel` holds, as `ZeekRows` and histories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cython

from tcptrace.tracker.zeek_connection import Connection
from tcptrace.tracker.zeek_rows import ZeekRows
from tcptrace.tracker.zeek_side import Side

if TYPE_CHECKING:
    from tcptrace.tracker.zeek import ZeekModel

WIDTH = cython.declare(cython.Py_ssize_t, ZeekRows.width())
SLOT = cython.declare(cython.Py_ssize_t, ZeekRows.index("slot"))
PART = cython.declare(cython.Py_ssize_t, ZeekRows.index("part"))
MAIN = cython.declare(cython.Py_ssize_t, ZeekRows.index("main"))
SWAPPED = cython.declare(cython.Py_ssize_t, ZeekRows.index("swapped"))
TIME_START = cython.declare(cython.Py_ssize_t, ZeekRows.index("time_start"))
TIME_END = cython.declare(cython.Py_ssize_t, ZeekRows.index("time_end"))
PACKETS = cython.declare(cython.Py_ssize_t, ZeekRows.index("packets_0"))
BYTES = cython.declare(cython.Py_ssize_t, ZeekRows.index("bytes_0"))
MISSED = cython.declare(cython.Py_ssize_t, ZeekRows.index("missed_0"))
ORIG_STATE = cython.declare(cython.Py_ssize_t, ZeekRows.index("orig_state"))
RESP_STATE = cython.declare(cython.Py_ssize_t, ZeekRows.index("resp_state"))


def harvest(model: ZeekModel, slots: cython.longlong[::1]) -> tuple[ZeekRows, list[str]]:
    """What Zeek would have written so far about these slots, and each row's history.

    Rows come in the order of the slots, a slot's rows in the order of time. The model keeps
    them until the slot is opened again. A slot that was never fed has no row.
    """
    k: cython.Py_ssize_t
    kept: list[list[Connection]] = [_parts(model, slots[k]) for k in range(slots.shape[0])]
    found: list[Connection] = [conn for parts in kept for conn in parts]
    rows = ZeekRows.zeros(len(found))
    cells: cython.longlong[::1] = rows.cells
    place: cython.Py_ssize_t = 0
    for k in range(slots.shape[0]):
        place = _fill_slot(cells, place, slots[k], kept[k])
    histories = [conn.history.decode("ascii") for conn in found]
    rows.completeness[:] = [model.streams.of(slot) for slot in rows.slot.tolist()]
    rows.settle(histories)
    return rows, histories


@cython.cfunc
def _parts(model: ZeekModel, slot: cython.Py_ssize_t) -> list:
    """The connections of a slot, in the order of time."""
    conn = model.slots[slot] if slot < len(model.slots) else None
    return [] if conn is None else [*(conn.earlier or ()), conn]


@cython.cfunc
def _fill_slot(
    cells: cython.longlong[::1], place: cython.Py_ssize_t, slot: cython.longlong, parts: list
) -> cython.Py_ssize_t:
    """Fill the rows of one slot from row `place` on; the row after them."""
    best: cython.Py_ssize_t = place
    part: cython.Py_ssize_t
    for part in range(len(parts)):
        cells[(place + part) * WIDTH + SLOT] = slot
        cells[(place + part) * WIDTH + PART] = part
        _fill(cells, (place + part) * WIDTH, parts[part])
        if _packets(cells, place + part) > _packets(cells, best):
            best = place + part
    if parts:
        cells[best * WIDTH + MAIN] = 1
    return place + len(parts)


@cython.cfunc
def _fill(cells: cython.longlong[::1], at: cython.Py_ssize_t, conn: Connection) -> cython.int:
    first: Side = conn.first
    second: Side = conn.second
    swapped: cython.bint = conn.orig
    cells[at + SWAPPED] = swapped
    cells[at + TIME_START] = conn.time_start
    cells[at + TIME_END] = conn.time_end
    cells[at + PACKETS] = first.packets
    cells[at + PACKETS + 1] = second.packets
    cells[at + BYTES] = first.size(second)
    cells[at + BYTES + 1] = second.size(first)
    cells[at + MISSED] = first.missed
    cells[at + MISSED + 1] = second.missed
    cells[at + ORIG_STATE] = second.state if swapped else first.state
    cells[at + RESP_STATE] = first.state if swapped else second.state
    return 0


@cython.cfunc
def _packets(cells: cython.longlong[::1], row: cython.Py_ssize_t) -> cython.longlong:
    return cells[row * WIDTH + PACKETS] + cells[row * WIDTH + PACKETS + 1]
