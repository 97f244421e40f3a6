"""A connection drawn in text."""

from __future__ import annotations

import pytest

from tcptrace.views.lines import IDLE, legend, lines
from tcptrace.views.scene import Scene
from tests.exchange import OPEN
from tests.faces.made import (
    CONNECTIONS,
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
from tests.views.scenes import TWO_SYNS_LOST, captured, scene


def made_scene(
    timeline: tuple[dict[str, object], ...] = TIMELINE,
    segments: tuple[dict[str, object], ...] = SEGMENTS,
) -> Scene:
    """A scene of rows made by hand."""
    row = table("connections", *CONNECTIONS).iloc[0]
    return Scene(
        row, table("timeline", *timeline), table("segments", *segments), table("anomalies")
    )


def told(held: Scene, width: int = 80, *, whole: bool = False) -> list[str]:
    """The lines of a scene as plain text."""
    return [
        "".join(words for words, _ in line).rstrip() for line in lines(held, width, whole=whole)
    ]


def drawn(
    timeline: tuple[dict[str, object], ...] = TIMELINE,
    segments: tuple[dict[str, object], ...] = SEGMENTS,
    width: int = 80,
    whole: bool = False,
) -> list[str]:
    return told(made_scene(timeline, segments), width, whole=whole)


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
                               ┊           idle 1 m 00 s            ┊
   60.004000             CLOSED~                                    │"""
    assert expected.splitlines() == drawn()


@pytest.mark.parametrize("width", [60, 80, 120, 300])
def test_lines_fit_the_width(width: int) -> None:
    """Labels give way before the states do."""
    shown = drawn(width=width, whole=True)
    assert len(SEGMENTS) + 3 == len(shown)
    assert max(map(len, shown)) <= max(width, 64)


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
    shown = drawn(timeline, segments)
    assert "FIN_WAIT_2?" in shown[1] and "◀" not in shown[1]
    assert "TIME_WAIT?" in shown[2] and "◀" in shown[2]


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
    shown = [line for line in drawn(timeline, segments) if "idle" not in line]
    assert ["60.000000", "CLOSED*"] == shown[1].split()
    assert "67.000000" in shown[2] and "CLOSED" not in shown[2]


def test_times_before_the_first_segment() -> None:
    """A host moved before the tap saw its segment."""
    timeline = (entry(PEER, "LISTEN", -5 * MS, MS, basis="assumed"),)
    shown = drawn(timeline, (segment(1, "originator", "S", 0, seq=5),))
    assert ["-0.005000", "LISTEN'"] == shown[0].split()
    assert shown[1].split()[:2] == ["0.000000", "1"]


def test_without_segments_the_moves_remain() -> None:
    """A stream cannot be read again: times, packet numbers and states are still told."""
    shown = drawn(segments=())
    assert ["0.000000", "LISTEN'"] == shown[0].split()
    assert ["0.000000", "1", "SYN_SENT", "SYN_RCVD"] == shown[1].split()
    assert 8 == len(shown)
    assert [] == drawn(timeline=(), segments=())


def test_equal_numbers_of_two_files_are_told_apart() -> None:
    """Packet 1 of the second file is not packet 1 of the first: the nearest in time counts."""
    timeline = (entry(PEER, "CLOSE_WAIT", 5 * SECOND, None, packet=1, basis="confirmed"),)
    segments = (
        segment(1, "originator", "A", 0, seq=5, ack=9),
        segment(1, "originator", "FA", 5 * SECOND, seq=5, ack=9, file=1),
    )
    shown = [line for line in drawn(timeline, segments) if "idle" not in line]
    assert "CLOSE_WAIT" not in shown[0] and "CLOSE_WAIT" in shown[1]


def test_an_icmp_error_points_to_whom_it_came() -> None:
    """To the sender of the segment that it is about."""
    (line,) = [line for line in told(scene("0.0 C S 0\n0.1 C S 0 icmp\n")) if "ICMP" in line]
    assert "◀" in line and "ICMP error 3/1" in line


def test_fates_have_their_own_shafts() -> None:
    """Sent again, lost, not captured, late, a copy: each is told in the legend as well."""
    lost = scene(TWO_SYNS_LOST)
    assert any("SYN seq=0 ═══" in line and "✗" in line for line in told(lost))
    assert "══ sent again, ✗ lost or ignored, as later packets prove" in legend(lost)
    text = OPEN + "0.10 C A 1+100 a1 id=7\n0.101 C A 1+100 a1 id=7\n"
    assert any("╌╌▶" in line for line in told(scene(text)))
    text = OPEN + "0.10 C A 101+100 a1\n0.11 C A 1+50 a1\n0.13 S A 1 a201\n"
    assert any("~~▶" in line for line in told(scene(text)))
    assert any("50 B not captured ..." in line for line in told(scene(text)))


def test_findings_are_pinned() -> None:
    """Their number stands at the packets, their code in the legend."""
    held = captured("handshake_ack_lost")
    pinned = [line.split()[1] for line in told(held) if "[1]" in line]
    assert ["2", "4"] == pinned
    assert "[1] handshake-ack-not-honoured" in legend(held)


def test_a_silence_has_its_line() -> None:
    """From a second on; shorter ones can be read from the times."""
    for gap, said in ((IDLE, True), (IDLE - MS, False)):
        segments = (
            segment(1, "originator", "A", 0, seq=5, ack=9),
            segment(2, "originator", "FA", gap, seq=5, ack=9),
        )
        assert said == any("idle 1 s" in line for line in drawn((), segments))


def test_the_legend_names_only_the_marks_used() -> None:
    """A reader is not told of what is not there."""
    (moves,) = legend(made_scene())
    assert "? presumed" in moves and "~ timer" in moves and "inferred" not in moves
    assert [] == legend(made_scene((TIMELINE[0],)))
