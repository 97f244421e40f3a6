"""The shapes inside the tracker: an open connection's slot, and a row of its evidence.

Both live in growable matrices that the kernels of this floor share by column name.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tcptrace.columns import Matrix, Rows

# What two addresses have to do with each other is one part's matter, and no other part's: whoever
# tracks some of the parts alone says of them what is said where all are tracked together.
PARTS = 32


class Slots(Rows):
    """One open connection a row; its place is its `slot`. Sides 0 and 1: seen first, the other."""

    COLUMNS: ClassVar[dict[str, str]] = {  # first what nearly every segment is about
        "plain": "1 while most of its segments are plain ones, as `trains` says",
        "part": "which of PARTS its two addresses are in",
        "hi_0": "address of side 0, upper 64 bits",
        "lo_0": "lower 64 bits",
        "hi_1": "address of side 1",
        "lo_1": "lower 64 bits",
        "port_0": "port of side 0",
        "port_1": "port of side 1",
        "time_end": "latest time of a segment, ns",
        "packet_end": "number of the last packet",
        "nxt_0": "SND.NXT of side 0, -1 before its first segment",
        "nxt_1": "of side 1",
        "iss_0": "initial sequence number of side 0, -1 unknown",
        "iss_1": "of side 1",
        "syn_acked_0": "the number of side 0's that side 1's SYN,ACK acknowledged, -1 without one",
        "syn_acked_1": "the same of side 1's",
        "older": "slot of the older incarnation of its four-tuple, -1 for none",
        "newer": "slot of the newer incarnation, -1 for none",
        "previous": "slot before it in its queue, -1 for none; the turn of one that goes on",
        "following": "slot after it in its queue, of those that left or of the free, -1 for none",
        "queue": "which queue it stands in, as `queues.Queues` counts them",
        "shown": "what its segments have shown, bits of `trains`",
        "used": "1 while the slot holds an open connection, 2 until one that left is told",
        "hash": "of the four-tuple",
        "ordinal": "how many connections began before it",
        "path": "path of the first segment",
        "time_start": "time of the first segment, ns",
        "packet_start": "number of the first packet",
        "file": "file of the first packet",
        "end_reason": "EndReason, once it has left the table",
        "left_at": "until when it was watched, ns, once it has left the table",
        "after": "slot of the incarnation that it was begun after, -1 for none",
    }


class Keeping(Rows):
    """What the log of evidence keeps of an open connection, a row a slot; chunks are its pool's."""

    CHUNK: ClassVar[int] = 8  # rows
    PAGE: ClassVar[int] = 64  # octets of packed rows
    PACKED: ClassVar[int] = -2  # as a first chunk, or less: the rows are in no chunk
    COLUMNS: ClassVar[dict[str, str]] = {
        "rows": "how many evidence rows it holds",
        "first_chunk": "its first chunk of evidence, -1 for none; PACKED - n: from octet n on",
        "last_chunk": "its last chunk",
        "last_rows": "rows in the last chunk",
        "last_pinned": "last chunk that is kept for good, -1 for none",
        "loose": "chunks behind it that may be dropped",
        "pin": "how many more rows are kept for good",
        "pinned_rows": "rows that are kept for good",
        "path": "path of its first segment, and of every one whose brief says nothing else",
        "interface": "interface of its first segment, and of every one likewise",
    }


class Cells:
    """A row of cells of 32 bits, by their names."""

    CELLS: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def index(cls, name: str) -> int:
        """The place of a cell in a row."""
        return cls.CELLS.index(name)


class Brief(Cells):
    """The cells of 32 bits that most rows of evidence fit in, and the fields of two of them."""

    CELLS: ClassVar[tuple[str, ...]] = (
        *("time_low", "time_high", "packet", "seq", "ack", "tsval", "tsecr"),
        "sizes",  # payload, and 16 bits higher the window; or the place of an odd row
        "labels",  # IPv4's identification, and 16 bits higher the checksum
        "bits",
    )
    BITS: ClassVar[dict[str, int]] = {  # how many of each, from the lowest on
        "flags": 12,
        "ttl": 8,
        "kind": 2,
        "checksum": 2,
        "has_timestamp": 1,
        "sender": 1,
        "copy": 1,
        "has_ip_id": 1,
        "odd": 1,
    }

    @classmethod
    def shift(cls, name: str) -> int:
        """Where a field of `bits` begins."""
        names = list(cls.BITS)
        return sum(cls.BITS[before] for before in names[: names.index(name)])

    @classmethod
    def mask(cls, name: str) -> int:
        """The largest number in a field of `bits`."""
        return (1 << cls.BITS[name]) - 1

    @classmethod
    def field(cls, *names: str) -> int:
        """All bits of these fields, where they stand."""
        return sum(cls.mask(name) << cls.shift(name) for name in names)


class Odd(Cells):
    """The cells of 32 bits for what a row says that does not fit in a brief."""

    CELLS: ClassVar[tuple[str, ...]] = (
        *("packet_high", "path_low", "path_high", "payload", "window", "interface"),
        "sack_blocks",
        *("sack_1_left", "sack_1_right", "sack_2_left", "sack_2_right"),
        "icmp",
    )


class Evidence(Rows):
    """A segment as the inference needs it; the first columns are copied, the rest worked out."""

    COPIED: ClassVar[tuple[str, ...]] = (
        *("time", "packet", "seq", "ack", "payload", "tsval", "tsecr"),
        *("sack_1_left", "sack_1_right", "sack_2_left", "sack_2_right"),
        *("kind", "ip_id", "flags", "window", "checksum"),
        *("has_timestamp", "sack_blocks", "icmp", "sender"),
    )
    COLUMNS: ClassVar[dict[str, str]] = dict.fromkeys(COPIED, "as in Segments") | {
        "copy": "1 for a copy made by the capture: left out of all reasoning",
        "begin": "seq, counted from the sender's ISS (its SYN is octet 0)",
        "end": "begin + payload + SYN + FIN",
        "acked": "ack, counted from the receiver's ISS; -1 without the ACK bit",
        "repeat": "1 if it repeats octets that the sender had sent",
        "probe": "1 for a keep-alive or zero-window probe",
        "doubt": "1 if it is no evidence for its sender: forged, or a bad checksum",
        "sent": "best estimate of when its sender sent it, ns",
        "arrives": "best estimate of when its receiver would take it in, ns",
    }


def grown(matrix: Matrix, capacity: int) -> Matrix:
    """The same rows in a matrix of `capacity` rows, the new ones zero."""
    larger = np.zeros((capacity, matrix.shape[1]), np.int64)
    larger[: len(matrix)] = matrix
    return larger


class Tallies(Rows):
    """What is counted of one side of an open connection while its segments pass."""

    COLUMNS: ClassVar[dict[str, str]] = {
        "segments": "segments it sent, copies left out",
        "payload": "payload octets, retransmissions included",
        "retransmits": "segments that repeat octets it had sent",
        "copies": "copies made by the capture",
        "reordered": "segments that came after their own acknowledgement, within 10 ms",
        "unseen": "octets acknowledged by the peer that the capture does not hold",
        "bad_checksums": "segments with a bad checksum",
        "offloaded": "segments whose checksum was left to the network card",
        "super_segments": "segments longer than the peer's MSS",
        "zero_windows": "segments that closed its window",
        "mss": "the MSS that it offered, 0 without",
        "nxt": "SND.NXT, 32 bits; -1 before its first segment",
        "una": "highest number acknowledged by the peer, 32 bits; -1 before",
        "una_time": "when the peer acknowledged it",
        "last_time": "when it last sent",
        "last_packet": "that packet",
        "gap": "silence of the connection before its last segment, ns",
    }
