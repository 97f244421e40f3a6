"""`Wire`: takes packets from one host to the other, past a tap, and loses what it is told to.

A packet is on its way for `delay` ns and passes the tap at the client's end, half way, or at the
server's end. What is lost before the tap is in no capture; what is lost after it was seen, yet
never arrived.
"""

from __future__ import annotations

import heapq
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

import dpkt

from tcptrace.tcp.flags import PSH, letters

from .capture_file import CaptureFile
from .host import Host

TAP_PLACE = {"client": 0.0, "middle": 0.5, "server": 1.0}  # share of the way from the client


class Fate(Enum):
    """What a rule does to a packet."""

    LOST_BEFORE_TAP = "lost before the tap"
    LOST_AFTER_TAP = "lost after the tap"


@dataclass
class Rule:
    """A fate for the next `times` packets of a sender that carry exactly `flags`.

    `flags` are letters as in `SA` (PSH set aside); None means every packet.
    """

    sender: str
    fate: Fate
    flags: str | None = None
    times: int | None = None
    applied: int = 0

    def applies(self, sender: str, flags: str) -> bool:
        """Whether this packet meets the rule's fate; counts it if so."""
        meant = sender == self.sender and self.flags in (None, flags)
        if not meant or self.applied == self.times:
            return False
        self.applied += 1
        return True

    def lift(self) -> None:
        """Let everything through again; what was lost stays on the rule's record."""
        self.times = self.applied

    def __str__(self) -> str:
        what = f"{self.applied} {self.flags or ''} packet{'s' if self.applied > 1 else ''}"
        return f"{' '.join(what.split())} of the {self.sender}, {self.fate.value}"


@dataclass(order=True)
class Underway:
    """A packet between the hosts, due at its next station."""

    due: int
    number: int
    sender: str = field(compare=False)
    packet: bytes = field(compare=False)
    past_tap: bool = field(compare=False, default=False)


class Wire:
    """Both directions between two hosts; `clock` gives monotonic ns, `epoch` is added to stamps."""

    def __init__(self, hosts: list[Host], capture: CaptureFile, clock: Callable[[], int]) -> None:
        self.hosts = {host.name: host for host in hosts}
        self.capture = capture
        self.rules: list[Rule] = []
        self.delay = 10_000_000
        self.tap = "middle"
        self.epoch = 0
        self._clock = clock
        self._underway: list[Underway] = []
        self._number = 0

    def lose(self, rule: Rule) -> Rule:
        """From now on, until the rule is taken out of `rules`."""
        self.rules.append(rule)
        return rule

    def take(self, host: Host) -> None:
        """Put what a host has sent on its way."""
        for packet in host.sent():
            if _is_told(packet):
                self._send_on(host.name, packet, self._clock() + self._to_tap(host.name), False)

    def next_due(self) -> int | None:
        """When the next packet is due at the tap or at its host; None if none is underway."""
        return self._underway[0].due if self._underway else None

    def move(self) -> Underway | None:
        """Take the next packet that is due past its station; returns one that has to arrive now."""
        due = self.next_due()
        if due is None or due > self._clock():
            return None
        packet = heapq.heappop(self._underway)
        if packet.past_tap:
            return packet
        self._pass_tap(packet)
        return None

    def arrive(self, packet: Underway) -> None:
        """Hand a packet to the host it is for."""
        receiver = "server" if packet.sender == "client" else "client"
        self.hosts[receiver].receive(packet.packet)

    def _pass_tap(self, packet: Underway) -> None:
        fate = self._fate(packet)
        if fate is Fate.LOST_BEFORE_TAP:
            return
        now = self._clock()
        self.capture.add(self.epoch + now, packet.sender, packet.packet)
        if fate is None:
            rest = self.delay - self._to_tap(packet.sender)
            self._send_on(packet.sender, packet.packet, now + rest, True)

    def _fate(self, packet: Underway) -> Fate | None:
        flags = _flags(packet.packet)
        return next((r.fate for r in self.rules if r.applies(packet.sender, flags)), None)

    def _to_tap(self, sender: str) -> int:
        share = TAP_PLACE[self.tap]
        return int(self.delay * (share if sender == "client" else 1 - share))

    def _send_on(self, sender: str, packet: bytes, due: int, past_tap: bool) -> None:
        self._number += 1
        heapq.heappush(self._underway, Underway(due, self._number, sender, packet, past_tap))


def _is_told(packet: bytes) -> bool:
    """TCP alone: an IPv6 host also asks for routers and groups, which nobody here is."""
    number = packet[9] if packet[0] >> 4 == 4 else packet[6]
    return number == socket.IPPROTO_TCP


def _flags(packet: bytes) -> str:
    network = dpkt.ip.IP if packet[0] >> 4 == 4 else dpkt.ip6.IP6
    return letters(network(packet).data.flags & ~PSH)
