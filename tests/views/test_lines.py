"""A connection drawn in text."""

from __future__ import annotations

import pytest

from tcptrace.faces import ladder as drawing
from tcptrace.faces.ladder import ladder, legend, rungs_of, runs
from tests.faces.made import (
    ENDPOINT,
    MS,
    PEER,
    SECOND,
    SEGMENTS,
    TIMELINE,
    entry,
    segment,
    table,
)


def drawn(
    timeline: tuple[dict[str, object], ...] = TIMELINE,
    segments: tuple[dict[str, object], ...] = SEGMENTS,
    width: int = 80,
    whole: bool = False,
) -> list[str]:
    lines = ladder(table("timeline", *timeline), table("segments", *segments), width, whole)
    return [line.plain.rstrip() for line in lines]


def test_a_stalled_close() -> None:
    """States stand where they are entered, quiet stretches are one line, timers have their own."""
    expected = """\
    0.000000                                                        LISTEN'
    0.000000      1     SYN_SENT SYN seq=0 ───────────────────────▶ SYN_RCVD
    0.001000      2  ESTABLISHED ◀───────────── SYN,ACK seq=0 ack=1 │
    0.001000      3            │ ACK seq=1 ack=1 ─────────────────▶ ESTABLISHED
    0.002000     4…            │ 5 segments →300 B ←4,344 B in 0 ns │
    0.003000      9   FIN_WAIT_1 FIN,ACK seq=301 ack=4345 ────────▶ CLOSE_WAIT
    0.004000     10  FIN_WAIT_2? ◀──────────── ACK seq=4345 ack=302 │
   60.004000             CLOSED~                                    │"""
    assert expected.splitlines() == drawn()


@pytest.mark.parametrize("width", [60, 80, 120, 300])
def test_lines_fit_the_width(width: int) -> None:
    """Labels give way before the states do."""
    lines = drawn(width=width, whole=True)
    assert len(SEGMENTS) + 2 == len(lines)
    assert max(map(len, lines)) <= max(width, 64)


def test_every_segment_where_asked() -> None:
    """-v leaves none out."""
    numbers = [line[12:19].strip() for line in drawn(whole=True)]
    assert [str(number) for number in range(1, 11)] == [number for number in numbers if number]


def test_sequence_numbers_wrap() -> None:
    """The responder's ISN is 2**32 - 1: its first octet is 1 all the same."""
    assert any("seq=1 ack=301 1,448 B" in line for line in drawn(width=120, whole=True))


def test_two_states_on_one_packet() -> None:
    """FIN with ACK of FIN walks through FIN_WAIT_2: both are shown, the arrow once."""
    timeline = (
        entry(ENDPOINT, "FIN_WAIT_1", 0, MS, packet=1, basis="observed"),
        entry(ENDPOINT, "FIN_WAIT_2", MS, 0, packet=2, basis="presumed"),
        entry(ENDPOINT, "TIME_WAIT", MS, 60 * SECOND, packet=2, basis="presumed"),
    )
    segments = (
        segment(1, "originator", "FA", 0, seq=5, ack=9),
        segment(2, "responder", "FA", MS, seq=9, ack=6),
    )
    lines = drawn(timeline, segments)
    assert "FIN_WAIT_2?" in lines[1] and "◀" not in lines[1]
    assert "TIME_WAIT?" in lines[2] and "◀" in lines[2]


def test_a_move_that_a_packet_only_proves() -> None:
    """A timer ended the state a minute before the packet that gives it away."""
    timeline = (
        entry(ENDPOINT, "FIN_WAIT_2", 0, 60 * SECOND, packet=1, basis="presumed"),
        entry(ENDPOINT, "CLOSED", 60 * SECOND, None, packet=2, basis="inferred"),
    )
    segments = (
        segment(1, "responder", "A", 0, seq=5, ack=9),
        segment(2, "originator", "R", 67 * SECOND, seq=9),
    )
    lines = drawn(timeline, segments)
    assert ["60.000000", "CLOSED*"] == lines[1].split()
    assert "67.000000" in lines[2] and "CLOSED" not in lines[2]


def test_times_before_the_first_segment() -> None:
    """A host moved before the tap saw its segment."""
    timeline = (entry(PEER, "LISTEN", -5 * MS, MS, basis="assumed"),)
    lines = drawn(timeline, (segment(1, "originator", "S", 0, seq=5),))
    assert ["-0.005000", "LISTEN'"] == lines[0].split()
    assert lines[1].split()[:2] == ["0.000000", "1"]


def test_without_segments_the_moves_remain() -> None:
    """A stream cannot be read again: times, packet numbers and states are still told."""
    lines = drawn(segments=())
    assert ["0.000000", "LISTEN'"] == lines[0].split()
    assert ["0.000000", "1", "SYN_SENT", "SYN_RCVD"] == lines[1].split()
    assert 7 == len(lines)
    assert [] == drawn(timeline=(), segments=())


def test_equal_numbers_of_two_files_are_told_apart() -> None:
    """Packet 1 of the second file is not packet 1 of the first: the nearest in time counts."""
    timeline = (entry(PEER, "CLOSE_WAIT", 5 * SECOND, None, packet=1, basis="confirmed"),)
    segments = (
        segment(1, "originator", "A", 0, seq=5, ack=9),
        segment(1, "originator", "FA", 5 * SECOND, seq=5, ack=9, file=1),
    )
    lines = drawn(timeline, segments)
    assert "CLOSE_WAIT" not in lines[0] and "CLOSE_WAIT" in lines[1]


def test_icmp_errors_are_named() -> None:
    """An error about a segment is no segment, and always worth a line."""
    segments = (
        segment(1, "originator", "S", 0, seq=5),
        segment(2, "originator", "S", MS, seq=5, kind="icmp_error"),
    )
    assert "ICMP error" in drawn((), segments)[1]


def test_runs_keep_what_moves_apart() -> None:
    """SYN, FIN and RST, and what enters a state, are never part of a stretch."""
    rungs = rungs_of(table("timeline", *TIMELINE), table("segments", *SEGMENTS))
    lengths = [len(run) for run in runs(rungs)]
    assert [1, 1, 1, 1, 5, 1, 1, 1] == lengths
    assert drawing.LONGEST_RUN < 5


def test_the_legend_names_only_the_marks_used() -> None:
    """A reader is not told of what is not there."""
    told = legend(table("timeline", *TIMELINE))
    assert "? presumed" in told and "~ timer" in told and "inferred" not in told
    assert "" == legend(table("timeline", TIMELINE[0]))
