"""Holds the tracker to simulated worlds, where the truth is known to the nanosecond.

Whatever happens on the wire and wherever the tap stands: what is called observed or confirmed is
true, bounds contain the moment, and nothing depends on how the capture is cut.
"""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import tcptrace
from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Segments
from tcptrace.sources.capture import open_capture
from tcptrace.sources.packets import Packets
from tcptrace.tcp import flags
from tcptrace.tracker.tracker import Reconstruction, Tracker
from tests.kernel_lab.capture_file import LINKTYPE_RAW, CaptureFile
from tests.kernel_lab.score import Key, Row, score
from tests.kernel_lab.weather import CLEAR, Weather
from tests.kernel_lab.wire import TAPS
from tests.simulator import MS, Stack, World, name_of

LONGEST_WAIT = 500  # ms between two wishes of a program
OFTEN = settings(
    max_examples=60,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
SOMETIMES = settings(OFTEN, max_examples=20)
OF_A_FILE = ["packet", "confirmed_by"]  # numbers count from 1 in each file


@dataclass(frozen=True)
class Plan:
    """What the programs at both ends wish, and when; ms after the first SYN."""

    client: list[tuple[int, str, int]]
    server: list[tuple[int, str, int]]
    server_calls: int | None
    tap: str
    timestamps: bool

    def played(self, before_tap: Weather, after_tap: Weather) -> World:
        """The world in which all of it has happened."""
        world = World(before_tap, after_tap, tap=self.tap, timestamps=self.timestamps)
        client, server = world.stacks["client"], world.stacks["server"]
        if self.server_calls is None:
            server.listen()
        else:
            world.after(self.server_calls * MS, server.connect)
        client.connect()
        for stack, wishes in ((client, self.client), (server, self.server)):
            _wish(world, stack, wishes)
        world.run()
        return world


def _wish(world: World, stack: Stack, wishes: list[tuple[int, str, int]]) -> None:
    at = 0
    for wait, what, length in wishes:
        at += wait
        does = {"say": lambda n=length: stack.say(n), "shut": stack.shut, "abort": stack.abort}
        world.after(at * MS, does[what])


_waits = st.integers(0, LONGEST_WAIT)
_said = st.lists(st.tuples(_waits, st.just("say"), st.integers(1, 1000)), max_size=4)
_ends = st.sampled_from([[], ["shut"], ["shut"], ["abort"]])
_wishes = st.builds(
    lambda said, ends, wait: [*said, *((wait, end, 0) for end in ends)], _said, _ends, _waits
)
_plans = st.builds(
    Plan,
    client=_wishes,
    server=_wishes,
    server_calls=st.one_of(st.none(), st.integers(0, 15)),
    tap=st.sampled_from(TAPS),
    timestamps=st.booleans(),
)
_weathers = st.builds(
    Weather,
    seed=st.integers(0, 1 << 32),
    loss=st.sampled_from([0.0, 0.05, 0.2, 0.5]),
    jitter=st.sampled_from([0, 10 * MS, 40 * MS]),
    duplication=st.sampled_from([0.0, 0.05, 0.3]),
)
_doubles = st.builds(
    Weather,
    seed=st.integers(0, 1 << 32),
    duplication=st.sampled_from([0.0, 0.05, 0.3]),
)
_no_doubles = st.builds(
    Weather,
    seed=st.integers(0, 1 << 32),
    loss=st.sampled_from([0.0, 0.1, 0.4]),
    jitter=st.sampled_from([0, 10 * MS]),
)


# SYNs that crossed, one repeated: the server seems half a second off, and its FIN was lost.
FAR_OFF = Plan(
    client=[(15, "say", 1), (0, "shut", 0)],
    server=[(12, "say", 1), (0, "say", 1), (0, "shut", 0)],
    server_calls=0,
    tap="middle",
    timestamps=True,
)


def timeline(world: World) -> Any:
    return tcptrace.read(io.BytesIO(world.capture.pcap()), progress=False).timeline


@OFTEN
@given(_plans, _doubles)
def test_proofs_are_true(plan: Plan, after_tap: Weather) -> None:
    """Where everything arrives, in order, no state is called proved that was not there."""
    proofs_are_true(plan, CLEAR, after_tap)


@OFTEN
@given(_plans, _weathers, _weathers)
def test_proofs_are_true_in_any_weather(
    plan: Plan, before_tap: Weather, after_tap: Weather
) -> None:
    """Nor is it where segments are lost or late, on either side of the tap."""
    proofs_are_true(plan, before_tap, after_tap)


def proofs_are_true(plan: Plan, before_tap: Weather, after_tap: Weather) -> None:
    world = plan.played(before_tap, after_tap)
    made = score(world.facts(), timeline(world))
    assert [] == [fault for fault in made.faults if "said to be" in fault]


@OFTEN
@given(_plans, _no_doubles)
def test_bounds_contain_the_moment(plan: Plan, after_tap: Weather) -> None:
    """Where the tap misses nothing that was sent, every state began within its bounds."""
    bounds_are_true(plan, CLEAR, after_tap)


@OFTEN
@given(_plans, _weathers, _weathers)
@example(FAR_OFF, Weather(1_511_076_577, loss=0.5, jitter=10 * MS), CLEAR)
def test_bounds_contain_the_moment_in_any_weather(
    plan: Plan, before_tap: Weather, after_tap: Weather
) -> None:
    """So it did where segments are lost or late, on either side of the tap; with two exceptions.

    A SYN that was lost before the tap left no trace, if no later segment of its sender was: the
    next copy looks like the first, and no bound that is of use would hold the moment of that.
    What is presumed of a segment that was lost behind the tap, or whose octets had been taken in
    (section 3.10.7.4 then drops its ACK, too), has the bounds of that segment.
    """
    bounds_are_true(plan, before_tap, after_tap)


def bounds_are_true(plan: Plan, before_tap: Weather, after_tap: Weather) -> None:
    world = plan.played(before_tap, after_tap)
    made = score(world.facts(), timeline(world))
    assert [] == [(key, row) for key, row in made.outside if not beyond_any_tap(world, key, row)]


def beyond_any_tap(world: World, key: Key, row: Row) -> bool:
    """Whether the two exceptions hold: nothing that the tap saw could have told better."""
    if row.state == "SYN_SENT":
        return lost_without_trace(world, name_of(key))
    taken_in = {packet for passage in world.passages for packet in passage.new}
    return row.basis == "presumed" and row.packet not in taken_in


def lost_without_trace(world: World, sender: str) -> bool:
    """Whether the sender's first segments were lost before the tap, and none between others.

    A RST that answers is not its socket's, and has no place in what that counts.
    """
    passed = [
        bool(passage.captured)
        for passage in world.passages
        if passage.sender == sender and not passage.sent.segment.flags & flags.RST
    ]
    seen = [number for number, was in enumerate(passed) if was]
    return not passed[0] and all(passed[seen[0] : seen[-1]])


@SOMETIMES
@given(_plans, st.integers(0, 1 << 32))
def test_nothing_lost_is_nothing_missed(plan: Plan, seed: int) -> None:
    """With a listener, on a path that only takes time, every sequence is the true one.

    But for aborts: no tap far from them tells what had arrived before.
    """
    wishes = {what for _, what, _ in plan.client + plan.server}
    assume(plan.server_calls is None and "abort" not in wishes)
    world = plan.played(CLEAR, Weather(seed))
    assert [] == [f for f in score(world.facts(), timeline(world)).faults if "recorded" in f]


@SOMETIMES
@given(_plans, _weathers, st.lists(st.integers(0, 60), max_size=4))
def test_batches_do_not_matter(plan: Plan, weather: Weather, cuts: list[int]) -> None:
    """The tracker says the same however its segments are dealt out."""
    world = plan.played(weather, CLEAR)
    whole, dealt = segments_of(world), segments_of(world)
    places = sorted({min(cut, len(dealt)) for cut in cuts} | {0, len(dealt)})
    batches = [dealt.take(slice(*ends)) for ends in pairwise(places)]
    assert all_of(tracked([whole])) == all_of(tracked(batches))


@SOMETIMES
@given(_plans, _weathers, st.lists(st.integers(0, 60), max_size=3))
def test_files_do_not_matter(plan: Plan, weather: Weather, cuts: list[int]) -> None:
    """A capture cut into files is read as one, but for the packets' numbers."""
    world = plan.played(weather, CLEAR)
    records = world.capture.records
    places = sorted({min(cut, len(records)) for cut in cuts} | {0, len(records)})
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, ends in enumerate(pairwise(places)):
            paths.append(Path(folder, f"{number}.pcap"))
            CaptureFile(LINKTYPE_RAW, records=records[slice(*ends)]).write(paths[-1])
        if paths:
            apart = tcptrace.read(paths, progress=False).timeline.drop(columns=OF_A_FILE)
            whole = timeline(world).drop(columns=OF_A_FILE)
            assert whole.to_csv() == apart.to_csv()


def segments_of(world: World) -> Segments:
    """The segments of a capture in one batch."""
    capture = open_capture(io.BytesIO(world.capture.pcap()))
    return Decoder().feed(Packets.concat(list(capture)))


def tracked(batches: list[Segments]) -> Reconstruction:
    """What the tracker makes of them."""
    tracker = Tracker()
    for batch in batches:
        tracker.feed(batch)
    return tracker.finish()


def all_of(found: Reconstruction) -> tuple[Any, ...]:
    """Everything that a reconstruction says, to be compared."""
    rows = (found.connections, found.endpoints, found.transitions)
    return (*(each.matrix.tolist() for each in rows), found.histories, found.numbers.tolist())
