# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Walks the records of pcap, pcapng and snoop over a stretch of bytes into `Packets` rows. ⚙

A walk stops where the bytes end, the rows are full, something is damaged, or a block comes
that is not a packet; it can go on from `position` when there are more bytes. Layouts: pcap
as libpcap's sf-pcap.c reads it, draft-ietf-opsawg-pcapng section 4, RFC 1761 for snoop.
"""

from __future__ import annotations

import cython

from tcptrace.sources.packets import Packets

WIDTH = cython.declare(cython.Py_ssize_t, Packets.width())
TIME = cython.declare(cython.Py_ssize_t, Packets.index("time"))
OFFSET = cython.declare(cython.Py_ssize_t, Packets.index("offset"))
CAPTURED = cython.declare(cython.Py_ssize_t, Packets.index("captured"))
LENGTH = cython.declare(cython.Py_ssize_t, Packets.index("length"))
LINK_TYPE = cython.declare(cython.Py_ssize_t, Packets.index("link_type"))
INTERFACE = cython.declare(cython.Py_ssize_t, Packets.index("interface"))
NUMBER = cython.declare(cython.Py_ssize_t, Packets.index("number"))
FILE = cython.declare(cython.Py_ssize_t, Packets.index("file"))

# Why a walk stopped (`Walk.status`).
MORE, FULL, DAMAGED, BLOCK, SKIP = range(5)
_MORE = cython.declare(cython.int, MORE)
_FULL = cython.declare(cython.int, FULL)
_DAMAGED = cython.declare(cython.int, DAMAGED)
_BLOCK = cython.declare(cython.int, BLOCK)
_SKIP = cython.declare(cython.int, SKIP)

# Times outside ±2⁶² ns (years 1823 to 2116) are clamped, so that differences never overflow.
LAST_SECOND = cython.declare(cython.longlong, 4_611_686_017)
LATEST_TIME = (1 << 62) - 1
_LATEST = cython.declare(cython.longlong, LATEST_TIME)
SECOND = cython.declare(cython.longlong, 1_000_000_000)

# Columns of the table of pcapng interfaces that `walk_blocks` is handed.
INTERFACE_COLUMNS = ("link_type", "index", "base", "exponent", "unit", "offset", "snap", "limit")
_COLUMNS = cython.declare(cython.Py_ssize_t, len(INTERFACE_COLUMNS))

# Block types, pcapng draft section 11.1; sections and interfaces are left to the caller.
SECTION_HEADER, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS = 0x0A0D0D0A, 1, 5
_SHB = cython.declare(cython.longlong, SECTION_HEADER)
_IDB = cython.declare(cython.longlong, INTERFACE_DESCRIPTION)
_ISB = cython.declare(cython.longlong, INTERFACE_STATISTICS)
_OPB = cython.declare(cython.longlong, 2)
_SPB = cython.declare(cython.longlong, 3)
_EPB = cython.declare(cython.longlong, 6)
_OPTIONS_LIMIT = cython.declare(cython.longlong, 1 << 20)


@cython.cclass
class Walk:
    """How records of one file are laid out, and where the walk over them stands.

    `wrong` says in words what was expected where a walk stopped as DAMAGED; `length` is the
    block's length where it stopped at SKIP. `limit` is the greatest captured length believed.
    A simple packet block has no time: its packet gets `time`, that of the packet before it.
    """

    big_endian = cython.declare(cython.bint, visibility="public")
    header = cython.declare(cython.Py_ssize_t, visibility="public")
    unit = cython.declare(cython.longlong, visibility="public")
    lengths = cython.declare(cython.int, visibility="public")
    padding = cython.declare(cython.Py_ssize_t, visibility="public")
    link_type = cython.declare(cython.longlong, visibility="public")
    limit = cython.declare(cython.longlong, visibility="public")
    file = cython.declare(cython.longlong, visibility="public")
    number = cython.declare(cython.longlong, visibility="public")
    position = cython.declare(cython.Py_ssize_t, visibility="public")
    length = cython.declare(cython.longlong, visibility="public")
    status = cython.declare(cython.int, visibility="public")
    invalid_times = cython.declare(cython.longlong, visibility="public")
    clamped_times = cython.declare(cython.longlong, visibility="public")
    untimed = cython.declare(cython.longlong, visibility="public")
    time = cython.declare(cython.longlong, visibility="public")
    wrong = cython.declare(object, visibility="public")

    def __init__(self, file: cython.longlong) -> None:
        self.big_endian = False
        self.header = 16
        self.unit = 1
        self.lengths = 0
        self.padding = 0
        self.link_type = 0
        self.limit = 0
        self.file = file
        self.number = 0
        self.position = 0
        self.length = 0
        self.status = _MORE
        self.invalid_times = 0
        self.clamped_times = 0
        self.untimed = 0
        self.time = 0
        self.wrong = ""


# Order of the two length fields (`Walk.lengths`): as now, as before 2.3, or told by their sizes.
CAPTURED_FIRST, LENGTH_FIRST, SMALLER_IS_CAPTURED = range(3)
_LENGTH_FIRST = cython.declare(cython.int, LENGTH_FIRST)
_SMALLER = cython.declare(cython.int, SMALLER_IS_CAPTURED)


def walk_pcap(
    walk: Walk,
    data: cython.const[cython.uchar][::1],
    start: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    cells: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Rows written to `cells` from the pcap records in `data[start:end]`; sets `walk.status`."""
    row: cython.Py_ssize_t = 0
    rows: cython.Py_ssize_t = cells.shape[0] // WIDTH
    at: cython.Py_ssize_t = start
    captured: cython.longlong
    length: cython.longlong
    walk.status = _MORE
    while end - at >= walk.header:
        if row == rows:
            walk.status = _FULL
            break
        captured = _u32(data, at + 8, walk.big_endian)
        length = _u32(data, at + 12, walk.big_endian)
        if walk.lengths == _LENGTH_FIRST or (walk.lengths == _SMALLER and captured > length):
            captured, length = length, captured
        if captured > walk.limit or captured < walk.padding:
            _damaged(walk, f"a captured length up to {walk.limit}", captured)
            break
        if end - at - walk.header < captured:
            break
        cells[row * WIDTH + TIME] = _record_time(
            walk, _u32(data, at, walk.big_endian), _u32(data, at + 4, walk.big_endian)
        )
        _put(walk, cells, row, at + walk.header, captured, length)
        at += walk.header + captured
        row += 1
    walk.position = at
    return row


def walk_snoop(
    walk: Walk,
    data: cython.const[cython.uchar][::1],
    start: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    cells: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Rows written to `cells` from the snoop records in `data[start:end]`; sets `walk.status`."""
    row: cython.Py_ssize_t = 0
    rows: cython.Py_ssize_t = cells.shape[0] // WIDTH
    at: cython.Py_ssize_t = start
    captured: cython.longlong
    record: cython.longlong
    walk.status = _MORE
    while end - at >= walk.header:
        if row == rows:
            walk.status = _FULL
            break
        captured = _u32(data, at + 4, True)
        record = _u32(data, at + 8, True)
        if captured > walk.limit or record > walk.limit + walk.header:
            _damaged(walk, f"a captured length up to {walk.limit}", captured)
            break
        if record < captured + walk.header:
            _damaged(walk, f"a record length of {captured + walk.header} or more", record)
            break
        if end - at < record:
            break
        cells[row * WIDTH + TIME] = _record_time(
            walk, _u32(data, at + 16, True), _u32(data, at + 20, True)
        )
        _put(walk, cells, row, at + walk.header, captured, _u32(data, at, True))
        at += record
        row += 1
    walk.position = at
    return row


def walk_blocks(
    walk: Walk,
    data: cython.const[cython.uchar][::1],
    start: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    cells: cython.longlong[::1],
    interfaces: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Rows written to `cells` from the pcapng blocks in `data[start:end]`; sets `walk.status`.

    Stops with BLOCK at a section header, an interface description and interface statistics;
    other kinds are passed over, with SKIP if they reach beyond `end`.
    """
    row: cython.Py_ssize_t = 0
    rows: cython.Py_ssize_t = cells.shape[0] // WIDTH
    at: cython.Py_ssize_t = start
    kind: cython.longlong
    whole: cython.longlong
    walk.status = _MORE
    while end - at >= 12:
        kind = _u32(data, at, walk.big_endian)
        if kind == _SHB or kind == _IDB or kind == _ISB:
            walk.status = _BLOCK
            break
        walk.length = _u32(data, at + 4, walk.big_endian)
        if walk.length < 12:
            _damaged(walk, "a block length of 12 or more", walk.length)
            break
        # Some writers leave the padding out of the length they give; Wireshark rounds it up too.
        whole = (walk.length + 3) & ~3
        if kind == _EPB or kind == _OPB or kind == _SPB:
            if row == rows:
                walk.status = _FULL
                break
            if not _packet_block(walk, data, at, end, kind, cells, row, interfaces):
                break
            row += 1
        elif end - at < whole:
            walk.status = _SKIP
            walk.length = whole
            break
        at += whole
    walk.position = at
    return row


@cython.cfunc
@cython.exceptval(-1)
def _packet_block(
    walk: Walk,
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    kind: cython.longlong,
    cells: cython.longlong[::1],
    row: cython.Py_ssize_t,
    interfaces: cython.longlong[::1],
) -> cython.int:
    """1 if the packet of the block at `at` was written to `row`; 0 if not, and `status` why."""
    head: cython.Py_ssize_t = 12 if kind == _SPB else 28
    interface: cython.Py_ssize_t = 0
    captured: cython.longlong
    length: cython.longlong
    whole: cython.longlong = (walk.length + 3) & ~3
    if end - at < head:
        return 0
    if kind == _EPB:
        interface = _u32(data, at + 8, walk.big_endian)
    elif kind == _OPB:
        interface = _u16(data, at + 8, walk.big_endian)
    if interface >= interfaces.shape[0] // _COLUMNS:
        return _damaged(walk, "an interface that was described", interface)
    interface *= _COLUMNS
    length = _u32(data, at + head - 4, walk.big_endian)
    if kind == _SPB:
        captured = _simple_captured(length, walk.length - 16, interfaces[interface + 6])
    else:
        captured = _u32(data, at + 20, walk.big_endian)
    if captured > interfaces[interface + 7]:
        return _damaged(walk, f"a captured length up to {interfaces[interface + 7]}", captured)
    if head + captured + 4 > whole:
        return _damaged(walk, f"a block with room for {captured} captured octets", walk.length)
    if whole > head + captured + _OPTIONS_LIMIT:
        return _damaged(walk, f"a block of {captured} captured octets", walk.length)
    if end - at < whole:
        return 0
    if _u32(data, at + whole - 4, walk.big_endian) != walk.length:
        return _damaged(
            walk,
            f"block length {walk.length} again at the block's end",
            _u32(data, at + whole - 4, walk.big_endian),
        )
    walk.link_type = interfaces[interface]
    _put(walk, cells, row, at + head, captured, length)
    cells[row * WIDTH + INTERFACE] = interfaces[interface + 1]
    if kind == _SPB:
        walk.untimed += 1
    else:
        walk.time = _block_time(
            walk,
            _u32(data, at + 12, walk.big_endian),
            _u32(data, at + 16, walk.big_endian),
            interfaces,
            interface,
        )
    cells[row * WIDTH + TIME] = walk.time
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _simple_captured(
    length: cython.longlong, room: cython.longlong, snap: cython.longlong
) -> cython.longlong:
    """Captured octets of a simple packet block, which does not say them (draft section 4.4)."""
    if snap and length > snap:
        length = snap
    return length if length <= room else room


@cython.cfunc
@cython.exceptval(-1)
def _block_time(
    walk: Walk,
    high: cython.longlong,
    low: cython.longlong,
    interfaces: cython.longlong[::1],
    interface: cython.Py_ssize_t,
) -> cython.longlong:
    """ns since the epoch of a 64-bit count of an interface's units (if_tsresol, if_tsoffset).

    A resolution of base^-exponent; `unit` is 10^|9 - exponent| for base 10, 0 if beyond int64.
    """
    ticks: cython.ulonglong = (cython.cast(cython.ulonglong, high) << 32) | low
    exponent: cython.longlong = interfaces[interface + 3]
    unit: cython.ulonglong = interfaces[interface + 4]
    seconds: cython.ulonglong
    fraction: cython.ulonglong = 0
    if interfaces[interface + 2] == 2:
        seconds = ticks >> exponent if exponent < 64 else 0
        fraction = _binary_fraction(ticks, exponent)
    elif exponent <= 9:
        seconds = ticks // (1_000_000_000 // unit)
        fraction = (ticks - seconds * (1_000_000_000 // unit)) * unit
    else:
        ticks = ticks // unit if unit else 0
        seconds = ticks // 1_000_000_000
        fraction = ticks - seconds * 1_000_000_000
    if seconds > 1 << 62:
        seconds = 1 << 62
    return _clamped(
        walk, cython.cast(cython.longlong, seconds) + interfaces[interface + 5], fraction
    )


@cython.cfunc
@cython.exceptval(check=False)
def _binary_fraction(ticks: cython.ulonglong, exponent: cython.longlong) -> cython.ulonglong:
    """floor(ticks mod 2^exponent × 10⁹ / 2^exponent), in two halves that fit 64 bits."""
    if exponent < 64:
        ticks = ticks & ((cython.cast(cython.ulonglong, 1) << exponent) - 1)
    if exponent <= 32:
        return (ticks * 1_000_000_000) >> exponent
    ticks = (ticks >> 32) * 1_000_000_000 + (((ticks & 0xFFFFFFFF) * 1_000_000_000) >> 32)
    return ticks >> (exponent - 32) if exponent < 96 else 0


@cython.cfunc
@cython.exceptval(check=False)
def _record_time(
    walk: Walk, seconds: cython.longlong, fraction: cython.longlong
) -> cython.longlong:
    """ns since the epoch; a fraction of a second or more is added as it stands, and counted."""
    fraction *= walk.unit
    if fraction >= SECOND:
        walk.invalid_times += 1
    return seconds * SECOND + fraction


@cython.cfunc
@cython.exceptval(check=False)
def _clamped(walk: Walk, seconds: cython.longlong, fraction: cython.longlong) -> cython.longlong:
    if -LAST_SECOND <= seconds <= LAST_SECOND:
        return seconds * SECOND + fraction
    walk.clamped_times += 1
    return _LATEST if seconds > 0 else -_LATEST


@cython.cfunc
@cython.exceptval(-1)
def _put(
    walk: Walk,
    cells: cython.longlong[::1],
    row: cython.Py_ssize_t,
    at: cython.Py_ssize_t,
    captured: cython.longlong,
    length: cython.longlong,
) -> cython.int:
    """Everything of a packet's row but its time and, in pcapng, its interface."""
    first: cython.Py_ssize_t = row * WIDTH
    walk.number += 1
    cells[first + OFFSET] = at + walk.padding
    cells[first + CAPTURED] = captured - walk.padding
    cells[first + LENGTH] = length - walk.padding if length > walk.padding else 0
    cells[first + LINK_TYPE] = walk.link_type
    cells[first + INTERFACE] = 0
    cells[first + NUMBER] = walk.number
    cells[first + FILE] = walk.file
    return 0


@cython.cfunc
@cython.exceptval(-1)
def _damaged(walk: Walk, expected: str, found: cython.longlong) -> cython.int:
    """Stop the walk as DAMAGED; 0."""
    walk.status = _DAMAGED
    walk.wrong = f"{expected}, not {found}"
    return 0


@cython.cfunc
@cython.exceptval(-1)
def _u16(
    data: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, big_endian: cython.bint
) -> cython.longlong:
    if big_endian:
        return data[at] << 8 | data[at + 1]
    return data[at + 1] << 8 | data[at]


@cython.cfunc
@cython.exceptval(-1)
def _u32(
    data: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, big_endian: cython.bint
) -> cython.longlong:
    if big_endian:
        return _u16(data, at, True) << 16 | _u16(data, at + 2, True)
    return _u16(data, at + 2, False) << 16 | _u16(data, at, False)
