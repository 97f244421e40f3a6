"""`Sides`: what the inference works out of one endpoint, before it is told as transitions.

A milestone is a step in an endpoint's life, whichever states it leads through; it has a moment,
bounds, a basis and the packets behind it. The reference machine turns milestones into states.
"""

from __future__ import annotations

from typing import ClassVar

from tcptrace.columns import Rows

NEVER = -1

MILESTONES: dict[str, str] = {
    "opened": "its SYN left, or it took in the peer's SYN",
    "crossed": "in SYN_SENT it took in the peer's SYN",
    "established": "it took in the SYN,ACK, or the ACK of its SYN",
    "fin_out": "its first FIN left",
    "fin_acked": "it took in the ACK of its FIN",
    "fin_taken": "it took in the peer's FIN",
    "ended": "it sent or took in a RST, or a timer or error ended it",
}

FIELDS: dict[str, str] = {
    "time": "best estimate, ns; NEVER (-1) if it did not come to pass",
    "earliest": "lower bound, ns",
    "latest": "upper bound, ns",
    "basis": "Basis",
    "packet": "packet that shows or causes it",
    "confirmed": "packet that proves it",
    "event": "tcp.states.Event",
    "reason": "tracker.reasons.Reason",
    "row": "evidence row that causes it, -1 for none",
}

STEP = len(FIELDS)


class Sides(Rows):
    """Two rows a connection, side 0 and side 1."""

    COLUMNS: ClassVar[dict[str, str]] = {
        f"{milestone}_{field}": f"{meaning}: {what}"
        for milestone, meaning in MILESTONES.items()
        for field, what in FIELDS.items()
    } | {
        "iss": "initial sequence number; -1 if its SYN was not captured",
        "base": "the number that octet 0 stands for",
        "turnaround": "tap to it and back, ns; -1 if never measured",
        "jitter": "how much longer its segments travel than the fastest, ns",
        "clock": "1 if its TSval dates its segments",
        "active": "1 if it sent a SYN without ACK",
        "fin": "the octet of its FIN, -1 without",
        "fin_seen": "1 if a FIN of it was captured",
        "nxt": "one past the highest octet it sent",
        "una": "highest octet acknowledged by the peer",
        "spoke": "1 if a segment of it was captured",
        "timestamps": "1 if its segments carry timestamps",
        "minisocket": "1 if the ACK of the peer's FIN came from a minisocket",
        "acks_ignored": "ACKs of its SYN that a repeated SYN,ACK of it refutes",
        "taken_back": "its last move that was taken back, as `TakenBack` counts them; 0 for none",
        "stateless": "1 if it was never a socket here: it refused, or nothing shows it",
    }
