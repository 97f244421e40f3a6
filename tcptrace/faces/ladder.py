"""One connection as a ladder in text: packets between the states of both sides.

A side's state stands on the line of the packet that shows or causes the move; `│` means that
nothing changed there. A move without a packet (a timer, what came before the capture) has a
line of its own. Stretches in which only data and ACKs pass are told in one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from tcptrace.faces.quantities import offset
from tcptrace.faces.terminal import STYLES
from tcptrace.tables.wording import octets, span
from tcptrace.tcp import flags, sequence
from tcptrace.tcp.states import Role

if TYPE_CHECKING:
    from rich.text import Text

ORIGINATOR, RESPONDER = (role.name.lower() for role in Role)
NAMES = {flags.LETTERS[getattr(flags, name)]: name for name in
         ("SYN", "FIN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE")}  # fmt: skip
MOVING = set("SFR")
LONGEST_RUN = 3  # more segments in a row that move nothing become one line
UNCAUSED = ("inferred", "timer", "assumed")  # their packet, if any, is proof and not cause
MARKS = {"presumed": "?", "inferred": "*", "timer": "~", "assumed": "'"}
LEGEND = {
    "presumed": "should follow from a packet on its way there",
    "inferred": "proved by later packets",
    "timer": "predicted by a timer",
    "assumed": "before the capture shows anything",
}
STATE_WIDTH = 12
LEFT_WIDTH = 20 + STATE_WIDTH  # time, packet number, state
MIDDLE = (20, 60)  # columns between the two sides, least and most


@dataclass
class Rung:
    """A line: a segment, or a move without one; states are (name, basis) in order entered."""

    time: int
    packet: int | None = None
    sender: str = ""
    label: str = ""
    payload: int = 0
    moving: bool = False
    entered: dict[str, list[tuple[str, str]]] = field(
        default_factory=lambda: {ORIGINATOR: [], RESPONDER: []}
    )


def ladder(
    timeline: pd.DataFrame, segments: pd.DataFrame, width: int, whole: bool = False
) -> Iterator[Text]:
    """The lines from top to bottom, `width` columns wide; `whole` leaves no segment out."""
    rungs = rungs_of(timeline, segments)
    if not rungs:
        return
    room = min(max(width - LEFT_WIDTH - STATE_WIDTH, MIDDLE[0]), MIDDLE[1])
    zero = next((rung.time for rung in rungs if rung.label), rungs[0].time)
    draw = _Drawing(zero, room)
    for run in runs(rungs):
        if whole or len(run) <= LONGEST_RUN:
            yield from (line for rung in run for line in draw.rung(rung))
        else:
            yield draw.run(run)


def legend(timeline: pd.DataFrame) -> str:
    """What the marks mean that the ladder uses; an empty string if it uses none."""
    used = [basis for basis in MARKS if (timeline["basis"] == basis).any()]
    return ", ".join(f"{MARKS[basis]} {basis}: {LEGEND[basis]}" for basis in used)


def rungs_of(timeline: pd.DataFrame, segments: pd.DataFrame) -> list[Rung]:
    """Segments in the order of the capture, moves laid upon them or between them."""
    rungs = _segment_rungs(segments)
    by_packet: dict[int, list[Rung]] = {}
    for rung in rungs:
        by_packet.setdefault(rung.packet or 0, []).append(rung)
    alone, unseen = [], []
    for row in timeline.to_dict("records"):
        time = row["start"].value
        shown = not pd.isna(row["packet"]) and row["basis"] not in UNCAUSED
        packet = int(row["packet"]) if shown else None
        here = by_packet.get(packet or 0, [])
        if here:
            rung = min(here, key=lambda rung: abs(rung.time - time))
        elif packet is None:
            alone.append(rung := Rung(time))
        else:  # the segments are not at hand
            unseen.append(rung := Rung(time, packet))
            by_packet[packet] = [rung]
        rung.entered[str(row["role"])].append((str(row["state"]), str(row["basis"])))
    return sorted([*alone, *rungs, *unseen], key=lambda rung: rung.time)


def runs(rungs: Sequence[Rung]) -> Iterator[list[Rung]]:
    """The rungs in order, those that move nothing gathered between those that do."""
    quiet: list[Rung] = []
    for rung in rungs:
        if rung.moving or any(rung.entered.values()):
            if quiet:
                yield quiet
            quiet = []
            yield [rung]
        else:
            quiet.append(rung)
    if quiet:
        yield quiet


def _segment_rungs(segments: pd.DataFrame) -> list[Rung]:
    """Sequence numbers count from the first one that each side was seen to send."""
    first: dict[str, int] = {}
    rungs = []
    columns = ("packet", "ts", "role", "flags", "seq", "ack", "payload", "kind")
    for row in segments[list(columns)].to_dict("records"):
        sender = str(row["role"])
        peer = RESPONDER if sender == ORIGINATOR else ORIGINATOR
        first.setdefault(sender, int(row["seq"]))
        if not pd.isna(row["ack"]):
            first.setdefault(peer, sequence.add(int(row["ack"]), -1))
        rung = Rung(row["ts"].value, int(row["packet"]), sender, _label(row, first, peer))
        rung.payload = int(row["payload"])
        rung.moving = bool(MOVING & set(str(row["flags"]))) or row["kind"] != "segment"
        rungs.append(rung)
    return rungs


def _label(row: Mapping[Any, Any], first: dict[str, int], peer: str) -> str:
    """`FIN,ACK seq=301 ack=1 20 B`."""
    if row["kind"] == "icmp_error":
        return "ICMP error"
    names = ",".join(name for letter, name in NAMES.items() if letter in str(row["flags"]))
    pieces = [names or "no flags"]
    pieces.append(f"seq={sequence.diff(int(row['seq']), first[str(row['role'])])}")
    if not pd.isna(row["ack"]) and "A" in str(row["flags"]):
        pieces.append(f"ack={sequence.diff(int(row['ack']), first[peer])}")
    if row["payload"]:
        pieces.append(octets(int(row["payload"])))
    return " ".join(pieces)


class _Drawing:
    """Lines of one width, times counted from the first segment."""

    def __init__(self, start: int, middle: int) -> None:
        self.start, self.middle = start, middle
        self.begun = [False, False]  # whether a side has been in a state yet

    def rung(self, rung: Rung) -> Iterator[Text]:
        """One line, and one more for each further state that a side enters with that packet."""
        left, right = rung.entered[ORIGINATOR], rung.entered[RESPONDER]
        extra = max(len(left), len(right), 1) - 1
        for place in range(extra, -1, -1):
            last = place == 0
            states = [
                entered[len(entered) - 1 - place] if place < len(entered) else None
                for entered in (left, right)
            ]
            middle = self._arrow(rung) if last and rung.label else " " * self.middle
            packet = str(rung.packet) if last and rung.packet is not None else ""
            yield self._line(offset(rung.time - self.start), packet, middle, states)

    def run(self, run: Sequence[Rung]) -> Text:
        """One line for many segments."""
        told = f" {len(run):,} segments"
        for role, arrow in ((ORIGINATOR, "→"), (RESPONDER, "←")):
            sent = sum(rung.payload for rung in run if rung.sender == role)
            told += f" {arrow}{octets(sent)}" if sent else ""
        length = f" in {span(run[-1].time - run[0].time)}"
        told += length if len(told + length) < self.middle else ""
        middle = told[: self.middle].ljust(self.middle)
        return self._line(
            offset(run[0].time - self.start), f"{run[0].packet}…", middle, [None, None]
        )

    def _arrow(self, rung: Rung) -> str:
        """The label on an arrow that points to the receiver."""
        room = self.middle - 3
        label = rung.label if len(rung.label) <= room - 2 else rung.label.split(" seq=")[0]
        shaft = "─" * (room - len(label) - 1)
        if rung.sender == ORIGINATOR:
            return f" {label} {shaft}▶ "
        return f" ◀{shaft} {label} "

    def _line(
        self, time: str, packet: str, middle: str, states: Sequence[tuple[str, str] | None]
    ) -> Text:
        from rich.text import Text

        line = Text(no_wrap=True)
        line.append(f"{time:>12} {packet:>6} ", "dim")
        left, right = (self._state(place, state) for place, state in enumerate(states))
        line.append(left[0].rjust(STATE_WIDTH), left[1])
        line.append(middle)
        return line.append(*right)

    def _state(self, place: int, state: tuple[str, str] | None) -> tuple[str, str]:
        """What stands at a side, and its style."""
        if state is None:
            return ("│" if self.begun[place] else " "), "dim"
        self.begun[place] = True
        name, basis = state
        return name + MARKS.get(basis, ""), STYLES.get(name, "")
