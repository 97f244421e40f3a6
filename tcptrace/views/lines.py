"""One connection as a ladder in text: packets between the states of both sides.

A side's state stands on the line of the packet that shows or causes the move; `│` means that
nothing changed there. A move without a packet (a timer, what came before the capture) has a
line of its own, and so has an idle stretch. A run of data and ACKs is told in one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tcptrace.tables.schema import ROLES
from tcptrace.tables.wording import SECOND, octets, span
from tcptrace.views.fates import Fate
from tcptrace.views.lettering import offset
from tcptrace.views.rungs import WHOLE, Choice, Move, Run, Rung, rungs
from tcptrace.views.scene import Scene

Line = list[tuple[str, str]]
"""Stretches of text, each with its style: a state's name, `dim`, a fate's name, or none."""

MARKS = {"presumed": "?", "inferred": "*", "timer": "~", "assumed": "'"}
BASES = {
    "presumed": "should follow from a packet on its way there",
    "inferred": "proved by later packets",
    "timer": "predicted by a timer",
    "assumed": "before the capture shows anything",
}
SHAFTS = {
    Fate.SENT: "─",
    Fate.AGAIN: "═",
    Fate.LATE: "~",
    Fate.COPY: "╌",
    Fate.UNSEEN: ".",
}
FATES = {
    Fate.AGAIN: "sent again",
    Fate.LATE: "late, after later octets",
    Fate.COPY: "a copy made by the capture",
    Fate.UNSEEN: "not captured, yet acknowledged",
}
CROSS = "✗"
STATE_WIDTH = 12
LEFT_WIDTH = 20 + STATE_WIDTH  # time, packet number, state
MIDDLE = (20, 60)  # columns between the two sides, least and most
IDLE = SECOND  # a silence that has a line of its own
SHOWN = Choice()


def lines(scene: Scene, width: int, *, whole: bool = False) -> Iterator[Line]:
    """The ladder from top to bottom, `width` columns wide; `whole` leaves no segment out."""
    shown = rungs(scene, WHOLE if whole else SHOWN)
    room = min(max(width - LEFT_WIDTH - STATE_WIDTH, MIDDLE[0]), MIDDLE[1])
    draw = _Lines(scene.start if len(scene.segments) else _first(shown), room)
    for item in shown:
        yield from draw.idle(item)
        if isinstance(item, Rung):
            yield from draw.rung(item)
        else:
            yield draw.run(item)


def legend(scene: Scene, *, whole: bool = False) -> list[str]:
    """What the marks mean that the ladder uses: of moves, of segments, of findings."""
    used = set(scene.timeline["basis"])
    moves = [f"{MARKS[basis]} {basis}: {BASES[basis]}" for basis in MARKS if basis in used]
    shown = [item for item in rungs(scene, WHOLE if whole else SHOWN) if isinstance(item, Rung)]
    fates = {rung.fate for rung in shown}
    segments = [f"{SHAFTS[fate] * 2} {FATES[fate]}" for fate in FATES if fate in fates]
    losses = {rung.loss for rung in shown} - {""}
    segments += [f"{CROSS} {max(losses, key=len)}, as later packets prove"] if losses else []
    numbers = {number for rung in shown for number in rung.findings}
    codes = scene.anomalies["code"].astype(str).tolist()
    findings = [f"[{number}] {codes[number - 1]}" for number in sorted(numbers)]
    return [", ".join(told) for told in (moves, segments, findings) if told]


def _first(shown: Sequence[Rung | Run]) -> int:
    return shown[0].time if shown else 0


class _Lines:
    """Lines of one width, times counted from `start`, ns."""

    def __init__(self, start: int, middle: int) -> None:
        self.start, self.middle = start, middle
        self.states = ["", ""]  # the one that each side is in, once it is in one
        self.last: int | None = None

    def idle(self, item: Rung | Run) -> Iterator[Line]:
        """A line for the silence before an item, if it was long."""
        if self.last is not None and item.time - self.last >= IDLE:
            told = f"idle {span(item.time - self.last)}".center(self.middle)
            yield [(" " * 20, ""), self._bar(0, "┊"), (told, "dim"), self._bar(1, "┊")]
        self.last = item.time if isinstance(item, Rung) else item.last

    def rung(self, rung: Rung) -> Iterator[Line]:
        """One line, and one more for each further state that a side enters with that packet."""
        entered = [rung.entered(role) for role in range(len(ROLES))]
        extra = max(*map(len, entered), 1) - 1
        for place in range(extra, -1, -1):
            last = place == 0
            moves = [each[len(each) - 1 - place] if place < len(each) else None for each in entered]
            middle = self._arrow(rung) if last and rung.label else [(" " * self.middle, "")]
            packet = str(rung.packet) if last and rung.packet is not None else ""
            yield self._line(offset(rung.time - self.start), packet, middle, moves)

    def run(self, run: Run) -> Line:
        """One line for many segments: what there is room for."""
        told = f" {run.segments:,} segments"
        for sent, arrow in zip(run.sent, "→←", strict=True):
            told += f" {arrow}{octets(sent)}" if sent else ""
        for more in (
            f" in {span(run.last - run.time)}",
            f", {run.lost:,} lost" if run.lost else "",
            f", {run.again:,} again" if run.again else "",
            f", {octets(run.unseen)} not captured" if run.unseen else "",
        ):
            told += more if len(told + more) < self.middle else ""
        middle = told[: self.middle].ljust(self.middle)
        when = offset(run.time - self.start)
        return self._line(when, f"{run.packet}…", [(middle, "")], [None, None])

    def _arrow(self, rung: Rung) -> Line:
        """The label on an arrow that points to the receiver, or that breaks off before it."""
        pins = "".join(f" [{number}]" for number in rung.findings)
        room = self.middle - 5 - len(pins)
        label = next((each for each in _shorter(rung.label) if len(each) <= room), "") + pins
        shaft = SHAFTS[rung.fate] * (self.middle - 4 - len(label))
        to_the_right = (rung.sender == 0) != rung.is_error
        if rung.loss:
            kept = max(len(shaft) - 5, 1)
            head = CROSS + " " * (len(shaft) - kept)
            told = (f"{shaft[:kept]}{head}", f"{head[::-1]}{shaft[:kept]}")
        else:
            told = (f"{shaft}▶", f"◀{shaft}")
        style = "lost" if rung.loss else rung.fate.name.lower()
        if to_the_right:
            return [(f" {label} ", ""), (told[0], style), (" ", "")]
        return [(" ", ""), (told[1], style), (f" {label} ", "")]

    def _line(self, time: str, packet: str, middle: Line, moves: Sequence[Move | None]) -> Line:
        left, right = (self._state(side, move) for side, move in enumerate(moves))
        return [(f"{time:>12} {packet:>6} ", "dim"), left, *middle, right]

    def _state(self, side: int, move: Move | None) -> tuple[str, str]:
        """What stands at a side, and its style."""
        if move is None:
            return self._bar(side, "│")
        self.states[side] = move.state
        name = move.state + MARKS.get(move.basis, "")
        return (name if side else name.rjust(STATE_WIDTH)), move.state

    def _bar(self, side: int, bar: str) -> tuple[str, str]:
        state = self.states[side]
        bar = bar if state else " "
        return (bar if side else bar.rjust(STATE_WIDTH)), f"in {state}" if state else ""


def _shorter(label: str) -> Iterator[str]:
    """The label, then less and less of it: the octets first, then the numbers."""
    yield label
    flags, _, rest = label.partition(" ")
    words = rest.split(" ")
    yield " ".join([flags, *words[:2]])
    yield " ".join([flags, *words[:1]])
    yield flags
