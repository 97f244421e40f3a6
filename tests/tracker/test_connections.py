"""Pins `ConnectionTable`: which connection a segment belongs to, who leaves, and at what cost."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from exchange import CLOSE, OPEN, SECOND, START, Between, exchange

from tcptrace.decode.segments import Segments
from tcptrace.tracker.slots import Slots
from tcptrace.tracker.transitions import EndReason

Kernel = Callable[[str], ModuleType]
LINGER = 300 * SECOND


def table(kernel: Kernel, limit: int = 1000, seed: int = 7) -> Any:
    return kernel("tcptrace.tracker.connections").ConnectionTable(limit, LINGER, seed)


def assigned(opened: Any, segments: Segments) -> Segments:
    opened.assign(segments.cells, len(segments))
    return segments


def slots(opened: Any) -> Slots:
    return Slots(np.asarray(opened.matrix()))


def end_reasons(opened: Any) -> list[EndReason]:
    left = opened.left()
    return [EndReason(reason) for reason in slots(opened).end_reason[left]]


def host(number: int) -> Between:
    """A client of its own."""
    return Between(client=(f"::ffff:10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 5))


def test_both_directions_are_one_connection(kernel: Kernel) -> None:
    """The end seen first is sender 0, whichever it is; only the first segment opens."""
    rows = assigned(table(kernel), exchange(OPEN + CLOSE))
    assert [0, 1, 0, 0, 1, 0] == rows.sender.tolist()
    assert [1, 0, 0, 0, 0, 0] == rows.opens.tolist()
    assert 1 == len(set(rows.slot.tolist()))


def test_connection_of_an_end_with_itself(kernel: Kernel) -> None:
    """Equal ends, as of a socket connected to itself, are one connection and no crash."""
    itself = Between(client=("::1", 80), server=("::1", 80))
    rows = assigned(table(kernel), exchange("0 C S 0\n0 C S 0\n0 C A 1 a1", itself))
    assert [1, 0, 0] == rows.opens.tolist()
    assert [0, 0, 0] == rows.sender.tolist()


def test_extreme_four_tuples(kernel: Kernel) -> None:
    """Addresses and ports at either end of their range, and halves swapped, stay apart."""
    highest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    pairs = [
        (("::", 0), (highest, 65535)),
        (("::", 65535), (highest, 0)),
        (("1::2", 1), ("2::1", 1)),
        (("2::1", 2), ("1::2", 1)),
        (("8000::", 7), ("::8000:0:0:0", 7)),
    ]
    opened = table(kernel)
    seen = [assigned(opened, exchange(OPEN, Between(one, two))) for one, two in pairs]
    assert len(pairs) == len({rows.slot[0] for rows in seen})
    assert all(1 == len(set(rows.slot.tolist())) for rows in seen)


@pytest.mark.parametrize("seed", [0, 1, -1, (1 << 62) - 1])
def test_seed_changes_nothing_that_is_seen(kernel: Kernel, seed: int) -> None:
    """Whatever the hash, the same segments get the same slots."""
    segments = Segments.concat([exchange(OPEN, host(number)) for number in range(50)])
    expected = assigned(table(kernel), segments.take(slice(None))).matrix.tolist()
    assert expected == assigned(table(kernel, seed=seed), segments).matrix.tolist()


def test_syn_with_another_isn_is_a_new_incarnation(kernel: Kernel) -> None:
    """What fits the older numbers still goes to the older one; its own SYN again, too."""
    opened = table(kernel)
    old = assigned(opened, exchange(OPEN))
    new = assigned(opened, exchange("1.0 C S 0", Between(isns=(90_000, 80_000))))
    late = assigned(opened, exchange("1.1 S A 1 a1\n1.2 C S 0\n1.3 C A 1 a1"))
    answer = assigned(opened, exchange("1.4 S SA 0 a1", Between(isns=(90_000, 80_000))))
    assert 1 == new.opens[0]
    assert new.slot[0] != old.slot[0]
    assert {old.slot[0]} == set(late.slot.tolist())
    assert new.slot[0] == answer.slot[0]


def test_third_incarnation_lets_the_first_go(kernel: Kernel) -> None:
    """A four-tuple never keeps more than two, however many SYNs a hostile sender makes."""
    opened = table(kernel)
    for isn in range(0, 5_000_000, 100_000):
        assigned(opened, exchange("0 C S 0", Between(isns=(isn, 5))))
    assert [EndReason.PORT_REUSED] * 48 == end_reasons(opened)


def test_icmp_error_about_nobody_opens_nothing(kernel: Kernel) -> None:
    """Such a row gets slot -1; one about a connection gets that connection's."""
    opened = table(kernel)
    assert [-1] == assigned(opened, exchange("0 C S 0 icmp")).slot.tolist()
    rows = assigned(opened, exchange("0 C S 0\n0.1 C S 0 icmp"))
    assert rows.slot[0] == rows.slot[1] >= 0


def test_ended_ones_leave_after_the_linger(kernel: Kernel) -> None:
    """Both FINs or a RST, then silence; a last segment begins the silence anew."""
    opened = table(kernel)
    assigned(opened, exchange(OPEN + CLOSE))
    assigned(opened, exchange("299 C A 2 a2", Between()))
    assigned(opened, exchange("400 C S 0", host(1)))
    assert [] == opened.left().tolist()
    assigned(opened, exchange("599.1 C A 1 a1", host(1)))
    left = opened.left()
    assert [EndReason.IDLE] == list(slots(opened).end_reason[left])
    assert [START + 599 * SECOND] == list(slots(opened).left_at[left])


def test_clock_is_told_where_others_track_the_rest(kernel: Kernel) -> None:
    """By segments that this table never sees, row by row and at the end."""
    opened = table(kernel)
    assigned(opened, exchange(OPEN + CLOSE))
    late = exchange("2 C A 1 a1\n3 C A 1 a1", host(1))
    opened.assign(late.cells, 2, np.array([START + 301 * SECOND, START + 400 * SECOND]))
    assert [301, 400] == ((late.clock - START) // SECOND).tolist()
    assert [EndReason.IDLE] == end_reasons(opened)
    opened.end_all(START + 500 * SECOND)
    assert [START + 500 * SECOND] == list(slots(opened).left_at[opened.left()])


def test_beyond_the_limit_the_longest_silent_leaves(kernel: Kernel) -> None:
    """Ended connections go first, then those that have been silent for longest."""
    opened = table(kernel, limit=3)
    kept = [assigned(opened, exchange(f"{n} C S 0", host(n))).slot[0] for n in (1, 2)]
    ended = assigned(opened, exchange(OPEN + CLOSE)).slot[0]
    assigned(opened, exchange("7 C S 0", host(1)))
    for number in (4, 5):
        assigned(opened, exchange("8 C S 0", host(number)))
    left = opened.left()
    assert [ended, kept[1]] == left.tolist()
    assert [EndReason.EVICTED] * 2 == list(slots(opened).end_reason[left])


def test_end_of_capture_lets_all_go_in_order(kernel: Kernel) -> None:
    """By their beginning; a released slot is used again."""
    opened = table(kernel)
    rows = assigned(
        opened, Segments.concat([exchange("0 C S 0", host(number)) for number in range(9)])
    )
    opened.end_all()
    left = opened.left()
    assert rows.slot.tolist() == left.tolist()
    opened.release(left[:1])
    assert left[0] == assigned(opened, exchange("0 C S 0", host(99))).slot[0]


def flood(count: int) -> Segments:
    """So many half-open connections: one SYN each."""
    rows = Segments.zeros(count)
    rows.matrix[:] = exchange("0 C S 0").matrix[0]
    rows.src_lo[:] += np.arange(count) // 60_000
    rows.src_port[:] = np.arange(count) % 60_000
    rows.time[:] += np.arange(count) * 1000
    return rows


def test_flood_of_half_open_connections_is_bounded(kernel: Kernel) -> None:
    """100,000 SYNs at a limit of 5,000: the table has room for those and what has yet to go."""
    opened = table(kernel, limit=5000)
    gone = 0
    segments = flood(100_000)
    for start in range(0, len(segments), 2000):
        assigned(opened, segments.take(slice(start, start + 2000)))
        left = opened.left()
        opened.release(left)
        gone += len(left)
    assert 95_000 == gone
    assert len(opened.matrix()) <= 8192


def test_half_open_leaves_after_the_linger(kernel: Kernel) -> None:
    """Nothing but SYNs, answered or not, and then silence; one that was opened stays."""
    opened = table(kernel)
    assigned(opened, exchange("0 C S 0", host(1)))
    assigned(opened, exchange("1 C S 0\n1 S SA 0 a1", host(2)))
    assigned(opened, exchange(OPEN, host(3)))
    assigned(opened, exchange("299 C S 0", host(1)))
    assigned(opened, exchange("400 C S 0", host(4)))
    assert [EndReason.IDLE] == end_reasons(opened)
    assigned(opened, exchange("600 C A 1 a1", host(3)))
    assert [EndReason.IDLE] == end_reasons(opened)


def test_half_open_that_left_a_late_answer_is_a_new_incarnation(kernel: Kernel) -> None:
    """Its host gave up long ago: whatever comes belongs to nothing that was there."""
    opened = table(kernel)
    first = assigned(opened, exchange("0 C S 0"))
    late = assigned(opened, exchange("301 S SA 0 a1"))
    assert [1, 1] == [int(first.opens[0]), int(late.opens[0])]
    assert [EndReason.IDLE] == end_reasons(opened)
