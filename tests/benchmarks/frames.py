"""`write`: columns of headers as a pcap of Ethernet frames with right checksums.

Packets of one shape (IPv4 or IPv6, SYN or not, timestamps or not) are one structured array, filled
column by column. The payload is one octet repeated, so that a retransmission repeats its original.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tcptrace.tcp.flags import SYN

Columns = dict[str, np.ndarray]
Fields = dict[str, tuple[Any, Any]]  # name: its type, what stands there

EPOCH = 1_700_000_000
SECOND, US = 1_000_000_000, 1_000
FILL = 0x78
WHOLE = 262_144
AT_ONCE = 200_000
MAGIC, VERSION, ETHERNET = 0xA1B2C3D4, 0x00040002, 1
NET = 0x20010DB8_00000000
U8, U16, U32, U64 = "u1", ">u2", ">u4", ">u8"
# Before the TCP options: record, Ethernet.
BEFORE = 16 + 14


def write(path: Path, columns: Columns, snap: int) -> None:
    """Write the packets in their order, `snap` octets of each; 0 keeps all."""
    with path.open("wb") as file:
        file.write(np.array([MAGIC, VERSION, 0, 0, snap or WHOLE, ETHERNET], "<u4").tobytes())
        for start in range(0, len(columns["time"]), AT_ONCE):
            part = {name: values[start : start + AT_ONCE] for name, values in columns.items()}
            _write_part(file, part, snap or WHOLE)


def _write_part(file: BinaryIO, columns: Columns, snap: int) -> None:
    shapes = []
    syn = (columns["flags"] & SYN) != 0
    kept = np.zeros(len(syn), np.int64)
    for six, opens, stamped in product((False, True), repeat=3):
        which = np.flatnonzero(
            (columns["v6"] == six) & (syn == opens) & (columns["stamped"] == stamped)
        )
        if not len(which):
            continue
        fields = _fields({name: values[which] for name, values in columns.items()}, six, stamped)
        heads = _filled(len(which), fields, six)
        kept[which] = np.minimum(heads["length"], snap)
        heads["kept"] = kept[which]
        shapes.append((which, heads))
    ends = np.cumsum(kept + 16)
    octets = np.full(int(ends[-1]), FILL, np.uint8)
    for which, heads in shapes:
        width = min(heads.dtype.itemsize, 16 + snap)
        at = ends[which] - kept[which] - 16
        octets[at[:, None] + np.arange(width)] = _octets(heads)[:, :width]
    file.write(octets)


def _fields(c: Columns, six: bool, stamped: bool) -> Fields:
    """The headers of packets that are all SYN or all not, in order, with what stands in them."""
    opens = bool(c["flags"][0] & SYN)
    options = _options(c, opens, stamped)
    tcp = 20 + sum(np.dtype(kind).itemsize for kind, _ in options.values())
    length = 14 + (40 if six else 20) + tcp + c["payload"]
    moment = c["time"] // US
    return {
        "seconds": ("<u4", EPOCH + moment // 1_000_000),
        "micro": ("<u4", moment % 1_000_000),
        "kept": ("<u4", 0),
        "length": ("<u4", length),
        "macs": (U64, 0x02000000_00020200),
        "macs_end": (U32, 0x00000001),
        "type": (U16, 0x86DD if six else 0x0800),
        **(_ipv6(c, tcp) if six else _ipv4(c, length - 14)),
        "src_port": (U16, c["src_port"]),
        "dst_port": (U16, c["dst_port"]),
        "seq": (U32, c["seq"]),
        "ack": (U32, c["ack"]),
        "offset": (U8, tcp << 2),
        "flags": (U8, c["flags"]),
        "window": (U16, 64_240 if opens else 501),
        "checksum": (U16, 0),
        "urgent": (U16, 0),
        **options,
    }


def _options(c: Columns, opens: bool, stamped: bool) -> Fields:
    """TCP options: MSS, SACK and the window's scale in a SYN, timestamps where they are in use."""
    stamps: Fields = {"tsval": (U32, c["tsval"]), "tsecr": (U32, c["tsecr"])}
    if not opens:
        return {"stamps": (U32, 0x0101080A), **stamps} if stamped else {}
    sack = {"sack": (U32, 0x0402080A), **stamps} if stamped else {"sack": (U32, 0x01010402)}
    return {"mss": (U32, 0x020405A0), **sack, "scale": (U32, 0x01030307)}


def _ipv4(c: Columns, length: np.ndarray) -> Fields:
    return {
        "version": (U16, 0x4500),
        "total": (U16, length),
        "ip_id": (U16, c["ip_id"]),
        "fragment": (U16, 0x4000),
        "ttl": (U8, np.where(c["from_client"], 64, 57)),
        "protocol": (U8, 6),
        "ip_checksum": (U16, 0),
        "src": (U32, c["src"]),
        "dst": (U32, c["dst"]),
    }


def _ipv6(c: Columns, tcp: int) -> Fields:
    return {
        "version": (U32, 0x60000000),
        "total": (U16, tcp + c["payload"]),
        "protocol": (U8, 6),
        "ttl": (U8, np.where(c["from_client"], 64, 57)),
        "src_net": (U64, NET),
        "src": (U64, c["src"]),
        "dst_net": (U64, NET),
        "dst": (U64, c["dst"]),
    }


def _filled(count: int, fields: Fields, six: bool) -> np.ndarray:
    """The structured array, its checksums right for the whole packet."""
    heads = np.zeros(count, np.dtype([(name, kind) for name, (kind, _) in fields.items()]))
    for name, (kind, value) in fields.items():
        mask = (1 << 8 * np.dtype(kind).itemsize) - 1
        heads[name] = np.asarray(value, np.uint64) & np.uint64(mask)
    ip_end = BEFORE + (40 if six else 20)
    octets = _octets(heads)
    if not six:
        heads["ip_checksum"] = _folded(_sum(octets[:, BEFORE:ip_end]))
    tcp = octets[:, ip_end:]
    addresses = octets[:, ip_end - (32 if six else 8) : ip_end]
    size = heads["length"].astype(np.int64) - (ip_end - 16)
    payload = size - tcp.shape[1]
    words = payload // 2 * (FILL << 8 | FILL) + payload % 2 * (FILL << 8)
    heads["checksum"] = _folded(_sum(addresses) + 6 + size + _sum(tcp) + words)
    return heads


def _octets(heads: np.ndarray) -> np.ndarray:
    return heads.view(np.uint8).reshape(len(heads), -1)


def _sum(octets: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(octets).view(">u2").sum(1, dtype=np.int64)


def _folded(total: np.ndarray) -> np.ndarray:
    """The ones' complement of the ones' complement sum."""
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
