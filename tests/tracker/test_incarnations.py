"""Pins how one four-tuple's connections are numbered, and how the older one ends."""

from __future__ import annotations

from exchange import CLOSE, OPEN, SECOND, Between, exchange, lives

from tcptrace.decode.segments import Segments
from tcptrace.tcp.states import Event, State
from tcptrace.tracker.incarnations import settle_incarnations
from tcptrace.tracker.tracker import Reconstruction, Tracker
from tcptrace.tracker.transitions import Basis, Connections, Endpoints, EndReason, Transitions
from tcptrace.tracker.verdict import Verdict

AGAIN = Between(isns=(900_000, 800_000))
TURNED = Between(
    client=("::ffff:192.0.2.2", 80), server=("::ffff:192.0.2.1", 40000), isns=(70_000, 60_000)
)


def track(*batches: Segments) -> Reconstruction:
    tracker = Tracker()
    tracker.feed(Segments.concat(list(batches)))
    return tracker.finish()


def later(segments: Segments, seconds: float) -> Segments:
    segments.time[:] += round(seconds * SECOND)
    return segments


def verdict(ordinals: list[int], strays: list[tuple[int, int]]) -> Verdict:
    """Connections of different ends, one move each, in the order of their leaving."""
    connections = Connections.zeros(len(ordinals))
    connections.conn[:] = connections.orig_port[:] = ordinals
    endpoints, moves = Endpoints.zeros(len(ordinals)), Transitions.zeros(len(ordinals))
    endpoints.conn[:] = moves.conn[:] = ordinals
    moves.packet[:] = ordinals
    return Verdict(connections, endpoints, moves, [f"h{n}" for n in ordinals], strays)


def test_numbers_follow_the_order_of_beginning() -> None:
    """Whatever the order of leaving; rows and histories move with their connection."""
    settled, numbers = settle_incarnations([verdict([4], []), verdict([0, 2], [])])
    assert [0, 2, 4] == settled.connections.orig_port.tolist()
    assert [0, 1, 2] == settled.connections.conn.tolist() == settled.transitions.conn.tolist()
    assert [0, 2, 4] == settled.transitions.packet.tolist()
    assert ["h0", "h2", "h4"] == settled.histories
    assert [0, 1, 2] == numbers[[0, 2, 4]].tolist()


def test_stray_counts_for_its_home() -> None:
    """The ordinal of a stray SYN leads to the connection that it strayed into."""
    _, numbers = settle_incarnations([verdict([0, 2], [(1, 0), (3, 2)])])
    assert [0, 0, 1, 1] == numbers.tolist()


def test_nothing_is_settled_of_nothing() -> None:
    """No connections, no numbers."""
    settled, numbers = settle_incarnations([])
    assert (0, 0) == (len(settled.connections), len(numbers))


def test_time_wait_ends_with_the_next_incarnation() -> None:
    """Its timer's row gives way to the SYN that took the tuple over (RFC 9293 section 3.6.1)."""
    found = track(exchange(OPEN + CLOSE), later(exchange(OPEN, AGAIN), 3))
    assert [0, 1] == found.connections.incarnation.tolist()
    assert [EndReason.PORT_REUSED, EndReason.CAPTURE_END] == found.connections.end_reason.tolist()
    moves = found.transitions.take((found.transitions.conn == 0) & (found.transitions.role == 0))
    assert (State.CLOSED, Event.REPLACED) == (moves.state[-1], moves.event[-1])
    assert Basis.INFERRED == moves.basis[-1]
    assert moves.time[-2] < moves.time[-1] <= found.connections.time_start[1]


def test_same_tuple_the_other_way_round() -> None:
    """The roles swap with the next SYN; each end of the older one is still its own."""
    found = track(exchange(OPEN + CLOSE), later(exchange(OPEN, TURNED), 3))
    assert [0, 1] == found.connections.incarnation.tolist()
    assert [40000, 80] == found.connections.orig_port.tolist()
    ends = found.transitions.take((found.transitions.conn == 0) & (found.transitions.role == 0))
    assert Event.REPLACED == ends.event[-1]
    assert "LISTEN SYN_RCVD ESTABLISHED" == lives(found, 1)[1]


def test_timer_that_had_run_out_before_stays() -> None:
    """Used again after two minutes: TIME_WAIT had ended by itself."""
    found = track(exchange(OPEN + CLOSE), later(exchange(OPEN, AGAIN), 120))
    moves = found.transitions.take((found.transitions.conn == 0) & (found.transitions.role == 0))
    assert (Basis.TIMER, Event.TIMEOUT_2MSL) == (moves.basis[-1], moves.event[-1])


def test_reboot_ends_what_was_open() -> None:
    """RFC 9293 figure 9 with the old connection captured: it vanished before the SYN."""
    reboot = exchange("5.0 C S 0", AGAIN)
    dance = exchange("5.02 S A 1 a1\n5.04 C R 1")
    again = exchange("5.06 C S 0\n5.08 S SA 0 a1\n5.10 C A 1 a1", AGAIN)
    found = track(exchange(OPEN), reboot, dance, again)
    assert ("SYN_SENT ESTABLISHED CLOSED", "LISTEN SYN_RCVD ESTABLISHED CLOSED") == lives(found, 0)
    assert ("SYN_SENT ESTABLISHED", "LISTEN SYN_RCVD ESTABLISHED") == lives(found, 1)
    old = found.transitions.take((found.transitions.conn == 0) & (found.transitions.role == 0))
    assert Event.REPLACED == old.event[-1]
    assert old.earliest[-1] < found.connections.time_start[1]


def test_older_one_outlives_an_old_duplicate() -> None:
    """RFC 9293 figure 8: the SYN in between is answered, reset, and the first goes on."""
    duplicate = Between(isns=(500, 5000))
    found = track(
        exchange("0.00 C S 0"),
        exchange("0.01 C S 0\n0.02 S SA 0 a1\n0.04 C R 1", duplicate),
        exchange("0.05 S SA 0 a1\n0.07 C A 1 a1\n0.1 C PA 1+5 a1\n0.12 S A 1 a6"),
    )
    assert ("SYN_SENT ESTABLISHED", "LISTEN SYN_RCVD ESTABLISHED") == lives(found, 0)
    assert ("CLOSED", "LISTEN SYN_RCVD CLOSED") == lives(found, 1)
    assert EndReason.PORT_REUSED not in found.connections.end_reason


def test_end_that_was_taken_back_is_none() -> None:
    """The final ACK was lost, so LAST_ACK lasts until the next incarnation."""
    lost = "1.00 C FA 1 a1\n1.02 S FA 1 a2\n1.04 C A 2 a2\n1.40 S FA 1 a2"
    found = track(exchange(OPEN + lost), later(exchange(OPEN, AGAIN), 3))
    moves = found.transitions.take((found.transitions.conn == 0) & (found.transitions.role == 1))
    assert [State.LAST_ACK, State.CLOSED, State.CLOSED] == moves.state[-3:].tolist()
    assert [Event.RCV_ACK_OF_FIN, Event.REPLACED] == moves.event[-2:].tolist()
    assert [Basis.RETRACTED, Basis.INFERRED] == moves.basis[-2:].tolist()


def test_no_lost_syn_ended_the_connection_before_it_had_closed() -> None:
    """Segments were lost before the tap, so SYNs may have been; TIME_WAIT ended after it began."""
    loses = OPEN + "0.10 C PA 9+5 a1"
    found = track(exchange(OPEN + CLOSE), later(exchange(loses, AGAIN), 3))
    moves = found.transitions
    last = moves.take((moves.conn == 0) & (moves.role == 0))
    reborn = moves.take((moves.conn == 1) & (moves.role == 0))
    assert [State.TIME_WAIT, State.CLOSED] == last.state[-2:].tolist()
    assert State.SYN_SENT == reborn.state[0]
    assert reborn.earliest[0] < last.earliest[-2] == last.earliest[-1]


def test_evicted_connection_was_watched_no_longer_than_that() -> None:
    """A later one with its ports does not change why it was let go."""
    tracker = Tracker(open_limit=1)
    first, other = exchange(OPEN), exchange(OPEN, Between(client=("::ffff:192.0.2.9", 7)))
    again = later(exchange(OPEN, AGAIN), 20)
    tracker.feed(Segments.concat([first, later(other, 10), again]))
    connections = tracker.finish().connections
    assert [0, 0, 1] == connections.incarnation.tolist()
    assert [EndReason.EVICTED, EndReason.EVICTED, EndReason.CAPTURE_END] == (
        connections.end_reason.tolist()
    )
