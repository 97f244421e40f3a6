"""`Endpoint`: what RFC 9293 has a TCP do with each segment, as events for the reference machine.

Independent of the tracker: an endpoint knows its own numbers, so it never guesses. Read section
3.10.7 beside it. Windows are open; retransmission is the conversation's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tcptrace.tcp import flags
from tcptrace.tcp.machine import step
from tcptrace.tcp.sequence import add, diff
from tcptrace.tcp.states import Event, State

BEFORE_SYNCHRONIZED = (State.CLOSED, State.LISTEN, State.SYN_SENT)
FIN_TAKEN_IN = (State.CLOSE_WAIT, State.CLOSING, State.LAST_ACK)


@dataclass(frozen=True)
class Segment:
    """The fields of a segment that the figures draw."""

    seq: int
    ack: int
    flags: int
    payload: int = 0
    window: int = 65535
    sack: tuple[tuple[int, int], ...] = ()

    @property
    def seg_len(self) -> int:
        return self.payload + bool(self.flags & flags.SYN) + bool(self.flags & flags.FIN)

    @property
    def end(self) -> int:
        return add(self.seq, self.seg_len)


@dataclass(frozen=True)
class Move:
    """The entry of a state: when, which, and why; no event for where a conversation begins."""

    time: int
    state: State
    event: Event | None


@dataclass
class Endpoint:
    """One side: its TCB and the life it has led."""

    life: list[Move] = field(default_factory=list)
    listens: bool = False
    iss: int | None = None
    snd_nxt: int | None = None
    fin: int | None = None
    rcv_nxt: int | None = None
    early: list[Segment] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    @property
    def state(self) -> State:
        return self.life[-1].state if self.life else State.CLOSED

    def states(self) -> list[State]:
        """The life, in order."""
        return [move.state for move in self.life]

    def lives(self) -> list[list[Move]]:
        """The life cut into connections: one more begins wherever CLOSED is left."""
        cut: list[list[Move]] = []
        for before, move in zip([None, *self.life], self.life, strict=False):
            if before is None or before.state is State.CLOSED:
                cut.append([])
            cut[-1].append(move)
        return [life for life in cut if [State.CLOSED] != [move.state for move in life]]

    def drawn(self, states: Sequence[State], time: int) -> None:
        """What a line draws: the state to begin in, or a listener that was there all along."""
        if states and not self.life:
            self.life.append(Move(time, states[-1], None))
            self.listens = states[-1] is State.LISTEN
        elif states and states[-1] is State.LISTEN and self.state is State.CLOSED:
            self.fire(Event.PASSIVE_OPEN, time)

    def say(self, events: Sequence[Event], time: int) -> None:
        """Events that no segment makes: calls and timers."""
        for event in events:
            if self.life:
                self.fire(event, time)

    def fire(self, event: Event, time: int) -> None:
        """One event for the machine."""
        following = step(self.state, event)
        if isinstance(following, State):
            self.life.append(Move(time, following, event))
        if following is State.CLOSED:
            self.iss = self.snd_nxt = self.fin = self.rcv_nxt = None
            self.early.clear()

    def send(self, segment: Segment, time: int) -> None:
        """The segment leaves: what it carries has happened."""
        if segment.flags & flags.RST:
            self.fire(Event.SND_RST, time)
            return
        if segment.flags & flags.SYN:
            if self.state is State.TIME_WAIT:
                self.fire(Event.REPLACED, time)
            self.iss = segment.seq
            self.fire(Event.SND_SYN, time)
        if segment.flags & flags.FIN:
            self.fin = add(segment.seq, segment.payload)
            self.fire(Event.SND_FIN, time)
        if self.snd_nxt is None or diff(segment.end, self.snd_nxt) > 0:
            self.snd_nxt = segment.end
        self._acknowledge(segment)

    def _acknowledge(self, segment: Segment) -> None:
        """A drawn ACK must be what was received; mid-stream it tells what had been."""
        if segment.flags & flags.ACK:
            if self.rcv_nxt is None:
                self.rcv_nxt = segment.ack
            if segment.ack != self.rcv_nxt:
                self.differences.append(f"sends ACK={segment.ack}, has received {self.rcv_nxt}")

    def receive(self, segment: Segment, time: int) -> None:
        """The segment arrives: its events, in the order of section 3.10.7."""
        if self.state in BEFORE_SYNCHRONIZED:
            self._open(segment, time)
        elif segment.flags & flags.RST:
            if self._exact(segment):
                self.fire(Event.RCV_RST, time)
        elif segment.flags & flags.SYN:
            self._receive_syn(segment, time)
        elif segment.flags & flags.ACK:
            self._receive_synchronized(segment, time)

    def _open(self, segment: Segment, time: int) -> None:
        """Sections 3.10.7.1 to 3.10.7.3."""
        if self.state is State.SYN_SENT:
            self._receive_in_syn_sent(segment, time)
        elif segment.flags & (flags.SYN | flags.ACK | flags.RST) == flags.SYN:
            if self.state is State.CLOSED and self.listens:
                self.fire(Event.PASSIVE_OPEN, time)
            self._take_syn(segment, Event.RCV_SYN, time)

    def _receive_in_syn_sent(self, segment: Segment, time: int) -> None:
        acknowledges = bool(segment.flags & flags.ACK)
        if acknowledges and segment.ack != self.snd_nxt:
            return
        if segment.flags & flags.RST:
            if acknowledges:
                self.fire(Event.RCV_RST, time)
        elif segment.flags & flags.SYN:
            event = Event.RCV_SYN_ACK if acknowledges else Event.RCV_SYN
            self._take_syn(segment, event, time)

    def _take_syn(self, segment: Segment, event: Event, time: int) -> None:
        self.rcv_nxt = segment.end
        self.fire(event, time)

    def _exact(self, segment: Segment) -> bool:
        """RFC 5961: a RST counts at RCV.NXT; Linux tcp_reset_check also at the FIN taken in."""
        if self.rcv_nxt is None:
            return True
        off = diff(segment.seq, self.rcv_nxt)
        return off == 0 or (off == -1 and self.state in FIN_TAKEN_IN)

    def _receive_syn(self, segment: Segment, time: int) -> None:
        """A SYN where there is a connection: old, crossing, or of a new incarnation."""
        above = self.rcv_nxt is not None and diff(segment.seq, self.rcv_nxt) > 0
        if self.state is State.TIME_WAIT and above:
            self.fire(Event.REPLACED, time)
            self.fire(Event.PASSIVE_OPEN, time)
            self._take_syn(segment, Event.RCV_SYN, time)
        elif segment.flags & flags.ACK and segment.ack == self.snd_nxt:
            self.fire(Event.RCV_SYN_ACK, time)
        else:
            self.fire(Event.RCV_SYN, time)

    def _receive_synchronized(self, segment: Segment, time: int) -> None:
        """Section 3.10.7.4: the ACK, then the text, then the FIN."""
        if self.rcv_nxt is None:
            self.rcv_nxt = segment.seq
        if self.snd_nxt is None:
            self.snd_nxt = segment.ack
        if segment.seg_len and diff(segment.end, self.rcv_nxt) <= 0:
            return
        self._take_ack(segment, time)
        self.early.append(segment)
        for waiting in sorted(self.early, key=lambda one: diff(one.seq, segment.seq)):
            self._take_text(waiting, time)

    def _take_ack(self, segment: Segment, time: int) -> None:
        assert self.snd_nxt is not None
        if diff(segment.ack, self.snd_nxt) > 0:
            return
        if (
            self.state is State.SYN_RCVD
            and self.iss is not None
            and diff(segment.ack, self.iss) > 0
        ):
            self.fire(Event.RCV_ACK_OF_SYN, time)
        if self.fin is not None and diff(segment.ack, self.fin) > 0:
            self.fire(Event.RCV_ACK_OF_FIN, time)

    def _take_text(self, segment: Segment, time: int) -> None:
        """Text in order moves RCV.NXT; what lies beyond a hole waits."""
        if self.rcv_nxt is None or diff(segment.seq, self.rcv_nxt) > 0:
            return
        if segment in self.early:
            self.early.remove(segment)
        if diff(segment.end, self.rcv_nxt) > 0:
            self.rcv_nxt = segment.end
            if segment.flags & flags.FIN:
                self.fire(Event.RCV_FIN, time)
