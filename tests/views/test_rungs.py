"""What a ladder shows, and what it sums up."""

from __future__ import annotations

import pytest

from tcptrace.views.fates import IGNORED, Fate
from tcptrace.views.rungs import MOST, MOST_ODD, WHOLE, Choice, Run, Rung, finding_of, rungs
from tests.exchange import OPEN, SECOND
from tests.views.scenes import ORDERLY, TWO_SYNS_LOST, captured, scene, transfer

USUAL = Choice()


def test_runs_keep_what_moves_apart() -> None:
    """SYN, FIN and RST, and what enters a state, are never part of a run."""
    shown = rungs(scene(transfer(30)), USUAL)
    (run,) = [item for item in shown if isinstance(item, Run)]
    assert (60, (0, 30_000), 4) == (run.segments, run.sent, run.packet)
    labels = [item.label.split(" ")[0] for item in shown if isinstance(item, Rung) and item.label]
    assert ["SYN", "SYN,ACK", "ACK", "FIN,ACK", "FIN,ACK", "ACK"] == labels


def test_nothing_is_left_out_where_all_is_asked_for() -> None:
    """Each packet has its rung, in order."""
    shown = [item.packet for item in rungs(scene(transfer(30)), WHOLE) if item.packet]
    assert list(range(1, len(scene(transfer(30)).segments) + 1)) == shown


@pytest.mark.parametrize("count", [20, 500])
def test_a_flood_of_what_is_worth_a_rung_is_bounded(count: int) -> None:
    """The first and the last of many are shown, those in between are told in runs."""
    again = "".join(f"{0.2 + n / 10:.2f} C A 1+100 a1 id={n + 9}\n" for n in range(count))
    syns = "".join(f"{200 + n:.2f} C S 0 id={n + 9}\n" for n in range(count))
    shown = rungs(scene(OPEN + "0.1 C A 1+100 a1 id=1\n" + again + syns), USUAL)
    odd = [item for item in shown if isinstance(item, Rung) and item.fate is Fate.AGAIN]
    assert len(odd) <= MOST_ODD + MOST + USUAL.longest_run * len(shown)
    assert len(shown) <= 2 * (MOST + MOST_ODD) + 20
    total = sum(item.segments if isinstance(item, Run) else bool(item.label) for item in shown)
    assert 4 + 2 * count == total


def test_moves_stand_on_the_segments_that_cause_them() -> None:
    """Both sides', in order; a timer's move has a rung of its own."""
    shown = [item for item in rungs(scene(ORDERLY), WHOLE) if isinstance(item, Rung)]
    by_packet = {item.packet: [move.state for move in item.moves] for item in shown}
    assert ["FIN_WAIT_2", "TIME_WAIT", "LAST_ACK"] == by_packet[7]
    assert (None, "CLOSED", "timer") == (
        shown[-1].packet, shown[-1].moves[0].state, shown[-1].moves[0].basis
    )  # fmt: skip
    assert ["LISTEN"] == [move.state for item in shown if not item.label for move in item.moves][:1]
    assert shown == sorted(shown, key=lambda item: item.time)


def test_findings_are_pinned_to_their_packets() -> None:
    """The SYN,ACK and the one that repeats it."""
    shown = rungs(captured("handshake_ack_lost"), WHOLE)
    pinned = [item.packet for item in shown if isinstance(item, Rung) and item.findings]
    assert [2, 4] == pinned


def test_a_finding_without_packets_is_pinned_to_its_moment() -> None:
    """It must stand somewhere."""
    held = captured("handshake_ack_lost")
    findings = held.anomalies.copy()
    findings["packets"] = [[] for _ in range(len(findings))]
    moved = type(held)(held.row, held.timeline, held.segments, findings, held.end)
    assert [1] == sorted(number for each in finding_of(moved).values() for number in each)


def test_what_was_not_captured_is_shown_before_what_gives_it_away() -> None:
    """A rung without a packet, from the side that must have sent it."""
    text = OPEN + "0.10 C A 1+100 a1\n0.11 C A 201+100 a1\n0.13 S A 1 a301\n"
    shown = [item for item in rungs(scene(text), WHOLE) if isinstance(item, Rung) and item.label]
    (place,) = [n for n, item in enumerate(shown) if item.fate is Fate.UNSEEN]
    assert (None, 0, "seq=101 100 B not captured") == (
        shown[place].packet, shown[place].sender, shown[place].label
    )  # fmt: skip
    assert 5 == shown[place + 1].packet


def test_lost_segments_are_marked() -> None:
    """Also those that were sent again themselves."""
    shown = [item for item in rungs(scene(TWO_SYNS_LOST), WHOLE) if isinstance(item, Rung)]
    told = [(item.fate, item.loss) for item in shown if item.label.startswith("SYN seq")]
    assert [(Fate.SENT, IGNORED), (Fate.AGAIN, IGNORED), (Fate.AGAIN, "")] == told


def test_a_run_tells_its_longest_silence() -> None:
    """What happened in it is not lost with the segments."""
    quiet = "".join(f"{0.1 + n + (n > 5) * 30:.1f} C A {1 + n}+1 a1\n" for n in range(12))
    (run,) = [item for item in rungs(scene(OPEN + quiet), USUAL) if isinstance(item, Run)]
    assert 31 * SECOND == run.silence


def test_icmp_errors_are_named() -> None:
    """An error about a segment is no segment, and always worth a rung."""
    shown = rungs(scene("0.0 C S 0\n0.1 C S 0 icmp\n"), WHOLE)
    (error,) = [item for item in shown if isinstance(item, Rung) and item.is_error]
    assert error.label.startswith("ICMP error 3/1")
