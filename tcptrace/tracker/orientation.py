"""Which endpoint is the originator, on what evidence, and where the tap stands. Labels only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tcptrace.tracker.sides import Sides
from tcptrace.tracker.slots import Slots
from tcptrace.tracker.transitions import Connections, Orientation, Vantage
from tcptrace.tracker.zeek_rows import SERVER_PORTS

REGISTERED = 1024
EPHEMERAL = 32768
ADJACENT = 500_000
FARTHER = 8

Numbers = npt.NDArray[np.int64]


def orientations(slots: Slots, sides: Sides) -> tuple[Numbers, Numbers]:
    """(1 where side 1 is the originator, `Orientation`) of each connection."""
    active, iss = sides.active.reshape(-1, 2), sides.iss.reshape(-1, 2)
    answered = (iss >= 0) & (active == 0)
    ranks = [_RANKS[port] for port in (slots.port_0, slots.port_1)]
    by_port = ranks[0] != ranks[1]
    by_answer = answered.any(axis=1)
    opened = active.any(axis=1)  # by a SYN, or by the ACK of one that was not captured
    by_syn = opened & ((iss >= 0).any(axis=1))
    by_port &= ~opened
    swapped = np.where(
        opened,
        active[:, 0] == 0,
        np.where(by_answer, answered[:, 0], by_port & (ranks[0] < ranks[1])),
    )
    orientation = np.where(
        by_syn,
        Orientation.SYN,
        np.where(
            by_answer,
            Orientation.SYNACK,
            np.where(by_port, Orientation.PORT, Orientation.FIRST_PACKET),
        ),
    )
    return swapped.astype(np.int64), orientation.astype(np.int64)


def vantages(connections: Connections) -> Numbers:
    """`Vantage` by the distances: beside an end that answers at once while the other does not."""
    orig, resp = connections.rtt_orig, connections.rtt_resp
    known = (orig >= 0) & (resp >= 0)
    at_orig = (orig < ADJACENT) & (resp > FARTHER * orig)
    at_resp = (resp < ADJACENT) & (orig > FARTHER * resp)
    near = np.where(
        at_orig, Vantage.ORIGINATOR, np.where(at_resp, Vantage.RESPONDER, Vantage.MIDDLE)
    )
    return np.where(known, near, Vantage.UNKNOWN).astype(np.int64)


def _ranks() -> Numbers:
    """By port: the lower, the more it looks like a service's."""
    ports = np.arange(1 << 16)
    served = np.isin(ports, SERVER_PORTS)
    return np.where(
        served, 0, np.where(ports < REGISTERED, 1, np.where(ports < EPHEMERAL, 2, 3))
    ).astype(np.int64)


_RANKS = _ranks()
