"""Pins the wire: when packets pass the tap and arrive, and what rules do to them."""

from __future__ import annotations

from typing import cast

import dpkt
import pytest

from tcptrace.tcp.flags import ACK, FIN, PSH, SYN

from .capture_file import LINKTYPE_RAW, CaptureFile
from .host import Host
from .wire import Fate, Rule, Underway, Wire


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

    def __init__(self, tap: str = "middle") -> None:
        self.now = 0
        self.client, self.server = Bystander("client"), Bystander("server")
        hosts = cast(list[Host], [self.client, self.server])
        self.wire = Wire(hosts, CaptureFile(LINKTYPE_RAW), lambda: self.now)
        self.wire.delay, self.wire.tap, self.wire.epoch = 100, tap, 1_000_000

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

    def stamps(self) -> list[int]:
        return [at - self.wire.epoch for at, _ in self.wire.capture.records]


def segment(flags: int) -> bytes:
    tcp = dpkt.tcp.TCP(sport=40000, dport=8080, flags=flags)
    packet = dpkt.ip.IP(src=bytes([192, 0, 2, 1]), dst=bytes([192, 0, 2, 2]), p=6, data=tcp)
    packet.len = len(packet)
    return bytes(packet)


@pytest.mark.parametrize(("tap", "stamps"), [("client", 0), ("middle", 50), ("server", 100)])
def test_tap_stamps_where_it_stands(tap: str, stamps: int) -> None:
    """A packet passes the tap after its share of the way, and arrives after all of it."""
    scene = Scene(tap)
    scene.send("client", SYN)
    scene.at(99)
    assert [] == scene.server.inbox
    scene.at(100)
    assert [segment(SYN)] == scene.server.inbox
    assert [stamps] == scene.stamps()


def test_way_back_passes_the_tap_from_the_other_end() -> None:
    """What the server sends passes a tap at the client last."""
    scene = Scene("client")
    scene.send("server", SYN | ACK)
    scene.at(200)
    assert ([100], 1) == (scene.stamps(), len(scene.client.inbox))


def test_lost_before_the_tap_is_in_no_capture() -> None:
    """Neither seen nor received."""
    scene = Scene()
    scene.wire.lose(Rule("client", Fate.LOST_BEFORE_TAP))
    scene.send("client", SYN)
    scene.at(200)
    assert ([], []) == (scene.stamps(), scene.server.inbox)


def test_lost_after_the_tap_is_seen_alone() -> None:
    """Seen, never received."""
    scene = Scene()
    scene.wire.lose(Rule("client", Fate.LOST_AFTER_TAP))
    scene.send("client", SYN)
    scene.at(200)
    assert ([50], []) == (scene.stamps(), scene.server.inbox)


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


def test_other_protocols_are_not_told() -> None:
    """What is not TCP, such as an IPv6 host's search for routers, stays off the wire."""
    scene = Scene()
    scene.client.outbox.append(bytes([0x60, 0, 0, 0, 0, 0, 58, 255]) + bytes(32))
    scene.wire.take(cast(Host, scene.client))
    assert scene.wire.next_due() is None
