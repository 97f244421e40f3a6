"""Conversations in the notation of RFC 9293's figures: read, and played by two reference endpoints.

Read `conversations/README.md` for the notation. `read` gives the lines, `play` the two endpoints'
true lives and the segments as the tap sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from endpoint import Endpoint, Segment

from tcptrace.decode.segments import Checksum, Segments
from tcptrace.tcp import flags
from tcptrace.tcp.sequence import add
from tcptrace.tcp.states import Event, State, parse_state

FOLDER = Path(__file__).parent / "conversations"
MILLISECOND = 1_000_000
ONE_WAY = 10 * MILLISECOND
TO_THE_MIDDLE = 5 * MILLISECOND
START = 1_700_000_000_000_000_000

DEPARTS_OR_ARRIVES = {"-->", "<--"}
IN_THE_NETWORK = "..."
LOST_BEFORE_TAP = "xx"
NOT_CAPTURED = "(not captured)"

SAID = {
    "Close": Event.CLOSE,
    "2 MSL": Event.TIMEOUT_2MSL,
    "gives up": Event.TIMEOUT_RETRANSMISSION,
    "orphan timer": Event.TIMEOUT_FIN_WAIT_2,
    "reboot": Event.REPLACED,
}
"""Comments that are events of the endpoint beside which they stand."""

CONTROL_BITS = {
    "FIN": flags.FIN,
    "SYN": flags.SYN,
    "RST": flags.RST,
    "PSH": flags.PSH,
    "ACK": flags.ACK,
    "URG": flags.URG,
}

LINE = re.compile(
    r"\s*(?:\d+\w?\.)?\s*(?:\+(?P<wait>[\d.]+))?(?P<left>.*?)(?P<left_arrow>-->|<--|\.\.\.|xx?\b)?"
    r"\s*(?P<segment>(?:<[A-Z]+(?:=[^>]*)?>)+)\s*"
    r"(?P<right_arrow>-->|<--|\.\.\.|xx?\b)?(?P<right>.*)"
)
BARE_LINE = re.compile(r"\s*(?:\d+\w?\.)?\s*(?:\+(?P<wait>[\d.]+))?(?P<rest>.*)")
HEADER = re.compile(r"\s*(?:TCP Peer )?A\s+(?:TCP Peer )?B\s*")
WORD = re.compile(r"\([^)]*\)|[^\s()]+")
FIELD = re.compile(r"<([A-Z]+)(?:=([^>]*))?>")


class Side(Enum):
    """The endpoint on the left and the one on the right."""

    A = 0
    B = 1

    @property
    def other(self) -> Side:
        return Side.B if self is Side.A else Side.A


class Tap(Enum):
    """Where the tap stands; its value is how long a segment of A needs to get there."""

    BESIDE_A = 0
    BETWEEN = TO_THE_MIDDLE
    BESIDE_B = ONE_WAY


@dataclass(frozen=True)
class Line:
    """One line: what is drawn beside each endpoint, and the segment's way, if there is one."""

    number: int
    wait: int
    states: dict[Side, list[State]]
    said: dict[Side, list[Event]]
    segment: Segment | None = None
    sender: Side = Side.A
    departs: bool = False
    arrives: bool = False
    seen: bool = True


@dataclass(frozen=True)
class Conversation:
    """A file of conversations/: `tap` is None where it may stand anywhere.

    listened : how long before the first line the capture began, ns; None if it begins then
    """

    name: str
    title: str
    lines: list[Line]
    tap: Tap | None = None
    only: Side | None = None
    listened: int | None = None
    untellable: frozenset[Side] = frozenset()
    misled: frozenset[Side] = frozenset()

    @property
    def taps(self) -> list[Tap]:
        return [self.tap] if self.tap else list(Tap)


@dataclass
class Played:
    """Played: true lives, the tap's segments, and where drawing and machine differ."""

    endpoints: dict[Side, Endpoint]
    segments: Segments
    differences: list[str] = field(default_factory=list)


def read(path: Path) -> Conversation:
    """A file of conversations/; ValueError with the line for what is not the notation."""
    title, middle = "", 0
    lines: list[Line] = []
    setting: dict[str, object] = {"untellable": frozenset()}
    for number, text in enumerate(path.read_text().splitlines(), 1):
        try:
            if text.startswith("#"):
                title = title or text.strip("# ")
            elif text.startswith("tap "):
                setting.update(_setting(text))
            elif HEADER.fullmatch(text):
                middle = (text.index("A") + text.rindex("B")) // 2
            elif text.strip():
                lines.append(_line(number, text, middle))
        except (ValueError, KeyError) as error:
            raise ValueError(f"{path.name}:{number}: {error}") from error
    return Conversation(path.stem, title, lines, **setting)  # type: ignore[arg-type]


def read_all() -> list[Conversation]:
    """Every conversation of the folder, by name."""
    return [read(path) for path in sorted(FOLDER.glob("*.txt"))]


def play(conversation: Conversation, tap: Tap) -> Played:
    """Both endpoints run the reference machine; the tap writes down what passes it."""
    endpoints = {side: Endpoint() for side in Side}
    wire = _Wire(endpoints, tap, conversation.only)
    played = Played(endpoints, Segments.zeros(0))
    for line in conversation.lines:
        wire.pass_line(line)
        played.differences += _differences(line, endpoints)
    played.differences += [f"{s.name}: {d}" for s in Side for d in endpoints[s].differences]
    played.segments = wire.segments()
    return played


class _Wire:
    """The clock, the segments still in the network, and what the tap saw."""

    def __init__(self, endpoints: dict[Side, Endpoint], tap: Tap, only: Side | None) -> None:
        self.endpoints = endpoints
        self.tap = tap
        self.only = only
        self.clock = START
        self.flying: list[tuple[Side, Segment, int]] = []
        self.seen: list[tuple[int, Side, Segment]] = []

    def pass_line(self, line: Line) -> None:
        """What one line draws, at its moment."""
        self.clock += line.wait
        for side in Side:
            self.endpoints[side].say(line.said[side], self.clock)
        if line.segment is not None:
            self._carry(line, line.segment)
        for side in Side:
            self.endpoints[side].drawn(line.states[side], self.clock)

    def _carry(self, line: Line, segment: Segment) -> None:
        departed = self._departure(line, segment)
        if line.arrives:
            self.clock = max(self.clock, departed + ONE_WAY)
            self.endpoints[line.sender.other].receive(segment, self.clock)
        else:
            self.clock = departed + MILLISECOND

    def _departure(self, line: Line, segment: Segment) -> int:
        """When the segment left: now, earlier, or for an old duplicate as if it had."""
        if line.departs:
            departed = self.clock
            self.endpoints[line.sender].send(segment, departed)
            if not line.arrives and line.seen:
                self.flying.append((line.sender, segment, departed))
            if line.seen:
                self._tap(line.sender, segment, departed)
            return departed
        for flight in self.flying:
            if flight[:2] == (line.sender, segment):
                self.flying.remove(flight)
                return flight[2]
        self._tap(line.sender, segment, self.clock)
        return self.clock

    def _tap(self, sender: Side, segment: Segment, departed: int) -> None:
        if self.only in (None, sender):
            to_tap = self.tap.value if sender is Side.A else ONE_WAY - self.tap.value
            self.seen.append((departed + to_tap, sender, segment))

    def segments(self) -> Segments:
        """What the tap saw, in the order in which it did."""
        self.seen.sort(key=lambda row: row[0])
        rows = Segments.zeros(len(self.seen))
        for place, (moment, sender, segment) in enumerate(self.seen):
            for name, value in _columns(sender, segment).items():
                rows.matrix[place, Segments.index(name)] = value
            rows.matrix[place, Segments.index("time")] = moment
            rows.matrix[place, Segments.index("packet")] = place + 1
        return rows


HIGH = 0
LOW = {Side.A: 0xFFFF_C000_0201, Side.B: 0xFFFF_C000_0202}  # ::ffff:192.0.2.1 and .2
PORT = {Side.A: 40000, Side.B: 80}


def _columns(sender: Side, segment: Segment) -> dict[str, int]:
    """A row of `Segments` but for its time and number; no IP ID, which would tell systems apart."""
    receiver = sender.other
    starts = bool(segment.flags & flags.SYN)
    columns = {
        "src_hi": HIGH,
        "src_lo": LOW[sender],
        "dst_hi": HIGH,
        "dst_lo": LOW[receiver],
        "src_port": PORT[sender],
        "dst_port": PORT[receiver],
        "ttl": 64,
        "ip_id": -1,
        "dont_fragment": 1,
        "seq": segment.seq,
        "ack": segment.ack,
        "flags": segment.flags,
        "window": segment.window,
        "payload": segment.payload,
        "kept": segment.payload,
        "checksum": Checksum.GOOD,
        "checksum_field": hash((sender.value, segment)) & 0xFFFF,
        "mss": 1460 if starts else -1,
        "window_scale": -1,
        "sack_permitted": int(starts),
        "sack_blocks": len(segment.sack),
    }
    for number, (left, right) in enumerate(segment.sack, 1):
        columns[f"sack_{number}_left"], columns[f"sack_{number}_right"] = left, right
    return columns


def _differences(line: Line, endpoints: dict[Side, Endpoint]) -> Iterator[str]:
    """Where the machine is not in the states that the line draws."""
    for side in Side:
        drawn = line.states[side]
        lived = endpoints[side].states()[-len(drawn) :] if drawn else []
        if drawn != lived:
            names = ",".join(state.name for state in lived)
            yield f"line {line.number}, {side.name}: drawn {drawn[-1].name}, machine {names}"


def _setting(text: str) -> dict[str, object]:
    """A line about the tap: where it stands, what it sees, what it cannot tell."""
    words = text.split()
    if words[1] == "between":
        return {"tap": Tap.BETWEEN}
    if words[1] == "beside":
        return {"tap": Tap[f"BESIDE_{words[2]}"]}
    if words[1:3] == ["sees", "only"]:
        return {"only": Side[words[3]]}
    if words[1:4] == ["has", "listened", "for"]:
        return {"listened": _wait(words[4])}
    if words[1:3] == ["cannot", "tell"]:
        return {"untellable": frozenset(Side[word] for word in words[3:])}
    if words[1:4] == ["is", "misled", "about"]:
        sides = frozenset(Side[word] for word in words[4:])
        return {"untellable": sides, "misled": sides}
    raise ValueError(f"not known of a tap: {text}")


def _line(number: int, text: str, middle: int) -> Line:
    found = LINE.fullmatch(text)
    if found is None:
        return _bare_line(number, text, middle)
    sides = {Side.A: found["left"], Side.B: found["right"]}
    arrows = {Side.A: found["left_arrow"], Side.B: found["right_arrow"] or IN_THE_NETWORK}
    sender = Side.A if "-->" in arrows.values() else Side.B
    return Line(
        number=number,
        wait=_wait(found["wait"]),
        states={side: _states(words) for side, words in sides.items()},
        said={side: _said(words) for side, words in sides.items()},
        segment=_segment(found["segment"]),
        sender=sender,
        departs=arrows[sender] in DEPARTS_OR_ARRIVES,
        arrives=arrows[sender.other] in DEPARTS_OR_ARRIVES,
        seen=arrows[sender.other] != LOST_BEFORE_TAP and NOT_CAPTURED not in text,
    )


def _bare_line(number: int, text: str, middle: int) -> Line:
    """A line without a segment: what stands left of the middle is A's."""
    found = BARE_LINE.fullmatch(text)
    if found is None or "<" in text:
        raise ValueError(f"not a line of a conversation: {text}")
    words: dict[Side, str] = {Side.A: "", Side.B: ""}
    for word in WORD.finditer(text, found.start("rest")):
        words[Side.A if word.start() < middle else Side.B] += f" {word[0]}"
    return Line(
        number=number,
        wait=_wait(found["wait"]),
        states={side: _states(words[side]) for side in Side},
        said={side: _said(words[side]) for side in Side},
    )


def _wait(seconds: str | None) -> int:
    return round(float(seconds or 0) * 1000) * MILLISECOND


def _states(text: str) -> list[State]:
    outside = re.sub(r"\([^)]*\)", " ", text).replace(",", " ").split()
    return [parse_state(name) for name in outside]


def _said(text: str) -> list[Event]:
    return [SAID[said] for said in re.findall(r"\(([^)]*)\)", text) if said in SAID]


def _segment(text: str) -> Segment:
    fields = {name: value or "1" for name, value in FIELD.findall(text)}
    bits = 0
    for name in fields["CTL"].split(","):
        bits |= CONTROL_BITS[name]
    replies = bits & flags.RST and (not bits & flags.ACK or fields["SEQ"] == "0")
    blocks = [block.split(":") for block in fields.get("SACK", "").split()]
    return Segment(
        seq=add(int(fields["SEQ"], 0), 0),
        ack=add(int(fields.get("ACK", "0"), 0), 0),
        flags=bits,
        payload=int(fields.get("DATA", "0")),
        window=int(fields.get("WND", "0" if replies else "65535")),
        sack=tuple((int(left), int(right)) for left, right in blocks),
    )
