"""Pins the wire: when packets pass the taps and arrive, and what rules do to them."""

from __future__ import annotations

from typing import cast

import dpkt
import pytest

from tcptrace.tcp.flags import ACK, FIN, PSH, SYN

from .capture_file import LINKTYPE_RAW
from .host import Host
from .weather import Weather
from .wire import TAPS, Fate, Rule, Underway, Wire


class Bystander:
    """A host without a kernel: what it is told to send, and what it has received."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.outbox: list[bytes] = []
        self.inbox: list[bytes] = []

    def sent(self) -> list[bytes]:
        sent, self.outbox = self.outbox, []
        return sent

    def receive(self, packet: bytes) -> None:
        self.inbox.append(packet)


class Scene:
    """A wire of 100 ns between two bystanders, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0
        self.client, self.server = Bystander("client"), Bystander("server")
        hosts = cast(list[Host], [self.client, self.server])
        self.wire = Wire(hosts, LINKTYPE_RAW, lambda: self.now)
        self.wire.delay, self.wire.epoch = 100, 1_000_000

    def send(self, sender: str, flags: int) -> None:
        host = getattr(self, sender)
        host.outbox.append(segment(flags))
        self.wire.take(host)

    def at(self, now: int) -> None:
        """Let everything that is due by `now` happen."""
        while (due := self.wire.next_due()) is not None and due <= now:
            self.now = due
            arriving: Underway | None = self.wire.move()
            if arriving is not None:
                self.wire.arrive(arriving)
        self.now = now

    def stamps(self, tap: str = "middle") -> list[int]:
        return [at - self.wire.epoch for at, _ in self.wire.captures[tap].records]

    def all_stamps(self) -> list[list[int]]:
        return [self.stamps(tap) for tap in TAPS]


def segment(flags: int, data: bytes = b"") -> bytes:
    tcp = dpkt.tcp.TCP(sport=40000, dport=8080, flags=flags, data=data)
    packet = dpkt.ip.IP(src=bytes([192, 0, 2, 1]), dst=bytes([192, 0, 2, 2]), p=6, data=tcp)
    packet.len = len(packet)
    return bytes(packet)


def test_each_tap_stamps_where_it_stands() -> None:
    """A packet passes a tap after its share of the way, and arrives after all of it."""
    scene = Scene()
    scene.send("client", SYN)
    scene.at(99)
    assert [] == scene.server.inbox
    scene.at(100)
    assert [segment(SYN)] == scene.server.inbox
    assert [[0], [50], [100]] == scene.all_stamps()


def test_way_back_passes_the_taps_from_the_other_end() -> None:
    """What the server sends passes the client's tap last."""
    scene = Scene()
    scene.send("server", SYN | ACK)
    scene.at(200)
    assert ([[100], [50], [0]], 1) == (scene.all_stamps(), len(scene.client.inbox))


NOWHERE: list[int] = []
SPOILED = {
    Fate.LOST_BEFORE_TAP: ([[0], NOWHERE, NOWHERE], 0),
    Fate.LOST_AFTER_TAP: ([[0], [50], NOWHERE], 0),
    Fate.REFUSED_BY_HOST: ([[0], [50], [100]], 0),
    Fate.DOUBLED_BEFORE_TAP: ([[0], [50, 50], [100, 100]], 2),
    Fate.DOUBLED_AFTER_TAP: ([[0], [50], [100, 100]], 2),
    Fate.HELD_BEFORE_TAP: ([[0], [57], [107]], 1),
    Fate.HELD_AFTER_TAP: ([[0], [50], [107]], 1),
    Fate.REJECTED: ([[0, 100], [50, 50], NOWHERE], 0),
}


@pytest.mark.parametrize("fate", SPOILED, ids=lambda fate: fate.name)
def test_fate_is_seen_where_it_can_be(fate: Fate) -> None:
    """At which taps a packet of the client is seen, and how often the server receives it."""
    scene = Scene()
    scene.wire.lose(Rule("client", fate, hold=7))
    scene.send("client", SYN)
    scene.at(200)
    assert SPOILED[fate] == (scene.all_stamps(), len(scene.server.inbox))


@pytest.mark.parametrize("fate", [Fate.DAMAGED_BEFORE_TAP, Fate.DAMAGED_AFTER_TAP])
def test_damage_shows_from_its_leg_on(fate: Fate) -> None:
    """One bit differs, at the taps behind the damage and at the receiver."""
    scene = Scene()
    scene.wire.lose(Rule("client", fate))
    scene.send("client", SYN)
    scene.at(200)
    kept = [scene.wire.captures[tap].records[0][1] == segment(SYN) for tap in TAPS]
    assert [True, fate is Fate.DAMAGED_AFTER_TAP, False] == kept
    (received,) = scene.server.inbox
    assert segment(SYN)[:-1] == received[:-1] and segment(SYN) != received


def test_weather_is_the_same_for_the_same_seed() -> None:
    """Loss, order and time are decided by the seed; another seed decides otherwise."""

    def arrivals(seed: int) -> tuple[list[list[int]], list[bytes]]:
        scene = Scene()
        scene.wire.weather = Weather(seed, loss=0.5, jitter=1000, duplication=0.3, damage=0.1)
        for _ in range(40):
            scene.send("client", ACK)
        scene.at(5000)
        return scene.all_stamps(), scene.server.inbox

    assert arrivals(1) == arrivals(1)
    assert arrivals(1) != arrivals(2)


def test_injected_packet_is_unknown_to_the_host_it_names() -> None:
    """It passes the middle and its receiver's tap."""
    scene = Scene()
    scene.wire.inject("client", segment(SYN))
    scene.at(200)
    assert ([NOWHERE, [0], [50]], 1) == (scene.all_stamps(), len(scene.server.inbox))


def test_rule_takes_its_flags_and_its_number() -> None:
    """`flags` are met exactly, but for PSH, and `times` times."""
    rule = Rule("client", Fate.LOST_AFTER_TAP, flags="A", times=1)
    scene = Scene()
    scene.wire.lose(rule)
    for flags in (SYN, FIN | ACK, ACK | PSH, ACK):
        scene.send("client", flags)
    scene.at(200)
    assert [segment(SYN), segment(FIN | ACK), segment(ACK)] == scene.server.inbox
    assert "1 A packet of the client, lost after the tap" == str(rule)


def test_rule_spares_the_other_side_and_is_lifted() -> None:
    """A rule concerns one sender, until it is lifted."""
    scene = Scene()
    rule = scene.wire.lose(Rule("client", Fate.LOST_BEFORE_TAP))
    scene.send("server", ACK)
    scene.send("client", ACK)
    scene.at(200)
    rule.lift()
    scene.send("client", ACK)
    scene.at(400)
    assert (1, 1, 1) == (len(scene.client.inbox), len(scene.server.inbox), rule.applied)


def test_rule_asks_for_data() -> None:
    """A rule may be for segments with data alone, or for those without."""
    scene = Scene()
    rule = scene.wire.lose(Rule("client", Fate.LOST_BEFORE_TAP, payload=True))
    scene.send("client", ACK)
    scene.client.outbox.append(segment(ACK, b"data"))
    scene.wire.take(cast(Host, scene.client))
    scene.at(200)
    assert (1, 1) == (rule.applied, len(scene.server.inbox))


def test_other_protocols_are_not_told() -> None:
    """What is not TCP, such as an IPv6 host's search for routers, stays off the wire."""
    scene = Scene()
    scene.client.outbox.append(bytes([0x60, 0, 0, 0, 0, 0, 58, 255]) + bytes(32))
    scene.wire.take(cast(Host, scene.client))
    assert scene.wire.next_due() is None
