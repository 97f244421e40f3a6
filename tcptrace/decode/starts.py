# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Kernel: the first row of each packet's walk, at the header that its link type begins with. ⚙"""

from __future__ import annotations

import cython

from tcptrace.decode.datagrams import Datagrams
from tcptrace.decode.headers import AFTER_LINK_TYPE, GROUP_BITS, Header, dense
from tcptrace.decode.skipped import Tally
from tcptrace.sources.packets import Packets

P_WIDTH = cython.declare(cython.Py_ssize_t, Packets.width())
P_OFFSET = cython.declare(cython.Py_ssize_t, Packets.index("offset"))
P_CAPTURED = cython.declare(cython.Py_ssize_t, Packets.index("captured"))
P_LENGTH = cython.declare(cython.Py_ssize_t, Packets.index("length"))
P_LINK_TYPE = cython.declare(cython.Py_ssize_t, Packets.index("link_type"))
WIDTH = cython.declare(cython.Py_ssize_t, Datagrams.width())
ROW = cython.declare(cython.Py_ssize_t, Datagrams.index("row"))
HEADER = cython.declare(cython.Py_ssize_t, Datagrams.index("header"))
AT = cython.declare(cython.Py_ssize_t, Datagrams.index("at"))
KEPT_END = cython.declare(cython.Py_ssize_t, Datagrams.index("kept_end"))
FIRST_ZERO = cython.declare(cython.Py_ssize_t, Datagrams.index("value"))
END = cython.declare(cython.Py_ssize_t, Datagrams.index("end"))

ONE = cython.declare(cython.longlong, 1)
GROUP_SHIFT = cython.declare(cython.longlong, GROUP_BITS)
T_CUT = cython.declare(cython.Py_ssize_t, int(Tally.CUT))
UNUSUAL = cython.declare(cython.longlong, int(Header.UNUSUAL))
AFTER_LINK_TYPE_TABLE = dense(AFTER_LINK_TYPE, max(AFTER_LINK_TYPE) + 1, Header.UNUSUAL)


def start(
    packets: cython.longlong[::1],
    which: cython.longlong[::1],
    cells: cython.longlong[::1],
    size: cython.Py_ssize_t,
    tallies: cython.longlong[::1],
) -> int:
    """Overwrite a row of Datagrams cells for each row of Packets cells that `which` lists.

    `size` is how many octets the packets' bytes have: no row reaches beyond them. Returns the
    groups that rows stand at, as a bit set; packets that were cut are counted in `tallies`.
    """
    after: cython.const[cython.short][::1] = AFTER_LINK_TYPE_TABLE
    groups: cython.longlong = 0
    packet: cython.Py_ssize_t
    base: cython.Py_ssize_t = 0
    row: cython.Py_ssize_t
    column: cython.Py_ssize_t
    link_type: cython.longlong
    header: cython.longlong
    at: cython.Py_ssize_t
    with cython.nogil:
        for row in range(which.shape[0]):
            packet = which[row] * P_WIDTH
            for column in range(base + FIRST_ZERO, base + WIDTH):
                cells[column] = 0
            link_type = packets[packet + P_LINK_TYPE]
            header = UNUSUAL
            if 0 <= link_type < after.shape[0]:
                header = after[link_type]
            at = packets[packet + P_OFFSET]
            cells[base + ROW] = which[row]
            cells[base + HEADER] = header
            cells[base + AT] = at
            cells[base + KEPT_END] = min(at + packets[packet + P_CAPTURED], size)
            cells[base + END] = at + max(packets[packet + P_LENGTH], packets[packet + P_CAPTURED])
            if packets[packet + P_CAPTURED] < packets[packet + P_LENGTH]:
                tallies[T_CUT] += 1
            groups |= ONE << (header >> GROUP_SHIFT)
            base += WIDTH
    return groups
