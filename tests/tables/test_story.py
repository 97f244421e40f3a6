"""Pins the story of a connection."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tcptrace.tables.story import Story, story
from tcptrace.tcp.states import Event, Role, State
from tcptrace.tracker.reasons import Reason
from tcptrace.tracker.transitions import Basis, EndReason, Orientation, Vantage
from tests.tables.written import ORIG, RESP, Written, at, orderly_close


def told(written: Written) -> Story:
    """The story of the first connection."""
    return story(written.reconstruction(), 0, at(1))


def test_moves_are_told_in_order_of_time_with_their_grounds() -> None:
    """Who, from which state to which, by which packet, on what ground."""
    written = Written()
    orderly_close(written, vantage=Vantage.MIDDLE)
    lines = told(written)
    assert lines[0].startswith("10.0.0.9:40000 is the originator (it sent the SYN), 10.0.0.5:8080")
    assert "The tap stands on the path between the two." == lines[1]
    assert "SYN_SENT by snd SYN, packet 1; observed in its own segment." in lines[2]
    times = [float(each.split()[0]) for each in lines if " by " in each and each[0] == " "]
    assert sorted(times) == times
    assert "The connection was closed." == lines[-1]


def line(lines: Story, part: str) -> str:
    """The only line with that part."""
    found = [each for each in lines if part in each]
    assert 1 == len(found), lines
    return found[0]


def test_move_taken_back_is_told_and_leads_nowhere() -> None:
    """The next move starts from the state before it."""
    written = Written()
    orderly_close(written)
    written.moves[-2] |= {"confirmed_by": 8, "reason": Reason.REPEATED_LATER}
    lines = told(written)
    text = line(lines, "not LAST_ACK → CLOSED")
    assert "taken back because of packet 8 (what it acknowledges was sent again" in text
    assert "LAST_ACK → CLOSED by rcv ACK of FIN, packet 9; presumed, neither proved" in line(
        lines, "packet 9"
    )


def test_timer_is_told_with_its_slack() -> None:
    """No packet shows it, and the moment is only known to the timer's slack."""
    written = Written()
    orderly_close(written)
    assert "TIME_WAIT → CLOSED by Timeout=2MSL; predicted by the profile's timers" in line(
        told(written), "2MSL"
    )
    assert "no packet shows it, to 2 s." in line(told(written), "2MSL")


def test_state_that_only_a_prediction_ends_is_left_open() -> None:
    """The capture ended before the timer ran out."""
    written = Written()
    orderly_close(written)
    assert "Left open: no packet shows the originator leaving TIME_WAIT" in line(
        told(written), "Left open"
    )


def test_what_limits_the_view_is_told_first() -> None:
    """Mid-stream, one direction, a port used before, a guessed originator."""
    written = Written()
    written.connection(
        mid_stream=1, one_sided=1, incarnation=2, orientation=Orientation.FIRST_PACKET,
        end_reason=EndReason.IDLE,
    )  # fmt: skip
    text = str(told(written))
    for part in ("older than the capture", "Only one direction", "incarnation 2", "nothing better"):
        assert part in text


def test_story_prints_as_lines() -> None:
    """In a notebook and at a prompt a story is read, not decoded."""
    assert "one\ntwo" == repr(Story(["one", "two"]))


MOVE = st.tuples(
    st.sampled_from(Role), st.sampled_from(State), st.sampled_from(Event), st.sampled_from(Basis),
    st.integers(0, 5), st.sampled_from(Reason),
)  # fmt: skip


@given(st.lists(MOVE, max_size=8))
def test_every_move_is_told(moves: list[tuple]) -> None:  # type: ignore[type-arg]
    """Whatever the tracker says, each move is one line."""
    written = Written()
    conn = written.connection()
    for role, state, event, basis, time, reason in moves:
        written.move(conn, role, state, event, time, basis=basis, reason=reason)
    lines = [each for each in told(written) if each.lstrip()[:1].isdigit() and " by " in each]
    assert len(moves) == len(lines)


def test_each_endpoint_keeps_its_own_order() -> None:
    """Even where the clock stepped back between two of its moves."""
    written = Written()
    conn = written.connection()
    written.move(conn, ORIG, State.SYN_SENT, Event.SND_SYN, 5)
    written.move(conn, ORIG, State.ESTABLISHED, Event.RCV_SYN_ACK, 2)
    written.move(conn, RESP, State.SYN_RCVD, Event.RCV_SYN, 3)
    lines = [each for each in told(written) if " by " in each]
    assert ["SYN_RCVD", "SYN_SENT", "SYN_SENT → ESTABLISHED"] == [
        each.split("  ")[-1].split(" by ")[0].strip() for each in lines
    ]
