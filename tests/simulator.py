"""Two TCPs without a kernel, a wire that spoils, and a tap: what it saw, and beside it the truth.

Each end is an `Endpoint` (RFC 9293 section 3.10 over the reference machine) in a `Stack` that does
what an endpoint leaves to others: it answers, retransmits and obeys its program. `World` is the
clock and the wire. Nothing here knows the tracker.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import dpkt

from tcptrace.tcp import flags
from tcptrace.tcp.sequence import diff
from tcptrace.tcp.states import Event, State
from tests.endpoint import Endpoint, Segment
from tests.kernel_lab.capture_file import LINKTYPE_RAW, CaptureFile
from tests.kernel_lab.weather import CLEAR, Weather

START = 1_700_000_000_000_000_000
MS = 1_000_000
SYN_RTO, RTO, TRIES = 1000 * MS, 300 * MS, 7
LASTS = 60_000 * MS
ADDRESSES = {"client": (bytes([192, 0, 2, 1]), 40000), "server": (bytes([192, 0, 2, 2]), 80)}
OTHER = {"client": "server", "server": "client"}
SPEAKING = (State.ESTABLISHED, State.CLOSE_WAIT)
NOT_YET_SPEAKING = (State.SYN_SENT, State.SYN_RCVD)
NO_CONNECTION = (State.CLOSED, State.LISTEN)
TAP_PLACE = {"client": 0.0, "middle": 0.5, "server": 1.0}


@dataclass(frozen=True)
class Sent:
    """A segment on the wire with what its host's IP and timestamps say."""

    segment: Segment
    number: int
    ts_val: int
    ts_ecr: int


@dataclass
class Passage:
    """What became of a segment: the numbers of its packets in the capture.

    new : of these, those that arrived, and were no repeat of octets that their receiver had
    """

    sender: str
    sent: Sent
    captured: list[int] = field(default_factory=list)
    new: list[int] = field(default_factory=list)


@dataclass
class World:
    """The clock, the wire between the two, and the tap somewhere on it."""

    before_tap: Weather = CLEAR
    after_tap: Weather = CLEAR
    tap: str = "middle"
    delay: int = 10 * MS
    timestamps: bool = True
    now: int = START
    capture: CaptureFile = field(default_factory=lambda: CaptureFile(LINKTYPE_RAW))
    passages: list[Passage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._coming: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self.stacks = {
            "client": Stack(self, "client", iss=0xFFFFFF00),
            "server": Stack(self, "server", iss=5000),
        }

    def after(self, wait: int, happens: Callable[[], None]) -> None:
        """Something that will happen in so many ns."""
        self._count += 1
        heapq.heappush(self._coming, (self.now + wait, self._count, happens))

    def run(self, until: int = START + LASTS) -> None:
        """Let everything happen that is due by then."""
        while self._coming and self._coming[0][0] <= until:
            self.now, _, happens = heapq.heappop(self._coming)
            happens()
        self.now = until

    def carry(self, sender: str, sent: Sent) -> None:
        """The packet leaves its host."""
        place = TAP_PLACE[self.tap] if sender == "client" else 1 - TAP_PLACE[self.tap]
        before = int(self.delay * place)
        passage = Passage(sender, sent)
        self.passages.append(passage)

        def arrive(packet: int) -> None:
            receiver = self.stacks[OTHER[sender]]
            if not receiver.has(sent.segment):
                passage.new.append(packet)
            receiver.receive(sent)

        def pass_tap() -> None:
            self.capture.add(self.now, sender, packet_of(sender, sent, self.timestamps))
            packet = len(self.capture.records)
            passage.captured.append(packet)
            self._on_leg(self.after_tap, self.delay - before, lambda: arrive(packet))

        self._on_leg(self.before_tap, before, pass_tap)

    def facts(self) -> dict[str, Any]:
        """The truth, in the words of a kernel lab's record."""
        endpoints = [told for stack in self.stacks.values() for told in stack.told()]
        return {"until": self.now, "endpoints": endpoints}

    def _on_leg(self, weather: Weather, delay: int, then: Callable[[], None]) -> None:
        if delay == 0:  # the tap stands at this host
            return then()
        for _ in range(1 + weather.doubles()):
            if not weather.loses():
                self.after(delay + weather.delays(), then)


class Stack:
    """One host: an endpoint, its program's wishes, and what waits to be acknowledged."""

    def __init__(self, world: World, name: str, iss: int) -> None:
        self.world = world
        self.name = name
        self.iss = iss
        self.tcp = Endpoint()
        self._wishes: list[Callable[[], None]] = []
        self._unacknowledged: list[Segment] = []
        self._tries = 0
        self._alarm = 0
        self._number = 0
        self._ts_recent = 0

    def listen(self) -> None:
        """A listener that was there all along."""
        self.tcp.drawn([State.LISTEN], self.world.now)

    def connect(self) -> None:
        """SYN, unless its own end has been called already."""
        if self.tcp.state is State.CLOSED:
            self.tcp.drawn([State.CLOSED], self.world.now)
            self._send_new(Segment(self.iss, 0, flags.SYN))

    def say(self, length: int) -> None:
        """Data, as soon as they may be sent."""
        if self.tcp.state in SPEAKING:
            self._send_new(self._segment(flags.ACK, length))
        elif self.tcp.state in NOT_YET_SPEAKING:
            self._wishes.append(lambda: self.say(length))

    def shut(self) -> None:
        """FIN, as soon as it may be sent; before any SYN,ACK the connection is dropped silently."""
        if self.tcp.state in SPEAKING:
            self._send_new(self._segment(flags.FIN | flags.ACK))
        elif self.tcp.state is State.SYN_SENT:
            self._gone(Event.CLOSE)
        elif self.tcp.state is State.SYN_RCVD:
            self._wishes.append(self.shut)

    def abort(self) -> None:
        """RST, where there is a connection to reset."""
        if self.tcp.state in NO_CONNECTION or self.tcp.state in (State.SYN_SENT, State.TIME_WAIT):
            return
        reset = self._segment(flags.RST | flags.ACK)
        self._forget()
        self._send(reset)

    def receive(self, sent: Sent) -> None:
        """A segment arrives: the endpoint takes it in, the host answers."""
        segment, before = sent.segment, self.tcp.state
        if self._renews_timestamp(segment):
            self._ts_recent = max(self._ts_recent, sent.ts_val)
        self.tcp.receive(segment, self.world.now)
        if self.tcp.state is State.CLOSED and before is not State.CLOSED:
            self._forget()
        elif segment.flags & flags.ACK and self.tcp.snd_nxt is not None:
            self._acknowledged(segment.ack)
        if not segment.flags & flags.RST:
            self._answer(segment, before)
        if self.tcp.state in SPEAKING:
            wishes, self._wishes = self._wishes, []
            for wish in wishes:
                wish()

    def has(self, segment: Segment) -> bool:
        """Whether all octets of a segment have been taken in; of none, no."""
        rcv_nxt = self.tcp.rcv_nxt
        return rcv_nxt is not None and segment.seg_len > 0 and diff(segment.end, rcv_nxt) <= 0

    def told(self) -> list[dict[str, Any]]:
        """This end's lives as a record has them; a state of no duration is a transit."""
        lives = []
        for life in self.tcp.lives():
            moves = [move for move in life if move.state is not State.LISTEN]
            while moves and moves[0].state is State.CLOSED:
                moves.pop(0)
            leaves = [move.time for move in moves[1:]] + [None][: len(moves)]
            states = [
                {
                    "state": move.state.name,
                    "earliest": move.time,
                    "latest": move.time,
                    "transit": move.time == left,
                }
                for move, left in zip(moves, leaves, strict=True)
            ]
            if states:
                lives.append({"side": self.name, **_ends(self.name), "states": states})
        return lives

    def _renews_timestamp(self, segment: Segment) -> bool:
        """RFC 7323 section 4.3; old segments do not in Linux, but for those into TIME_WAIT."""
        rcv_nxt = self.tcp.rcv_nxt
        if rcv_nxt is None or self.tcp.state is State.TIME_WAIT:
            return True
        follows = diff(segment.end, rcv_nxt) > 0 or segment.seg_len == 0
        return follows and diff(segment.seq, rcv_nxt) <= 0

    def _answer(self, segment: Segment, before: State) -> None:
        """Sections 3.10.7.1 to 3.10.7.4, as far as they send."""
        state = self.tcp.state
        if state is before and self._is_nobodys(segment, state):
            self._refuse(segment)
        elif segment.flags & flags.SYN and state is State.SYN_RCVD:
            self._accept(before)
        elif state is not State.CLOSED and (segment.seg_len or segment.flags & flags.SYN):
            self._send(self._segment(flags.ACK))

    def _accept(self, before: State) -> None:
        answer = Segment(self.iss, self.tcp.rcv_nxt or 0, flags.SYN | flags.ACK)
        if before is State.SYN_RCVD:
            self._send(answer)
        else:
            self._forget()
            self._send_new(answer)

    def _is_nobodys(self, segment: Segment, state: State) -> bool:
        """Section 3.5.2, groups 1 and 2: no connection, or an ACK of what was not sent."""
        wrong = bool(segment.flags & flags.ACK) and segment.ack != self.tcp.snd_nxt
        return state is State.CLOSED or (state in NOT_YET_SPEAKING and wrong)

    def _refuse(self, segment: Segment) -> None:
        """Section 3.5.2: a RST in the form that its receiver can believe."""
        if segment.flags & flags.ACK:
            self._send(Segment(segment.ack, 0, flags.RST))
        else:
            self._send(Segment(0, segment.end, flags.RST | flags.ACK))

    def _segment(self, bits: int, length: int = 0) -> Segment:
        return Segment(self.tcp.snd_nxt or 0, self.tcp.rcv_nxt or 0, bits, length)

    def _send_new(self, segment: Segment) -> None:
        """What has to be acknowledged."""
        self._unacknowledged.append(segment)
        self._send(segment)
        if len(self._unacknowledged) == 1:
            self._wind(0)

    def _send(self, segment: Segment) -> None:
        self.tcp.send(segment, self.world.now)
        self._number += 1
        clock = (self.world.now - START) // MS + 1000
        self.world.carry(self.name, Sent(segment, self._number, clock, self._ts_recent))

    def _acknowledged(self, ack: int) -> None:
        left = [one for one in self._unacknowledged if diff(one.end, ack) > 0]
        if len(left) < len(self._unacknowledged):
            self._unacknowledged = left
            self._wind(0)

    def _wind(self, tries: int) -> None:
        """Set the retransmission timer; an older one finds that it is no more the one."""
        self._tries = tries
        self._alarm += 1
        if self._unacknowledged:
            rto = SYN_RTO if self._unacknowledged[0].flags & flags.SYN else RTO
            alarm = self._alarm
            self.world.after(rto << tries, lambda: self._rings(alarm))

    def _rings(self, alarm: int) -> None:
        if alarm != self._alarm or not self._unacknowledged:
            return
        if self._tries == TRIES:
            return self._gone(Event.TIMEOUT_RETRANSMISSION)
        first = self._unacknowledged[0]
        if first.flags & flags.ACK:
            first = self._unacknowledged[0] = replace(first, ack=self.tcp.rcv_nxt or 0)
        self._send(first)
        self._wind(self._tries + 1)

    def _gone(self, event: Event) -> None:
        """CLOSED without a word."""
        self.tcp.fire(event, self.world.now)
        self._forget()

    def _forget(self) -> None:
        self._unacknowledged.clear()
        self._wishes.clear()
        self._alarm += 1


def packet_of(sender: str, sent: Sent, timestamps: bool) -> bytes:
    """The IPv4 packet of a segment, with right checksums; a RST that answers has no options."""
    segment = sent.segment
    (source, sport), (target, dport) = ADDRESSES[sender], ADDRESSES[OTHER[sender]]
    stamp = struct.pack("!BBBBII", 1, 1, 8, 10, sent.ts_val, sent.ts_ecr)
    answers = segment.flags == flags.RST or (segment.flags & flags.RST and segment.seq == 0)
    options = stamp if timestamps and not answers else b""
    tcp = dpkt.tcp.TCP(
        sport=sport,
        dport=dport,
        seq=segment.seq,
        ack=segment.ack,
        flags=segment.flags,
        win=segment.window,
        opts=options,
        data=b"." * segment.payload,
    )
    tcp.off = 5 + len(options) // 4
    packet = dpkt.ip.IP(src=source, dst=target, id=sent.number, p=dpkt.ip.IP_PROTO_TCP, data=tcp)
    packet.len = len(packet)
    return bytes(packet)


def _ends(name: str) -> dict[str, Any]:
    (ip, port), (peer, peer_port) = ADDRESSES[name], ADDRESSES[OTHER[name]]
    words = [".".join(map(str, address)) for address in (ip, peer)]
    return {"ip": words[0], "port": port, "peer_ip": words[1], "peer_port": peer_port}


def name_of(endpoint: tuple[Any, ...]) -> str:
    """Whose address and port an endpoint's first two fields are."""
    return next(name for name, (_, port) in ADDRESSES.items() if port == endpoint[1])
