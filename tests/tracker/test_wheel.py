"""Pins where in its window a timer is said to have fired."""

from __future__ import annotations

import pytest
from exchange import CLIENT, SECOND, SERVER, START, Between, exchange

from tcptrace.decode.segments import Segments
from tcptrace.tcp.profile import MILLISECOND, Profile
from tcptrace.tcp.states import Role, State
from tcptrace.tcp.timers import profile
from tcptrace.tracker.four_tuples import FourTuples
from tcptrace.tracker.slots import PARTS
from tcptrace.tracker.tracker import Reconstruction, Tracker

NEAR = """
0.0000 C S 0
0.0200 S SA 0 a1
0.0201 C A 1 a1
"""
FAR = """
0.00 C S 0
0.02 S SA 0 a1
0.04 C A 1 a1
"""
HALF_CLOSED = """
1.0000 C FA 1 a1
1.0200 S A 1 a2
"""
FIRES = 5.1
PERIOD = 256 * MILLISECOND


def repeated(opening: str = NEAR, at: float = FIRES, ids: tuple[int, int] = (0, 0)) -> str:
    """Data sent at 1.8 s, and once more at another time."""
    return f"""
    {opening.strip()}
    1.8 C PA 1+9 a1 id={ids[0]}
    {at} C PA 1+9 a1 id={ids[1]}
    {at + 0.1:.3f} S A 1 a10
    """


def expiry(
    *texts: str,
    opening: str = NEAR,
    swapped: bool = False,
    system: Profile | None = None,
) -> tuple[int, int, int]:
    """Earliest, estimate and latest of the end of the client's FIN_WAIT_2, ns after START.

    The texts are other connections of the two hosts.
    """
    tracker = Tracker(system or profile("linux", tcp_fin_timeout=3))
    tracker.feed(exchange(opening + HALF_CLOSED))
    ends = (SERVER[0], CLIENT[0]) if swapped else (CLIENT[0], SERVER[0])
    for place, text in enumerate(texts):
        between = Between(client=(ends[0], 40001 + place), server=(ends[1], 80))
        tracker.feed(exchange(text, between))
    return end_of(tracker.finish(), 0)


def end_of(found: Reconstruction, conn: int) -> tuple[int, int, int]:
    """Those of the originator of a connection."""
    moves = found.transitions
    own = (moves.conn == conn) & (moves.role == Role.ORIGINATOR)
    ended = moves.take(own & (moves.state == State.CLOSED))
    early, moment, late = (
        int(column[-1]) - START for column in (ended.earliest, ended.time, ended.latest)
    )
    return early, moment, late


def in_phase(moment: int, fired: float = FIRES) -> bool:
    """Whether a timer of 3 s fires at that moment, ns, if one fired at `fired`, s."""
    apart = (moment - round(fired * SECOND)) % PERIOD
    return min(apart, PERIOD - apart) < MILLISECOND


def in_the_middle(window: tuple[int, int, int]) -> bool:
    """Whether the estimate is the middle of its window."""
    return (window[0] + window[2]) // 2 == window[1]


def test_nothing_known_is_the_middle_of_the_window() -> None:
    """Without another timer of the host any moment is as good."""
    assert in_the_middle(expiry())


def test_a_repeat_tells_the_phase() -> None:
    """What was sent again after more than 2.06 s left on a boundary of 256 ms; bounds stay."""
    before, after = expiry(), expiry(repeated())
    assert (before[0], before[2]) == (after[0], after[2])
    assert in_phase(after[1])
    assert after[0] <= after[1] <= after[2]


def test_peers_timers_serve_where_it_has_none_of_its_own() -> None:
    """Two ends on one machine share a kernel, and one guess is as good as another."""
    assert in_phase(expiry(repeated(), swapped=True)[1])


def test_own_timers_go_before_the_peers() -> None:
    """Another host's phase is not mixed in."""
    for at in (5.1, 5.2):
        tracker = Tracker(profile("linux", tcp_fin_timeout=3))
        tracker.feed(exchange(NEAR + HALF_CLOSED))
        tracker.feed(exchange(repeated(at=at), Between(client=(CLIENT[0], 40001))))
        theirs = Between(client=(SERVER[0], 40001), server=(CLIENT[0], 80))
        tracker.feed(exchange(repeated(at=5.0), theirs))
        assert in_phase(end_of(tracker.finish(), 0)[1], at)


def test_most_of_what_fired_decides() -> None:
    """One repeat that came at another phase is outvoted by two that agree."""
    texts = [repeated(at=5.0), repeated(), repeated(at=FIRES + 0.256)]
    assert in_phase(expiry(*texts)[1])


@pytest.mark.parametrize("at", [3.7, 2.0])
def test_a_short_wait_tells_nothing(at: float) -> None:
    """A timer of less than 2.016 s is on a finer level of the wheel (timer.c:LVL_START)."""
    assert in_the_middle(expiry(repeated(at=at)))


def test_a_repeat_that_may_be_the_second_tells_nothing() -> None:
    """Far from the tap one may have been lost between: each wait was shorter than it looks."""
    assert in_the_middle(expiry(repeated(FAR), opening=FAR))


def test_identification_tells_that_no_repeat_was_lost() -> None:
    """Linux numbers a connection's packets over IPv4: the next number is the next packet."""
    assert in_phase(expiry(repeated(FAR, ids=(7, 8)), opening=FAR)[1], FIRES - 0.01)
    assert in_the_middle(expiry(repeated(FAR, ids=(7, 9)), opening=FAR))


def test_waits_that_double_tell_that_no_repeat_was_lost() -> None:
    """1.7 s, then 3.3 s: were one missing between them, the second would be far longer."""
    text = repeated(FAR).replace("5.1 C", "3.5 C PA 1+9 a1\n    6.8 C").replace("5.200", "6.9")
    assert in_phase(expiry(text, opening=FAR)[1], 6.8 - 0.01)


def test_progress_begins_the_timer_anew() -> None:
    """An ACK of other octets restarts it (RFC 6298 section 5.3), so the wait was short."""
    text = repeated().replace("5.1 C", "4.9 S A 1 a6\n    5.1 C")
    assert in_the_middle(expiry(text))


def test_an_answer_is_no_timer() -> None:
    """A repeat on the heels of the peer's segment was asked for."""
    text = repeated().replace("5.1 C", "5.099 S A 1 a1\n    5.1 C")
    assert in_the_middle(expiry(text))


def test_a_firing_long_ago_tells_nothing() -> None:
    """In ten minutes the host's clock and the capture's may have gone apart."""
    text = repeated(at=1000.0)
    assert in_the_middle(expiry(text))


def test_default_timers_need_a_longer_wait() -> None:
    """60 s are on the level of 2048 ms, which a wait of 3.3 s need not be on."""
    assert in_the_middle(expiry(repeated(), system=profile("linux")))


def test_systems_without_a_wheel_keep_the_middle() -> None:
    """FreeBSD's callouts fire at any moment."""
    assert in_the_middle(expiry(repeated(), system=profile("freebsd")))


def test_peer_that_is_another_tells_nothing() -> None:
    """What is said of two hosts rests on their own connections: they may be tracked alone."""
    tracker = Tracker(profile("linux", tcp_fin_timeout=3))
    tracker.feed(exchange(NEAR + HALF_CLOSED))
    other = Between(client=(CLIENT[0], 40001), server=("::ffff:192.0.2.200", 80))
    tracker.feed(exchange(repeated(), other))
    assert in_the_middle(end_of(tracker.finish(), 0))


def of_one_part(count: int) -> list[str]:
    """Clients whose connections with the server are in one part."""
    hosts = [f"::ffff:192.0.2.{number}" for number in range(10, 250)]
    rows = Segments.concat([exchange("0 C S 0", Between(client=(host, 1))) for host in hosts])
    tuples = FourTuples(0)
    tuples.look(rows.cells, rows.cells)
    parts = tuples.parts(len(rows)).tolist()
    return [host for host, part in zip(hosts, parts, strict=True) if part == parts[0]][:count]


@pytest.mark.parametrize(("most", "known"), [(1, False), (9, True)])
def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, most: int, known: bool) -> None:
    """Of more pairs of hosts than are kept, the first to be met are forgotten."""
    monkeypatch.setattr("tcptrace.tracker.wheel.MOST_PAIRS", most * PARTS)
    tracker = Tracker(profile("linux", tcp_fin_timeout=3))
    hosts = of_one_part(3)
    for host in hosts:
        tracker.feed(exchange(repeated(), Between(client=(host, 40000))))
    tracker.feed(exchange(NEAR + HALF_CLOSED, Between(client=(hosts[0], 41000))))
    window = end_of(tracker.finish(), 3)
    assert in_phase(window[1]) if known else in_the_middle(window)
