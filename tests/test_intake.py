"""The thread that takes packets in: counts, limits, what is told of it, how it ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcptrace import intake
from tcptrace.intake import Intake
from tcptrace.sources.capture import open_capture
from tcptrace.sources.facts import FileFacts, InterfaceFacts
from tcptrace.sources.filter import Filter
from tcptrace.sources.live_source import Counters
from tcptrace.sources.packets import Packets
from tcptrace.tcp.timers import profile
from tcptrace.tracker.transitions import Connections, EndReason

CAPTURES = Path(__file__).parent.parent / "captures"
REUSE = CAPTURES / "time_wait_reuse" / "capture.pcapng"


class Given:
    """A source that gives a file's packets, some at a time, and what else a test wants."""

    def __init__(self, *paths: Path, size: int = 4, behind: tuple[int, ...] = ()) -> None:
        self.paths, self.size, self.waits = paths, size, list(behind)
        self.facts = FileFacts("given", interfaces=[InterfaceFacts(1)])
        self.told = Counters(dropped=0)
        self.stopped = self.closed = False
        self.time = 0

    def batches(self) -> Iterator[Packets]:
        for packets in open_capture(list(self.paths)):
            for start in range(0, len(packets), self.size):
                if self.stopped:
                    return
                batch = packets.take(slice(start, start + self.size))
                self.time = int(batch.time.max())
                self.told.behind = self.waits.pop(0) if self.waits else 0
                yield batch

    def now(self) -> int:
        return self.time

    def counters(self) -> Counters:
        return self.told

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        self.closed = True


def taken(source: Given, **options: object) -> Intake:
    """An intake that has come to its source's end."""
    made = Intake(source, profile("linux"), **options)  # type: ignore[arg-type]
    made.start()
    assert made.ended.wait(5)
    made.stop()
    return made


def test_everything_is_taken_in_and_the_source_closed() -> None:
    """All packets, whatever the batches."""
    source = Given(REUSE)
    made = taken(source)
    assert (22, None, True) == (made.facts(None).packets, made.failure, source.closed)
    assert 2 == len(made.finish().connections)


def test_no_more_than_asked_for() -> None:
    """The count is of packets that the filter lets through."""
    made = taken(Given(REUSE), filter=Filter("src port 8080"), count=5)
    assert 5 == made.facts(None).packets


def test_the_longest_wait_since_the_last_time() -> None:
    """A wait between two looks is told once, not overlooked."""
    made = taken(Given(REUSE, behind=(3, 70, 2)))
    assert [70, 0] == [made.counters().behind, made.counters().behind]


def test_what_was_told_is_told_once() -> None:
    """Nothing has left for good yet; what left at the end is told by `finish`."""
    made = taken(Given(REUSE))
    assert ([], [0, 1]) == (made.told(), made.open().tolist())


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest idle connection is let go, and counted; so are rows that are given up."""
    monkeypatch.setattr(intake, "OPEN_MOST", 1)
    monkeypatch.setattr(intake, "KEPT_MOST", 1)
    monkeypatch.setattr("tcptrace.tracker.pending.GROUP", 1)
    made = taken(Given(*sorted(CAPTURES.glob("[fs]*/capture.*")), size=1))
    told = Connections.concat([verdict.connections for verdict in made.told()])
    counters = made.counters()
    assert 2 <= counters.evicted == (told.end_reason == EndReason.EVICTED).sum()
    assert len(told) - 1 == counters.forgotten
    assert len(made.finish().connections) <= 4


def test_facts_of_a_moment() -> None:
    """The capture lasts until now, and what the kernel dropped is its loss."""
    source = Given(REUSE)
    source.facts.interfaces[0].dropped_by_system = 7
    made = taken(source)
    later = source.now() + 60
    assert (later, 7) == (made.facts(later).end, made.facts(later).loss.dropped)
    assert source.now() == made.facts(None).end


def test_a_failure_is_kept_for_who_asks() -> None:
    """What was taken in before it stays."""

    class Broken(Given):
        def batches(self) -> Iterator[Packets]:
            yield next(super().batches())
            raise OSError("gone")

    made = taken(Broken(REUSE))
    assert "gone" == str(made.failure)
    assert 4 == made.facts(None).packets


def test_packets_pass_while_connections_are_judged() -> None:
    """The lock is let go between a few connections and the next few."""
    source = Given(REUSE, size=1)
    made = Intake(source, profile("linux"))
    made.start()
    while not made.ended.is_set():
        made.judge(source.now())
        time.sleep(0)
    made.stop()
    assert 2 == len(made.finish().connections)
