"""The table `segments`: one row a TCP segment, made only when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.decode.segments import Kind, Segments
from tcptrace.tables.addresses import Addresses
from tcptrace.tables.schema import SEGMENTS
from tcptrace.tcp import flags
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.transitions import Connections

Numbers = npt.NDArray[np.int64]

ICMPV6 = 65_536  # what `Segments.icmp` adds for ICMPv6
_LETTERED = sum(flags.LETTERS)  # the reserved bits have no letter
_SACK_EDGES = tuple(
    name for name in Segments.COLUMNS if name.startswith("sack_") and name[5].isdigit()
)


def segments(found: Reconstruction, batches: Iterable[Segments]) -> pd.DataFrame:
    """The table of a capture's segments, whose `slot`, `sender` and `opens` the tracker filled."""
    numbers = _ConnectionNumbers(found.numbers)
    held, conns = [], []
    for batch in batches:
        conns.append(numbers.of(batch))
        held.append(batch)
    rows = Segments.concat(held)
    conn = np.concatenate(conns) if conns else np.zeros(0, np.int64)
    return SEGMENTS.frame(
        {**_header(rows), **_options(rows), **_whose(rows, conn, found.connections)}
    )


class _ConnectionNumbers:
    """Turns slots, which are used again, into connections' numbers, which are not.

    numbers : the connection's number of the n-th that opened
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = np.append(numbers, -1)  # the last place is for rows without a connection
        self._opened = 0
        self._in_slot = np.full(1024, -1, np.int64)

    def of(self, batch: Segments) -> Numbers:
        """The connection's number of each row; -1 for a row without one."""
        opens = batch.opens == 1
        slot = np.asarray(batch.slot)
        self._make_room(int(slot.max(initial=0)))
        number = np.where(opens, self._opened - 1 + np.cumsum(opens), -1)
        opening = pd.Series(np.where(opens, np.arange(len(batch)), -1))
        last = opening.groupby(slot).cummax().to_numpy()
        found = np.where(last >= 0, number[last], self._in_slot[slot])
        self._in_slot[slot[opens]] = number[opens]  # of equal slots, the last row stays
        self._opened += int(opens.sum())
        known = (slot >= 0) & (found < len(self._numbers) - 1)
        return np.asarray(self._numbers[np.where(known, found, -1)], np.int64)

    def _make_room(self, slot: int) -> None:
        if slot >= len(self._in_slot):
            more = np.full(2 * slot - len(self._in_slot) + 1, -1, np.int64)
            self._in_slot = np.concatenate([self._in_slot, more])


def _header(rows: Segments) -> dict[str, Any]:
    both = Addresses.of(
        np.concatenate([rows.src_hi, rows.dst_hi]), np.concatenate([rows.src_lo, rows.dst_lo])
    )
    bits, letters = pd.factorize(rows.flags & _LETTERED)
    return {
        "packet": rows.packet,
        "file": rows.file,
        "ts": rows.time,
        "src_ip": (both.places[: len(rows)], both.dtype),
        "src_port": rows.src_port,
        "dst_ip": (both.places[len(rows) :], both.dtype),
        "dst_port": rows.dst_port,
        "kind": rows.kind,
        "flags": (bits, [flags.letters(int(each)) for each in letters]),
        "seq": rows.seq,
        "ack": (rows.ack, rows.flags & flags.ACK == 0),
        "window": rows.window,
        "payload": rows.payload,
        "ttl": rows.ttl,
        "ip_id": (rows.ip_id, rows.ip_id < 0),
        "checksum": rows.checksum,
        "icmp_type": ((rows.icmp % ICMPV6) // 256, rows.kind != Kind.ICMP_ERROR),
        "icmp_code": (rows.icmp % 256, rows.kind != Kind.ICMP_ERROR),
    }


def _options(rows: Segments) -> dict[str, Any]:
    stamped = rows.has_timestamp == 1
    return {
        "mss": (rows.mss, rows.mss < 0),
        "window_scale": (rows.window_scale, rows.window_scale < 0),
        "sack_permitted": rows.sack_permitted == 1,
        "sack": _sack(rows),
        "tsval": (rows.tsval, ~stamped),
        "tsecr": (rows.tsecr, ~stamped),
    }


def _sack(rows: Segments) -> list[list[int]]:
    """The edges of the blocks that each row has; most rows have none."""
    edges: list[list[int]] = [[]] * len(rows)
    columns = [Segments.index(name) for name in _SACK_EDGES]
    for row in np.flatnonzero(rows.sack_blocks):
        blocks = int(rows.sack_blocks[row])
        edges[row] = rows.matrix[row, columns[: 2 * blocks]].tolist()
    return edges


def _whose(rows: Segments, conn: Numbers, connections: Connections) -> dict[str, Any]:
    """Connection and role; a connection with itself has one name for both, so `sender` decides."""
    none = (conn < 0) | (conn >= len(connections))
    own = connections.take(np.where(none, 0, conn)) if len(connections) else connections
    if not len(connections):
        return {"conn": (conn, np.ones(len(rows), np.bool_)), "role": np.full(len(rows), -1)}
    by_orig = _sent_by(rows, own, "orig")
    by_resp = _sent_by(rows, own, "resp")
    role = np.where(by_orig & by_resp, rows.sender, np.where(by_orig, 0, 1))
    return {"conn": (conn, none), "role": np.where(none, -1, role)}


def _sent_by(rows: Segments, own: Connections, side: str) -> npt.NDArray[np.bool_]:
    same: npt.NDArray[np.bool_] = getattr(own, f"{side}_port") == rows.src_port
    for half in ("hi", "lo"):
        same = same & (getattr(own, f"{side}_{half}") == getattr(rows, f"src_{half}"))
    return same
