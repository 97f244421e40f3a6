"""`Wire`: takes packets from one host to the other, past three taps, and spoils what it is told to.

A tap stands at each host and one half way. A packet passes its sender's tap when it is sent, the
middle one after half the delay, and its receiver's when it arrives. "The tap" without more is the
middle one: what is lost before it is known to the sender's tap alone, what is lost after it was
seen there, yet never arrived. `Rule` spoils packets by kind, `Weather` by chance.
"""

from __future__ import annotations

import heapq
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

import dpkt

from tcptrace.tcp.flags import PSH, letters

from .capture_file import CaptureFile
from .forgery import damaged, rejection
from .host import Host
from .weather import CLEAR, Weather

TAPS = ("client", "middle", "server")
OTHER = {"client": "server", "server": "client"}


class Fate(Enum):
    """What a rule does to a packet."""

    LOST_BEFORE_TAP = "lost before the tap"
    LOST_AFTER_TAP = "lost after the tap"
    REFUSED_BY_HOST = "dropped by the receiver's own firewall"
    DOUBLED_BEFORE_TAP = "doubled before the tap"
    DOUBLED_AFTER_TAP = "doubled after the tap"
    HELD_BEFORE_TAP = "held up before the tap"
    HELD_AFTER_TAP = "held up after the tap"
    DAMAGED_BEFORE_TAP = "damaged before the tap"
    DAMAGED_AFTER_TAP = "damaged after the tap"
    REJECTED = "rejected by ICMP half way"


@dataclass
class Rule:
    """A fate for the next `times` packets of a sender that carry exactly `flags`.

    `flags` are letters as in `SA` (PSH set aside); None means every packet. `payload` says whether
    data must, or must not, be there. What is held up takes `hold` ns longer.
    """

    sender: str
    fate: Fate
    flags: str | None = None
    times: int | None = None
    payload: bool | None = None
    hold: int = 300_000_000
    applied: int = 0

    def applies(self, sender: str, flags: str, payload: bool = False) -> bool:
        """Whether this packet meets the rule's fate; counts it if so."""
        meant = sender == self.sender and self.flags in (None, flags)
        if not meant or self.payload not in (None, payload) or self.applied == self.times:
            return False
        self.applied += 1
        return True

    def lift(self) -> None:
        """Let everything through again; what was lost stays on the rule's record."""
        self.times = self.applied

    def __str__(self) -> str:
        what = f"{self.applied} {self.flags or ''} packet{'s' if self.applied > 1 else ''}"
        return f"{' '.join(what.split())} of the {self.sender}, {self.fate.value}"


class Leg(Enum):
    """Where a packet is: on its way to the middle, or from there to its receiver."""

    BEFORE_TAP = 0
    AFTER_TAP = 1


@dataclass(order=True)
class Underway:
    """A packet between the hosts, due at the end of its leg."""

    due: int
    number: int
    sender: str = field(compare=False)
    packet: bytes = field(compare=False)
    fate: Fate | None = field(compare=False, default=None)
    leg: Leg = field(compare=False, default=Leg.BEFORE_TAP)
    hold: int = field(compare=False, default=0)

    @property
    def receiver(self) -> str:
        return OTHER[self.sender]


class Wire:
    """Both directions between two hosts; `clock` gives monotonic ns, `epoch` is added to stamps."""

    def __init__(self, hosts: list[Host], link_type: int, clock: Callable[[], int]) -> None:
        self.hosts = {host.name: host for host in hosts}
        self.captures = {tap: CaptureFile(link_type) for tap in TAPS}
        self.rules: list[Rule] = []
        self.weather: Weather = CLEAR
        self.delay = 10_000_000
        self.epoch = 0
        self.latest: dict[str, bytes] = {}
        self.late: list[int] = []  # by how many ns each packet was moved after it was due
        self._clock = clock
        self._underway: list[Underway] = []
        self._number = 0

    def lose(self, rule: Rule) -> Rule:
        """From now on, until the rule is lifted or taken out of `rules`."""
        self.rules.append(rule)
        return rule

    def take(self, host: Host) -> None:
        """Put what a host has sent on its way."""
        for packet in host.sent():
            if _is_told(packet):
                self.latest[host.name] = packet
                self._stamp(host.name, host.name, packet)
                self._set_out(self._met(host.name, packet))

    def inject(self, sender: str, packet: bytes) -> None:
        """A packet that comes from half way but claims to be the sender's; no rule is for it."""
        self._stamp("middle", sender, packet)
        self._send(Underway(0, 0, sender, packet, leg=Leg.AFTER_TAP))

    def next_due(self) -> int | None:
        """When the next packet is due at the middle or at its host; None if none is underway."""
        return self._underway[0].due if self._underway else None

    def move(self) -> Underway | None:
        """Take the next packet that is due past its leg; returns one that has to arrive now."""
        due = self.next_due()
        if due is None or due > self._clock():
            return None
        packet = heapq.heappop(self._underway)
        self.late.append(self._clock() - due)
        if packet.leg is Leg.AFTER_TAP:
            return packet
        self._pass_middle(packet)
        return None

    def arrive(self, packet: Underway) -> None:
        """Hand a packet to the host it is for, past that host's tap."""
        self._stamp(packet.receiver, packet.sender, packet.packet)
        if packet.fate is not Fate.REFUSED_BY_HOST:
            self.hosts[packet.receiver].receive(packet.packet)

    def _met(self, sender: str, packet: bytes) -> Underway:
        """The packet with the fate that the first rule has for it."""
        flags, payload = _kind(packet)
        met = next((r for r in self.rules if r.applies(sender, flags, payload)), None)
        set_out = Underway(0, 0, sender, packet)
        return replace(set_out, fate=met.fate, hold=met.hold) if met else set_out

    def _set_out(self, packet: Underway) -> None:
        for copy in self._on_leg(packet, Fate.LOST_BEFORE_TAP, Fate.DOUBLED_BEFORE_TAP):
            self._send(copy, Fate.HELD_BEFORE_TAP, Fate.DAMAGED_BEFORE_TAP)

    def _pass_middle(self, packet: Underway) -> None:
        self._stamp("middle", packet.sender, packet.packet)
        if packet.fate is Fate.REJECTED:
            return self.inject(packet.receiver, rejection(packet.packet))
        onward = replace(packet, leg=Leg.AFTER_TAP)
        for copy in self._on_leg(onward, Fate.LOST_AFTER_TAP, Fate.DOUBLED_AFTER_TAP):
            self._send(copy, Fate.HELD_AFTER_TAP, Fate.DAMAGED_AFTER_TAP)

    def _on_leg(self, packet: Underway, lost: Fate, doubled: Fate) -> Iterator[Underway]:
        """The copies of a packet that will get to the end of its leg."""
        copies = 1 + (packet.fate is doubled) + self.weather.doubles()
        for _ in range(copies):
            if packet.fate is not lost and not self.weather.loses():
                yield replace(packet)

    def _send(
        self, packet: Underway, held: Fate | None = None, damages: Fate | None = None
    ) -> None:
        """Put a packet on its leg, in the order of due times."""
        self._number += 1
        hold = packet.hold if packet.fate is held and held else 0
        packet.due = self._clock() + self.delay // 2 + self.weather.delays() + hold
        packet.number = self._number
        if (packet.fate is damages and damages) or self.weather.damages():
            packet.packet = damaged(packet.packet)
        heapq.heappush(self._underway, packet)

    def _stamp(self, tap: str, sender: str, packet: bytes) -> None:
        self.captures[tap].add(self.epoch + self._clock(), sender, packet)


def _is_told(packet: bytes) -> bool:
    """TCP alone: an IPv6 host also asks for routers and groups, which nobody here is."""
    number = packet[9] if packet[0] >> 4 == 4 else packet[6]
    return number == socket.IPPROTO_TCP


def _kind(packet: bytes) -> tuple[str, bool]:
    """The letters of a segment's flags, PSH set aside, and whether it has data."""
    network = dpkt.ip.IP if packet[0] >> 4 == 4 else dpkt.ip6.IP6
    segment = network(packet).data
    return letters(segment.flags & ~PSH), len(segment.data) > 0
