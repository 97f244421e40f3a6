# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`walk` ⚙: the packets of a block of Linux's capture ring, TPACKET_V3 (linux/if_packet.h).

A block holds packets one after the other, each behind a `tpacket3_hdr` and a `sockaddr_ll`. The
kernel takes the outermost VLAN tag out of a packet and tells it beside: here it is put back, as
libpcap does. What a loopback interface sends it also receives: the sent copy is left out.
"""

from __future__ import annotations

import sys

import cython

from tcptrace.sources.packets import Packets

WIDTH = cython.declare(cython.Py_ssize_t, Packets.width())
TIME = cython.declare(cython.Py_ssize_t, Packets.index("time"))
OFFSET = cython.declare(cython.Py_ssize_t, Packets.index("offset"))
CAPTURED = cython.declare(cython.Py_ssize_t, Packets.index("captured"))
LENGTH = cython.declare(cython.Py_ssize_t, Packets.index("length"))
LINK_TYPE = cython.declare(cython.Py_ssize_t, Packets.index("link_type"))
INTERFACE = cython.declare(cython.Py_ssize_t, Packets.index("interface"))

# Offsets in struct tpacket3_hdr, and in the struct sockaddr_ll behind it.
NEXT = cython.declare(cython.Py_ssize_t, 0)
SECONDS = cython.declare(cython.Py_ssize_t, 4)
NANOSECONDS = cython.declare(cython.Py_ssize_t, 8)
KEPT_LENGTH = cython.declare(cython.Py_ssize_t, 12)
WIRE_LENGTH = cython.declare(cython.Py_ssize_t, 16)
STATUS = cython.declare(cython.Py_ssize_t, 20)
DATA = cython.declare(cython.Py_ssize_t, 24)
VLAN_TAG = cython.declare(cython.Py_ssize_t, 32)
VLAN_TYPE = cython.declare(cython.Py_ssize_t, 36)
IF_INDEX = cython.declare(cython.Py_ssize_t, 52)
HARDWARE = cython.declare(cython.Py_ssize_t, 56)
PACKET_TYPE = cython.declare(cython.Py_ssize_t, 58)
HEADERS = cython.declare(cython.Py_ssize_t, 68)

VLAN_VALID = cython.declare(cython.longlong, 1 << 4)  # TP_STATUS_VLAN_VALID
VLAN_TYPE_VALID = cython.declare(cython.longlong, 1 << 6)  # TP_STATUS_VLAN_TPID_VALID
VLAN = cython.declare(cython.longlong, 0x8100)  # ETH_P_8021Q
TAG_OCTETS = cython.declare(cython.Py_ssize_t, 4)
ADDRESSES = cython.declare(cython.Py_ssize_t, 12)  # both MAC addresses of an Ethernet header
OUTGOING = cython.declare(cython.longlong, 4)  # PACKET_OUTGOING
ETHER = cython.declare(cython.longlong, 1)  # ARPHRD_ETHER
LOOPBACK = cython.declare(cython.longlong, 772)  # ARPHRD_LOOPBACK
SECOND = cython.declare(cython.longlong, 1_000_000_000)
BIG_ENDIAN = cython.declare(cython.bint, sys.byteorder == "big")


def walk(
    data: cython.uchar[::1],
    begin: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
    cells: cython.longlong[::1],
    row: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Write rows for `count` packets, the first at data[begin]; the row after the last one.

    `link_type` is filled with the interface's ARPHRD number and `interface` with its index;
    `number` and `file` are left as they are. Stops where a packet would lie beyond `data`.
    """
    _: cython.Py_ssize_t
    at: cython.Py_ssize_t = begin
    for _ in range(count):
        if at < 0 or at + HEADERS > data.shape[0]:
            break
        if _number(data, at + HARDWARE, 2) != LOOPBACK or data[at + PACKET_TYPE] != OUTGOING:
            if not _fill(data, at, cells, row * WIDTH):
                break
            row += 1
        step: cython.longlong = _number(data, at + NEXT, 4)
        if step <= 0:
            break
        at += step
    return row


@cython.cfunc
@cython.exceptval(-1, check=True)
def _fill(
    data: cython.uchar[::1],
    at: cython.Py_ssize_t,
    cells: cython.longlong[::1],
    k: cython.Py_ssize_t,
) -> cython.int:
    """Write a packet's row; 0 if it does not lie in the data."""
    hardware: cython.longlong = _number(data, at + HARDWARE, 2)
    start: cython.Py_ssize_t = at + _number(data, at + DATA, 2)
    kept: cython.longlong = _number(data, at + KEPT_LENGTH, 4)
    added: cython.Py_ssize_t = 0
    if start < at + HEADERS or start + kept > data.shape[0]:
        return 0
    room: cython.bint = kept >= ADDRESSES and start >= at + HEADERS + TAG_OCTETS
    ethernet: cython.bint = hardware in (ETHER, LOOPBACK)
    if _number(data, at + STATUS, 4) & VLAN_VALID and room and ethernet:
        added = TAG_OCTETS
        _put_tag(data, at, start)
    cells[k + TIME] = _number(data, at + SECONDS, 4) * SECOND + _number(data, at + NANOSECONDS, 4)
    cells[k + OFFSET] = start - added
    cells[k + CAPTURED] = kept + added
    cells[k + LENGTH] = _number(data, at + WIRE_LENGTH, 4) + added
    cells[k + LINK_TYPE] = hardware
    cells[k + INTERFACE] = _number(data, at + IF_INDEX, 4)
    return 1


@cython.cfunc
@cython.exceptval(-1, check=True)
def _put_tag(
    data: cython.uchar[::1], at: cython.Py_ssize_t, start: cython.Py_ssize_t
) -> cython.int:
    """Move the addresses forward and write the tag behind them."""
    i: cython.Py_ssize_t
    for i in range(start, start + ADDRESSES):
        data[i - TAG_OCTETS] = data[i]
    tag: cython.longlong = _number(data, at + VLAN_TAG, 4)
    kind: cython.longlong = VLAN
    if _number(data, at + STATUS, 4) & VLAN_TYPE_VALID:
        kind = _number(data, at + VLAN_TYPE, 2)
    i = start + ADDRESSES - TAG_OCTETS
    data[i], data[i + 1] = kind >> 8 & 0xFF, kind & 0xFF
    data[i + 2], data[i + 3] = tag >> 8 & 0xFF, tag & 0xFF
    return 0


@cython.cfunc
@cython.exceptval(-1, check=True)
def _number(
    data: cython.uchar[::1], at: cython.Py_ssize_t, octets: cython.Py_ssize_t
) -> cython.longlong:
    """An unsigned number in the machine's own byte order."""
    total: cython.longlong = 0
    i: cython.Py_ssize_t
    for i in range(octets):
        total |= cython.cast(cython.longlong, data[at + i]) << (
            8 * (octets - 1 - i if BIG_ENDIAN else i)
        )
    return total
