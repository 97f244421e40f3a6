"""What the Zeek model holds and hands out, and what its numbers mean as conn.log's columns.

Names and rules are those of Zeek's base/protocols/conn/main.zeek (function conn_state) and
TCP_Endpoint.h; the loop that fills these rows is `tracker.zeek`.
"""

from __future__ import annotations

import re
import sys
from enum import IntEnum
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tcptrace.columns import Rows

CONN_STATES = (
    *("S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR"),
    *("RSTOS0", "RSTRH", "SH", "SHR", "OTH"),
)

# Ports of the protocols that a default Zeek loads a parser for: the likely server ports.
SERVER_PORTS = (
    *(21, 22, 25, 53, 79, 80, 81, 88, 135, 139, 143, 389, 443, 445, 465, 502, 514, 563, 585, 587),
    *(614, 631, 636, 989, 990, 992, 993, 995, 1080, 1434, 1883, 2811, 3128, 3268, 3306, 3389),
    *(5222, 5223, 5269, 5432, 6379, 6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000),
)

# Zeek keeps connections of interactive services for an hour, base/protocols/conn/inactivity.zeek.
PATIENT_PORTS = (21, 22, 23, 513)

SECOND = 1_000_000_000
NEVER = (1 << 63) - 1
LINGER = 5 * SECOND
SESSION_CHECK = 6 * SECOND
HANDSHAKE_IDLE = 60 * SECOND
IDLE = 300 * SECOND
PATIENT_IDLE = 3600 * SECOND
IDLES = (HANDSHAKE_IDLE, IDLE, PATIENT_IDLE)

FAR = 1 << 20  # a SYN or RST that lies farther off does not move an endpoint's last octet
ABOVE_HOLE = 16 << 10  # octets above a hole, none acknowledged: the stream is given up
UNACKED = 10 << 20  # octets that wait for an ACK: the stream is given up
LONGEST_HISTORY = 4096  # ours: Zeek's has no end, but only a flood of changing RSTs gets there

_REJECTED_AFTER_SYN_ONLY = re.compile(r"\^?S[^HAFGIQ]*R")


def _pairs(**meanings: str) -> dict[str, str]:
    """A column for each sender."""
    return {f"{name}_{sender}": means for name, means in meanings.items() for sender in (0, 1)}


class EndpointState(IntEnum):
    """States of an endpoint in Zeek's machine, TCP_Endpoint.h, in its order."""

    INACTIVE = 0
    SYN_SENT = 1
    SYN_ACK_SENT = 2
    PARTIAL = 3
    ESTABLISHED = 4
    CLOSED = 5
    RESET = 6


class ZeekSlots(Rows):
    """What the model holds of a slot: one of Zeek's rows in the making, its sides' cells in pairs.

    A row begins with what fits in octets, OCTETS and then the history's first letters, and with
    what every segment touches. Octets that are not declared otherwise are 0 or 1. The first eight
    say whether a connection is open, the next eight are 0 in one that is: a cell each, so that
    `tracker.zeek` can tell at a glance. `last` and `acked` have the wraps in their upper 32 bits;
    `*_mark`, `fin_end`, `delivered`, `trimmed` and `high` count from the ISN.
    """

    OCTETS: ClassVar[dict[str, str]] = {
        "orig": "the sender that Zeek calls the originator",
        "met": "1 once the originator's first packet is over, 2 once the responder's is",
        **_pairs(state="EndpointState"),
        "seen_0": "zeek_machine.ONCE of each letter in the history, the originator's",
        "seen_1": "the responder's",
        **_pairs(
            vouched="it has sent a good checksum",
            closed="ConnectionClosed was said of it",
            given_up="its stream is looked at no more",
            fins="it has sent a FIN",
            holes="octets above a hole are kept, beside the rows",
        ),
        "fed": "the slot holds a connection",
        "cut": "Zeek's timers cut off others before it, which are kept beside the rows",
        "partial": "as Zeek's analyzer has it: it may have begun before the capture",
        "deferred": "a close waits for data",
        "idle": "how long silence is borne: place in IDLES",
        "letters": "how many letters the history has, beside the rows those beyond ROOM",
        **_pairs(
            patient="its port is an interactive service's",
            before="the one before it",
            ended="its stream's end was noted",
        ),
    }
    COLUMNS: ClassVar[dict[str, str]] = {
        **{f"octets_{place}": "eight octets" for place in range(6)},
        "time_end": "last packet that counts, ns",
        **_pairs(
            packets="packets that count",
            start="ISN",
            last="one past the highest number sent",
            acked="the highest acknowledged",
            trimmed="up to where it was acknowledged and is kept no more",
            delivered="up to where its stream is whole",
            missed="octets in content gaps",
            gaps="content gaps",
        ),
        "attempt_at": "when the attempt timer ends, ns; NEVER",
        "delete_at": "when a close is over, ns; NEVER",
        **_pairs(
            high="one past the last octet kept, 0 for none",
            repeats="segments that repeat data",
            fin_end="behind its last FIN",
            fin_mark="where its last FIN was",
            rst_mark="where its last RST was",
            syn_mark="where its last SYN was",
            shut="segments with a closed window",
            corrupt="segments with a bad checksum",
        ),
        "time_start": "first packet, ns",
        "created": "the latest time of any segment then, ns",
    }

    @classmethod
    def octet(cls, name: str) -> int:
        """The place of an octet in a row; KeyError for a name that is not declared."""
        return {name: place for place, name in enumerate(cls.OCTETS)}[name]

    @classmethod
    def bits(cls, **octets: int) -> int:
        """The cell in which these octets are, and which holds nothing else; its number."""
        return sum(cls.bits_at(cls.octet(name), value) for name, value in octets.items())

    @classmethod
    def bits_at(cls, place: int, value: int) -> int:
        """The cell in which an octet is, and which holds nothing else; its number."""
        cell = bytearray(8)
        cell[place % 8] = value
        return int.from_bytes(cell, sys.byteorder, signed=True)

    @classmethod
    def shift(cls, name: str) -> int:
        """How many bits are below an octet in its cell."""
        return cls.bits(**{name: 1}).bit_length() - 1

    @classmethod
    def room(cls) -> int:
        """How many letters of a history are in a row, behind the other octets."""
        return 8 * cls.index("time_end") - len(cls.OCTETS)


class ZeekRows(Rows):
    """What Zeek's conn.log says, one of its rows a row; sender 0 is the endpoint seen first."""

    COLUMNS: ClassVar[dict[str, str]] = {
        "slot": "the slot it was asked for",
        "part": "0 for the slot's first row; Zeek's timers may cut a connection into several",
        "main": "1 in the row that speaks for the slot: most packets, the first of equals",
        "conn_state": "place in CONN_STATES",
        "swapped": "1 if Zeek's originator is not the endpoint seen first",
        "time_start": "first packet, ns",
        "time_end": "last packet that counts, ns",
        "packets_0": "packets of sender 0 that Zeek counts",
        "packets_1": "packets of sender 1",
        "bytes_0": "payload octets of sender 0 by sequence space",
        "bytes_1": "payload octets of sender 1",
        "missed_0": "octets of sender 0 in content gaps",
        "missed_1": "octets of sender 1",
        "completeness": "Wireshark's tcp.completeness of all that the slot saw",
        "orig_state": "EndpointState of Zeek's originator",
        "resp_state": "EndpointState of Zeek's responder",
    }

    def settle(self, histories: list[str]) -> None:
        """Fill in `conn_state`; of some a history decides."""
        silent = (self.bytes_0 | self.bytes_1) == 0
        self.conn_state[:] = _CONN_STATES[self.orig_state, self.resp_state, silent.view(np.int8)]
        for row in np.flatnonzero(self.conn_state == _BY_HISTORY).tolist():
            only_syn = _REJECTED_AFTER_SYN_ONLY.match(histories[row]) is not None
            self.conn_state[row] = CONN_STATES.index("RSTOS0" if only_syn else "OTH")


_BY_HISTORY = -1  # whether the originator's SYN was followed by its RST and by little else


def _conn_states() -> npt.NDArray[np.int64]:
    """By the originator's state, the responder's, and 1 where neither sent any octets.

    The first condition that fits, as conn/main.zeek orders them.
    """
    state, many = EndpointState, len(EndpointState)
    orig, resp, quiet = np.indices((many, many, 2))
    silent = quiet == 1
    orig_quiet = (orig == state.INACTIVE) | (orig == state.PARTIAL)
    resp_quiet = (resp == state.INACTIVE) | (resp == state.PARTIAL)
    opening = (orig == state.SYN_SENT) | (orig == state.SYN_ACK_SENT)
    refused = opening | ((orig == state.RESET) & silent)
    resp_reset, orig_reset = resp == state.RESET, orig == state.RESET
    orig_closed, resp_closed = orig == state.CLOSED, resp == state.CLOSED
    rules: list[tuple[npt.NDArray[np.bool_], str]] = [
        (resp_reset & refused, "REJ"),
        (resp_reset & orig_quiet, "RSTRH"),
        (resp_reset, "RSTR"),
        (orig_reset & resp_quiet, "RSTOS0 or OTH"),
        (orig_reset, "RSTO"),
        (orig_closed & resp_closed, "SF"),
        (orig_closed & resp_quiet, "SH"),
        (orig_closed, "S2"),
        (resp_closed & orig_quiet, "SHR"),
        (resp_closed, "S3"),
        ((orig == state.SYN_SENT) & (resp == state.INACTIVE), "S0"),
        ((orig == state.ESTABLISHED) & (resp == state.ESTABLISHED), "S1"),
    ]
    places = {name: place for place, name in enumerate(CONN_STATES)}
    places["RSTOS0 or OTH"] = _BY_HISTORY
    return np.select(
        [where for where, _ in rules], [places[name] for _, name in rules], places["OTH"]
    )


_CONN_STATES = _conn_states()
