"""The endpoints of the plain Zeek model: what each sent, its stream, and conn_state's table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

SECOND = 10**9
SERVERS = {21, 22, 23, 25, 53, 80, 443, 3306} - {23}  # those of the list that the tests use
INTERACTIVE = {21, 22, 23, 513}


@dataclass
class Seen:
    """One captured segment; `flags` are letters of SFRA, `corrupt` says its checksum is wrong."""

    time: int
    sender: int
    flags: str
    seq: int = 0
    ack: int = 0
    payload: int = 0
    kept: int | None = None
    window: int = 1000
    ports: tuple[int, int] = (40000, 8081)
    corrupt: bool = False

    @property
    def source(self) -> int:
        return self.ports[self.sender]

    @property
    def target(self) -> int:
        return self.ports[1 - self.sender]


@dataclass
class End:
    """One endpoint and its stream."""

    state: str = "INACTIVE"
    before: str = "INACTIVE"
    start: int = 0
    last: int = 0
    acked: int = 0
    fins: int = 0
    fin_end: int = 0
    closed: bool = False
    marks: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    packets: int = 0
    pieces: list[tuple[int, int]] = field(default_factory=list)
    delivered: int = 1
    trimmed: int = 1
    missed: int = 0
    skip: bool = False
    ended: bool = False
    vouched: bool = False

    def unacked(self) -> bool:
        return self.acked in (self.start, self.start + 1)

    def clean(self) -> bool:
        return "ESTABLISHED" in (self.state, self.before if self.state == "CLOSED" else "")

    def deliver(self) -> None:
        for start, end in sorted(self.pieces):
            if start <= self.delivered:
                self.delivered = max(self.delivered, end)

    def stored(self) -> int:
        octets, upto = 0, 0
        for start, end in sorted(self.pieces):
            octets += max(0, end - max(start, upto))
            upto = max(upto, end)
        return octets


def signed(number: int) -> int:
    number %= 1 << 32
    return number - (1 << 32) if number >= 1 << 31 else number


def relative(end: End, number: int, near: int) -> int:
    """Counted from the ISN, near the unwrapped `near`; by the ISN alone while nothing wrapped."""
    place = near + signed(number - near)
    return place - end.start if place >= 1 << 32 else signed(number - end.start)


def named(orig: str, resp: str, history: str, octets: int) -> str:
    quiet = ("INACTIVE", "PARTIAL")
    if resp == "RESET":
        if orig in ("SYN_SENT", "SYN_ACK_SENT") or (orig == "RESET" and not octets):
            return "REJ"
        return "RSTRH" if orig in quiet else "RSTR"
    if orig == "RESET":
        if resp not in quiet:
            return "RSTO"
        return "RSTOS0" if re.fullmatch(r"\^?S[^HAFGIQ]*R.*", history) else "OTH"
    if orig == "CLOSED":
        return "SF" if resp == "CLOSED" else "SH" if resp in quiet else "S2"
    if resp == "CLOSED":
        return "SHR" if orig in quiet else "S3"
    return {("SYN_SENT", "INACTIVE"): "S0", ("ESTABLISHED", "ESTABLISHED"): "S1"}.get(
        (orig, resp), "OTH"
    )


def renumber(end: End, start: int, last: int) -> None:
    end.start = start
    end.acked = end.acked // (1 << 32) * (1 << 32) + start
    end.last = end.last // (1 << 32) * (1 << 32) + last
