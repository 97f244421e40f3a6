"""Connections judged while they are still open, from copies of their evidence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Segments
from tcptrace.sources.capture import open_capture
from tcptrace.tcp.states import State
from tcptrace.tcp.timers import profile
from tcptrace.tracker.current import SECOND, Current
from tcptrace.tracker.tracker import Reconstruction, Tracker
from tcptrace.tracker.transitions import Basis, EndReason

CAPTURES = Path(__file__).parents[2] / "captures"
CASES = sorted(CAPTURES.glob("*/capture.*"))


def segments_of(case: str) -> Segments:
    """All segments of a capture that comes with the project."""
    decoder = Decoder()
    (path,) = (CAPTURES / case).glob("capture.*")
    return Segments.concat([decoder.feed(packets) for packets in open_capture(path)])


def watched(segments: Segments) -> tuple[Tracker, Current]:
    """A tracker that was fed, and what is current of it."""
    tracker = Tracker()
    current = Current(tracker, profile("linux"))
    tracker.feed(segments)
    current.touch(segments)
    return tracker, current


def matrices(found: Reconstruction) -> list[np.ndarray]:
    return [found.connections.matrix, found.endpoints.matrix, found.transitions.matrix]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_judging_changes_nothing(path: Path) -> None:
    """A tracker that is asked after every segment ends as one that never was."""
    segments = segments_of(path.parent.name)
    asked, current = watched(segments.take(slice(0)))
    for row in range(len(segments)):
        one = segments.take(slice(row, row + 1))
        asked.feed(one)
        current.touch(one)
        current.judge(current.due(int(one.time[0])), int(one.time[0]))
    left_alone = Tracker()
    left_alone.feed(segments)
    for expected, found in zip(
        matrices(left_alone.finish()), matrices(asked.finish()), strict=True
    ):
        np.testing.assert_array_equal(expected, found)


def test_as_if_the_capture_ended_now() -> None:
    """Half-way, the verdict is that of a capture of the first half."""
    segments = segments_of("fin_wait_2_stalled").take(slice(9))
    now = int(segments.time.max())
    tracker, current = watched(segments)
    verdict = current.judge(current.due(now), now)
    finished = tracker.finish()
    np.testing.assert_array_equal(finished.transitions.matrix, verdict.transitions.matrix)
    assert [EndReason.CAPTURE_END] == verdict.connections.end_reason.tolist()


def test_due_by_a_segment_then_ever_more_seldom() -> None:
    """At once after a segment; then after a second, after half of the silence, and so on."""
    segments = segments_of("fin_wait_2_stalled").take(slice(9))
    start = int(segments.time.max())
    _, current = watched(segments)
    looks = [second for second in range(60) if _judge_if_due(current, start + second * SECOND)]
    assert [0, 1, 2, 3, 5, 8, 12, 18, 27, 41] == looks


def test_due_when_a_timer_runs_out() -> None:
    """The moment that FIN_WAIT_2 ends by the profile is not slept over."""
    segments = segments_of("fin_wait_2_stalled").take(slice(9))
    _, current = watched(segments)
    start = int(segments.time.max())
    verdict = current.judge(current.due(start), start)
    moves = verdict.transitions
    (ends,) = moves.time[(moves.basis == Basis.TIMER) & (moves.state == State.CLOSED)].tolist()
    later = start + 41 * SECOND
    assert [0] == current.due(later)
    current.judge([0], later)
    assert ([], [0]) == (current.due(ends - 1), current.due(ends))


def test_incarnations_are_judged_side_by_side() -> None:
    """A segment of the newer one makes the older one due, too."""
    segments = segments_of("time_wait_reuse")
    reused = int(np.flatnonzero(segments.opens * 0 + (segments.flags == 2))[1])
    _, current = watched(segments.take(slice(reused + 1)))
    now = int(segments.time[reused])
    slots = current.due(now)
    assert 2 == len(slots)
    assert [0, 1] == sorted(current.judge(slots, now).connections.conn.tolist())


def test_a_slot_that_was_given_back_is_left_out() -> None:
    """Between being due and being judged a connection may have left for good."""
    segments = segments_of("abort")
    tracker, current = watched(segments)
    now = int(segments.time.max())
    due = current.due(now)
    tracker.finish()
    assert 0 == len(current.judge(due, now).connections)


def _judge_if_due(current: Current, now: int) -> bool:
    due = current.due(now)
    current.judge(due, now)
    return bool(due)
