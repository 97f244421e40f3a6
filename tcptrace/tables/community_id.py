"""Community ID, version 1, seed 0, of TCP connections: the name by which other tools know them.

The specification is corelight/community-id-spec: SHA-1 over seed, addresses, protocol and
ports, the smaller end first, so that both directions of a four-tuple have the same name.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1

import numpy as np
import numpy.typing as npt

from tcptrace.tracker.transitions import Connections

_TCP = 6
_IPV4_PREFIX = 0xFFFF  # bits 32 to 47 of an IPv4 address in IPv6 form; those above are 0

# What is hashed, in network byte order: seed, two addresses, protocol, a zero octet, two ports.
_ENDS = [("protocol", "u1"), ("padding", "u1"), ("port", ">u2"), ("peer_port", ">u2")]
_IPV4 = np.dtype([("seed", ">u2"), ("address", ">u4"), ("peer", ">u4"), *_ENDS])
_IPV6 = np.dtype([("seed", ">u2"), ("address", ">u8", 2), ("peer", ">u8", 2), *_ENDS])

_LETTERS = 28  # of a hash in base64, the padding included
_VERSION = b"1:"

Halves = npt.NDArray[np.uint64]
Names = npt.NDArray[np.bytes_]


def community_ids(rows: Connections) -> Names:
    """The Community ID of each connection, ASCII: `1:` and the hash in base64."""
    orig = _ends(rows.orig_hi, rows.orig_lo, rows.orig_port)
    resp = _ends(rows.resp_hi, rows.resp_lo, rows.resp_port)
    first, second = _in_order(orig, resp)
    names = np.empty(len(rows), f"S{len(_VERSION) + _LETTERS}")
    four = _is_ipv4(orig) & _is_ipv4(resp)
    for which, layout in ((four, _IPV4), (~four, _IPV6)):
        names[which] = _names(_records(first[which], second[which], layout))
    return names


def _ends(*columns: npt.NDArray[np.int64]) -> Halves:
    """A row an end: upper and lower half of its address, and its port."""
    return np.stack(columns, axis=1).astype(np.int64).view(np.uint64)


def _in_order(orig: Halves, resp: Halves) -> tuple[Halves, Halves]:
    """The smaller end and the larger one, by address, then by port."""
    larger, equal = np.zeros(len(orig), np.bool_), np.ones(len(orig), np.bool_)
    for column in range(orig.shape[1]):
        larger |= equal & (orig[:, column] > resp[:, column])
        equal &= orig[:, column] == resp[:, column]
    swap = larger[:, None]
    return np.where(swap, resp, orig), np.where(swap, orig, resp)


def _is_ipv4(ends: Halves) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (ends[:, 0] == 0) & (ends[:, 1] >> np.uint64(32) == _IPV4_PREFIX)
    return found


def _records(first: Halves, second: Halves, layout: np.dtype[np.void]) -> npt.NDArray[np.void]:
    records = np.zeros(len(first), layout)
    records["protocol"] = _TCP
    for ends, address, port in ((first, "address", "port"), (second, "peer", "peer_port")):
        records[address] = ends[:, :2] if layout is _IPV6 else ends[:, 1] & np.uint64(0xFFFFFFFF)
        records[port] = ends[:, 2]
    return records


def _names(records: npt.NDArray[np.void]) -> Names:
    octets, width = records.tobytes(), records.dtype.itemsize
    # A zero octet behind each hash makes it a whole number of letters: one text holds them all.
    hashes = b"\0".join(
        [
            sha1(octets[at : at + width], usedforsecurity=False).digest()
            for at in range(0, len(octets), width)
        ]
    )
    letters = np.frombuffer(b64encode(hashes + b"\0" * bool(hashes)), np.uint8)
    names = np.empty((len(records), len(_VERSION) + _LETTERS), np.uint8)
    names[:, : len(_VERSION)] = list(_VERSION)
    names[:, len(_VERSION) :] = letters.reshape(-1, _LETTERS)
    names[:, -1] = ord("=")
    return names.view(f"S{names.shape[1]}").reshape(-1)
