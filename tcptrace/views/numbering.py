"""Sequence numbers of one connection, counted on without end and from each side's first octet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.tables.schema import ROLES
from tcptrace.tcp import sequence

Numbers = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Numbering:
    """What a connection's segments say, a row each, in arrays of equal length.

    time : ns since the epoch
    sender : place in `tables.schema.ROLES`; -1 for none
    seq : SEG.SEQ, relative to the sender's first number seen (its SYN, if captured)
    length : SEG.LEN: payload, SYN and FIN
    ack : SEG.ACK, relative to the peer's first number; -1 without the ACK bit
    is_segment : False for a damaged header or an ICMP error
    """

    time: Numbers
    sender: Numbers
    seq: Numbers
    length: Numbers
    ack: Numbers
    is_segment: Truths

    @property
    def end(self) -> Numbers:
        """The number that follows each segment's last octet."""
        return self.seq + self.length


def numbering(segments: pd.DataFrame) -> Numbering:
    """Of the rows of `segments` that belong to one connection."""
    sender: Numbers = np.asarray(segments["role"].cat.codes, np.int64)
    letters = segments["flags"].astype(str)
    has_ack = segments["ack"].notna().to_numpy(bool) & _has(letters, "A")
    payload = segments["payload"].to_numpy(np.int64)
    raw_seq = segments["seq"].to_numpy(np.int64)
    raw_ack = segments["ack"].fillna(0).to_numpy(np.int64)
    is_segment = (segments["kind"] == "segment").to_numpy(bool)
    seq = np.zeros(len(segments), np.int64)
    ack = np.full(len(segments), -1, np.int64)
    for role in range(len(ROLES)):
        ours, acks = sender == role, (sender == 1 - role) & has_ack & is_segment
        counted = _counted(np.where(ours, raw_seq, raw_ack), ours, ours | acks)
        seq[ours], ack[acks] = counted[ours], counted[acks]
    return Numbering(
        time=segments["ts"].to_numpy("datetime64[ns]").view(np.int64),
        sender=sender,
        seq=seq,
        length=payload + _has(letters, "S") + _has(letters, "F"),
        ack=ack,
        is_segment=is_segment,
    )


def _counted(raw: Numbers, ours: Truths, named: Truths) -> Numbers:
    """One side's numbers where `named`, counted on from the first: its own, or one past it."""
    where = np.flatnonzero(named)
    counted = np.zeros(len(raw), np.int64)
    if len(where):
        step = np.diff(raw[where], prepend=raw[where[:1]])
        step = ((step + sequence.HALF) & sequence.MASK) - sequence.HALF
        counted[where] = np.cumsum(step) + (0 if ours[where[0]] else 1)
    return counted


def _has(letters: pd.Series[str], letter: str) -> Truths:
    return np.asarray(letters.str.contains(letter, regex=False), np.bool_)
